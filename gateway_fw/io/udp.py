"""asyncio shells that give Semtech UDP cores their sockets: one for the gateway end, one for the server end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from gateway_fw.errors import LinkStateError
from gateway_fw.gwmp.events import DatagramReceived
from gateway_fw.gwmp.gateway import SendDatagram as SendToServer
from gateway_fw.gwmp.server import GwmpServerEvent
from gateway_fw.gwmp.server import SendDatagram as SendToGateway
from gateway_fw.io.driver import CoreDriver
from lorawan.machine import Core, Dropped, Instant

EventT = TypeVar("EventT")
EffectT = TypeVar("EffectT")

SOCKET_CLAUSE = "UDP socket"
RECEIVE_BUFFER_BYTES = 4 << 20  # seconds of a busy site while Python is elsewhere; the system may grant less


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[DatagramReceived], None], refused: Callable[[Dropped], None]) -> None:
        self._received, self._refused = received, refused

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._received(DatagramReceived(data, addr))

    def error_received(self, exc: Exception) -> None:
        # ICMP says that nobody listens there: a lost datagram to this protocol, which resends nothing
        self._refused(Dropped("socket_error", SOCKET_CLAUSE, str(exc)))


class UdpGateway(Generic[EventT, EffectT]):
    """Runs a gateway-end core (GatewayLinkCore, ForwarderCore) with two sockets, up and down, towards one server.

    on_effect gets every effect that is not a datagram to be sent (`Transmit`, `DownlinkRequested`, `Dropped`), in
    order. Use as an asynchronous context manager, or start and stop. A core serves for one start.
    """

    def __init__(
        self,
        core: Core[EventT | DatagramReceived, EffectT],
        server: tuple[str, int],
        on_effect: Callable[[EffectT | Dropped], None],
        *,
        server_down: tuple[str, int] | None = None,
    ) -> None:
        self._driver: CoreDriver[EventT | DatagramReceived, EffectT] = CoreDriver(core, self._carry_out)
        self._server, self._server_down = server, server_down or server
        self._on_effect = on_effect
        self._up: asyncio.DatagramTransport | None = None
        self._down: asyncio.DatagramTransport | None = None

    @property
    def now(self) -> Instant:
        """µs since start."""
        return self._driver.now

    async def start(self) -> None:
        """Open the sockets and let the core send its first PULL_DATA. Raises OSError for an address without a route."""
        self._up = await self._open(self._server)
        try:
            self._down = await self._open(self._server_down)
        except OSError:
            await self.stop()
            raise
        self._driver.start()

    async def stop(self) -> None:
        """Stop the core and close the sockets."""
        self._driver.stop()
        await _close(self._up, self._down)
        self._up = self._down = None

    def submit(self, event: EventT) -> None:
        """Give the core an event, such as `Heard` with `at` near `now`. Raises LinkStateError before start."""
        self._driver.handle(event)

    async def __aenter__(self) -> UdpGateway[EventT, EffectT]:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _open(self, server: tuple[str, int]) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Protocol(self._driver.handle, self._on_effect), remote_addr=server
        )
        return transport

    def _carry_out(self, effect: EffectT) -> None:
        if not isinstance(effect, SendToServer):
            self._on_effect(effect)
            return
        transport = self._up if effect.upstream else self._down
        if transport is not None:
            transport.sendto(effect.data)


class UdpServer(Generic[EffectT]):
    """Runs a server-end core (GwmpServerCore, or one that only listens) on one socket.

    allowed: whether an address may send to us; a datagram from another becomes Dropped("unknown_address") before the
    core sees it. None for every address. on_effect gets every effect that is not a datagram to be sent, in order.
    Port 0 lets the system choose; `address` then says which.
    """

    def __init__(
        self,
        core: Core[GwmpServerEvent, EffectT],
        on_effect: Callable[[EffectT | Dropped], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        allowed: Callable[[str], bool] | None = None,
    ) -> None:
        self._driver: CoreDriver[GwmpServerEvent, EffectT] = CoreDriver(core, self._carry_out)
        self._allowed = allowed
        self._on_effect = on_effect
        self._bind = (host, port)
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def now(self) -> Instant:
        """µs since start."""
        return self._driver.now

    @property
    def address(self) -> tuple[str, int]:
        """Where gateways send to. Raises LinkStateError before start."""
        if self._transport is None:
            raise LinkStateError("the server is not started")
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    async def start(self) -> None:
        """Open the socket. Raises OSError where the address is taken or not ours."""
        self._driver.start()
        try:
            self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: _Protocol(self._received, self._on_effect), local_addr=self._bind
            )
        except OSError:
            self._driver.stop()
            raise
        with suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES
            )

    async def stop(self) -> None:
        """Stop the core and close the socket."""
        self._driver.stop()
        await _close(self._transport)
        self._transport = None

    def submit(self, event: GwmpServerEvent) -> None:
        """Give the core an event, such as SendDownlink. Raises LinkStateError before start."""
        self._driver.handle(event)

    def _received(self, event: DatagramReceived) -> None:
        if self._allowed is not None and isinstance(event.source, tuple) and not self._allowed(str(event.source[0])):
            self._on_effect(Dropped("unknown_address", SOCKET_CLAUSE, str(event.source[0])))
            return
        self._driver.handle(event)

    async def __aenter__(self) -> UdpServer[EffectT]:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _carry_out(self, effect: EffectT) -> None:
        if not isinstance(effect, SendToGateway):
            self._on_effect(effect)
        elif self._transport is not None and isinstance(effect.destination, tuple):
            self._transport.sendto(effect.data, effect.destination)


async def _close(*transports: asyncio.DatagramTransport | None) -> None:
    for transport in transports:
        if transport is not None:
            transport.close()
    await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn
