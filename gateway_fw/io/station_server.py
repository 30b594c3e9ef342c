"""The websockets of the server end of Basics Station: one listening port for discovery and data connections."""

from __future__ import annotations

import asyncio
import hmac
import re
import ssl as tls
from collections.abc import Callable, Mapping
from http import HTTPStatus
from itertools import count

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from gateway_fw.errors import LinkStateError
from gateway_fw.io.driver import CoreDriver
from gateway_fw.station.events import Close, Closed, Connection, Opened, SendText, TextReceived
from gateway_fw.station.fields import MAX_TEXT_CHARS
from gateway_fw.station.server import StationServerCore
from gateway_fw.station.server_events import StationServerEffect, StationServerEvent
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant

OUTBOX_RECORDS = 1000  # [assumption] a gateway that has not taken so many records is gone
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_CLAUSE = "websocket (RFC 6455)"


class StationServer:
    """Runs a StationServerCore on one port.

    on_effect gets every effect that is not about a websocket (UplinkReceived, DownlinkAnswered, GatewayConnected,
    Dropped, …), in order. Port 0 lets the system choose; `address` then says which. ssl: a server context
    (`station_credentials.server_context`), None for plain ws. tokens: what Authorization headers are let in, each with
    the gateways it stands for (None: any), such as {"Bearer abc": frozenset({eui})}; None asks for none, and a request
    without a right one is answered 401 before any websocket is open. allowed: whether an IP address may connect (403
    where not), None for all.

    Use as an asynchronous context manager, or start and stop. A core serves for one start.
    """

    def __init__(
        self,
        core: StationServerCore,
        on_effect: Callable[[StationServerEffect], None],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl: tls.SSLContext | None = None,
        tokens: Mapping[str, frozenset[Eui64] | None] | None = None,
        allowed: Callable[[str], bool] | None = None,
    ) -> None:
        self._driver: CoreDriver[StationServerEvent, StationServerEffect] = CoreDriver(core, self._carry_out)
        self._on_effect = on_effect
        self._bind, self._ssl = (host, port), ssl
        self._may_connect = allowed
        self._tokens = None if tokens is None else dict(tokens)
        self._server: Server | None = None
        self._numbers = count(1)
        self._outboxes: dict[Connection, asyncio.Queue[SendText | Close]] = {}

    @property
    def now(self) -> Instant:
        """µs since start."""
        return self._driver.now

    @property
    def address(self) -> tuple[str, int]:
        """Where gateways connect to. Raises LinkStateError before start."""
        if self._server is None:
            raise LinkStateError("the server is not started")
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return host, port

    async def start(self) -> None:
        """Open the port. Raises OSError where the address is taken or not ours."""
        self._driver.start()
        host, port = self._bind
        try:
            self._server = await serve(
                self._serve,
                host,
                port,
                ssl=self._ssl,
                process_request=self._admit,
                max_size=MAX_TEXT_CHARS,
                compression=None,  # Station offers none
            )
        except OSError:
            self._driver.stop()
            raise

    async def stop(self) -> None:
        """Close every websocket and the port, then stop the core."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()
        self._driver.stop()

    def submit(self, event: StationServerEvent) -> None:
        """Give the core an event, such as SendDownlink or SendDnMsg. Raises LinkStateError before start."""
        self._driver.handle(event)

    async def __aenter__(self) -> StationServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        peer = connection.remote_address
        if self._may_connect is not None and not self._may_connect(str(peer[0])):
            self._on_effect(Dropped("address", _CLAUSE, f"{peer}"))
            return connection.respond(HTTPStatus.FORBIDDEN, "not from this address\n")
        if self._allowed(request) is False:
            self._on_effect(Dropped("token", _CLAUSE, f"{peer}: no token, or an unknown one"))
            return connection.respond(HTTPStatus.UNAUTHORIZED, "Authorization is missing or unknown\n")
        return None

    def _allowed(self, request: Request) -> frozenset[Eui64] | bool | None:
        """The gateways a request may be of, None for any; False where its token is none of ours."""
        if self._tokens is None:
            return None
        given = "".join(request.headers.get_all("Authorization")[:1]).strip().encode()
        # every token is compared, in constant time
        right = [token for token in self._tokens if hmac.compare_digest(token.encode(), given)]
        return self._tokens[right[0]] if right else False

    async def _serve(self, websocket: ServerConnection) -> None:
        number, outbox = next(self._numbers), asyncio.Queue[SendText | Close](OUTBOX_RECORDS)
        request = websocket.request
        if request is None:
            return
        self._outboxes[number] = outbox
        allowed = self._allowed(request)
        writer = asyncio.create_task(_write(websocket, outbox))
        why = ""
        try:
            opened = Opened(number, request.path, self._authority(websocket, request), self._ssl is not None)
            if isinstance(allowed, frozenset):
                opened = Opened(number, opened.path, opened.authority, opened.secure, allowed)
            self._driver.handle(opened)
            async for record in websocket:
                if isinstance(record, str):
                    self._driver.handle(TextReceived(number, record))
                else:
                    self._on_effect(Dropped("binary_record", _CLAUSE, f"{len(record)} bytes"))
        except ConnectionClosed as closed:
            why = str(closed)
        finally:
            self._outboxes.pop(number, None)
            writer.cancel()
            self._driver.handle(Closed(number, why))

    def _authority(self, websocket: ServerConnection, request: Request) -> str:
        """The server as the gateway calls it; where its Host header makes no sense, the address it reached."""
        hosts = request.headers.get_all("Host")
        if hosts and _AUTHORITY.fullmatch(hosts[0]):
            return hosts[0]
        host, port = websocket.local_address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _carry_out(self, effect: StationServerEffect) -> None:
        if not isinstance(effect, SendText | Close):
            self._on_effect(effect)
            return
        outbox = self._outboxes.get(effect.connection)
        if outbox is None:
            return  # it is closed already, and the core is about to hear of it
        if outbox.full():
            outbox.get_nowait()
            effect = Close(effect.connection, 1008, "too many records wait")
            self._on_effect(Dropped("outbox_full", _CLAUSE, f"{OUTBOX_RECORDS} records"))
        outbox.put_nowait(effect)


async def _write(websocket: ServerConnection, outbox: asyncio.Queue[SendText | Close]) -> None:
    try:
        while True:
            effect = await outbox.get()
            if isinstance(effect, Close):
                await websocket.close(effect.code, effect.reason)
                return
            await websocket.send(effect.text)
    except ConnectionClosed:
        return  # the reader tells the core
