"""Runs a concentrator's procedures over its line, one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from gateway_fw.concentrator.procedure import AnswerLost, Pause, ProcedureFailed, Stage, Unanswered
from gateway_fw.errors import BridgeError
from gateway_fw.stream import SendBytes
from lorawan.machine import Dropped, Instant

AnsweredT = TypeVar("AnsweredT")
OutcomeT_co = TypeVar("OutcomeT_co", covariant=True)
Procedure: TypeAlias = Generator[Any, Any, Any]


class OrderLine(Protocol[OutcomeT_co]):
    """A board's line: one order at a time, its answer or none."""

    @property
    def wake_at(self) -> Instant | None:
        """The deadline of the answer."""

    @property
    def busy(self) -> bool:
        """Whether an answer is owed."""

    def outcome(self) -> OutcomeT_co | Unanswered | None:
        """What came of the last order, once."""

    def received(self, data: bytes, now: Instant) -> Sequence[SendBytes | Dropped]:
        """Bytes from the board."""

    def wake(self, now: Instant) -> Sequence[SendBytes | Dropped]:
        """The deadline is over."""


class ProcedureRunner(ABC, Generic[AnsweredT]):
    """One procedure under way, or none.

    done(result) and failed(error) are called when it ends; what they return is carried out too. failed gets a
    ProcedureFailed (the board did what it must not), an AnswerLost (it did not answer) or a BridgeError (it answered
    with a failure).
    """

    def __init__(self, line: OrderLine[AnsweredT]) -> None:
        self._line = line
        self._procedure: Procedure | None = None
        self._done: Callable[[Any], Sequence[Any]] = _nothing
        self._failed: Callable[[Exception], Sequence[Any]] = _nothing
        self._until: Instant | None = None
        self.stage = ""

    @abstractmethod
    def _ask(self, wanted: object, now: Instant) -> Sequence[Any] | None:
        """Give the order that is wanted: what its line sends. None where it is no order."""

    @abstractmethod
    def _result(self, outcome: AnsweredT) -> object:
        """What the procedure is sent of an answer; an exception is thrown into it."""

    @property
    def idle(self) -> bool:
        """Whether a procedure may be started: none runs, and the line owes no answer."""
        return self._procedure is None and not self._line.busy

    @property
    def wake_at(self) -> Instant | None:
        """The end of a pause, or the line's deadline."""
        return self._line.wake_at if self._until is None else self._until

    def run(
        self,
        procedure: Procedure,
        now: Instant,
        done: Callable[[Any], Sequence[Any]],
        failed: Callable[[Exception], Sequence[Any]],
    ) -> list[Any]:
        """Start a procedure; only when idle."""
        self._procedure, self._done, self._failed = procedure, done, failed
        return self._advance(None, now)

    def cancel(self) -> None:
        """Leave the procedure where it is. An answer that is owed is waited for, then ignored."""
        if self._procedure is not None:
            self._procedure.close()
        self._procedure, self._until = None, None

    def received(self, data: bytes, now: Instant) -> list[Any]:
        """Bytes from the line."""
        return self._after(self._line.received(data, now), now)

    def wake(self, now: Instant) -> list[Any]:
        """A pause or a deadline is over."""
        if self._until is not None:
            if now < self._until:
                return []
            self._until = None
            return self._advance(None, now)
        return self._after(self._line.wake(now), now)

    def _after(self, line_effects: Sequence[Any], now: Instant) -> list[Any]:
        effects = list(line_effects)
        outcome = self._line.outcome()
        if outcome is None or self._procedure is None:
            return effects
        if isinstance(outcome, Unanswered):
            return effects + self._advance(AnswerLost(outcome.why, alive=outcome.alive), now)
        return effects + self._advance(self._result(outcome), now)

    def _advance(self, result: object, now: Instant) -> list[Any]:
        effects: list[Any] = []
        while self._procedure is not None:
            try:
                wanted = (
                    self._procedure.throw(result) if isinstance(result, Exception) else self._procedure.send(result)
                )
            except StopIteration as end:
                self._procedure = None
                effects.extend(self._done(end.value))
                break
            except (ProcedureFailed, AnswerLost, BridgeError) as error:
                self._procedure = None
                effects.extend(self._failed(error))
                break
            result = None
            given = self._ask(wanted, now)
            if given is not None:
                effects.extend(given)
                break
            if isinstance(wanted, Pause):
                self._until = now + wanted.for_us
                break
            if isinstance(wanted, Stage):
                self.stage = wanted.name
            effects.append(wanted)
        return effects


def _nothing(_: object) -> Sequence[Dropped]:
    return ()
