"""How a gateway with a PPS learns from its server which GPS second a pulse is.

Source: Basics Station 2.0.6, timesync.c (onTimesyncLns, ts_processTimesyncLns); s2conf.h for the times.
"""

from __future__ import annotations

from lorawan.machine import Instant
from lorawan.units import US_PER_MS, US_PER_S

RETRY_US = 71 * US_PER_MS  # TIMESYNC_LNS_RETRY
PAUSE_US = 5 * US_PER_S  # TIMESYNC_LNS_PAUSE
BURST = 10  # TIMESYNC_LNS_BURST
MAX_ROUND_TRIP_US = 2 * US_PER_S


class GpsSync:
    """pps_phase_us: instants of pulses modulo one second; None for a gateway without PPS, which never asks.

    A server's answer fixes the second if just one pulse fits between question and answer; its own clock may be off
    by any whole number of its network's milliseconds, the pulses give the exact fraction.
    """

    def __init__(self, pps_phase_us: int | None) -> None:
        self._phase_us = pps_phase_us
        self._offset_us: int | None = None
        self._ask_at: Instant | None = None
        self._asked = 0

    @property
    def ask_at(self) -> Instant | None:
        """When to ask next."""
        return self._ask_at if self._offset_us is None else None

    def restart(self, now: Instant) -> None:
        """A new session: what was learned is void (Station starts its radio anew)."""
        self._offset_us, self._asked = None, 0
        self._ask_at = None if self._phase_us is None else now

    def stop(self) -> None:
        """No server to ask. What was learned stays."""
        self._ask_at = None

    def asked(self, now: Instant) -> None:
        """A question is on its way."""
        self._asked += 1
        self._ask_at = now + (RETRY_US if self._asked % BURST else PAUSE_US)

    def answered(self, txtime_us: Instant, now: Instant, gpstime_us: int) -> None:
        """Take the server's clock in; nothing where it is of no use."""
        if self._phase_us is None or self._offset_us is not None or not 0 <= now - txtime_us < MAX_ROUND_TRIP_US:
            return
        fraction_us = gpstime_us % US_PER_S
        # pulses from which the server's fraction of a second leads to between question and answer
        first = txtime_us - fraction_us
        pulse = first + (self._phase_us - first) % US_PER_S
        if pulse + fraction_us <= now < pulse + US_PER_S + fraction_us:
            self._offset_us = gpstime_us - fraction_us - pulse

    def told(self, at: Instant, gpstime_us: int) -> None:
        """The server says which GPS time an instant is."""
        self._offset_us = gpstime_us - at

    def gps_us(self, at: Instant) -> int:
        """GPS time of an instant, 0 where unknown."""
        return 0 if self._offset_us is None else max(0, at + self._offset_us)

    def instant(self, gpstime_us: int) -> Instant | None:
        """The instant of a GPS time, None where unknown."""
        return None if self._offset_us is None else gpstime_us - self._offset_us
