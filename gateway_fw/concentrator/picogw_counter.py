"""The picoGW's 32-bit µs counter, made endless and related to the host's clock."""

from __future__ import annotations

from collections import deque

from lorawan.machine import Instant

WRAP_US = 1 << 32  # 71.6 min
JUMP_US = 2_000_000  # assumption: no two clocks, and no answer, are that far off between two readings
_SAMPLES = 64  # assumption: among so many readings one was answered without delay


class MicrosecondCounter:
    """Counter readings in, concentrator time out.

    Concentrator time is the counter, unwrapped, plus a constant that makes it equal to the host's time at the first
    reading. It runs with the board's crystal: `ahead_us` is how far it has come before the host's.
    """

    def __init__(self) -> None:
        self._time: Instant | None = None
        self._read_at: Instant = 0
        self._ahead: deque[int] = deque(maxlen=_SAMPLES)
        self.origin_us: Instant = 0

    @property
    def ahead_us(self) -> int:
        """Concentrator time minus host time: the largest of the last readings, the one least delayed on the line."""
        return max(self._ahead, default=0)

    def read(self, raw: int, now: Instant) -> int:
        """Take a reading that came in at `now` (host time).

        Returns by how much it is off what the host's clock let expect: over JUMP_US the board has restarted.
        """
        if self._time is None:
            self.origin_us = now - raw
            self._time, self._read_at = now, now
            self._ahead.append(0)
            return 0
        predicted = self._time + now - self._read_at
        self._time, self._read_at = self._nearest(raw, predicted), now
        self._ahead.append(self._time - now)
        return self._time - predicted

    def time_of(self, raw: int) -> Instant:
        """The concentrator time of a count within half a wrap of the last reading."""
        return 0 if self._time is None else self._nearest(raw, self._time)

    def raw(self, time: Instant) -> int:
        """A concentrator time as the counter shows it."""
        return (time - self.origin_us) % WRAP_US

    def host_time(self, time: Instant) -> Instant:
        """The host's time at a concentrator time near now."""
        return time - self.ahead_us

    def _nearest(self, raw: int, about: Instant) -> Instant:
        offset = (raw + self.origin_us - about) % WRAP_US
        return about + (offset if offset < WRAP_US // 2 else offset - WRAP_US)
