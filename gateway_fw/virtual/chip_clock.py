"""The SX1302's 32 MHz counter: 32 bits that wrap every 134.2 s, and its copy at each pulse per second.

Source: sx1302_hal 2.1.0, src/loragw_sx1302_timestamp.c (timestamp_counter_get).
"""

from __future__ import annotations

from lorawan.machine import Instant
from lorawan.units import US_PER_S

TICKS_PER_US = 32
WRAP = 1 << 32
_BILLION = 1_000_000_000


class ChipClock:
    """Ticks as a function of the instant; the rate may change without a jump. drift_ppb: the crystal is fast."""

    def __init__(self, since: Instant, start_ticks: int = 0, drift_ppb: int = 0) -> None:
        self._started_at = since
        self._since, self._ticks, self._drift_ppb = since, start_ticks, drift_ppb

    def elapsed_ticks(self, at: Instant) -> int:
        """Ticks at an instant without wrapping; instants before the start give less than the start."""
        return self._ticks + (at - self._since) * TICKS_PER_US * (_BILLION + self._drift_ppb) // _BILLION

    def ticks(self, at: Instant) -> int:
        """The 32-bit counter at an instant."""
        return self.elapsed_ticks(at) % WRAP

    def set_drift(self, drift_ppb: int, now: Instant) -> None:
        """Run at another rate from now on."""
        self._ticks, self._since, self._drift_ppb = self.elapsed_ticks(now), now, drift_ppb

    def pps_ticks(self, now: Instant, phase_us: int) -> int:
        """The counter at the last pulse (instants that are phase_us modulo one second), 0 before the first."""
        pulse = last_pulse(now, phase_us)
        return self.ticks(pulse) if pulse >= self._started_at else 0

    def next_time(self, ticks: int, now: Instant) -> Instant:
        """The next instant, from now on, at which the 32-bit counter shows this value (nearest µs)."""
        ahead = (ticks - self.ticks(now)) % WRAP
        rate = TICKS_PER_US * (_BILLION + self._drift_ppb)
        return now + (ahead * _BILLION * 2 + rate) // (2 * rate)


def last_pulse(now: Instant, phase_us: int) -> Instant:
    """The latest pulse per second at or before now."""
    return now - (now - phase_us) % US_PER_S
