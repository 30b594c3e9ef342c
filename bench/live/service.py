"""Runs an asynchronous service until it is asked to stop: Ctrl-C, SIGTERM, or a time limit."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any


class Stop:
    """Set when the service is to end. interrupted: by Ctrl-C, SIGTERM or a reader that went away, not by its limit."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.interrupted = self.output_gone = False

    def interrupt(self) -> None:
        """Ask the service to end."""
        self.interrupted = True
        self._event.set()

    async def wait(self, limit_s: float | None) -> None:
        """Until asked to end, or until the limit."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._event.wait(), limit_s)


def serve(service: Callable[[Stop], Awaitable[None]]) -> bool:
    """Run a service; True where it was interrupted. The first Ctrl-C asks it to end, the second one breaks it off."""

    async def run() -> bool:
        stop = Stop()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            _on_signal(loop, number, stop)

        def failed(running: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            if isinstance(context.get("exception"), BrokenPipeError):
                stop.output_gone = True
                stop.interrupt()  # nobody reads any more (`| head`)
            else:
                running.default_exception_handler(context)  # a defect: told, and the service goes on

        loop.set_exception_handler(failed)
        await service(stop)
        if stop.output_gone:
            # what is still buffered has nowhere to go either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return stop.interrupted

    return asyncio.run(run())


def run_until_stopped(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a session that ends by being cancelled. Raises KeyboardInterrupt after it, where Ctrl-C or SIGTERM asked.

    SIGTERM is what a service manager sends: it gets the same orderly end as Ctrl-C.
    """

    async def until_stopped(stop: Stop) -> None:
        working, asked = asyncio.ensure_future(work()), asyncio.ensure_future(stop.wait(None))
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            if not working.done():
                working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    if serve(until_stopped):
        raise KeyboardInterrupt


def _on_signal(loop: asyncio.AbstractEventLoop, number: signal.Signals, stop: Stop) -> None:
    def asked() -> None:
        stop.interrupt()
        loop.remove_signal_handler(number)

    try:
        loop.add_signal_handler(number, asked)
    except (NotImplementedError, RuntimeError):  # Windows has none; nor has a loop outside the main thread
        with suppress(ValueError):  # outside the main thread Python takes none: whoever started the thread stops it
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.interrupt))
