"""Simulated gateways that speak Basics Station: our core on a live air, with real websockets towards any LNS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from bench.live.air import GatewayPort
from bench.live.clock import LiveWorld
from bench.live.events import AirEvent, Refused
from gateway_fw.forwarder import ForwarderConfig
from gateway_fw.io.station_credentials import StationCredentials
from gateway_fw.io.station_gateway import SocketEvent, StationSocket
from gateway_fw.station import (
    StationGatewayConfig,
    StationGatewayCore,
    StationGatewayEffect,
    StationGatewayEvent,
    Version,
)
from gateway_fw.station.events import Close, Closed, Connect, SendText, TextReceived
from lorawan.machine import Dropped, Instant
from lorawan.phy import Transmit
from radio_sim.world import Driver

PATIENCE_S = 3.0  # [assumption] a server that is there answers within this


async def all_connected(stations: Sequence[SimulatedStation]) -> None:
    """Return when every gateway has its router_config, or after three seconds: the server may be away."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while not all(station.core.connected for station in stations):
                await asyncio.sleep(0.01)


class SimulatedStation:
    """One gateway. Its core lives on the air's own timeline, so an xtime is exact however late Python is.

    credentials: as its tc.uri, tc.trust, tc.crt and tc.key say; every gateway of a run has the same.
    """

    def __init__(
        self,
        port: GatewayPort,
        config: ForwarderConfig,
        world: LiveWorld,
        tell: Callable[[AirEvent], None],
        credentials: StationCredentials,
    ) -> None:
        self._port, self._world, self._tell = port, world, tell
        self.gateway_eui = config.gateway_eui
        station = StationGatewayConfig(
            config.gateway_eui,
            credentials.tc_uri,
            Version("lorabench", model="simulated"),
            counter_offset_us=config.counter_offset_us,
            antenna_gain_dbi=config.antenna_gain_dbi,
        )
        self.core = StationGatewayCore(station)
        self._driver: Driver[StationGatewayEvent, StationGatewayEffect] = Driver(world, self.core, self._carry_out)
        self._socket = StationSocket(self._received, self._dropped, ssl=credentials.ssl, headers=credentials.headers)
        self.datagrams_up = self.datagrams_down = self.socket_errors = 0
        port.attach(self._driver.feed)

    async def start(self, server: tuple[str, int]) -> None:  # noqa: ARG002 - tc.uri says where to
        """Make the first attempt; an unreachable server is no error, it is tried again."""
        self._socket.start()
        self._driver.arm()

    def stop(self) -> None:
        """Hear nothing more."""
        self._port.detach()

    async def close(self) -> None:
        """Close the websocket."""
        await self._socket.stop()

    def _received(self, event: SocketEvent) -> None:
        self.datagrams_down += isinstance(event, TextReceived)
        self.socket_errors += isinstance(event, Closed) and bool(event.why)
        self._world.inject(lambda: self._driver.feed(event))

    def _dropped(self, dropped: Dropped) -> None:
        self._tell(Refused(self._world.now, "station", self._port.site_id, dropped.reason, dropped.detail))

    def _carry_out(self, effects: Sequence[StationGatewayEffect], now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, Connect | SendText | Close):
                self.datagrams_up += isinstance(effect, SendText)
                self._socket.carry_out(effect)
            elif isinstance(effect, Transmit):
                self._port.transmit(effect)
            elif isinstance(effect, Dropped):
                self._tell(Refused(now, "station", self._port.site_id, effect.reason, effect.detail))
