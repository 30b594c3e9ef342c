"""One order at a time over the picoGW's line, with a deadline for every answer and a way back when one is lost.

The host of reference waits for ever and believes any answer whose first byte is some order's letter. Here an answer
must come in time, under its order's letter and with the size that it must have. When it does not, what is on the line
is thrown away until it is quiet, the counter is asked for to find out whether the board keeps step, and the order is
given again if that does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from gateway_fw.concentrator.picogw_wire import Answer, AnswerReader, BadAnswer, Order, encode_command
from gateway_fw.concentrator.procedure import Unanswered
from gateway_fw.stream import SendBytes
from lorawan.machine import Dropped, Instant

ANSWER_US = 1_000_000  # assumption: the longest burst takes the board some 10 ms
QUIET_US = 50_000  # assumption: a stalled USB transfer goes on within this
MAX_NOISE_US = 1_000_000  # assumption: a line that is not quiet by then never will be
MAX_PROBES = 3  # assumption: a board that misses three in a row is gone
MAX_ATTEMPTS = 3  # assumption: of one order; a line that loses three answers to it is broken
_CLAUSE = "picoGW bridge, one answer to each order"


@dataclass(frozen=True, slots=True)
class Request:
    """An order and what its answer must be.

    answer_bytes: size of the answer's data, None for any. repeatable: giving it twice does no harm. within_us: how
    long the board may take.
    """

    order: Order
    data: bytes = b""
    argument: int = 0
    answer_bytes: int | None = 0
    repeatable: bool = True
    within_us: Instant = ANSWER_US


@dataclass(frozen=True, slots=True)
class Answered:
    """The order's answer came. status: 1 done, 0 refused."""

    status: int
    data: bytes


class _State(Enum):
    IDLE = auto()
    ASKED = auto()
    QUIET = auto()  # waiting for the line to fall silent
    PROBED = auto()


_PROBE = Request(Order.COUNTER, answer_bytes=4)


class PicoGwLine:
    """The host's end. What came of an order is picked up with `outcome` after each call."""

    def __init__(self) -> None:
        self._reader = AnswerReader()
        self.lost_answers = 0
        self.reset()

    def reset(self) -> None:
        """Forget the order under way and what is on the line."""
        self._reader.reset()
        self._state = _State.IDLE
        self._request: Request | None = None
        self._until: Instant | None = None
        self._quiet_by: Instant = 0
        self._attempts = self._probes = 0
        self._why = ""
        self._outcome: Answered | Unanswered | None = None

    @property
    def wake_at(self) -> Instant | None:
        """The deadline under way."""
        return self._until

    @property
    def busy(self) -> bool:
        """Whether an order is under way."""
        return self._request is not None

    def outcome(self) -> Answered | Unanswered | None:
        """What became of the order, once."""
        outcome, self._outcome = self._outcome, None
        return outcome

    def ask(self, request: Request, now: Instant) -> Sequence[SendBytes]:
        """Give an order; only when none is under way."""
        self._request, self._attempts, self._probes = request, 0, 0
        return self._give(request, now)

    def received(self, data: bytes, now: Instant) -> Sequence[SendBytes | Dropped]:
        """Take bytes in."""
        if not self._listening():
            if self._state is _State.QUIET:
                self._until = min(now + QUIET_US, self._quiet_by)
            return (Dropped("unasked", _CLAUSE, f"{len(data)} bytes {data[:16].hex()}"),)
        effects: list[SendBytes | Dropped] = []
        for answer in list(self._reader.feed(data)):
            if not self._listening():
                effects.append(Dropped("unasked", _CLAUSE, "an answer after the answer"))
                continue
            wrong = self._wrong(answer)
            if wrong:
                effects.append(Dropped("malformed", _CLAUSE, wrong))
                effects.extend(self._lost(wrong, now))
            elif isinstance(answer, Answer):
                effects.extend(self._answered(answer, now))
        if self._request is None and (left := self._reader.pending):
            self._reader.reset()
            effects.append(Dropped("unasked", _CLAUSE, f"{left} bytes after an answer"))
        return effects

    def wake(self, now: Instant) -> Sequence[SendBytes | Dropped]:
        """A deadline has come."""
        if self._until is None or now < self._until or self._request is None:
            return ()
        if self._state is _State.QUIET:
            self._probes += 1
            self._state = _State.PROBED
            return self._send(_PROBE, now)
        if self._state is _State.PROBED:
            return self._lost(self._why, now)
        held = f", {self._reader.pending} bytes of one" if self._reader.pending else ""
        within_ms = self._request.within_us // 1000
        return self._lost(f"no answer to order '{self._request.order.value}' within {within_ms} ms{held}", now)

    def _listening(self) -> bool:
        return self._state in (_State.ASKED, _State.PROBED)

    def _wrong(self, answer: Answer | BadAnswer) -> str:
        asked = _PROBE if self._state is _State.PROBED else self._request
        if isinstance(answer, BadAnswer):
            return f"header {answer.header.hex()}"
        if asked is None or answer.identifier != ord(asked.order.value):
            return f"an answer to '{chr(answer.identifier)}', not to '{asked.order.value if asked else ''}'"
        if answer.status and asked.answer_bytes is not None and len(answer.data) != asked.answer_bytes:
            return f"{len(answer.data)} bytes for order '{asked.order.value}', not {asked.answer_bytes}"
        return ""

    def _give(self, request: Request, now: Instant) -> Sequence[SendBytes]:
        self._attempts += 1
        self._state = _State.ASKED
        return self._send(request, now)

    def _send(self, request: Request, now: Instant) -> Sequence[SendBytes]:
        self._until = now + request.within_us
        return (SendBytes(encode_command(request.order, request.data, request.argument)),)

    def _lost(self, why: str, now: Instant) -> Sequence[Dropped]:
        if self._state is _State.ASKED:
            self.lost_answers += 1
            self._why = why  # the first thing that went wrong says most
        thrown = self._reader.pending
        self._reader.reset()
        if self._state is _State.PROBED and self._probes >= MAX_PROBES:
            self._finish(Unanswered(self._why, alive=False))
        else:
            self._state, self._until, self._quiet_by = _State.QUIET, now + QUIET_US, now + MAX_NOISE_US
        return (Dropped("flushed", _CLAUSE, f"{thrown} bytes"),) if thrown else ()

    def _answered(self, answer: Answer, now: Instant) -> Sequence[SendBytes]:
        request = self._request
        if self._state is _State.ASKED or request is None:
            return self._finish(Answered(answer.status, answer.data))
        if request.repeatable and self._attempts < MAX_ATTEMPTS:
            return self._give(request, now)
        return self._finish(Unanswered(self._why, alive=True))

    def _finish(self, outcome: Answered | Unanswered) -> tuple[()]:
        self._state, self._request, self._until, self._outcome = _State.IDLE, None, None, outcome
        return ()
