"""Runs a virtual board on a pseudo-terminal under asyncio: any core that takes and gives the bytes of a serial line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from gateway_fw.io.driver import CoreDriver
from gateway_fw.io.pty import PtyPort
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.machine import Core, Instant

EventT = TypeVar("EventT")
EffectT = TypeVar("EffectT")


class VirtualBoard(Generic[EventT, EffectT]):
    """A board whose `path` a host program opens.

    on_effect gets every effect that is not bytes to be sent (`Transmit`, `Dropped`), in order, at once. link: a
    symbolic link to the pty. Use as an asynchronous context manager, or start and stop. Raises PtyError where there are
    no pseudo-terminals or the link cannot be made.
    """

    def __init__(
        self,
        core: Core[EventT | BytesReceived | LineLost, EffectT],
        on_effect: Callable[[EffectT], None],
        *,
        link: Path | None = None,
    ) -> None:
        self._driver: CoreDriver[EventT | BytesReceived | LineLost, EffectT] = CoreDriver(core, self._carry_out)
        self._on_effect = on_effect
        self._port = PtyPort(self._received, self._lost, link=link)
        self.bytes_received = 0

    @property
    def path(self) -> str:
        """What the host program opens. Raises LinkStateError while unplugged or not started."""
        return self._port.path

    @property
    def plugged(self) -> bool:
        """Whether the host can open it."""
        return self._port.is_open

    @property
    def now(self) -> Instant:
        """µs since start."""
        return self._driver.now

    async def start(self) -> None:
        """Make the pty and start the clock."""
        self._driver.start()
        try:
            self._port.open()
        except OSError:
            self._driver.stop()
            raise

    async def stop(self) -> None:
        """Take the pty away and stop the clock."""
        self._port.close()
        self._driver.stop()

    def submit(self, event: EventT) -> None:
        """Give the core an event, such as `Heard` with `at` near `now`. Raises LinkStateError before start."""
        self._driver.handle(event)

    def unplug(self, event: EventT | LineLost) -> None:
        """Take the pty away as a pulled cable does; event: what the core is told (`LineLost`, `PowerLost`)."""
        self._port.close()
        self._driver.handle(event)

    def replug(self) -> None:
        """Bring it back, under the same link if there is one. Raises PtyError."""
        if not self._port.is_open:
            self._port.open()

    async def __aenter__(self) -> VirtualBoard[EventT, EffectT]:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _received(self, data: bytes) -> None:
        self.bytes_received += len(data)
        self._driver.handle(BytesReceived(data))

    def _lost(self, why: str) -> None:
        self._driver.handle(LineLost(why))

    def _carry_out(self, effect: EffectT) -> None:
        if isinstance(effect, SendBytes):
            self._port.send(effect.data)
        else:
            self._on_effect(effect)
