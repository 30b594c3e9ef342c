"""A protocol that asks and waits, written as a generator and run as a core.

The generator yields `Exchange` (send bytes, then wait for an answer) and `Progress`; what it returns is the result,
and a FlashError or ImageError it raises is the failure. No clock and no port inside:
ProcedureCore keeps the time limits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from gateway_fw.errors import FlashError, ImageError
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.machine import Instant

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send `send`, then wait for `want` bytes for at most timeout_us; fewer come back where the time is over.

    fresh: forget what has come in before. stop_at: the answer is over early once this says so.
    """

    send: bytes = b""
    want: int = 0
    timeout_us: int = 0
    fresh: bool = False
    stop_at: Callable[[bytes], bool] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Effect: `done` of `total` of a stage, in `unit`."""

    stage: str
    done: int
    total: int
    unit: str = "bytes"


@dataclass(frozen=True, slots=True)
class Begin:
    """Event: start."""


@dataclass(frozen=True, slots=True)
class Done(Generic[ResultT]):
    """Effect: the procedure is over, with this result."""

    result: ResultT


@dataclass(frozen=True, slots=True)
class Failed:
    """Effect: the procedure is over without one."""

    error: FlashError | ImageError


Procedure: TypeAlias = Generator[Exchange | Progress, bytes, ResultT]
ProcedureEvent: TypeAlias = Begin | BytesReceived | LineLost


class LineGoneError(FlashError):
    """The line went in the middle of a procedure."""


class ProcedureCore(Generic[ResultT]):
    """Runs one procedure once: Begin, then the bytes of the line. Ends in Done or Failed."""

    def __init__(self, procedure: Procedure[ResultT]) -> None:
        self._procedure = procedure
        self._buffer = bytearray()
        self._waiting: Exchange | None = None
        self._deadline: Instant | None = None
        self._over = False

    @property
    def over(self) -> bool:
        """Whether Done or Failed was given."""
        return self._over

    @property
    def wake_at(self) -> Instant | None:
        """When the answer that is waited for is late."""
        return self._deadline

    def handle(self, event: ProcedureEvent, now: Instant) -> Sequence[SendBytes | Progress | Done[ResultT] | Failed]:
        """Take one event in."""
        if self._over:
            return ()
        match event:
            case Begin():
                return self._advance(None, now) if self._waiting is None else ()
            case BytesReceived(data):
                self._buffer += data
                return self._look(now)
            case LineLost(why):
                return self._resume_with(LineGoneError(f"the line went: {why}"), now)

    def wake(self, now: Instant) -> Sequence[SendBytes | Progress | Done[ResultT] | Failed]:
        """Give the procedure what came so far, where its time is over."""
        if self._over or self._deadline is None or now < self._deadline:
            return ()
        return self._advance(self._take(), now)

    def _look(self, now: Instant) -> Sequence[SendBytes | Progress | Done[ResultT] | Failed]:
        waiting = self._waiting
        if waiting is None or not self._enough(waiting):
            return ()
        return self._advance(self._take(), now)

    def _enough(self, waiting: Exchange) -> bool:
        if len(self._buffer) >= waiting.want:
            return True
        return waiting.stop_at is not None and waiting.stop_at(bytes(self._buffer))

    def _take(self) -> bytes:
        size = self._waiting.want if self._waiting is not None else 0
        answer = bytes(self._buffer[:size])
        del self._buffer[:size]
        return answer

    def _resume_with(self, error: FlashError, now: Instant) -> Sequence[SendBytes | Progress | Done[ResultT] | Failed]:
        return self._run(lambda: self._procedure.throw(error), now)

    def _advance(self, answer: bytes | None, now: Instant) -> Sequence[SendBytes | Progress | Done[ResultT] | Failed]:
        return self._run(lambda: next(self._procedure) if answer is None else self._procedure.send(answer), now)

    def _run(
        self, step: Callable[[], Exchange | Progress], now: Instant
    ) -> Sequence[SendBytes | Progress | Done[ResultT] | Failed]:
        effects: list[SendBytes | Progress | Done[ResultT] | Failed] = []
        self._waiting = self._deadline = None
        try:
            asked = step()
            while True:
                if isinstance(asked, Progress):
                    effects.append(asked)
                    asked = next(self._procedure)
                    continue
                if asked.fresh:
                    self._buffer.clear()
                if asked.send:
                    effects.append(SendBytes(asked.send))
                self._waiting = asked
                if not self._enough(asked):
                    self._deadline = now + asked.timeout_us
                    return effects
                asked = self._procedure.send(self._take())
        except StopIteration as end:
            effects.append(Done(end.value))
        except (FlashError, ImageError) as error:
            effects.append(Failed(error))
        self._over, self._waiting, self._deadline = True, None, None
        return effects
