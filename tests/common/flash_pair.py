"""A flashing procedure and a virtual board, joined in memory under an invented clock."""

from __future__ import annotations

from typing import Any, TypeVar

from gateway_fw.flash.procedure import Begin, Done, Failed, Procedure, ProcedureCore, Progress
from gateway_fw.stream import BytesReceived, LineLost, SendBytes

ResultT = TypeVar("ResultT")
BYTE_US = 95  # 11 bits at 115200 baud


class Pair:
    """Runs a procedure against a core; `seen` has every other effect of both."""

    def __init__(self, board: Any) -> None:
        self.board, self.now, self.seen = board, 0, []
        self.to_board = 0
        self.unplug_after: int | None = None

    seen: list[Any]

    def run(self, procedure: Procedure[ResultT]) -> ResultT:
        """The result. Raises what the procedure raises."""
        core: ProcedureCore[ResultT] = ProcedureCore(procedure)
        to_host: list[Any] = list(core.handle(Begin(), self.now))
        steps = 0
        while True:
            steps += 1
            assert steps < 200_000, "it does not end"
            for effect in to_host:
                if isinstance(effect, Done):
                    return effect.result
                if isinstance(effect, Failed):
                    raise effect.error
            sent = b"".join(effect.data for effect in to_host if isinstance(effect, SendBytes))
            self.seen += [effect for effect in to_host if isinstance(effect, Progress)]
            self.now += BYTE_US * len(sent)
            if self.unplug_after is not None and self.to_board + len(sent) > self.unplug_after:
                self.board.handle(BytesReceived(sent[: self.unplug_after - self.to_board]), self.now)
                self.to_board = self.unplug_after
                to_host = list(core.handle(LineLost("unplugged"), self.now))
                continue
            self.to_board += len(sent)
            answers = self.board.handle(BytesReceived(sent), self.now) if sent else []
            if not sent:
                due = [at for at in (core.wake_at, self.board.wake_at) if at is not None]
                self.now = max(self.now, min(due))
                if self.board.wake_at is not None and self.board.wake_at <= self.now:
                    answers = self.board.wake(self.now)
            received = b"".join(effect.data for effect in answers if isinstance(effect, SendBytes))
            self.seen += [effect for effect in answers if not isinstance(effect, SendBytes)]
            if received:
                self.now += BYTE_US * len(received)
                to_host = list(core.handle(BytesReceived(received), self.now))
            elif not sent:
                to_host = list(core.wake(self.now))
            else:
                to_host = []
