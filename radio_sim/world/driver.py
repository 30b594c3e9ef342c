"""The SimPy shell: hands events to cores, carries their effects on, wakes each core when it asked to be woken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import simpy

from lorawan.machine import Core, Instant

EventT = TypeVar("EventT")
EffectT = TypeVar("EffectT")


class Timeline(Protocol):
    """What a driver needs of time: `World` has it simulated; a live run has the clock on the wall."""

    @property
    def now(self) -> Instant:
        """The present instant, µs."""

    def at(self, when: Instant, action: Callable[[], None]) -> None:
        """Call `action` at `when` (at once if that is past)."""


class World:
    """Simulated time in µs. Events of one instant happen in the order they were scheduled."""

    def __init__(self) -> None:
        self.env = simpy.Environment(initial_time=0)

    @property
    def now(self) -> Instant:
        """The present instant, µs."""
        return int(self.env.now)

    def at(self, when: Instant, action: Callable[[], None]) -> None:
        """Call `action` at `when` (at once if that is past)."""
        timeout = self.env.timeout(max(0, when - int(self.env.now)))
        timeout.callbacks = [lambda _: action()]

    def run(self, until: Instant) -> None:
        """Run to `until`, events of that instant excluded. May be called again to go on."""
        self.env.run(until=until)


class Driver(Generic[EventT, EffectT]):
    """One core on a timeline.

    Effects go to `carry_out(effects, now)`, which schedules (`Timeline.at`) or feeds another driver, never this one.
    """

    def __init__(
        self,
        world: Timeline,
        core: Core[EventT, EffectT],
        carry_out: Callable[[Sequence[EffectT], Instant], None],
    ) -> None:
        self._world = world
        self.core = core
        self._carry_out = carry_out
        self._armed: Instant | None = None

    def feed(self, event: EventT) -> None:
        """Hand an event in now."""
        now = self._world.now
        effects = self.core.handle(event, now)
        if effects:
            self._carry_out(effects, now)
        self.arm()

    def arm(self) -> None:
        """(Re-)arm the timer after the core's state changed. A later wish than the armed one is met when that fires."""
        wake_at = self.core.wake_at
        if wake_at is None or (self._armed is not None and self._armed <= wake_at):
            return
        self._armed = wake_at
        self._world.at(wake_at, self._fire)

    def _fire(self) -> None:
        now = self._world.now
        wake_at = self.core.wake_at
        if self._armed is None or now < self._armed:
            return  # superseded by an earlier one
        self._armed = None
        if wake_at is not None and wake_at <= now:
            effects = self.core.wake(now)
            if effects:
                self._carry_out(effects, now)
        self.arm()
