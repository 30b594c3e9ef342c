"""Semtech UDP (GWMP): the codec, the gateway core and the server core.

The two ends have effects of the same name: `gateway.SendDatagram` tells which socket, `server.SendDatagram` where to.
"""

from gateway_fw.gwmp import gateway, server
from gateway_fw.gwmp.events import Address, DatagramReceived
from gateway_fw.gwmp.gateway import AckDownlink, DownlinkRequested, GatewayLinkCore, SendStat, SendUplinks
from gateway_fw.gwmp.packets import (
    Header,
    Packet,
    PacketType,
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    TxAck,
    TxError,
    decode,
    decode_header,
    encode,
)
from gateway_fw.gwmp.rxpk import CRC_BAD, CRC_OK, NO_CRC, Rxpk
from gateway_fw.gwmp.server import (
    DownlinkAnswered,
    DownlinkUnsent,
    GwmpServerCore,
    SendDownlink,
    StatReceived,
    UplinkReceived,
)
from gateway_fw.gwmp.stat import Stat
from gateway_fw.gwmp.txpk import Txpk

__all__ = [
    "CRC_BAD",
    "CRC_OK",
    "NO_CRC",
    "AckDownlink",
    "Address",
    "DatagramReceived",
    "DownlinkAnswered",
    "DownlinkRequested",
    "DownlinkUnsent",
    "GatewayLinkCore",
    "GwmpServerCore",
    "Header",
    "Packet",
    "PacketType",
    "PullAck",
    "PullData",
    "PullResp",
    "PushAck",
    "PushData",
    "Rxpk",
    "SendDownlink",
    "SendStat",
    "SendUplinks",
    "Stat",
    "StatReceived",
    "TxAck",
    "TxError",
    "Txpk",
    "UplinkReceived",
    "decode",
    "decode_header",
    "encode",
    "gateway",
    "server",
]
