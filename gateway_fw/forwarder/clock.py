"""A gateway's clocks: the concentrator's 32-bit counter, and UTC and GPS time where there is GPS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway_fw.gps.reference import GPS_EPOCH_UNIX_US
from lorawan.machine import Instant
from lorawan.units import US_PER_MS, US_PER_S

WRAP_US = 1 << 32
GPS_AHEAD_OF_UTC_US = 18 * US_PER_S  # since 1 January 2017. Source: IERS Bulletin C 52 and those after it

_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GatewayClock:
    """counter_offset_us: the counter at instant 0; origin_unix_us: UTC at instant 0."""

    counter_offset_us: int = 0
    origin_unix_us: int = 0

    def counter(self, at: Instant) -> int:
        """The counter at an instant: µs modulo 2^32."""
        return (at + self.counter_offset_us) % WRAP_US

    def instant_of(self, tmst: int, now: Instant) -> Instant:
        """The instant nearest to now at which the counter has this value: within ±2^31 µs, some 36 minutes."""
        ahead = (tmst - self.counter(now)) % WRAP_US
        return now + (ahead if ahead < WRAP_US // 2 else ahead - WRAP_US)

    def gps_ms(self, at: Instant) -> int:
        """GPS time in whole ms since 6 January 1980, without leap seconds (tmms)."""
        return (at + self.origin_unix_us - GPS_EPOCH_UNIX_US + GPS_AHEAD_OF_UTC_US) // US_PER_MS

    def instant_of_gps(self, tmms: int) -> Instant:
        """The instant of a GPS time in ms."""
        return tmms * US_PER_MS - GPS_AHEAD_OF_UTC_US + GPS_EPOCH_UNIX_US - self.origin_unix_us

    def unix_us(self, at: Instant) -> int:
        """UTC at an instant, µs since 1970."""
        return at + self.origin_unix_us

    def utc(self, at: Instant) -> datetime:
        """UTC at an instant."""
        return utc_of(at + self.origin_unix_us)


def utc_of(unix_us: int) -> datetime:
    """From µs since 1970."""
    return _UNIX_EPOCH + timedelta(microseconds=unix_us)
