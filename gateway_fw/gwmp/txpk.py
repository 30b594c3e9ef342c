"""txpk: one frame to be sent, and the fields the reference forwarder insists on."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass
from typing import Any

from gateway_fw.errors import GwmpError
from gateway_fw.gwmp.wire import (
    CODING_RATES,
    DOWNSTREAM_CLAUSE,
    MAX_PAYLOAD_BYTES,
    U32,
    TxpkWire,
    base64_bytes,
    frequency_hz,
    integer,
    level,
    modulation_of,
)
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.units import hz_to_mhz

MANDATORY = "lora_pkt_fwd.c (sx1302_hal 2.1.0), thread_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Txpk:
    """A frame that a gateway is asked to send.

    When: imme before tmst (µs modulo 2^32) before tmms (GPS ms); one of them is needed. power_dbm: EIRP, sent as whole
    dBm; None leaves it to the gateway. modulation: LoRa, or FSK bit/s with fdev_hz. preamble: symbols (FSK: bytes),
    None for the gateway's 8 (FSK 5). no_crc and inverted_polarity are true for LoRaWAN downlinks of class A and C.
    board and antenna are written only when set: some gateways refuse a zero.

    Source: PROTOCOL.md 1.6 §6; nhdr: lora_pkt_fwd.c (sx1302_hal 2.1.0).
    """

    freq_hz: int
    modulation: LoraModulation | int
    payload: bytes
    imme: bool = False
    tmst: int | None = None
    tmms: int | None = None
    rf_chain: int = 0
    power_dbm: float | None = None
    coding_rate: CodingRate | None = CodingRate.CR_4_5
    inverted_polarity: bool = False
    no_crc: bool = False
    no_header: bool = False
    preamble: int | None = None
    fdev_hz: int | None = None
    board: int | None = None
    antenna: int | None = None


def txpk_of(wire: TxpkWire) -> Txpk:
    """From the JSON object. Raises GwmpError, also where a field is missing that the reference forwarder needs."""
    clause = DOWNSTREAM_CLAUSE
    imme = wire.imme is True
    if not imme and wire.tmst is None and wire.tmms is None:
        raise GwmpError("none of imme, tmst and tmms says when", field="tmst", clause=MANDATORY)
    modulation = modulation_of(wire.modu, wire.datr, clause)
    coding_rate = None
    if isinstance(modulation, LoraModulation):
        if wire.codr is None:
            raise GwmpError("missing", field="codr", clause=MANDATORY)
        coding_rate = CODING_RATES.get(wire.codr)
        if coding_rate is None:
            raise GwmpError(f"{wire.codr[:16]!r}", field="codr", clause=clause, hint='"4/5" to "4/8"')
    elif wire.fdev is None:
        raise GwmpError("missing", field="fdev", clause=MANDATORY)
    return Txpk(
        freq_hz=frequency_hz(wire.freq, "freq", clause),
        modulation=modulation,
        payload=base64_bytes(wire.data, wire.size, clause),
        imme=imme,
        tmst=None if wire.tmst is None else integer(wire.tmst, "tmst", 0, U32 - 1, clause),
        tmms=None if wire.tmms is None else integer(wire.tmms, "tmms", 0, 1 << 53, clause),
        rf_chain=integer(wire.rfch, "rfch", 0, 255, clause),
        power_dbm=None if wire.powe is None else level(wire.powe, "powe", clause),
        coding_rate=coding_rate,
        inverted_polarity=wire.ipol is True,
        no_crc=wire.ncrc is True,
        no_header=wire.nhdr is True,
        preamble=None if wire.prea is None else integer(wire.prea, "prea", 0, 0xFFFF, clause),
        fdev_hz=None if wire.fdev is None else integer(wire.fdev, "fdev", 0, 1_000_000, clause),
        board=None if wire.brd is None else integer(wire.brd, "brd", 0, 255, clause),
        antenna=None if wire.ant is None else integer(wire.ant, "ant", 0, 255, clause),
    )


def encode_txpk(txpk: Txpk) -> dict[str, Any]:
    """The JSON object. Raises GwmpError where none can carry it or the reference forwarder would drop it."""
    _check(txpk)
    wire: dict[str, Any] = {"imme": txpk.imme}
    if txpk.tmst is not None:
        wire["tmst"] = txpk.tmst
    if txpk.tmms is not None:
        wire["tmms"] = txpk.tmms
    wire["freq"] = hz_to_mhz(txpk.freq_hz)
    wire["rfch"] = txpk.rf_chain
    if txpk.power_dbm is not None:
        wire["powe"] = round(level(txpk.power_dbm, "powe", DOWNSTREAM_CLAUSE))
    if txpk.antenna is not None:
        wire["ant"] = txpk.antenna
    if txpk.board is not None:
        wire["brd"] = txpk.board
    if isinstance(txpk.modulation, LoraModulation):
        wire["modu"] = "LORA"
        wire["datr"] = txpk.modulation.datr
        wire["codr"] = str(txpk.coding_rate)
        wire["ipol"] = txpk.inverted_polarity
    else:
        wire["modu"] = "FSK"
        wire["datr"] = txpk.modulation
        wire["fdev"] = txpk.fdev_hz
    if txpk.preamble is not None:
        wire["prea"] = txpk.preamble
    if txpk.no_crc:
        wire["ncrc"] = True
    if txpk.no_header:
        wire["nhdr"] = True
    wire["size"] = len(txpk.payload)
    wire["data"] = b2a_base64(txpk.payload, newline=False).decode("ascii")
    return wire


def _check(txpk: Txpk) -> None:
    clause = DOWNSTREAM_CLAUSE
    if not txpk.imme and txpk.tmst is None and txpk.tmms is None:
        raise GwmpError("none of imme, tmst and tmms says when", field="tmst", clause=MANDATORY)
    if txpk.tmst is not None and not 0 <= txpk.tmst < U32:
        raise GwmpError(f"{txpk.tmst}", field="tmst", clause=clause, hint="the counter is 32 bits wide")
    if len(txpk.payload) > MAX_PAYLOAD_BYTES:
        raise GwmpError(f"{len(txpk.payload)} bytes", field="data", clause=clause)
    if isinstance(txpk.modulation, LoraModulation):
        if txpk.coding_rate is None:
            raise GwmpError("missing", field="codr", clause=MANDATORY)
    elif txpk.fdev_hz is None:
        raise GwmpError("missing", field="fdev", clause=MANDATORY)
