"""The SX1302's 32 MHz counter, made endless and related to the host's clock.

Source: sx1302_hal 2.1.0 libloragw/src/loragw_sx1302_timestamp.c (timestamp_counter_get, timestamp_pkt_expand).
"""

from __future__ import annotations

from collections import deque

from lorawan.machine import Instant

TICKS_PER_US = 32
WRAP_TICKS = 1 << 32  # 134.2 s
_SAMPLES = 64  # assumption: among so many readings one was answered without delay


class Counter:
    """Counter readings in, concentrator time out.

    Concentrator time is the counter in µs, unwrapped, plus a constant that makes it equal to the host's time at the
    first reading. It runs with the chip's crystal: `ahead_us` is how far it has come before the host's. A gap between
    readings may be as long as it likes: the host's clock tells the wraps apart as long as both agree within a minute.
    """

    def __init__(self) -> None:
        self._ticks: int | None = None
        self._read_at: Instant = 0
        self._origin_us = 0
        self._pulse: int | None = None
        self._pulse_at: Instant | None = None
        self._ahead: deque[int] = deque(maxlen=_SAMPLES)

    @property
    def known(self) -> bool:
        """Whether there was a reading."""
        return self._ticks is not None

    @property
    def origin_us(self) -> Instant:
        """The concentrator time at which the counter read 0."""
        return self._origin_us

    @property
    def ahead_us(self) -> int:
        """Concentrator time minus host time: the largest of the last readings, the one least delayed on the line."""
        return max(self._ahead, default=0)

    def read(self, raw: int, now: Instant) -> Instant:
        """Take a reading of 32 bits that came in at `now` (host time); the concentrator time it stands for."""
        if self._ticks is None:
            self._ticks = raw
            self._origin_us = now - raw // TICKS_PER_US
        else:
            predicted = self._ticks + (now - self._read_at) * TICKS_PER_US
            self._ticks = _nearest(raw, predicted)
        self._read_at = now
        time = self._origin_us + self._ticks // TICKS_PER_US
        self._ahead.append(time - now)
        return time

    def pulse(self, raw: int) -> None:
        """Take the reading of the counter that a pulse per second latches; without pulses it stays as it is."""
        if self._pulse is not None and raw != self._pulse:
            self._pulse_at = self.time_of(raw)
        self._pulse = raw

    @property
    def pulse_at(self) -> Instant | None:
        """The concentrator time of the last pulse, None where none was seen to come."""
        return self._pulse_at

    def time_of(self, raw: int) -> Instant:
        """The concentrator time of a timestamp taken within the wrap around the last reading."""
        if self._ticks is None:
            return 0
        return self._origin_us + _nearest(raw, self._ticks) // TICKS_PER_US

    def raw_us(self, time: Instant) -> int:
        """A concentrator time as the 32-bit µs counter shows it."""
        return (time - self._origin_us) & 0xFFFF_FFFF

    def raw_ticks(self, time: Instant) -> int:
        """A concentrator time as the 32-bit 32 MHz counter shows it."""
        return (time - self._origin_us) * TICKS_PER_US & 0xFFFF_FFFF

    def host_time(self, time: Instant) -> Instant:
        """The host's time at a concentrator time near now."""
        return time - self.ahead_us


def _nearest(raw: int, about: int) -> int:
    offset = (raw - about) % WRAP_TICKS
    return about + (offset if offset < WRAP_TICKS // 2 else offset - WRAP_TICKS)
