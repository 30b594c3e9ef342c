"""What GPS tells a forwarder: where it is, and which GPS time belongs to which instant of the concentrator."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.machine import Instant
from lorawan.units import US_PER_S

GPS_EPOCH_UNIX_US = 315_964_800 * US_PER_S  # 6 January 1980. Source: IS-GPS-200 §3.3.4
MAX_AGE_US = 30 * US_PER_S  # lora_pkt_fwd.c GPS_REF_MAX_AGE (sx1302_hal 2.1.0): older ones are not trusted


@dataclass(frozen=True, slots=True)
class TimeReference:
    """Event of a forwarder: at this instant it was this GPS time.

    at: concentrator time. gps_us: µs since 6 January 1980, without leap seconds. leap_s: GPS ahead of UTC. rate:
    concentrator seconds in one true second, within 10 ppm of 1.
    """

    at: Instant
    gps_us: int
    leap_s: int
    rate: float = 1.0

    def is_valid(self, now: Instant) -> bool:
        """Whether it is young enough: 30 s, as in the reference forwarder."""
        return now - self.at <= MAX_AGE_US

    def gps_us_at(self, at: Instant) -> int:
        """GPS time at an instant, µs."""
        return self.gps_us + round((at - self.at) / self.rate)

    def unix_us_at(self, at: Instant) -> int:
        """UTC at an instant, µs since 1970."""
        return self.gps_us_at(at) - self.leap_s * US_PER_S + GPS_EPOCH_UNIX_US

    def instant_of_gps(self, gps_us: int) -> Instant:
        """The instant of a GPS time."""
        return self.at + round((gps_us - self.gps_us) * self.rate)


@dataclass(frozen=True, slots=True)
class TimeLost:
    """Event of a forwarder: the receiver has no valid time any more."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """Event of a forwarder: where its antenna is, in degrees and metres above sea level. satellites: in use."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    satellites: int = 0
