"""The one contract that every core keeps: events in, effects out, time injected.

A core holds no socket, file, thread, clock or hidden randomness. A shell (SimPy, asyncio, a test) hands it events with
the present instant, carries out the effects it returns, and calls `wake` when `wake_at` has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

Instant: TypeAlias = int
"""Microseconds since the run's origin. An int: a month is exact, and SimPy and concentrators count in ints too."""

EventT_contra = TypeVar("EventT_contra", contravariant=True)
EffectT_co = TypeVar("EffectT_co", covariant=True)


class Core(Protocol[EventT_contra, EffectT_co]):
    """A protocol machine without I/O.

    `now` never decreases between calls. Effects are carried out in the order given.
    """

    @property
    def wake_at(self) -> Instant | None:
        """When `wake` wants to be called, or None. May change after every call."""

    def handle(self, event: EventT_contra, now: Instant) -> Sequence[EffectT_co]:
        """Take one event in; return what is to be done. Bytes from outside never raise."""

    def wake(self, now: Instant) -> Sequence[EffectT_co]:
        """The time `wake_at` has come (calling early or twice is harmless)."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Effect: something from outside was refused, and why.

    reason: a short stable identifier such as "mic" or "f_cnt_replay"; clause: the rule that was broken.
    """

    reason: str
    clause: str
    detail: str = ""
