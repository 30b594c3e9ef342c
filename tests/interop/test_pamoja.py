"""pamoja-gateway (PyPI) as a second opinion on Semtech UDP: what either writes, the other reads as the same.

Its limits, seen in 0.2.0 and kept out of the comparison or tested for what they are: version 2 only; rxpk has no rssis,
foff, ftime, mid, antenna; a TX_POWER warning reads as NONE; there is no UNKNOWN; a NUL after TX_ACK is refused; powe is
never absent (14 dBm); RSSI travels as it is; the coding rate is that of its link and never absent; a PUSH_DATA has
rxpk or stat.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway_fw import gwmp
from gateway_fw.gwmp import CRC_BAD, CRC_OK, NO_CRC, PushData, Rxpk, Stat, TxAck, TxError, Txpk
from lorawan.ids import Eui64
from lorawan.phy import CodingRate, LoraModulation

pamoja = pytest.importorskip("pamoja.gateway")
PamojaError = pytest.importorskip("pamoja._native").PamojaError  # it is named nowhere else
pamoja_lora = pytest.importorskip("pamoja.lora")

CRC_NAMES = {CRC_OK: "Ok", CRC_BAD: "Failed", NO_CRC: "Absent"}
TOKENS = st.integers(0, 0xFFFF)
EUIS = st.integers(0, (1 << 64) - 1).map(Eui64)
U32 = st.integers(0, (1 << 32) - 1)
FREQ_HZ = st.integers(137_000_000, 1_020_000_000)
MODULATIONS = st.builds(LoraModulation, st.integers(5, 12), st.sampled_from([125_000, 250_000, 500_000]))
PAYLOADS = st.binary(min_size=1, max_size=255)

RXPKS = st.builds(
    Rxpk,
    tmst=U32,
    freq_hz=FREQ_HZ,
    modulation=MODULATIONS,
    coding_rate=st.sampled_from(CodingRate),
    rssi_dbm=st.integers(-150, 20).map(float),
    snr_db=st.integers(-300, 300).map(lambda tenths: tenths / 10),
    payload=PAYLOADS,
    crc_status=st.sampled_from([CRC_OK, CRC_BAD, NO_CRC]),
    channel=st.integers(0, 9),
    rf_chain=st.integers(0, 1),
    tmms=st.none() | st.integers(0, 1 << 42),
)
STATS = st.builds(
    Stat,
    time=st.none()
    | st.datetimes().map(lambda at: at.replace(year=2000 + at.year % 90).strftime("%Y-%m-%d %H:%M:%S GMT")),
    latitude_deg=st.none() | st.integers(-90_000, 90_000).map(lambda milli: milli / 1000),
    longitude_deg=st.none() | st.integers(-180_000, 180_000).map(lambda milli: milli / 1000),
    altitude_m=st.none() | st.integers(-400, 8_000),
    rxnb=st.integers(0, 1 << 31),
    rxok=st.integers(0, 1 << 31),
    rxfw=st.integers(0, 1 << 31),
    ackr_percent=st.integers(0, 1000).map(lambda tenths: tenths / 10),
    dwnb=st.integers(0, 1 << 31),
    txnb=st.integers(0, 1 << 31),
)
TXPKS = st.builds(
    Txpk,
    freq_hz=FREQ_HZ,
    modulation=MODULATIONS,
    payload=PAYLOADS,
    tmst=U32,
    rf_chain=st.integers(0, 1),
    power_dbm=st.integers(-10, 30).map(float),
    coding_rate=st.sampled_from(CodingRate),
    inverted_polarity=st.booleans(),
    no_crc=st.booleans(),
    preamble=st.none() | st.integers(6, 1000),
)


def link(modulation: LoraModulation, coding_rate: CodingRate) -> Any:
    return pamoja_lora.link(modulation.sf, modulation.bw_hz, coding_rate + 4)


def same_link(theirs: Any, modulation: LoraModulation, coding_rate: CodingRate) -> None:
    assert (theirs.spreading_factor, theirs.bandwidth_hz) == (modulation.sf, modulation.bw_hz)
    assert theirs.coding_rate_denominator == coding_rate + 4


def same_rxpk(theirs: Any, ours: Rxpk) -> None:
    assert isinstance(ours.modulation, LoraModulation)
    assert ours.coding_rate is not None
    assert theirs.frequency_hz == ours.freq_hz
    same_link(theirs.link, ours.modulation, ours.coding_rate)
    assert theirs.crc == CRC_NAMES[ours.crc_status]
    assert theirs.rssi_dbm == ours.rssi_dbm
    assert theirs.snr_db == pytest.approx(ours.snr_db, abs=0.051)
    assert (theirs.channel, theirs.rf_chain) == (ours.channel, ours.rf_chain)
    assert (theirs.timestamp_us, theirs.gps_millis) == (ours.tmst, ours.tmms)
    assert bytes(theirs.payload) == ours.payload


@given(token=TOKENS, eui=EUIS, rxpks=st.lists(RXPKS, max_size=4), stat=st.none() | STATS)
def test_our_push_data_is_read_the_same(token: int, eui: Eui64, rxpks: list[Rxpk], stat: Stat | None) -> None:
    assume(rxpks or stat is not None)  # it refuses a PUSH_DATA with neither
    theirs = pamoja.parse(gwmp.encode(PushData(2, token, eui, tuple(rxpks), stat)))
    assert (theirs.kind, theirs.token, theirs.gateway) == ("PushData", token, str(eui))
    assert len(theirs.packets) == len(rxpks)
    for read, written in zip(theirs.packets, rxpks, strict=True):
        same_rxpk(read, written)
    assert (theirs.status is None) is (stat is None)
    if stat is not None:
        assert (theirs.status.received, theirs.status.received_ok) == (stat.rxnb, stat.rxok)
        assert (theirs.status.forwarded, theirs.status.downlinks) == (stat.rxfw, stat.dwnb)
        assert theirs.status.transmitted == stat.txnb
        assert theirs.status.acknowledged_percent == pytest.approx(stat.ackr_percent)
        assert theirs.status.altitude_m == stat.altitude_m
    ack = gwmp.decode(pamoja.encode(pamoja.acknowledgment(theirs)))
    assert ack == gwmp.PushAck(2, token)


@given(token=TOKENS, eui=EUIS, rxpks=st.lists(RXPKS, min_size=1, max_size=4))
def test_their_push_data_is_read_the_same(token: int, eui: Eui64, rxpks: list[Rxpk]) -> None:
    packets = [
        pamoja.Rxpk(
            ours.freq_hz,
            ours.payload,
            link=link(ours.modulation, ours.coding_rate),  # type: ignore[arg-type]
            crc=CRC_NAMES[ours.crc_status],
            rssi_dbm=ours.rssi_dbm,
            snr_db=ours.snr_db,
            channel=ours.channel,
            rf_chain=ours.rf_chain,
            timestamp_us=ours.tmst,
            gps_millis=ours.tmms,
        )
        for ours in rxpks
    ]
    datagram = pamoja.encode(pamoja.Packet(pamoja.PacketKind.PUSH_DATA, token, gateway=str(eui), packets=packets))
    found = gwmp.decode(datagram)
    assert isinstance(found, PushData)
    assert found == PushData(2, token, eui, tuple(rxpks))


@given(token=TOKENS, txpk=TXPKS)
def test_our_pull_resp_is_read_the_same(token: int, txpk: Txpk) -> None:
    theirs = pamoja.parse(gwmp.encode(gwmp.PullResp(2, token, txpk)))
    assert (theirs.kind, theirs.token) == ("PullResp", token)
    read = theirs.transmit
    assert isinstance(txpk.modulation, LoraModulation)
    assert txpk.coding_rate is not None
    same_link(read.link, txpk.modulation, txpk.coding_rate)
    assert (read.frequency_hz, read.timestamp_us, read.rf_chain) == (txpk.freq_hz, txpk.tmst, txpk.rf_chain)
    assert (read.power_dbm, read.preamble_symbols) == (txpk.power_dbm, txpk.preamble)
    assert (read.invert_polarity, read.without_crc) == (txpk.inverted_polarity, txpk.no_crc)
    assert not read.immediate
    assert bytes(read.payload) == txpk.payload


@given(token=TOKENS, txpk=TXPKS)
def test_their_pull_resp_is_read_the_same(token: int, txpk: Txpk) -> None:
    assert isinstance(txpk.modulation, LoraModulation)
    assert txpk.coding_rate is not None
    theirs = pamoja.Txpk(
        txpk.freq_hz,
        txpk.payload,
        link=link(txpk.modulation, txpk.coding_rate),
        timestamp_us=txpk.tmst,
        rf_chain=txpk.rf_chain,
        power_dbm=int(txpk.power_dbm or 0),
        invert_polarity=txpk.inverted_polarity,
        preamble_symbols=txpk.preamble,
        without_crc=txpk.no_crc,
    )
    datagram = pamoja.encode(pamoja.Packet(pamoja.PacketKind.PULL_RESP, token, transmit=theirs))
    assert gwmp.decode(datagram) == gwmp.PullResp(2, token, txpk)


@given(token=TOKENS, eui=EUIS)
def test_keepalives_and_acknowledgements_are_the_same_bytes(token: int, eui: Eui64) -> None:
    pull = pamoja.Packet(pamoja.PacketKind.PULL_DATA, token, gateway=str(eui))
    assert pamoja.encode(pull) == gwmp.encode(gwmp.PullData(2, token, eui))
    assert pamoja.encode(pamoja.acknowledgment(pull)) == gwmp.encode(gwmp.PullAck(2, token))
    assert pamoja.encode(pamoja.Packet(pamoja.PacketKind.PUSH_ACK, token)) == gwmp.encode(gwmp.PushAck(2, token))


@pytest.mark.parametrize("error", [error for error in TxError if error is not TxError.UNKNOWN])
def test_every_answer_of_a_gateway_is_read_the_same_both_ways(error: TxError) -> None:
    eui = Eui64(0xB827EBFFFE010203)
    assert pamoja.parse(gwmp.encode(TxAck(2, 7, eui, error))).tx_status == error.value
    theirs = pamoja.Packet(pamoja.PacketKind.TX_ACK, 7, gateway=str(eui), tx_status=error.value)
    assert gwmp.decode(pamoja.encode(theirs)) == TxAck(2, 7, eui, error)


def test_its_limits_are_still_what_they_were() -> None:
    """Once one of these changes, the comparison above may become wider."""
    eui = Eui64(0xB827EBFFFE010203)
    warned = TxAck(2, 7, eui, warning="TX_POWER", power_dbm=27)
    assert pamoja.parse(gwmp.encode(warned)).tx_status == "NONE"
    for datagram in (gwmp.encode(gwmp.PullData(1, 7, eui)), gwmp.encode(TxAck(2, 7, eui)) + b"\0"):
        with pytest.raises(PamojaError):
            pamoja.parse(datagram)
        assert gwmp.decode(datagram) is not None


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"\x02\x00\x01\x00" + bytes(8) + tail))
def test_what_it_reads_we_read(datagram: bytes) -> None:
    """We are the more lenient of the two."""
    try:
        theirs = pamoja.parse(datagram)
    except PamojaError:
        return  # what it refuses is for the test of its limits, and for the laws of our own codec
    assert gwmp.decode(datagram).token == theirs.token
