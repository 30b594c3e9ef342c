"""A virtual board on a pty in a thread of its own, for tests that run a program or a blocking port against it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from waiting import LIMIT_S

from gateway_fw.io.virtual_board import VirtualBoard


class RunningBoard:
    """What the test sees of it: `path` to open, `effects` so far, `call` to do something in the board's loop."""

    def __init__(self, core: Any) -> None:
        self.core = core
        self.path = ""
        self.effects: list[Any] = []
        self.board: VirtualBoard[Any, Any] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the board does by itself: on a real pty and in another thread, so in real time."""
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def call(self, function: Callable[[VirtualBoard[Any, Any]], None]) -> None:
        """Run function(board) in the loop, and wait for it."""
        done = threading.Event()

        def run() -> None:
            assert self.board is not None
            function(self.board)
            done.set()

        assert self.loop is not None
        self.loop.call_soon_threadsafe(run)
        assert done.wait(LIMIT_S)


@contextmanager
def running(core: Any) -> Iterator[RunningBoard]:
    """The core on a pty until the block ends."""
    seen = RunningBoard(core)
    ready, over = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with VirtualBoard(core, seen.effects.append) as board:
            seen.board, seen.path, seen.loop = board, board.path, asyncio.get_running_loop()
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(LIMIT_S)
    try:
        yield seen
    finally:
        assert seen.loop is not None
        seen.loop.call_soon_threadsafe(over.set)
        thread.join(LIMIT_S)
