"""Runs one core under an asyncio loop: carries out its effects in order and re-arms one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from gateway_fw.errors import LinkStateError
from lorawan.machine import Core, Instant
from lorawan.units import US_PER_S

EARLY_US = 2_000  # assumption: so much the loop's clock may be ahead of another clock when it wakes us

EventT = TypeVar("EventT")
EffectT = TypeVar("EffectT")


class CoreDriver(Generic[EventT, EffectT]):
    """Feeds a core with the instant, in µs since `start`, and its effects to `carry_out`.

    clock: another source of instants, such as a radio's; the loop's own clock by default.
    """

    def __init__(
        self,
        core: Core[EventT, EffectT],
        carry_out: Callable[[EffectT], None],
        *,
        clock: Callable[[], Instant] | None = None,
    ) -> None:
        self._core = core
        self._carry_out = carry_out
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._origin_s = 0.0
        self._last: Instant = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: Instant | None = None

    def start(self) -> None:
        """Take the running loop's time as instant 0 and call `wake` where it is due."""
        self._loop = asyncio.get_running_loop()
        self._origin_s = self._loop.time()
        self._last, self._timer_at = 0 if self._clock is None else self._clock(), None
        self._arm()

    def stop(self) -> None:
        """Leave the loop; no effect comes after this."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop = self._timer = self._timer_at = None

    @property
    def now(self) -> Instant:
        """µs since `start`, never going back."""
        if self._loop is None:
            raise LinkStateError("the shell is not started")
        elapsed = int((self._loop.time() - self._origin_s) * US_PER_S) if self._clock is None else self._clock()
        self._last = max(self._last, elapsed)
        return self._last

    def handle(self, event: EventT) -> None:
        """Give one event to the core."""
        self._drain(self._core.handle(event, self.now))

    def _wake(self) -> None:
        due = self._timer_at or 0
        self._timer = self._timer_at = None
        if self._clock is not None and self._clock() < due - EARLY_US:
            self._arm()
            return
        # the loop may call a little before the time its own clock shows
        self._last = max(self._last, due)
        self._drain(self._core.wake(self.now))

    def _drain(self, effects: Iterable[EffectT]) -> None:
        try:
            for effect in effects:
                self._carry_out(effect)
        finally:  # whoever carries out may fail; the core's time goes on
            if self._loop is not None:
                self._arm()

    def _arm(self) -> None:
        wake_at = self._core.wake_at
        if wake_at == self._timer_at or self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, wake_at
        if wake_at is not None and self._clock is None:
            self._timer = self._loop.call_at(self._origin_s + wake_at / US_PER_S, self._wake)
        elif wake_at is not None:
            self._timer = self._loop.call_later(max(0, wake_at - self.now) / US_PER_S, self._wake)
