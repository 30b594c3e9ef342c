"""The network core as a live service: Semtech UDP and Basics Station on one side, lines on the other."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.live.station_front import StationFront, StationOptions
from bench.network import (
    DataAccepted,
    DeviceJoined,
    DeviceTold,
    DownlinkFailed,
    NetworkConfig,
    NetworkCore,
    NetworkDropped,
    PersistDevice,
    SendToDevice,
)
from bench.network.events import NetworkEffect, NetworkEvent
from gateway_fw import gwmp
from gateway_fw.gwmp.server import GwmpServerEffect
from gateway_fw.io import UdpServer
from gateway_fw.io.driver import CoreDriver
from gateway_fw.station import DownlinkUnconfirmed, GatewayConnected, GatewayGone, StationServerEffect
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant

IpNetwork: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_WAITING = 64  # downlinks that wait for a device to be heard, each device [assumption]

Told: TypeAlias = (
    DataAccepted
    | DeviceJoined
    | DeviceTold
    | DownlinkFailed
    | NetworkDropped
    | gwmp.SendDownlink
    | gwmp.DownlinkAnswered
    | gwmp.StatReceived
    | gwmp.UplinkReceived
    | GatewayConnected
    | GatewayGone
    | DownlinkUnconfirmed
    | Dropped
)
"""What the service tells: an uplink, a join, a device's word, an answer on its way, what a gateway said, a refusal."""


@dataclass(slots=True)
class Totals:
    """What a service has done since it started. Bounded: the names of reasons are our own."""

    gateways: set[Eui64] = field(default_factory=set)
    copies: int = 0
    uplinks: int = 0
    joins: int = 0
    downlinks: int = 0
    downlinks_refused: int = 0
    downlinks_failed: int = 0
    stats: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


class LiveNetwork:
    """Gateway server and network core on one socket.

    gateways: the EUIs that are served, None for all. addresses: the networks that may send, empty for all; what comes
    from elsewhere is counted and dropped. station: where Basics Station's gateways connect, None for none; network: how
    they are set up. clock: instants of the network core, the loop's own by default. tell gets what happens, in order.
    keep writes what a restart must not forget, and returns when it is durable; without it a restart forgets. Use as an
    asynchronous context manager.
    """

    def __init__(
        self,
        core: NetworkCore,
        tell: Callable[[Told], None],
        *,
        host: str,
        port: int,
        gateways: Iterable[Eui64] | None = None,
        addresses: Sequence[IpNetwork] = (),
        station: StationOptions | None = None,
        network: NetworkConfig | None = None,
        keep: Callable[[PersistDevice], None] | None = None,
        clock: Callable[[], Instant] | None = None,
    ) -> None:
        self._tell, self._keep = tell, keep
        self._addresses = tuple(addresses)
        self._network: CoreDriver[NetworkEvent, NetworkEffect] = CoreDriver(core, self._from_network, clock=clock)
        self._server: UdpServer[GwmpServerEffect] = UdpServer(
            gwmp.GwmpServerCore(known=gateways),
            self._from_server,
            host=host,
            port=port,
            allowed=self._is_allowed if self._addresses else None,
        )
        self._station = None
        if station is not None and network is not None:
            self._station = StationFront(
                station,
                network,
                self._from_server,
                gateways=gateways,
                allowed=self._is_allowed if self._addresses else None,
            )
        self._waiting: dict[Eui64, list[SendToDevice]] = {}
        self.totals = Totals()

    @property
    def address(self) -> tuple[str, int]:
        """Where gateways send to."""
        return self._server.address

    @property
    def station_address(self) -> tuple[str, int] | None:
        """Where Basics Station's gateways connect to, None where they cannot."""
        return None if self._station is None else self._station.address

    async def __aenter__(self) -> LiveNetwork:
        self._network.start()
        try:
            await self._server.start()
            if self._station is not None:
                await self._station.start()
        except BaseException:
            self._network.stop()
            await self._server.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._station is not None:
            await self._station.stop()
        self._network.stop()
        await self._server.stop()

    def queue(self, downlink: SendToDevice) -> bool:
        """Send this to a device after an uplink of it: as soon as it has a session. False where too many wait."""
        waiting = self._waiting.setdefault(downlink.dev_eui, [])
        if len(waiting) >= MAX_WAITING:
            return False
        waiting.append(downlink)
        return True

    def _is_allowed(self, address: str) -> bool:
        try:
            source: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(source, ipaddress.IPv6Address) and source.ipv4_mapped is not None:
            source = source.ipv4_mapped  # how IPv4 senders show on a socket that takes both
        return any(source in network for network in self._addresses)

    def _from_server(self, effect: GwmpServerEffect | StationServerEffect | Dropped) -> None:
        if isinstance(effect, gwmp.UplinkReceived):
            self.totals.copies += 1
            self.totals.gateways.add(effect.gateway_eui)
            self._tell(effect)
            self._network.handle(effect)
        elif isinstance(effect, gwmp.DownlinkAnswered | gwmp.DownlinkUnsent):
            if isinstance(effect, gwmp.DownlinkAnswered):
                self.totals.downlinks_refused += effect.error is not gwmp.TxError.NONE
                self._tell(effect)
            self._network.handle(effect)
        elif isinstance(effect, gwmp.StatReceived):
            self.totals.stats += 1
            self.totals.gateways.add(effect.gateway_eui)
            self._tell(effect)
        elif isinstance(effect, GatewayConnected | GatewayGone | DownlinkUnconfirmed):
            self._tell(effect)
        elif isinstance(effect, Dropped):
            self.totals.dropped[effect.reason] += 1
            self._tell(effect)

    def _from_network(self, effect: NetworkEffect) -> None:
        match effect:
            case PersistDevice():
                if self._keep is not None:
                    self._keep(effect)
                return
            case gwmp.SendDownlink():
                self.totals.downlinks += 1
                self._tell(effect)
                if self._station is not None and self._station.serves(effect.gateway_eui):
                    self._station.submit(effect)
                else:
                    self._server.submit(effect)
                return
            case DataAccepted():
                self.totals.uplinks += 1
            case DeviceJoined():
                self.totals.joins += 1
            case DownlinkFailed():
                self.totals.downlinks_failed += 1
            case NetworkDropped():
                self.totals.dropped[effect.reason] += 1
        self._tell(effect)
        if isinstance(effect, DataAccepted):
            for downlink in self._waiting.pop(effect.dev_eui, ()):
                self._network.handle(downlink)
