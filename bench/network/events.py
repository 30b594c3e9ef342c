"""What goes into and comes out of the network core, beside the Semtech UDP server's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bench.network.reception import Reception
from gateway_fw.gwmp import DownlinkAnswered, DownlinkUnsent, SendDownlink, UplinkReceived
from lorawan.ids import DevAddr, Eui64
from lorawan.mac_commands import MacCommand
from lorawan.server import DownlinkAcknowledged, DownlinkUnacknowledged, ServerMemory
from lorawan.server.events import News


@dataclass(frozen=True, slots=True)
class SendToDevice:
    """Event: queue an application downlink for after the device's next uplink."""

    dev_eui: Eui64
    f_port: int
    payload: bytes
    confirmed: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True)
class AskDevice:
    """Event: the operator wants this of a device: one MAC command, or LinkADRReqs that make one block."""

    dev_eui: Eui64
    request: tuple[MacCommand, ...]


@dataclass(frozen=True, slots=True)
class DataAccepted:
    """Effect: a new, genuine data uplink. phy_payload: as it was on the air; receptions: best first."""

    dev_eui: Eui64
    f_cnt: int
    f_port: int | None
    payload: bytes
    confirmed: bool
    phy_payload: bytes
    receptions: tuple[Reception, ...]


@dataclass(frozen=True, slots=True)
class DeviceJoined:
    """Effect: a join or rejoin request is answered with an accept; its session begins with the device's next uplink.

    dev_nonce: of the request; RJcount of a rejoin. rejoin_type: None for a join.
    """

    dev_eui: Eui64
    dev_addr: DevAddr
    dev_nonce: int
    rejoin_type: int | None = None


@dataclass(frozen=True, slots=True)
class PersistDevice:
    """Effect: write this durably; the effects after it wait until it is."""

    dev_eui: Eui64
    memory: ServerMemory


@dataclass(frozen=True, slots=True)
class DeviceTold:
    """Effect: what a device's uplink says of a request, of its battery, or of a confirmed downlink."""

    dev_eui: Eui64
    news: News | DownlinkAcknowledged | DownlinkUnacknowledged


@dataclass(frozen=True, slots=True)
class DownlinkFailed:
    """Effect: no gateway could send an answer, or a downlink or request was refused. reason: of the last try."""

    dev_eui: Eui64
    reason: str


@dataclass(frozen=True, slots=True)
class NetworkDropped:
    """Effect: an uplink was refused. phy_payload: which one."""

    reason: str
    clause: str
    detail: str
    phy_payload: bytes


NetworkEvent: TypeAlias = UplinkReceived | DownlinkAnswered | DownlinkUnsent | SendToDevice | AskDevice
NetworkEffect: TypeAlias = (
    PersistDevice | SendDownlink | DataAccepted | DeviceJoined | DeviceTold | DownlinkFailed | NetworkDropped
)
