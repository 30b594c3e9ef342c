"""The asyncio shell of a serial line: reads a Port, drives one core with it, writes what the core sends."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from gateway_fw.errors import PortError
from gateway_fw.io.driver import CoreDriver
from gateway_fw.serial_port import Port
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.machine import Core, Instant

EventT = TypeVar("EventT")
EffectT = TypeVar("EffectT")

READ_BYTES = 16_384
POLL_S = 0.1  # how long the reading thread of a port without a descriptor may outlive `stop`
STUCK_S = 5.0  # [assumption] a line that takes no byte for so long is lost; 115200 baud carry 57 kB in it
MAX_WAITING_BYTES = 1 << 20  # [assumption] above any burst of a concentrator; a core that sends more outruns its line


class SerialLine(Generic[EventT, EffectT]):
    """Runs a core that takes BytesReceived and LineLost and gives SendBytes on an open port.

    on_effect gets every other effect, in order. When the port goes, the core hears LineLost once, and nothing is read
    or written after; `lost` is then set. Use as an asynchronous context manager, or start and stop; stop closes the
    port. A core serves for one start.
    """

    def __init__(
        self,
        core: Core[EventT | BytesReceived | LineLost, EffectT | SendBytes],
        port: Port,
        on_effect: Callable[[EffectT], None],
    ) -> None:
        self._driver: CoreDriver[EventT | BytesReceived | LineLost, EffectT | SendBytes] = CoreDriver(
            core, self._carry_out
        )
        self.port, self._on_effect = port, on_effect
        self.lost = asyncio.Event()
        self._pump: _Pump | None = None

    @property
    def now(self) -> Instant:
        """µs since start."""
        return self._driver.now

    async def start(self) -> None:
        """Begin to read, and let the core begin."""
        self._driver.start()
        loop = asyncio.get_running_loop()
        kind = _DescriptorPump if _can_wait_for(loop, self.port.fileno()) else _ThreadPump
        self._pump = kind(loop, self.port, self._received, self._gone)

    async def stop(self) -> None:
        """Stop the core and close the port. What waits to be written is given up."""
        self._driver.stop()
        if self._pump is not None:
            await self._pump.stop()
            self._pump = None
        self.port.close()

    def submit(self, event: EventT) -> None:
        """Give the core an event of its own. Raises LinkStateError before start."""
        self._driver.handle(event)

    async def __aenter__(self) -> SerialLine[EventT, EffectT]:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _carry_out(self, effect: EffectT | SendBytes) -> None:
        if not isinstance(effect, SendBytes):
            self._on_effect(effect)
        elif self._pump is not None and not self.lost.is_set():
            self._pump.send(effect.data)

    def _received(self, data: bytes) -> None:
        if self._pump is not None and not self.lost.is_set():
            self._driver.handle(BytesReceived(data))

    def _gone(self, why: str) -> None:
        if self._pump is not None and not self.lost.is_set():
            self.lost.set()
            self._driver.handle(LineLost(why))


def _can_wait_for(loop: asyncio.AbstractEventLoop, descriptor: int | None) -> bool:
    """Whether there is a descriptor, and the loop can wait for one: that of Windows cannot."""
    if descriptor is None:
        return False
    try:
        loop.remove_reader(descriptor)
    except NotImplementedError:  # asyncio has no other way to ask; the port is then read in a thread
        return False
    return True


class _Pump(ABC):
    """Moves bytes between a port and the loop. received and gone are called in the loop, gone at most once."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        port: Port,
        received: Callable[[bytes], None],
        gone: Callable[[str], None],
    ) -> None:
        self._loop, self._port, self._received, self._gone = loop, port, received, gone

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Write these as soon as the line takes them."""

    @abstractmethod
    async def stop(self) -> None:
        """Leave the port."""


class _DescriptorPump(_Pump):
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        port: Port,
        received: Callable[[bytes], None],
        gone: Callable[[str], None],
    ) -> None:
        super().__init__(loop, port, received, gone)
        descriptor = port.fileno()
        assert descriptor is not None
        self._descriptor = descriptor
        self._waiting = bytearray()
        self._stuck: asyncio.TimerHandle | None = None
        loop.add_reader(descriptor, self._readable)

    def send(self, data: bytes) -> None:
        if not self._waiting:
            data = data[self._try(data) :]
            if not data:
                return
            self._loop.add_writer(self._descriptor, self._writable)
            self._watch()
        self._waiting += data
        if len(self._waiting) > MAX_WAITING_BYTES:
            self._lose(f"the line leaves {len(self._waiting)} bytes waiting")

    async def stop(self) -> None:
        self._leave()

    def _readable(self) -> None:
        try:
            data = self._port.read(READ_BYTES, 0.0)
        except PortError as error:
            self._lose(error.reason)
            return
        if data:
            self._received(data)

    def _writable(self) -> None:
        sent = self._try(bytes(self._waiting))
        del self._waiting[:sent]
        if sent:
            self._watch()
        if not self._waiting:
            self._loop.remove_writer(self._descriptor)
            self._rest()

    def _try(self, data: bytes) -> int:
        try:
            return self._port.write_some(data, 0.0)
        except PortError as error:
            # not at once: the core is in the middle of giving its effects
            self._loop.call_soon(self._lose, error.reason)
            return len(data)

    def _watch(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
        self._stuck = self._loop.call_later(STUCK_S, self._check)

    def _rest(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _check(self) -> None:
        self._stuck = None
        if self._waiting:
            self._lose(f"the line took no byte in {STUCK_S:g} s")

    def _lose(self, why: str) -> None:
        self._leave()
        self._loop.call_soon(self._gone, why)

    def _leave(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._waiting.clear()
        self._rest()


class _ThreadPump(_Pump):
    """A thread that reads and one that writes, for ports that no event loop can wait on."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        port: Port,
        received: Callable[[bytes], None],
        gone: Callable[[str], None],
    ) -> None:
        super().__init__(loop, port, received, gone)
        self._stopping = False
        self._queue: deque[bytes] = deque()
        self._something = threading.Condition()
        self._threads = (
            threading.Thread(target=self._read_on, name=f"read {port.name}", daemon=True),
            threading.Thread(target=self._write_on, name=f"write {port.name}", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def send(self, data: bytes) -> None:
        with self._something:
            self._queue.append(data)
            if sum(map(len, self._queue)) > MAX_WAITING_BYTES:
                self._stopping = True
                self._loop.call_soon(self._gone, "the line leaves too many bytes waiting")
            self._something.notify()

    async def stop(self) -> None:
        with self._something:
            self._stopping = True
            self._something.notify_all()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, STUCK_S + POLL_S)

    def _read_on(self) -> None:
        try:
            while not self._stopping:
                data = self._port.read(READ_BYTES, POLL_S)
                if data:
                    self._tell(self._received, data)
        except PortError as error:
            self._tell(self._gone, error.reason)

    def _write_on(self) -> None:
        try:
            while True:
                with self._something:
                    self._something.wait_for(lambda: self._queue or self._stopping)
                    if self._stopping:
                        return
                    data = self._queue.popleft()
                self._port.write(data, STUCK_S)
        except PortError as error:
            self._tell(self._gone, error.reason)

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            self._stopping = True  # the loop has closed under us: nobody is left to tell
