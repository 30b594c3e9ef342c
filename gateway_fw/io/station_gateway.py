"""The websockets of the gateway end of Basics Station: discovery, then data, one at a time."""

from __future__ import annotations

import asyncio
import ssl as tls
from collections.abc import Callable, Mapping
from typing import Generic, TypeAlias, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from gateway_fw.io.driver import CoreDriver
from gateway_fw.station.events import Close, Closed, Connect, Connected, Connection, SendText, TextReceived
from gateway_fw.station.fields import MAX_TEXT_CHARS
from lorawan.machine import Core, Dropped, Instant

EventT = TypeVar("EventT")
EffectT = TypeVar("EffectT")
SocketEvent: TypeAlias = Connected | TextReceived | Closed
SocketEffect: TypeAlias = Connect | SendText | Close

CLOSE_TIMEOUT_S = 1.0
GOING_AWAY = 1001  # RFC 6455 §7.4.1
OPEN_TIMEOUT_S = 60.0  # Basics Station 2.0.6, s2conf.h, TC_TIMEOUT
_CLAUSE = "websocket (RFC 6455)"


class StationSocket:
    """The websockets of one gateway-end core, without its clock: for a core that runs on another timeline.

    on_event gets Connected, TextReceived and Closed; on_dropped what never reaches the core. ssl: a client context for
    wss (`station_credentials.load_credentials`), None for the system's trust. headers: sent with every request, such
    as {"Authorization": "Bearer abc"}.
    """

    def __init__(
        self,
        on_event: Callable[[SocketEvent], None],
        on_dropped: Callable[[Dropped], None],
        *,
        ssl: tls.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._on_event, self._on_dropped = on_event, on_dropped
        self._ssl, self._headers = ssl, dict(headers or {})
        self._stopping = False
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._outboxes: dict[Connection, asyncio.Queue[SendText | Close]] = {}

    def start(self) -> None:
        """Let effects open websockets."""
        self._stopping = False

    async def stop(self) -> None:
        """Close the websocket; a server that does not answer that is left after a second. No event comes after this."""
        self._stopping = True
        for number, outbox in self._outboxes.items():
            outbox.put_nowait(Close(number, GOING_AWAY, "the gateway stops"))
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_TIMEOUT_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def carry_out(self, effect: SocketEffect) -> None:
        """Open, send or close, without waiting for it."""
        if isinstance(effect, Connect):
            self._outboxes[effect.connection] = asyncio.Queue()
            task = asyncio.get_running_loop().create_task(self._converse(effect))
            self._tasks[effect.connection] = task
            task.add_done_callback(lambda _: self._tasks.pop(effect.connection, None))
            return
        outbox = self._outboxes.get(effect.connection)
        if outbox is not None:  # else it is closed, and the core is about to hear of it
            outbox.put_nowait(effect)

    async def _converse(self, wanted: Connect) -> None:
        number, why = wanted.connection, ""
        writer: asyncio.Task[None] | None = None
        try:
            async with connect(
                wanted.uri,
                ssl=self._ssl if wanted.uri.startswith("wss:") else None,
                additional_headers=self._headers,
                compression=None,
                max_size=MAX_TEXT_CHARS,
                open_timeout=OPEN_TIMEOUT_S,
                proxy=None,
            ) as websocket:
                writer = asyncio.create_task(_write(websocket, self._outboxes[number]))
                self._tell(Connected(number))
                async for record in websocket:
                    if isinstance(record, str):
                        self._tell(TextReceived(number, record))
                    else:
                        self._on_dropped(Dropped("binary_record", _CLAUSE, f"{len(record)} bytes: no shell is served"))
        except (OSError, WebSocketException, TimeoutError) as error:
            why = f"{type(error).__name__}: {error}"
        finally:
            self._outboxes.pop(number, None)
            if writer is not None:
                writer.cancel()
        self._tell(Closed(number, why))

    def _tell(self, event: SocketEvent) -> None:
        if not self._stopping:
            self._on_event(event)


class StationGateway(Generic[EventT, EffectT]):
    """Runs a StationGatewayCore, one websocket at a time.

    on_effect gets every effect that is not about a websocket (`Transmit`, `Configured`, `Dropped`, …), in order. ssl
    and headers: as StationSocket takes them. Use as an asynchronous context manager, or start and stop. A core serves
    for one start.
    """

    def __init__(
        self,
        core: Core[EventT | SocketEvent, EffectT],
        on_effect: Callable[[EffectT | Dropped], None],
        *,
        ssl: tls.SSLContext | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._driver: CoreDriver[EventT | SocketEvent, EffectT] = CoreDriver(core, self._carry_out)
        self._on_effect = on_effect
        self._socket = StationSocket(self._driver.handle, on_effect, ssl=ssl, headers=headers)

    @property
    def now(self) -> Instant:
        """µs since start."""
        return self._driver.now

    async def start(self) -> None:
        """Let the core make its first attempt. An unreachable server is no error: it tries again."""
        self._socket.start()
        self._driver.start()

    async def stop(self) -> None:
        """Stop the core and close the websocket."""
        self._driver.stop()
        await self._socket.stop()

    def submit(self, event: EventT) -> None:
        """Give the core an event, such as `Heard` with `at` near `now`. Raises LinkStateError before start."""
        self._driver.handle(event)

    async def __aenter__(self) -> StationGateway[EventT, EffectT]:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _carry_out(self, effect: EffectT) -> None:
        if isinstance(effect, Connect | SendText | Close):
            self._socket.carry_out(effect)
        else:
            self._on_effect(effect)


async def _write(websocket: ClientConnection, outbox: asyncio.Queue[SendText | Close]) -> None:
    try:
        while True:
            effect = await outbox.get()
            if isinstance(effect, Close):
                await websocket.close(effect.code, effect.reason)
                return
            await websocket.send(effect.text)
    except WebSocketException:
        return  # the reader tells the core
