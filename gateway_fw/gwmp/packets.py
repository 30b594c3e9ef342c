"""The six datagrams of Semtech UDP, protocol versions 1 and 2: bytes to frozen dataclasses and back.

    byte 0   version
    1–2      token, opaque: an answer echoes it
    3        identifier
    4–11     gateway EUI, most significant byte first (PUSH_DATA, PULL_DATA, TX_ACK)
    then     JSON (PUSH_DATA, PULL_RESP, TX_ACK)

Source: Semtech PROTOCOL.md (sx1302_hal 2.1.0, protocol 1.6) §3 and §5; PROTOCOL.TXT 1.2 for version 1, which has no
TX_ACK and leaves the token of PULL_RESP unused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from msgspec.json import Decoder, Encoder

from gateway_fw.errors import GwmpError
from gateway_fw.gwmp.rxpk import Rxpk, decode_rxpk, encode_rxpk
from gateway_fw.gwmp.stat import Stat, decode_stat, encode_stat
from gateway_fw.gwmp.txpk import Txpk, encode_txpk, txpk_of
from gateway_fw.gwmp.wire import (
    ABSENT,
    DOWNSTREAM_CLAUSE,
    UPSTREAM_CLAUSE,
    PullRespWire,
    PushWire,
    TxAckWire,
    decode_json,
)
from lorawan.ids import Eui64

HEADER_BYTES, EUI_HEADER_BYTES = 4, 12
VERSIONS = (1, 2)


class PacketType(IntEnum):
    """Byte 3."""

    PUSH_DATA = 0
    PUSH_ACK = 1
    PULL_DATA = 2
    PULL_RESP = 3
    PULL_ACK = 4
    TX_ACK = 5


class TxError(StrEnum):
    """How a gateway took a downlink. UNKNOWN stands for any other code. TX_POWER is a warning since protocol 1.5."""

    NONE = "NONE"
    TOO_LATE = "TOO_LATE"
    TOO_EARLY = "TOO_EARLY"
    COLLISION_PACKET = "COLLISION_PACKET"
    COLLISION_BEACON = "COLLISION_BEACON"
    TX_FREQ = "TX_FREQ"
    TX_POWER = "TX_POWER"
    GPS_UNLOCKED = "GPS_UNLOCKED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class PushData:
    """Frames and status of a gateway. refused: one line for each rxpk, or field of stat, that could not be read."""

    version: int
    token: int
    gateway_eui: Eui64
    rxpks: tuple[Rxpk, ...] = ()
    stat: Stat | None = None
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushAck:
    """A PUSH_DATA has arrived."""

    version: int
    token: int


@dataclass(frozen=True, slots=True)
class PullData:
    """A gateway keeps its way back open."""

    version: int
    token: int
    gateway_eui: Eui64


@dataclass(frozen=True, slots=True)
class PullAck:
    """A PULL_DATA has arrived."""

    version: int
    token: int


@dataclass(frozen=True, slots=True)
class PullResp:
    """A frame to be sent."""

    version: int
    token: int
    txpk: Txpk


@dataclass(frozen=True, slots=True)
class TxAck:
    """A PULL_RESP was queued, or refused with `error`. It says nothing of what happens on the air.

    warning: "TX_POWER" with power_dbm, the power that will be used, in dBm.
    """

    version: int
    token: int
    gateway_eui: Eui64
    error: TxError = TxError.NONE
    warning: str | None = None
    power_dbm: float | None = None


Packet = PushData | PushAck | PullData | PullResp | PullAck | TxAck


@dataclass(frozen=True, slots=True)
class Header:
    """The part of a datagram before its JSON. gateway_eui: None where the type has none."""

    version: int
    token: int
    packet_type: PacketType
    gateway_eui: Eui64 | None


_TYPES = tuple(PacketType)
_TX_ERRORS = {error.value: error for error in TxError}
_WITH_EUI = (True, False, True, False, False, True)
_push_decoder = Decoder(PushWire)
_pull_resp_decoder = Decoder(PullRespWire)
_tx_ack_decoder = Decoder(TxAckWire)
_encoder = Encoder()


def decode_header(datagram: bytes) -> Header:
    """Version, token, type and EUI. Raises GwmpError."""
    if len(datagram) < HEADER_BYTES:
        raise GwmpError(f"{len(datagram)} bytes", field="datagram", clause="PROTOCOL.md 1.6 §3", hint="4 are needed")
    version, kind = datagram[0], datagram[3]
    if version not in VERSIONS:
        raise GwmpError(f"{version}", field="version", offset=0, clause="PROTOCOL.md 1.6 §3", hint="1 or 2")
    if kind >= len(_TYPES):
        raise GwmpError(f"{kind:#04x}", field="identifier", offset=3, clause="PROTOCOL.md 1.6 §3", hint="0 to 5")
    eui = None
    if _WITH_EUI[kind]:
        if len(datagram) < EUI_HEADER_BYTES:
            raise GwmpError(
                f"the datagram ends after {len(datagram)} bytes", field="gateway EUI", offset=4, hint="12 are needed"
            )
        eui = Eui64(int.from_bytes(datagram[4:12], "big"))
    return Header(version, datagram[1] << 8 | datagram[2], _TYPES[kind], eui)


def decode(datagram: bytes) -> Packet:
    """One datagram. Raises GwmpError and nothing else.

    Bytes after a complete PUSH_ACK, PULL_DATA or PULL_ACK are passed over, and NULs after any JSON. A bad rxpk does not
    take the others with it: PushData.refused names it.
    """
    return decode_body(decode_header(datagram), datagram)


def decode_body(header: Header, datagram: bytes) -> Packet:
    """What follows a header that `decode_header` has read. Raises GwmpError."""
    version, token, kind, eui = header.version, header.token, header.packet_type, header.gateway_eui
    if eui is None:
        if kind is PacketType.PULL_RESP:
            wire = decode_json(
                _pull_resp_decoder, _json(datagram, 4), field="PULL_RESP", offset=4, clause=DOWNSTREAM_CLAUSE
            )
            return PullResp(version, token, txpk_of(wire.txpk))
        return PushAck(version, token) if kind is PacketType.PUSH_ACK else PullAck(version, token)
    if kind is PacketType.PUSH_DATA:
        return _push_data(version, token, eui, datagram)
    if kind is PacketType.TX_ACK:
        return _tx_ack(version, token, eui, datagram)
    return PullData(version, token, eui)


def _json(datagram: bytes, offset: int) -> bytes:
    # some gateways end their text as C does, with a NUL
    return datagram[offset:].rstrip(b"\0")


def _push_data(version: int, token: int, eui: Eui64, datagram: bytes) -> PushData:
    wire = decode_json(_push_decoder, _json(datagram, 12), field="PUSH_DATA", offset=12, clause=UPSTREAM_CLAUSE)
    rxpks: list[Rxpk] = []
    refused: list[str] = []
    for index, raw in enumerate(wire.rxpk or ()):
        try:
            rxpks.append(decode_rxpk(raw))
        except GwmpError as error:
            refused.append(f"rxpk[{index}]: {error}")
    stat = None
    if wire.stat != ABSENT:
        try:
            stat, unfit = decode_stat(wire.stat)
            refused.extend(unfit)
        except GwmpError as error:
            refused.append(str(error))
    return PushData(version, token, eui, tuple(rxpks), stat, tuple(refused))


def _tx_ack(version: int, token: int, eui: Eui64, datagram: bytes) -> TxAck:
    text = _json(datagram, 12).strip()
    if not text:
        return TxAck(version, token, eui)
    ack = decode_json(_tx_ack_decoder, text, field="TX_ACK", offset=12, clause=DOWNSTREAM_CLAUSE).txpk_ack
    if ack is None:
        return TxAck(version, token, eui)
    error = TxError.NONE
    if ack.error:
        error = _TX_ERRORS.get(ack.error, TxError.UNKNOWN)
    return TxAck(version, token, eui, error, ack.warn or None, _power(ack.value))


def _power(value: float | str | None) -> float | None:
    # the type of "value" is open: "string or number"
    try:
        power = None if value is None else float(value)
    except ValueError:
        return None
    return power if power is not None and -1000 <= power <= 1000 else None


def encode(packet: Packet) -> bytes:
    """The datagram. Raises GwmpError for a value that none can carry."""
    if packet.version not in VERSIONS:
        raise GwmpError(f"{packet.version}", field="version", offset=0, hint="1 or 2")
    if not 0 <= packet.token <= 0xFFFF:
        raise GwmpError(f"{packet.token}", field="token", offset=1, hint="two bytes")
    start = bytes((packet.version, packet.token >> 8, packet.token & 0xFF))
    if isinstance(packet, PushData):
        root: dict[str, Any] = {}
        if packet.rxpks:
            root["rxpk"] = [encode_rxpk(rxpk) for rxpk in packet.rxpks]
        if packet.stat is not None:
            root["stat"] = encode_stat(packet.stat)
        return start + b"\x00" + packet.gateway_eui.to_bytes(8, "big") + _encoder.encode(root)
    if isinstance(packet, PushAck):
        return start + b"\x01"
    if isinstance(packet, PullData):
        return start + b"\x02" + packet.gateway_eui.to_bytes(8, "big")
    if isinstance(packet, PullResp):
        return start + b"\x03" + _encoder.encode({"txpk": encode_txpk(packet.txpk)})
    if isinstance(packet, PullAck):
        return start + b"\x04"
    return start + b"\x05" + packet.gateway_eui.to_bytes(8, "big") + _tx_ack_json(packet)


def _tx_ack_json(ack: TxAck) -> bytes:
    # the reference writes no JSON where there is nothing to report
    if ack.error is TxError.NONE and ack.warning is None:
        return b""
    body: dict[str, Any] = {}
    if ack.error is not TxError.NONE:
        body["error"] = str(ack.error)
    if ack.warning is not None:
        body["warn"] = ack.warning
    if ack.power_dbm is not None:
        body["value"] = int(ack.power_dbm) if ack.power_dbm == int(ack.power_dbm) else ack.power_dbm
    return _encoder.encode({"txpk_ack": body})
