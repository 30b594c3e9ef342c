"""The picoGW's µs counter: 32 bits that wrap every 71.6 min, continuous over the chip's restarts.

The microcontroller adds its own timer's offset after each restart of the chip. Source: picoGW_mcu 0.2.1 cmdUSB.cpp
(order 'f'), loragw_hal.cpp (offtmstpstm32).
"""

from __future__ import annotations

from lorawan.machine import Instant

WRAP = 1 << 32
_BILLION = 1_000_000_000


class MicrosecondClock:
    """Counts as a function of the instant; the rate may change without a jump. drift_ppb: how much it is fast."""

    def __init__(self, since: Instant, start: int = 0, drift_ppb: int = 0) -> None:
        self._since, self._start, self._drift_ppb = since, start, drift_ppb

    def elapsed(self, at: Instant) -> int:
        """The count without wrapping; instants before the start give less than the start."""
        return self._start + (at - self._since) * (_BILLION + self._drift_ppb) // _BILLION

    def count(self, at: Instant) -> int:
        """The 32-bit counter at an instant."""
        return self.elapsed(at) % WRAP

    def set_drift(self, drift_ppb: int, now: Instant) -> None:
        """Run at another rate from now on."""
        self._start, self._since, self._drift_ppb = self.elapsed(now), now, drift_ppb

    def restart(self, now: Instant) -> None:
        """Count from 0 again."""
        self._start, self._since = 0, now

    def ahead_us(self, count: int, now: Instant) -> int:
        """How far ahead a value is, −2^31 … 2^31 − 1 counts: negative where it has passed."""
        return (count - self.count(now) + WRAP // 2) % WRAP - WRAP // 2

    def instant_of(self, count: int, now: Instant) -> Instant:
        """The instant nearest to now at which the counter first shows this value."""
        target = self.elapsed(now) + self.ahead_us(count, now) - self._start
        rate = _BILLION + self._drift_ppb
        return self._since - (-target * _BILLION // rate)
