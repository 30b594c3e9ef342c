"""One order at a time over the CoreCell's bridge, with a deadline for every answer and a way back when one is lost.

The host of reference waits for ever and believes any answer. Here each answer must come in time, with the order's id,
the order's type and a size it may have. When it does not, what is on the line is thrown away until it is quiet, a PING
finds out whether the board still keeps step, and the order is given again if that does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from gateway_fw.concentrator.corecell_bridge import IDS, PING, FrameDecoder, Order, check_answer
from gateway_fw.concentrator.procedure import Unanswered
from gateway_fw.errors import BridgeError
from gateway_fw.stream import SendBytes
from lorawan.machine import Dropped, Instant

ANSWER_US = 1_000_000  # assumption: the longest, a burst of 4 kB, takes the board some 40 ms
QUIET_US = 50_000  # assumption: a stalled USB transfer goes on within this
MAX_PROBES = 3  # assumption: a board that misses three in a row is gone
MAX_ATTEMPTS = 3  # assumption: of one order; a line that loses three answers to it is broken
_CLAUSE = "CoreCell bridge, one answer to each order"


@dataclass(frozen=True, slots=True)
class Answered:
    """The order's answer came."""

    payload: bytes


Outcome = Answered | Unanswered
LineEffect = SendBytes | Dropped


class _State(Enum):
    IDLE = auto()
    ASKED = auto()
    QUIET = auto()  # waiting for the line to fall silent
    PROBED = auto()


class BridgeLine:
    """The host's end of the bridge. Outcomes are picked up with `outcome` after each call."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._state = _State.IDLE
        self._order: Order | None = None
        self._id = IDS - 1
        self._attempts = self._probes = 0
        self._why = ""
        self._ids_echoed: bool | None = None
        self._until: Instant | None = None
        self._outcome: Outcome | None = None
        self.lost_answers = 0

    @property
    def wake_at(self) -> Instant | None:
        """The deadline under way."""
        return self._until

    @property
    def busy(self) -> bool:
        """Whether an order is under way."""
        return self._order is not None

    def outcome(self) -> Outcome | None:
        """What became of the order, once."""
        outcome, self._outcome = self._outcome, None
        return outcome

    def ask(self, order: Order, now: Instant) -> Sequence[LineEffect]:
        """Give an order; only when none is under way."""
        self._order, self._attempts, self._probes = order, 0, 0
        return self._give(now)

    def received(self, data: bytes, now: Instant) -> Sequence[LineEffect]:
        """Take bytes in."""
        if self._state is _State.IDLE or self._state is _State.QUIET:
            if self._state is _State.QUIET:
                self._until = now + QUIET_US
            return (Dropped("unasked", _CLAUSE, f"{len(data)} bytes {data[:16].hex()}"),)
        self._decoder.feed(data)
        effects: list[LineEffect] = []
        while self._listening:
            try:
                frame = self._decoder.take()
                if frame is None:
                    break
                if not self._is_ours(frame.id):
                    effects.append(Dropped("stale_answer", _CLAUSE, f"id {frame.id}, not {self._id}"))
                    continue
                order = PING if self._state is _State.PROBED else self._order
                payload = check_answer(order or PING, frame)
            except BridgeError as error:
                effects.append(Dropped("malformed", error.clause, str(error)))
                effects.extend(self._lost(str(error), now))
                break
            effects.extend(self._answered(payload, now))
        if self._order is None and (left := self._decoder.flush()):
            effects.append(Dropped("unasked", _CLAUSE, f"{left} bytes after an answer"))
        return effects

    def wake(self, now: Instant) -> Sequence[LineEffect]:
        """A deadline has come."""
        if self._until is None or now < self._until:
            return ()
        if self._state is _State.QUIET:
            self._probes += 1
            self._state = _State.PROBED
            return self._send(PING, now)
        if self._state is _State.PROBED:
            if self._probes < MAX_PROBES:
                return self._lost(self._why, now)
            return self._give_up(alive=False)
        return self._lost(f"no answer within {ANSWER_US // 1000} ms", now)

    def reset(self) -> None:
        """Forget the order under way and what is on the line."""
        self._decoder.flush()
        self._state, self._order, self._until, self._outcome = _State.IDLE, None, None, None
        self._ids_echoed = None

    @property
    def _listening(self) -> bool:
        return self._state in (_State.ASKED, _State.PROBED)

    def _is_ours(self, answered_id: int) -> bool:
        if self._ids_echoed is None:
            # a board that does not echo ids at all shows it in its first answer, on a line that was just drained
            self._ids_echoed = answered_id == self._id
            return True
        return answered_id == self._id or not self._ids_echoed

    def _give(self, now: Instant) -> Sequence[LineEffect]:
        self._attempts += 1
        self._state = _State.ASKED
        return self._send(self._order or PING, now)

    def _send(self, order: Order, now: Instant) -> Sequence[LineEffect]:
        self._id = (self._id + 1) % IDS
        self._until = now + ANSWER_US
        return (SendBytes(order.frame(self._id)),)

    def _lost(self, why: str, now: Instant) -> Sequence[LineEffect]:
        self.lost_answers += self._state is _State.ASKED
        self._why = why
        self._state, self._until = _State.QUIET, now + QUIET_US
        thrown = self._decoder.flush()
        return (Dropped("flushed", _CLAUSE, f"{thrown} bytes"),) if thrown else ()

    def _answered(self, payload: bytes, now: Instant) -> Sequence[LineEffect]:
        if self._state is _State.ASKED:
            self._finish(Answered(payload))
            return ()
        order = self._order or PING
        if order.repeatable and self._attempts < MAX_ATTEMPTS:
            return self._give(now)
        return self._give_up(alive=True)

    def _give_up(self, *, alive: bool) -> Sequence[LineEffect]:
        self._finish(Unanswered(self._why, alive))
        return ()

    def _finish(self, outcome: Outcome) -> None:
        self._state, self._order, self._until, self._outcome = _State.IDLE, None, None, outcome
