"""A server core and gateway cores of Basics Station joined in memory, with a network that can be cut."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from gateway_fw.station import StationGatewayCore, StationServerCore, StationUri
from gateway_fw.station.events import Close, Closed, Connect, Connected, Opened, SendText, TextReceived
from lorawan.machine import Instant

LATENCY_US = 3_000


class StationPair:
    """One gateway and one server; records take 3 ms, in order.

    at_server, at_gateway: their effects with the instant, websocket effects left out. react: called with each effect
    of the server's; what it returns goes to the server as events at once. reachable: while False every attempt fails.
    """

    def __init__(self, server: StationServerCore, gateway: StationGatewayCore) -> None:
        self.server, self.gateway = server, gateway
        self.now: Instant = 0
        self.at_server: list[tuple[Instant, Any]] = []
        self.at_gateway: list[tuple[Instant, Any]] = []
        self.react: Callable[[Any], Iterable[Any]] = lambda _: ()
        self.reachable = True
        self.attempts: list[str] = []
        self._open: set[Any] = set()
        self._due: list[tuple[Instant, int, Callable[[], None]]] = []
        self._order = count()

    def later(self, after_us: int, call: Callable[[], None]) -> None:
        """Call at now + after_us."""
        heapq.heappush(self._due, (self.now + after_us, next(self._order), call))

    def run(self, until: Instant) -> None:
        """Let time pass."""
        while True:
            wakes = [at for at in (self.server.wake_at, self.gateway.wake_at) if at is not None]
            soonest = min([*wakes, *(due[0] for due in self._due[:1])], default=until + 1)
            if soonest > until:
                self.now = until
                return
            self.now = max(self.now, soonest)
            while self._due and self._due[0][0] <= self.now:
                heapq.heappop(self._due)[2]()
            self._server_does(self.server.wake(self.now))
            self._gateway_does(self.gateway.wake(self.now))

    def to_server(self, event: Any) -> None:
        """Give the server an event now."""
        self._server_does(self.server.handle(event, self.now))

    def to_gateway(self, event: Any) -> None:
        """Give the gateway an event now."""
        self._gateway_does(self.gateway.handle(event, self.now))

    def cut(self) -> None:
        """Both ends lose every connection now; records under way are lost."""
        for connection in tuple(self._open):
            self._open.discard(connection)
            self.to_server(Closed(connection, "cut"))
            self.to_gateway(Closed(connection, "cut"))

    def _server_does(self, effects: Iterable[Any]) -> None:
        for effect in effects:
            if isinstance(effect, SendText):
                self._carry(effect, self.to_gateway)
            elif isinstance(effect, Close):
                self.later(LATENCY_US, lambda number=effect.connection: self._close(number))
            else:
                self.at_server.append((self.now, effect))
                for event in self.react(effect):
                    self.to_server(event)

    def _gateway_does(self, effects: Iterable[Any]) -> None:
        for effect in effects:
            if isinstance(effect, SendText):
                self._carry(effect, self.to_server)
            elif isinstance(effect, Close):
                self._close(effect.connection)
            elif isinstance(effect, Connect):
                self.attempts.append(effect.uri)
                self.later(LATENCY_US, lambda wanted=effect: self._connect(wanted))
            else:
                self.at_gateway.append((self.now, effect))

    def _carry(self, effect: SendText, deliver: Callable[[Any], None]) -> None:
        def arrive() -> None:
            if effect.connection in self._open:
                deliver(TextReceived(effect.connection, effect.text))

        self.later(LATENCY_US, arrive)

    def _connect(self, wanted: Connect) -> None:
        if not self.reachable:
            self.to_gateway(Closed(wanted.connection, "refused"))
            return
        uri = StationUri.of(wanted.uri)
        self._open.add(wanted.connection)
        self.to_server(Opened(wanted.connection, uri.path, f"{uri.host}:{uri.port}", uri.secure))
        self.to_gateway(Connected(wanted.connection))

    def _close(self, connection: Any) -> None:
        if connection in self._open:
            self._open.discard(connection)
            self.to_server(Closed(connection, "closed"))
            self.to_gateway(Closed(connection, "closed"))
