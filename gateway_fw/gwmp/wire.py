"""JSON objects of Semtech UDP as they stand on the wire, and the reading of single values.

The shapes are as wide as gateways in the field need: what only decorates a frame is `Any`, what decides about it is
typed. Semtech writes MHz, base64 and "4/5"; the dataclasses of `rxpk`, `txpk` and `stat` carry Hz, bytes and enums.

Source: Semtech PROTOCOL.md (sx1302_hal 2.1.0, protocol 1.6) §4 and §6; sx1302_hal 2.1.0 lora_pkt_fwd.c.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import Any, TypeVar

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder

from gateway_fw.errors import GwmpError
from lorawan.errors import FrameError
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.units import mhz_to_hz

U32 = 1 << 32
MAX_PAYLOAD_BYTES = 255  # an SX130x buffer entry, PROTOCOL.md §4 "size" as the forwarder fills it
MAX_FREQ_MHZ = 10_000.0  # assumption: above every LoRa band (2.4 GHz included) and far below what would overflow

Number = int | float
ABSENT = Raw(b"null")
WireT = TypeVar("WireT")

UPSTREAM_CLAUSE = "PROTOCOL.md 1.6 §4"
DOWNSTREAM_CLAUSE = "PROTOCOL.md 1.6 §6"


class AntennaWire(Struct):
    """One element of rsig: the reception at one antenna (rxpk layout of v2 gateways)."""

    ant: Number = 0
    chan: Number | None = None
    rssic: Number | None = None
    rssis: Number | None = None
    lsnr: Number | None = None
    foff: Number | None = None
    ftime: Any = None


class RxpkWire(Struct):
    """rxpk, layouts jver 1 and 2."""

    tmst: Number
    freq: Number
    modu: str
    datr: str | Number
    data: str
    codr: str | None = None
    stat: Number | None = None
    rssi: Number | None = None
    lsnr: Number | None = None
    rssis: Number | None = None
    foff: Number | None = None
    chan: Number | None = None
    rfch: Number | None = None
    ant: Number | None = None
    size: Number | None = None
    tmms: Number | None = None
    rsig: list[AntennaWire] | None = None
    time: Any = None
    ftime: Any = None
    mid: Any = None


class TxpkWire(Struct):
    """txpk. Required here is what the reference forwarder demands of every modulation."""

    freq: Number
    rfch: Number
    modu: str
    datr: str | Number
    size: Number
    data: str
    codr: str | None = None
    imme: bool | None = None
    tmst: Number | None = None
    tmms: Number | None = None
    powe: Number | None = None
    fdev: Number | None = None
    ipol: bool | None = None
    prea: Number | None = None
    ncrc: bool | None = None
    nhdr: bool | None = None
    brd: Number | None = None
    ant: Number | None = None


class TxpkAckWire(Struct):
    """txpk_ack; value is a number, or a string in some forwarders."""

    error: str | None = None
    warn: str | None = None
    value: Number | str | None = None


class PushWire(Struct):
    """The root object of PUSH_DATA. Elements stay raw, so that a bad one does not take the good ones with it."""

    rxpk: list[Raw] | None = None
    stat: Raw = ABSENT


class PullRespWire(Struct):
    """The root object of PULL_RESP."""

    txpk: TxpkWire


class TxAckWire(Struct):
    """The root object of TX_ACK."""

    txpk_ack: TxpkAckWire | None = None


def decode_json(decoder: Decoder[WireT], data: bytes | Raw, *, field: str, offset: int | None, clause: str) -> WireT:
    """Run a typed decoder; whatever is wrong with the text (syntax, UTF-8, depth, type, range) becomes GwmpError."""
    try:
        return decoder.decode(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise GwmpError(str(error), field=field, offset=offset, clause=clause) from error
    except RecursionError:
        raise GwmpError("nested too deeply", field=field, offset=offset, clause=clause) from None


def integer(value: Number, field: str, low: int, high: int, clause: str) -> int:
    """A whole number within low … high (some JSON writers put ".0" after it). Raises GwmpError."""
    if not low <= value <= high or value != int(value):
        raise GwmpError(f"{value!r}", field=field, clause=clause, hint=f"a whole number from {low} to {high}")
    return int(value)


def level(value: Number, field: str, clause: str) -> float:
    """A level in dB or dBm. Raises GwmpError beyond ±1000, where no radio is."""
    if not -1000 <= value <= 1000:
        raise GwmpError(f"{value!r}", field=field, clause=clause, hint="a level in dB or dBm")
    return float(value)


def frequency_hz(freq_mhz: Number, field: str, clause: str) -> int:
    """MHz to whole Hz, by rounding. Raises GwmpError."""
    if not 0 < freq_mhz < MAX_FREQ_MHZ:
        raise GwmpError(f"{freq_mhz!r}", field=field, clause=clause, hint="MHz, such as 868.1")
    return mhz_to_hz(freq_mhz)


def modulation_of(modu: str, datr: str | Number, clause: str) -> LoraModulation | int:
    """modu and datr as a LoRa modulation or as FSK bit/s. LR-FHSS has no place in the data model and is refused."""
    if modu == "LORA":
        try:
            return LoraModulation.from_datr(str(datr))
        except FrameError as error:
            raise GwmpError(f"{str(datr)[:16]!r}", field="datr", clause=clause, hint='such as "SF7BW125"') from error
    if modu == "FSK":
        if isinstance(datr, str):
            raise GwmpError(f"{datr[:16]!r}", field="datr", clause=clause, hint="FSK bit/s, a number")
        return integer(datr, "datr", 1, 1_000_000, clause)
    raise GwmpError(f"{modu[:16]!r} is not supported", field="modu", clause=clause, hint="LORA or FSK")


CODING_RATES: dict[str, CodingRate] = {
    "4/5": CodingRate.CR_4_5,
    "4/6": CodingRate.CR_4_6,
    "2/3": CodingRate.CR_4_6,  # the reduced forms are read by lora_pkt_fwd.c
    "4/7": CodingRate.CR_4_7,
    "4/8": CodingRate.CR_4_8,
    "2/4": CodingRate.CR_4_8,
    "1/2": CodingRate.CR_4_8,
}

_URL_SAFE = str.maketrans("-_", "+/")


def base64_bytes(text: str, size: Number | None, clause: str) -> bytes:
    """data: base64, padded or not, URL-safe digits accepted (PROTOCOL.md's own examples lack padding and hold "-").

    Raises GwmpError, also where size is given and disagrees.
    """
    try:
        data = a2b_base64(text, strict_mode=True)
    except ValueError:
        digits = text.translate(_URL_SAFE).rstrip("=")
        try:
            data = a2b_base64(digits + "=" * (-len(digits) % 4), strict_mode=True)
        except ValueError as error:
            raise GwmpError(str(error), field="data", clause=clause, hint="base64") from error
    if len(data) > MAX_PAYLOAD_BYTES:
        raise GwmpError(f"{len(data)} bytes", field="data", clause=clause, hint=f"at most {MAX_PAYLOAD_BYTES}")
    if size is not None and size != len(data):
        raise GwmpError(f"{size!r}, but data has {len(data)} bytes", field="size", clause=clause)
    return data
