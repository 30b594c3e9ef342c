"""rxpk: one received frame with its metadata."""

from __future__ import annotations

from binascii import b2a_base64
from dataclasses import dataclass
from typing import Any

from msgspec import Raw
from msgspec.json import Decoder

from gateway_fw.errors import GwmpError
from gateway_fw.gwmp.wire import (
    CODING_RATES,
    MAX_PAYLOAD_BYTES,
    U32,
    UPSTREAM_CLAUSE,
    AntennaWire,
    Number,
    RxpkWire,
    base64_bytes,
    decode_json,
    frequency_hz,
    integer,
    level,
    modulation_of,
)
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.units import hz_to_mhz

CRC_OK, CRC_BAD, NO_CRC = 1, -1, 0


@dataclass(frozen=True, slots=True)
class Rxpk:
    """A frame as a gateway received it.

    tmst: the concentrator's counter at the end of reception, µs modulo 2^32. modulation: LoRa, or FSK bit/s.
    coding_rate: None for FSK and for LoRa without coding ("OFF"). rssi_dbm: of the channel; snr_db: None for FSK.
    Both travel with 1 dB and 0.1 dB. crc_status: 1 good, −1 bad, 0 none. channel: IF channel; rf_chain: radio.
    time: UTC, ISO 8601 compact; tmms: GPS time in ms since 6 January 1980; both only of a gateway with GPS.
    ftime_ns: 0 … 999 999 999 since the last PPS, None where a gateway sends another value. rssis_dbm: of the signal.
    foff_hz: frequency offset. mid: modem. antenna: of the per-antenna layout (jver 2), whose best antenna is taken:
    the highest SNR, then the highest RSSI.

    Source: PROTOCOL.md 1.6 §4.
    """

    tmst: int
    freq_hz: int
    modulation: LoraModulation | int
    coding_rate: CodingRate | None
    rssi_dbm: float
    snr_db: float | None
    payload: bytes
    crc_status: int = CRC_OK
    channel: int = 0
    rf_chain: int = 0
    time: str | None = None
    tmms: int | None = None
    ftime_ns: int | None = None
    rssis_dbm: float | None = None
    foff_hz: int | None = None
    mid: int | None = None
    antenna: int | None = None


_decoder = Decoder(RxpkWire)


def _best_antenna(antennas: list[AntennaWire]) -> AntennaWire:
    def merit(antenna: AntennaWire) -> tuple[Number, Number]:
        snr, rssi = antenna.lsnr, antenna.rssic
        return (-1e9 if snr is None else snr, -1e9 if rssi is None else rssi)

    return max(antennas, key=merit)


def decode_rxpk(data: bytes | Raw) -> Rxpk:
    """One element of the rxpk array. Raises GwmpError."""
    clause = UPSTREAM_CLAUSE
    wire = decode_json(_decoder, data, field="rxpk", offset=None, clause=clause)
    chan, rssi, rssis, snr, foff, ftime = wire.chan, wire.rssi, wire.rssis, wire.lsnr, wire.foff, wire.ftime
    antenna = wire.ant
    if wire.rsig:
        best = _best_antenna(wire.rsig)
        antenna, chan = best.ant, best.chan if chan is None else chan
        rssi = best.rssic if best.rssic is not None else best.rssis if best.rssis is not None else rssi
        rssis, snr, foff, ftime = best.rssis, best.lsnr, best.foff, best.ftime
    if rssi is None:
        raise GwmpError("missing", field="rssi", clause=clause)
    modulation = modulation_of(wire.modu, wire.datr, clause)
    coding_rate = None
    if (
        isinstance(modulation, LoraModulation)
        and wire.codr is not None
        and (coding_rate := CODING_RATES.get(wire.codr)) is None
        and wire.codr != "OFF"
    ):
        raise GwmpError(f"{wire.codr[:16]!r}", field="codr", clause=clause, hint='"4/5" to "4/8" or "OFF"')
    return Rxpk(
        integer(wire.tmst, "tmst", 0, U32 - 1, clause),
        frequency_hz(wire.freq, "freq", clause),
        modulation,
        coding_rate,
        level(rssi, "rssi", clause),
        None if snr is None else level(snr, "lsnr", clause),
        base64_bytes(wire.data, wire.size, clause),
        NO_CRC if wire.stat is None else integer(wire.stat, "stat", CRC_BAD, CRC_OK, clause),
        0 if chan is None else integer(chan, "chan", 0, 255, clause),
        0 if wire.rfch is None else integer(wire.rfch, "rfch", 0, 255, clause),
        wire.time if isinstance(wire.time, str) else None,
        None if wire.tmms is None else integer(wire.tmms, "tmms", 0, 1 << 53, clause),
        _whole_or_none(ftime, 1_000_000_000),
        None if rssis is None else level(rssis, "rssis", clause),
        None if foff is None else integer(foff, "foff", -(1 << 31), (1 << 31) - 1, clause),
        _whole_or_none(wire.mid, 256),
        None if antenna is None else integer(antenna, "ant", 0, 255, clause),
    )


def _whole_or_none(value: object, limit: int) -> int | None:
    # some gateways send an ftime of −1 or of more than a second
    return value if type(value) is int and 0 <= value < limit else None


def encode_rxpk(rxpk: Rxpk) -> dict[str, Any]:
    """The JSON object, in the order the reference forwarder writes it. Raises GwmpError for what none can carry."""
    if not 0 <= rxpk.tmst < U32:
        raise GwmpError(f"{rxpk.tmst}", field="tmst", clause=UPSTREAM_CLAUSE, hint="the counter is 32 bits wide")
    if len(rxpk.payload) > MAX_PAYLOAD_BYTES:
        raise GwmpError(f"{len(rxpk.payload)} bytes", field="data", clause=UPSTREAM_CLAUSE)
    wire: dict[str, Any] = {"tmst": rxpk.tmst}
    if rxpk.time is not None:
        wire["time"] = rxpk.time
    if rxpk.tmms is not None:
        wire["tmms"] = rxpk.tmms
    if rxpk.ftime_ns is not None:
        wire["ftime"] = rxpk.ftime_ns
    wire["chan"] = rxpk.channel
    wire["rfch"] = rxpk.rf_chain
    wire["freq"] = hz_to_mhz(rxpk.freq_hz)
    if rxpk.mid is not None:
        wire["mid"] = rxpk.mid
    if rxpk.antenna is not None:
        wire["ant"] = rxpk.antenna
    wire["stat"] = rxpk.crc_status
    modulation = rxpk.modulation
    if isinstance(modulation, LoraModulation):
        wire["modu"] = "LORA"
        wire["datr"] = modulation.datr
        wire["codr"] = "OFF" if rxpk.coding_rate is None else f"4/{rxpk.coding_rate + 4}"
        if rxpk.rssis_dbm is not None:
            wire["rssis"] = round(level(rxpk.rssis_dbm, "rssis", UPSTREAM_CLAUSE))
        if rxpk.snr_db is not None:
            wire["lsnr"] = round(level(rxpk.snr_db, "lsnr", UPSTREAM_CLAUSE), 1)
        if rxpk.foff_hz is not None:
            wire["foff"] = rxpk.foff_hz
    else:
        wire["modu"] = "FSK"
        wire["datr"] = modulation
    wire["rssi"] = round(level(rxpk.rssi_dbm, "rssi", UPSTREAM_CLAUSE))
    wire["size"] = len(rxpk.payload)
    wire["data"] = b2a_base64(rxpk.payload, newline=False).decode("ascii")
    return wire
