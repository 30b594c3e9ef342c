"""LoRa Basics Station protocol (LNS, version 2), both ends, as cores. CUPS is not part of it."""

from gateway_fw.station.concentrator import Concentrator, IfChannel, share_out
from gateway_fw.station.config import Beaconing, RouterConfig, StationDataRate, UpChannel
from gateway_fw.station.control import (
    ErrorMessage,
    RemoteCommand,
    RemoteShell,
    RouterInfo,
    StationUri,
    TimeSync,
    Version,
    discovery_of,
    encode_discovery,
    encode_router_info,
    router_info_of,
)
from gateway_fw.station.downlink import DeviceClass, DnMsg, DnSched, DnTxed, Scheduled, Window
from gateway_fw.station.gateway import (
    Configured,
    Disconnected,
    StationCounters,
    StationGatewayConfig,
    StationGatewayCore,
    StationGatewayEffect,
    StationGatewayEvent,
)
from gateway_fw.station.identifiers import dashed, eui_of, id6
from gateway_fw.station.messages import Message, encode, parse
from gateway_fw.station.region import eu868_config
from gateway_fw.station.server import StationServerCore
from gateway_fw.station.server_events import (
    DownlinkOnAir,
    DownlinkUnconfirmed,
    GatewayConnected,
    GatewayGone,
    SendDnMsg,
    SendDnSched,
    StationServerEffect,
    StationServerEvent,
    StationUplink,
    TellTime,
)
from gateway_fw.station.uplink import UpInfo, Uplink
from gateway_fw.station.xtime import XTime, XTimeClock

__all__ = [
    "Beaconing",
    "Concentrator",
    "Configured",
    "DeviceClass",
    "Disconnected",
    "DnMsg",
    "DnSched",
    "DnTxed",
    "DownlinkOnAir",
    "DownlinkUnconfirmed",
    "ErrorMessage",
    "GatewayConnected",
    "GatewayGone",
    "IfChannel",
    "Message",
    "RemoteCommand",
    "RemoteShell",
    "RouterConfig",
    "RouterInfo",
    "Scheduled",
    "SendDnMsg",
    "SendDnSched",
    "StationCounters",
    "StationDataRate",
    "StationGatewayConfig",
    "StationGatewayCore",
    "StationGatewayEffect",
    "StationGatewayEvent",
    "StationServerCore",
    "StationServerEffect",
    "StationServerEvent",
    "StationUplink",
    "StationUri",
    "TellTime",
    "TimeSync",
    "UpChannel",
    "UpInfo",
    "Uplink",
    "Version",
    "Window",
    "XTime",
    "XTimeClock",
    "dashed",
    "discovery_of",
    "encode",
    "encode_discovery",
    "encode_router_info",
    "eu868_config",
    "eui_of",
    "id6",
    "parse",
    "router_info_of",
    "share_out",
]
