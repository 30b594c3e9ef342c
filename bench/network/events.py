"""What goes into and comes out of the network core, beside the Semtech UDP server's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bench.network.reception import Reception
from gateway_fw.gwmp import DownlinkAnswered, DownlinkUnsent, SendDownlink, UplinkReceived
from lorawan.ids import DevAddr, Eui64


@dataclass(frozen=True, slots=True)
class SendToDevice:
    """Event: queue an application downlink for after the device's next uplink."""

    dev_eui: Eui64
    f_port: int
    payload: bytes
    confirmed: bool = False


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
    """Effect: a join request was answered with an accept; its session begins."""

    dev_eui: Eui64
    dev_addr: DevAddr
    dev_nonce: int


@dataclass(frozen=True, slots=True)
class DownlinkFailed:
    """Effect: no gateway could send an answer. reason: of the last try."""

    dev_eui: Eui64
    reason: str


@dataclass(frozen=True, slots=True)
class NetworkDropped:
    """Effect: an uplink was refused. phy_payload: which one."""

    reason: str
    clause: str
    detail: str
    phy_payload: bytes


NetworkEvent: TypeAlias = UplinkReceived | DownlinkAnswered | DownlinkUnsent | SendToDevice
NetworkEffect: TypeAlias = SendDownlink | DataAccepted | DeviceJoined | DownlinkFailed | NetworkDropped
