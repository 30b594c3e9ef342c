"""Laws of the Semtech UDP codec and cores: what is written is read back, and no bytes from outside ever raise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fw.errors import GwmpError
from gateway_fw.forwarder import DatagramReceived, ForwarderConfig, ForwarderCore, GatewayClock
from gateway_fw.gwmp import (
    GatewayLinkCore,
    GwmpServerCore,
    Packet,
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    Rxpk,
    Stat,
    TxAck,
    TxError,
    Txpk,
    decode,
    encode,
)
from gateway_fw.gwmp import server as server_end
from lorawan.ids import Eui64
from lorawan.phy import CodingRate, LoraModulation

U32 = st.integers(0, (1 << 32) - 1)
U8 = st.integers(0, 255)
FREQ_HZ = st.integers(100_000_000, 2_500_000_000)
LORA = st.builds(LoraModulation, st.integers(5, 12), st.sampled_from([125_000, 250_000, 500_000]))
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
WHOLE_DB = st.integers(-200, 100).map(float)
TENTH_DB = st.integers(-400, 400).map(lambda tenths: tenths / 10)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


LORA_RXPKS = st.builds(
    Rxpk,
    tmst=U32,
    freq_hz=FREQ_HZ,
    modulation=LORA,
    coding_rate=optional(st.sampled_from(CodingRate)),
    rssi_dbm=WHOLE_DB,
    snr_db=optional(TENTH_DB),
    payload=st.binary(max_size=255),
    crc_status=st.sampled_from([1, 0, -1]),
    channel=U8,
    rf_chain=U8,
    time=optional(TEXT),
    tmms=optional(st.integers(0, 1 << 53)),
    ftime_ns=optional(st.integers(0, 999_999_999)),
    rssis_dbm=optional(WHOLE_DB),
    foff_hz=optional(st.integers(-100_000, 100_000)),
    mid=optional(U8),
    antenna=optional(U8),
)
FSK_RXPKS = st.builds(
    Rxpk,
    tmst=U32,
    freq_hz=FREQ_HZ,
    modulation=st.integers(1, 1_000_000),
    coding_rate=st.none(),
    rssi_dbm=WHOLE_DB,
    snr_db=st.none(),
    payload=st.binary(max_size=255),
)
COUNT = optional(st.integers(0, 10**12))
LEVEL = optional(st.floats(-1e6, 1e6))
STATS = st.builds(
    Stat, time=optional(TEXT), latitude_deg=LEVEL, longitude_deg=LEVEL, altitude_m=LEVEL, rxnb=COUNT, rxok=COUNT,
    rxfw=COUNT, ackr_percent=LEVEL, dwnb=COUNT, txnb=COUNT, temperature_c=LEVEL, boot=optional(TEXT), lmok=COUNT,
    desc=optional(TEXT),
)  # fmt: skip
WHEN = st.sampled_from([{"imme": True}, {"tmst": 0}, {"tmst": (1 << 32) - 1}, {"tmms": 1_400_000_000_000}])
COMMON_TXPK: dict[str, Any] = {
    "freq_hz": FREQ_HZ,
    "payload": st.binary(max_size=255),
    "rf_chain": U8,
    "power_dbm": optional(st.integers(-20, 40).map(float)),
    "no_crc": st.booleans(),
    "preamble": optional(st.integers(0, 0xFFFF)),
    "board": optional(U8),
    "antenna": optional(U8),
}
TXPK_FIELDS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries(
        {**COMMON_TXPK, "modulation": LORA, "coding_rate": st.sampled_from(CodingRate),
         "inverted_polarity": st.booleans(), "no_header": st.booleans()}
    ),
    st.fixed_dictionaries(
        {**COMMON_TXPK, "modulation": st.integers(1, 1_000_000), "coding_rate": st.none(),
         "fdev_hz": st.integers(0, 1_000_000)}
    ),
)  # fmt: skip
TXPKS = st.builds(lambda fields, when: Txpk(**fields, **when), TXPK_FIELDS, WHEN)

VERSIONS, TOKENS, EUIS = st.sampled_from([1, 2]), st.integers(0, 0xFFFF), st.integers(0, (1 << 64) - 1).map(Eui64)
ACK_RESULTS = st.one_of(
    st.tuples(st.sampled_from(TxError), st.none(), st.none()),
    st.tuples(st.just(TxError.NONE), st.just("TX_POWER"), optional(st.integers(-20, 40).map(float))),
)
PACKETS: st.SearchStrategy[Packet] = st.one_of(
    st.builds(
        PushData, VERSIONS, TOKENS, EUIS, st.lists(LORA_RXPKS | FSK_RXPKS, max_size=3).map(tuple), optional(STATS)
    ),
    st.builds(PushAck, VERSIONS, TOKENS),
    st.builds(PullData, VERSIONS, TOKENS, EUIS),
    st.builds(PullResp, VERSIONS, TOKENS, TXPKS),
    st.builds(PullAck, VERSIONS, TOKENS),
    st.tuples(VERSIONS, TOKENS, EUIS, ACK_RESULTS).map(lambda parts: TxAck(*parts[:3], *parts[3])),
)


@settings(deadline=None)
@given(PACKETS)
def test_what_is_written_is_read_back(packet: Packet) -> None:
    assert decode(encode(packet)) == packet


@settings(deadline=None)
@given(PACKETS)
def test_the_json_is_plain_json_to_another_reader(packet: Packet) -> None:
    datagram = encode(packet)
    body = datagram[4:] if isinstance(packet, PullResp) else datagram[12:]
    if body:
        root = json.loads(body)
        assert set(root) <= {"rxpk", "stat", "txpk", "txpk_ack"}


NAMES = st.sampled_from(
    ["rxpk", "stat", "txpk", "txpk_ack", "tmst", "time", "tmms", "freq", "chan", "rfch", "mid", "modu", "datr", "codr",
     "rssi", "rssis", "lsnr", "foff", "size", "data", "imme", "powe", "fdev", "ipol", "prea", "ncrc", "nhdr", "error",
     "warn", "value", "rsig", "ant", "rssic", "ftime", "rxnb", "ackr", "temp", "x"]
)  # fmt: skip
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["LORA", "FSK", "LR-FHSS", "SF7BW125", "SF99BW1", "4/5", "AA==", "TX_POWER", 868.1, 10**400, -1])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=12), max_leaves=20
)
GOOD_RXPK = {"tmst": 1, "freq": 868.1, "modu": "LORA", "datr": "SF7BW125", "codr": "4/5", "rssi": -90, "data": "AA=="}
GOOD_TXPK = {**GOOD_RXPK, "rfch": 0, "size": 1}
ROOTS = st.one_of(
    JSON,
    st.dictionaries(NAMES, SCALARS, max_size=3).map(lambda changes: {"rxpk": [{**GOOD_RXPK, **changes}]}),
    st.dictionaries(NAMES, SCALARS, max_size=3).map(lambda changes: {"txpk": {**GOOD_TXPK, **changes}}),
    st.dictionaries(NAMES, SCALARS, max_size=6).map(lambda fields: {"stat": fields}),
    st.dictionaries(NAMES, SCALARS, max_size=3).map(lambda fields: {"txpk_ack": fields}),
)
HEADERS = st.builds(
    lambda version, kind, eui: bytes([version, 0, 0, kind]) + (eui.to_bytes(8, "big") if kind in (0, 2, 5) else b""),
    VERSIONS,
    st.sampled_from([0, 3, 5]),
    st.just(Eui64(1)),
)
JSON_DATAGRAMS = st.builds(lambda header, root: header + json.dumps(root).encode(), HEADERS, ROOTS)


def mutate(data: bytes, place: float, replacement: bytes, cut: int) -> bytes:
    start = int(place * len(data))
    return data[:start] + replacement + data[start + cut :]


MUTATED = st.builds(mutate, PACKETS.map(encode), st.floats(0, 1), st.binary(max_size=4), st.integers(0, 200))
HOSTILE = st.one_of(
    st.binary(max_size=80),
    st.builds(lambda header, tail: header + tail, HEADERS, st.binary(max_size=80)),
    JSON_DATAGRAMS,
    MUTATED,
    st.builds(
        lambda header, opening, depth: header + opening * depth,
        HEADERS,
        st.sampled_from([b"[", b'{"rxpk":', b'{"rxpk":[', b'{"stat":[', b'{"x":[', b'{"txpk":{"brd":[']),
        st.sampled_from([1, 100, 6_000]),
    ),
)


@settings(max_examples=400, deadline=None)
@given(HOSTILE)
def test_decoding_raises_gwmp_error_or_nothing(data: bytes) -> None:
    try:
        packet = decode(data)
    except GwmpError:
        return
    # what was understood can be written again, and means the same then
    again = decode(encode(packet))
    assert (type(again), again.version, again.token) == (type(packet), packet.version, packet.token)


@settings(max_examples=300, deadline=None)
@given(st.lists(HOSTILE, max_size=4), st.sampled_from([1, 2]))
def test_no_datagram_stops_a_core(datagrams: list[bytes], version: int) -> None:
    server = GwmpServerCore()
    link = GatewayLinkCore(Eui64(1), version=version)
    forwarder = ForwarderCore(ForwarderConfig(Eui64(1), version=version, gps=True))
    now = 0
    for data in datagrams:
        now += 1_000_000
        event = DatagramReceived(data)
        for core in (server, link, forwarder):
            core.handle(event, now)
        while forwarder.wake_at <= now:
            forwarder.wake(now)


@pytest.mark.parametrize("packet", [
    PushData(2, 1, Eui64(1), (Rxpk(1, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, -90, 5.0, b"ab"),)),
    PullResp(2, 1, Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=b"ab", imme=True)),
    TxAck(2, 1, Eui64(1), TxError.TOO_LATE),
])  # fmt: skip
def test_a_datagram_cut_anywhere_is_an_error_or_a_shorter_packet(packet: Packet) -> None:
    data = encode(packet)
    for length in range(len(data)):
        try:
            shorter = decode(data[:length])
        except GwmpError:
            continue
        assert isinstance(shorter, TxAck)
        assert length == 12  # a TX_ACK without its JSON means success; nothing else can be cut unnoticed


@settings(deadline=None)
@given(st.lists(LORA_RXPKS, min_size=1, max_size=4, unique_by=lambda rxpk: rxpk.tmst), TOKENS, EUIS)
def test_the_server_acknowledges_first_and_delivers_in_order(rxpks: list[Rxpk], token: int, eui: Eui64) -> None:
    data = encode(PushData(2, token, eui, tuple(rxpks)))
    effects = list(GwmpServerCore().handle(DatagramReceived(data, "there"), 0))
    assert effects[0] == server_end.SendDatagram(encode(PushAck(2, token)), "there")
    assert effects[1:] == [server_end.UplinkReceived(eui, rxpk) for rxpk in rxpks]


@given(st.integers(0, 1 << 50), U32, st.integers(-(1 << 31), (1 << 31) - 1))
def test_a_counter_value_finds_its_instant_within_half_a_wrap(now: int, offset: int, ahead: int) -> None:
    clock = GatewayClock(counter_offset_us=offset)
    assert clock.instant_of(clock.counter(now + ahead), now) == now + ahead
