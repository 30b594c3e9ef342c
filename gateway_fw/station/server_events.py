"""What goes into and comes out of the server end of Basics Station, beside the websocket events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from gateway_fw.gwmp.server import DownlinkAnswered, DownlinkUnsent, SendDownlink, UplinkReceived
from gateway_fw.station.control import Version
from gateway_fw.station.downlink import DnMsg, DnSched, DnTxed
from gateway_fw.station.events import Close, Closed, Opened, SendText, TextReceived
from gateway_fw.station.uplink import Uplink
from lorawan.ids import Eui64
from lorawan.machine import Dropped


@dataclass(frozen=True, slots=True)
class SendDnMsg:
    """Event: have a gateway send a frame. The core gives the dnmsg its diid; reference comes back with the answer."""

    gateway_eui: Eui64
    dnmsg: DnMsg
    reference: int


@dataclass(frozen=True, slots=True)
class SendDnSched:
    """Event: have a gateway send frames to groups; no answer comes."""

    gateway_eui: Eui64
    dnsched: DnSched


@dataclass(frozen=True, slots=True)
class TellTime:
    """Event: tell a gateway which GPS time an xtime is (the server knows it from elsewhere)."""

    gateway_eui: Eui64
    xtime: int
    gpstime_us: int


@dataclass(frozen=True, slots=True)
class StationUplink:
    """Effect: a frame as the gateway reported it, before the UplinkReceived made of it."""

    gateway_eui: Eui64
    uplink: Uplink


@dataclass(frozen=True, slots=True)
class GatewayConnected:
    """Effect: a gateway said what it is and got its router_config."""

    gateway_eui: Eui64
    version: Version


@dataclass(frozen=True, slots=True)
class GatewayGone:
    """Effect: its data connection is closed."""

    gateway_eui: Eui64
    why: str


@dataclass(frozen=True, slots=True)
class DownlinkOnAir:
    """Effect: dntxed, as it came; a DownlinkAnswered follows."""

    gateway_eui: Eui64
    reference: int
    dntxed: DnTxed


@dataclass(frozen=True, slots=True)
class DownlinkUnconfirmed:
    """Effect: no dntxed came in time. Station tells success alone; the frame was most likely not sent."""

    gateway_eui: Eui64
    reference: int


StationServerEvent: TypeAlias = Opened | TextReceived | Closed | SendDownlink | SendDnMsg | SendDnSched | TellTime
StationServerEffect: TypeAlias = (
    SendText
    | Close
    | StationUplink
    | UplinkReceived
    | GatewayConnected
    | GatewayGone
    | DownlinkOnAir
    | DownlinkAnswered
    | DownlinkUnconfirmed
    | DownlinkUnsent
    | Dropped
)
