"""Runs a concentrator's procedures over its line, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gateway_fw.concentrator.corecell_bridge import decode_spi, multiple_spi
from gateway_fw.concentrator.corecell_line import Answered, BridgeLine, LineEffect, Unanswered
from gateway_fw.concentrator.procedure import AnswerLost, Ask, Pause, Procedure, ProcedureFailed, Spi, Stage
from gateway_fw.errors import BridgeError
from lorawan.machine import Dropped, Instant


class ProcedureRunner:
    """One procedure under way, or none.

    done(result) and failed(error) are called when it ends; what they return is carried out too. failed gets a
    ProcedureFailed (the board did what it must not), an AnswerLost (it did not answer) or a BridgeError (it answered
    with a failure).
    """

    def __init__(self, line: BridgeLine) -> None:
        self._line = line
        self._procedure: Procedure[Any] | None = None
        self._done: Callable[[Any], Sequence[Any]] = _nothing
        self._failed: Callable[[Exception], Sequence[Any]] = _nothing
        self._spi: Spi | None = None
        self._until: Instant | None = None
        self.stage = ""
        self.fraction = 0.0

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
        procedure: Procedure[Any],
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

    def _after(self, line_effects: Sequence[LineEffect], now: Instant) -> list[Any]:
        effects: list[Any] = list(line_effects)
        outcome = self._line.outcome()
        if outcome is None or self._procedure is None:
            return effects
        if isinstance(outcome, Unanswered):
            effects.extend(self._advance(AnswerLost(outcome.why, alive=outcome.alive), now))
            return effects
        effects.extend(self._advance(self._result(outcome), now))
        return effects

    def _result(self, outcome: Answered) -> object:
        if self._spi is None:
            return outcome.payload
        try:
            return decode_spi(self._spi.elements, outcome.payload)
        except BridgeError as error:
            return error

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
            if isinstance(wanted, Ask):
                self._spi = None
                effects.extend(self._line.ask(wanted.order, now))
                break
            if isinstance(wanted, Spi):
                self._spi = wanted
                effects.extend(self._line.ask(multiple_spi(wanted.elements, repeatable=wanted.repeatable), now))
                break
            if isinstance(wanted, Pause):
                self._until = now + wanted.for_us
                break
            if isinstance(wanted, Stage):
                self.stage, self.fraction = wanted.name, wanted.fraction
            effects.append(wanted)
        return effects


def _nothing(_: object) -> Sequence[Dropped]:
    return ()
