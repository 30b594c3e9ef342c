"""Two UDP sockets towards one server, kept open whatever happens: errors, a changed address, silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from gateway_fw.gwmp.events import DatagramReceived
from lorawan.machine import Dropped

RESOLVE_EVERY_S = 60.0  # assumption: names of servers rarely live shorter
SILENT_S = 30.0  # assumption: three keepalives of 10 s; a fresh socket gets a fresh way through a NAT
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 30.0
SOCKET_CLAUSE = "UDP socket"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server listens: name or address, and its two ports, which are often the same."""

    host: str
    port_up: int = 1700
    port_down: int = 1700

    def __str__(self) -> str:
        ports = f"{self.port_up}" if self.port_up == self.port_down else f"{self.port_up}/{self.port_down}"
        return f"{self.host}:{ports}"


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, link: ServerLink) -> None:
        self._link = link

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._link.received(data, addr)

    def error_received(self, exc: Exception) -> None:
        # ICMP says that nobody listens there: this protocol counts on nothing else
        self._link.failed(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self._link.lost(exc)


class ServerLink:
    """Sends to one server and hears from it.

    The name is resolved anew every minute and after every failure; a socket that stays silent for 30 s, or whose server
    has moved, is replaced. What cannot be sent meanwhile is counted in `unsent` and lost here: the spool has it.
    """

    def __init__(
        self,
        index: int,
        address: ServerAddress,
        on_datagram: Callable[[DatagramReceived], None],
        on_dropped: Callable[[Dropped], None],
        *,
        resolve_every_s: float = RESOLVE_EVERY_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self._index, self.address = index, address
        self._on_datagram, self._on_dropped = on_datagram, on_dropped
        self._resolve_every_s, self._silent_s = resolve_every_s, silent_s
        self._up: asyncio.DatagramTransport | None = None
        self._down: asyncio.DatagramTransport | None = None
        self._peer: tuple[object, ...] | None = None
        self._task: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._heard_at = 0.0
        self._last_error = ""
        self.unsent = self.opened = self.errors = 0

    @property
    def is_open(self) -> bool:
        """Whether there are sockets. It says nothing of the server."""
        return self._up is not None

    async def start(self) -> None:
        """Try to open once, and go on trying in the background."""
        await self._open()
        self._task = asyncio.create_task(self._keep_open(), name=f"link to {self.address}")

    async def stop(self) -> None:
        """Close the sockets."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        self._close()
        await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn

    def send(self, data: bytes, *, upstream: bool) -> None:
        """Send a datagram from the upper or the lower socket."""
        transport = self._up if upstream else self._down
        if transport is None:
            self.unsent += 1
            return
        transport.sendto(data)

    def received(self, data: bytes, source: tuple[str, int]) -> None:
        """Of the protocol."""
        self._heard_at = asyncio.get_running_loop().time()
        self._last_error = ""
        self._on_datagram(DatagramReceived(data, source, self._index))

    def failed(self, error: Exception) -> None:
        """Of the protocol. The same failure is told once until something is received again."""
        self.errors += 1
        if str(error) != self._last_error:
            self._last_error = str(error)
            self._on_dropped(Dropped("socket_error", SOCKET_CLAUSE, f"{self.address}: {error}"))

    def lost(self, error: Exception) -> None:
        """Of the protocol: this socket is gone."""
        self.failed(error)
        self._close()
        self._gone.set()

    async def _keep_open(self) -> None:
        retry_s = RETRY_FIRST_S
        loop = asyncio.get_running_loop()
        resolved_at = loop.time()
        while True:
            if not self.is_open:
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, RETRY_MOST_S)
                if await self._open():
                    retry_s, resolved_at = RETRY_FIRST_S, loop.time()
                continue
            self._gone.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), min(self._resolve_every_s, self._silent_s) / 2)
            if self._gone.is_set():
                continue
            silent = loop.time() - self._heard_at > self._silent_s
            if silent or (loop.time() - resolved_at >= self._resolve_every_s and await self._has_moved()):
                self._close()
                await self._open()
                resolved_at = loop.time()
            elif loop.time() - resolved_at >= self._resolve_every_s:
                resolved_at = loop.time()

    async def _has_moved(self) -> bool:
        try:
            return self._peer not in await self._resolve()
        except OSError:
            return False  # the name server is away; the server may well be there

    async def _resolve(self) -> list[tuple[object, ...]]:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self.address.host, self.address.port_up)
        except UnicodeError as error:  # an empty label, or one of more than 63 letters
            raise OSError(f"{self.address.host!r} is no host name") from error
        return [(family, sockaddr[0]) for family, _, _, _, sockaddr in found]

    async def _open(self) -> bool:
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        try:
            found = await self._resolve()
            if not found:
                raise OSError(f"no address for {self.address.host}")
            self._peer = found[0]
            host = str(found[0][1])
            self._up, _ = await loop.create_datagram_endpoint(
                lambda: _Protocol(self), remote_addr=(host, self.address.port_up)
            )
            self._down, _ = await loop.create_datagram_endpoint(
                lambda: _Protocol(self), remote_addr=(host, self.address.port_down)
            )
        except OSError as error:
            self._close()
            self.failed(error)
            return False
        self.opened += 1
        return True

    def _close(self) -> None:
        for transport in (self._up, self._down):
            if transport is not None:
                transport.close()
        self._up = self._down = None
