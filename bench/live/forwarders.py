"""Simulated gateways: our forwarder core on a live air, with real UDP sockets towards any network server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bench.live.air import GatewayPort
from bench.live.clock import LiveWorld
from bench.live.events import AirEvent, Refused
from gateway_fw import forwarder as fw
from gateway_fw import gwmp
from gateway_fw.forwarder.core import ForwarderEffect, ForwarderEvent
from lorawan.machine import Dropped, Instant
from lorawan.phy import Transmit
from radio_sim.world import Driver


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes], None], failed: Callable[[Exception], None]) -> None:
        self._received, self._failed = received, failed

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # noqa: ARG002 - the sockets are connected
        self._received(data)

    def error_received(self, exc: Exception) -> None:
        # ICMP says that nobody listens there: a lost datagram to this protocol
        self._failed(exc)


class SimulatedForwarder:
    """One gateway. Its core lives on the air's own timeline, so a frame's tmst is exact however late Python is."""

    def __init__(
        self, port: GatewayPort, config: fw.ForwarderConfig, world: LiveWorld, tell: Callable[[AirEvent], None]
    ) -> None:
        self._port, self._world, self._tell = port, world, tell
        self.gateway_eui = config.gateway_eui
        self._driver: Driver[ForwarderEvent, ForwarderEffect] = Driver(world, fw.ForwarderCore(config), self._carry_out)
        self._up: asyncio.DatagramTransport | None = None
        self._down: asyncio.DatagramTransport | None = None
        self.datagrams_up = self.datagrams_down = self.socket_errors = 0
        port.attach(self._driver.feed)

    async def start(self, server: tuple[str, int]) -> None:
        """Open the two sockets and keep alive from now on. Raises OSError for an address without a route."""
        loop = asyncio.get_running_loop()
        self._up, _ = await loop.create_datagram_endpoint(self._socket, remote_addr=server)
        self._down, _ = await loop.create_datagram_endpoint(self._socket, remote_addr=server)
        self._driver.arm()

    def stop(self) -> None:
        """Close the sockets."""
        self._port.detach()
        for transport in (self._up, self._down):
            if transport is not None:
                transport.close()
        self._up = self._down = None

    def _socket(self) -> _Socket:
        return _Socket(self._received, self._failed)

    def _received(self, data: bytes) -> None:
        self.datagrams_down += 1
        self._world.inject(lambda: self._driver.feed(gwmp.DatagramReceived(data)))

    def _failed(self, _error: Exception) -> None:
        self.socket_errors += 1

    def _carry_out(self, effects: Sequence[ForwarderEffect], now: Instant) -> None:
        for effect in effects:
            if isinstance(effect, gwmp.gateway.SendDatagram):
                transport = self._up if effect.upstream else self._down
                if transport is not None:
                    self.datagrams_up += 1
                    transport.sendto(effect.data)
            elif isinstance(effect, Transmit):
                self._port.transmit(effect)
            elif isinstance(effect, Dropped):
                self._tell(Refused(now, "forwarder", self._port.site_id, effect.reason, effect.detail))
