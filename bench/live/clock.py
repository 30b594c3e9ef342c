"""Wall-clock time for cores: actions happen at their own instants, in order, as soon as the clock has reached them.

The instant that a core is given is the one it asked for, not the one at which Python came round to it. So a frame ends
and a window opens on the microsecond, however busy the machine is; how late Python was is measured apart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from heapq import heappop, heappush

from lorawan.machine import Instant
from lorawan.units import US_PER_S

_NS_PER_US = 1_000


def monotonic_us() -> int:
    """The machine's clock that never goes back, µs."""
    return time.monotonic_ns() // _NS_PER_US


class LiveWorld:
    """A timeline (`radio_sim.world.Timeline`) under an asyncio loop, one for everything that shares an air.

    Instant 0 is when it was made. What comes from outside (a datagram, bytes of a serial line) goes through `inject`:
    everything due by then is done first, so nothing from outside changes the past. clock: µs, for tests.
    """

    def __init__(self, clock: Callable[[], int] = monotonic_us) -> None:
        self._clock = clock
        self._origin = clock()
        self._now: Instant = 0
        self._agenda: list[tuple[Instant, int, Callable[[], None]]] = []
        self._tickets = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: Instant | None = None
        self._running = False
        self.actions = 0
        self.worst_late_us = 0
        self._late_sum_us = 0

    @property
    def now(self) -> Instant:
        """The instant under way, µs."""
        return self._now

    @property
    def wall(self) -> Instant:
        """What the clock on the wall shows, µs since instant 0."""
        return self._clock() - self._origin

    @property
    def next_at(self) -> Instant | None:
        """When the next action is due."""
        return self._agenda[0][0] if self._agenda else None

    @property
    def mean_late_us(self) -> float:
        """How late actions began, on average."""
        return self._late_sum_us / self.actions if self.actions else 0.0

    def at(self, when: Instant, action: Callable[[], None]) -> None:
        """Call `action` at `when` (at once if that is past)."""
        self._tickets += 1
        heappush(self._agenda, (max(when, self._now), self._tickets, action))
        self._arm()

    def catch_up(self) -> None:
        """Do what is due by now, and no more, so that a loop that fell behind still gets to its sockets."""
        if self._running:
            return
        self._running = True
        try:
            wall = self.wall
            while self._agenda and self._agenda[0][0] <= wall:
                when, _, action = heappop(self._agenda)
                self._now = max(self._now, when)
                late = self.wall - when
                self.actions += 1
                self._late_sum_us += late
                self.worst_late_us = max(self.worst_late_us, late)
                action()
            self._now = max(self._now, wall)
        finally:
            self._running = False
            self._arm()  # also after an action that failed: the others have their time all the same

    def inject(self, action: Callable[[], None]) -> None:
        """Do something from outside, now."""
        self.catch_up()
        try:
            action()
        finally:
            self._arm()

    def start(self) -> None:
        """Let the running asyncio loop call `catch_up` whenever something is due."""
        self._loop = asyncio.get_running_loop()
        self._arm()

    def stop(self) -> None:
        """Leave the loop; nothing happens after this."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop = self._timer = self._timer_at = None

    def _arm(self) -> None:
        next_at = self.next_at
        if self._loop is None or self._running or next_at == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, next_at
        if next_at is not None:
            self._timer = self._loop.call_later(max(0, next_at - self.wall) / US_PER_S, self._fire)

    def _fire(self) -> None:
        self._timer = self._timer_at = None
        self.catch_up()
