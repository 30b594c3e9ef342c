"""Uplinks and status reports of Semtech UDP against hand-written JSON and PROTOCOL.md (sx1302_hal 2.1.0)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gateway_fw.gwmp import (
    PushData,
    Rxpk,
    Stat,
    decode,
    encode,
)
from lorawan.ids import Eui64
from lorawan.phy import CodingRate, LoraModulation

EUI = Eui64(0xAA555A0000000101)
EUI_BYTES = bytes.fromhex("aa555a0000000101")

RXPK: dict[str, Any] = {
    "tmst": 3512348611,
    "chan": 2,
    "rfch": 0,
    "freq": 866.349812,
    "stat": 1,
    "modu": "LORA",
    "datr": "SF7BW125",
    "codr": "4/6",
    "rssi": -35,
    "lsnr": 5.1,
    "size": 4,
    "data": "3q2+7w==",
}


def push(*rxpks: dict[str, Any], stat: object = None, version: int = 2) -> bytes:
    root: dict[str, Any] = {"rxpk": list(rxpks)} if rxpks else {}
    if stat is not None:
        root["stat"] = stat
    return bytes([version, 0x12, 0x34, 0]) + EUI_BYTES + json.dumps(root).encode()


def one_rxpk(**changes: object) -> Rxpk:
    packet = decode(push({**RXPK, **changes}))
    assert isinstance(packet, PushData)
    assert packet.refused == ()
    (rxpk,) = packet.rxpks
    return rxpk


def test_an_uplink_is_read_in_the_units_of_the_field() -> None:
    rxpk = one_rxpk()
    assert rxpk == Rxpk(
        3512348611,
        866_349_812,
        LoraModulation(7),
        CodingRate.CR_4_6,
        -35.0,
        5.1,
        b"\xde\xad\xbe\xef",
        crc_status=1,
        channel=2,
        rf_chain=0,
    )


def test_an_uplink_is_written_as_the_protocol_names_it() -> None:
    rxpk = Rxpk(17, 868_100_000, LoraModulation(12, 500_000), CodingRate.CR_4_8, -97.4, -7.25, b"\x00\xff", channel=5)
    datagram = encode(PushData(2, 0xABCD, EUI, (rxpk,)))
    assert datagram[:12] == b"\x02\xab\xcd\x00" + EUI_BYTES
    written = json.loads(datagram[12:])["rxpk"][0]
    assert base64.b64decode(written.pop("data")) == b"\x00\xff"
    assert written == {
        "tmst": 17, "chan": 5, "rfch": 0, "freq": 868.1, "stat": 1, "modu": "LORA", "datr": "SF12BW500",
        "codr": "4/8", "lsnr": -7.2, "rssi": -97, "size": 2,
    }  # fmt: skip
    assert isinstance(written["rssi"], int)  # "signed integer, 1 dB precision"


def test_an_fsk_uplink_has_a_bit_rate_and_no_coding_rate() -> None:
    fsk = {"tmst": 1, "freq": 868.8, "stat": 1, "modu": "FSK", "datr": 50000, "rssi": -75, "size": 3, "data": "AAEC"}
    packet = decode(push(fsk))
    assert isinstance(packet, PushData)
    rxpk = packet.rxpks[0]
    assert (rxpk.modulation, rxpk.coding_rate, rxpk.snr_db) == (50_000, None, None)
    assert decode(encode(packet)) == packet


@pytest.mark.parametrize("freq_hz", [868_100_000, 868_300_000, 868_500_000, 867_100_000, 869_525_000, 863_009_810])
def test_frequencies_are_rounded_to_the_hertz(freq_hz: int) -> None:
    assert one_rxpk(freq=freq_hz / 1e6).freq_hz == freq_hz


def test_the_frequencies_that_truncation_spoils_are_met() -> None:
    spoilt = [hz for hz in range(400_000_000, 930_000_000, 100_000) if int(hz / 1e6 * 1e6) != hz]
    assert spoilt
    assert all(one_rxpk(freq=hz / 1e6).freq_hz == hz for hz in spoilt)


@pytest.mark.parametrize(
    ("codr", "rate"),
    [("4/5", CodingRate.CR_4_5), ("2/3", CodingRate.CR_4_6), ("4/7", CodingRate.CR_4_7), ("1/2", CodingRate.CR_4_8),
     ("OFF", None), (None, None)],
)  # fmt: skip
def test_coding_rates_of_uplinks(codr: str | None, rate: CodingRate | None) -> None:
    assert one_rxpk(codr=codr).coding_rate is rate


def test_base64_of_the_protocol_text_needs_no_padding_and_may_be_url_safe() -> None:
    # PROTOCOL.md 1.6 §4 and §6 print these for 32 bytes
    for text in ("ysgRl452xNLep9S1NTIg2lomKDxUgn3DJ7DE+b00Ass", "-DS4CGaDCdG+48eJNM3Vai-zDpsR71Pn9CPA9uCON84"):
        payload = one_rxpk(data=text, size=32).payload
        assert base64.b64encode(payload).rstrip(b"=").decode() == text.replace("-", "+")


def test_the_optional_fields_of_protocol_1_6_and_gps() -> None:
    rxpk = one_rxpk(
        time="2013-03-31T16:21:17.528002Z", tmms=1_234_567_890_123, ftime=999_999_999, mid=8, rssis=-36, foff=-1203
    )
    assert rxpk.time == "2013-03-31T16:21:17.528002Z"
    assert (rxpk.tmms, rxpk.ftime_ns, rxpk.mid, rxpk.rssis_dbm, rxpk.foff_hz) == (
        1_234_567_890_123, 999_999_999, 8, -36.0, -1203,
    )  # fmt: skip


def test_a_modem_number_printed_with_a_blank_is_read() -> None:
    text = json.dumps({"rxpk": [RXPK]}).replace('"chan": 2', '"chan":2,"mid": 8')
    packet = decode(b"\x02\x00\x00\x00" + EUI_BYTES + text.encode())
    assert isinstance(packet, PushData)
    assert packet.rxpks[0].mid == 8


@pytest.mark.parametrize("ftime", [-1, 1_000_000_000, 5e11, "x", None, True])
def test_fine_time_out_of_range_is_left_out_and_the_frame_kept(ftime: object) -> None:
    assert one_rxpk(ftime=ftime).ftime_ns is None


def test_whole_numbers_written_with_a_point_are_taken() -> None:
    rxpk = one_rxpk(tmst=3512348611.0, rssi=-35.0, chan=2.0, stat=1.0, size=4.0)
    assert (rxpk.tmst, rxpk.rssi_dbm, rxpk.channel) == (3512348611, -35.0, 2)


def test_of_several_antennas_the_best_is_taken() -> None:
    v2 = {key: value for key, value in RXPK.items() if key not in ("chan", "rssi", "lsnr")}
    antennas = [
        {"ant": 0, "chan": 7, "rssic": -100, "lsnr": 3.5, "etime": "b64=", "foff": 1},
        {"ant": 1, "chan": 23, "rssic": -110, "rssis": -111, "rssisd": 0, "lsnr": 9.0, "foff": 2, "ftime": 42},
    ]
    packet = decode(push({**v2, "jver": 2, "brd": 0, "aesk": 42, "rsig": antennas}))
    assert isinstance(packet, PushData)
    rxpk = packet.rxpks[0]
    assert (rxpk.antenna, rxpk.channel, rxpk.rssi_dbm, rxpk.snr_db, rxpk.foff_hz, rxpk.ftime_ns) == (
        1, 23, -110.0, 9.0, 2, 42,
    )  # fmt: skip


def test_equal_snr_leaves_it_to_the_rssi() -> None:
    antennas = [{"ant": 0, "rssic": -110, "lsnr": 5}, {"ant": 1, "rssic": -90, "lsnr": 5}]
    assert one_rxpk(rsig=antennas).antenna == 1


BAD_RXPK: list[dict[str, object]] = [
    {"tmst": -1},
    {"tmst": 1 << 32},
    {"tmst": 1.5},
    {"tmst": "1"},
    {"tmst": True},
    {"freq": 0},
    {"freq": -868.1},
    {"freq": 1e300},
    {"freq": None},
    {"modu": "LR-FHSS", "datr": "M0CW137", "codr": "4/6"},
    {"modu": "GFSK"},
    {"datr": "SF7"},
    {"datr": "SF13BW125"},
    {"datr": "SF7BW126"},
    {"datr": 50000},
    {"datr": "SF" + "9" * 5000 + "BW125"},
    {"modu": "FSK", "datr": "SF7BW125"},
    {"modu": "FSK", "datr": 0},
    {"codr": "5/4"},
    {"rssi": None},
    {"rssi": 1e9},
    {"lsnr": "5.1"},
    {"stat": 2},
    {"size": 5},
    {"data": "3q2+7w=!"},
    {"data": "3q2+7"},
    {"data": None},
    {"data": "é"},
    {"size": 256, "data": base64.b64encode(bytes(256)).decode()},
    {"chan": -1},
    {"rsig": {}},
    {"rsig": [1]},
]


@pytest.mark.parametrize("change", BAD_RXPK, ids=str)
def test_a_bad_uplink_is_named_and_the_good_ones_around_it_survive(change: dict[str, object]) -> None:
    packet = decode(push(RXPK, {**RXPK, **change}, {**RXPK, "tmst": 7}))
    assert isinstance(packet, PushData)
    assert [rxpk.tmst for rxpk in packet.rxpks] == [RXPK["tmst"], 7]
    assert len(packet.refused) == 1
    assert packet.refused[0].startswith("rxpk[1]: ")
    assert len(packet.refused[0]) < 300


def test_status_report_of_the_protocol_text() -> None:
    packet = decode(
        push(
            stat={
                "time": "2014-01-12 08:59:28 GMT", "lati": 46.24, "long": 3.2523, "alti": 145,
                "rxnb": 2, "rxok": 2, "rxfw": 2, "ackr": 100.0, "dwnb": 2, "txnb": 2, "temp": 23.2,
            }
        )
    )  # fmt: skip
    assert isinstance(packet, PushData)
    assert packet.stat == Stat("2014-01-12 08:59:28 GMT", 46.24, 3.2523, 145, 2, 2, 2, 100.0, 2, 2, 23.2)
    assert not packet.stat.time_is_iso
    assert decode(encode(packet)) == packet


def test_vendor_fields_of_a_status_report_are_kept() -> None:
    stat = {"boot": "2020-01-01 00:00:00 GMT", "lmok": 3, "fpga": 31, "hal": "5.1.0", "pfrm": "IMST", "mail": "a@b.c",
            "desc": "roof", "lpps": 9, "poll": 4, "nested": {"a": 1}}  # fmt: skip
    packet = decode(push(stat=stat))
    assert isinstance(packet, PushData)
    assert packet.stat is not None
    assert (packet.stat.boot, packet.stat.lmok, packet.stat.fpga, packet.stat.hal, packet.stat.desc) == (
        "2020-01-01 00:00:00 GMT", 3, 31, "5.1.0", "roof",
    )  # fmt: skip
    assert packet.stat.extras == (("poll", 4),)


def test_a_field_of_the_wrong_type_is_left_out_of_the_report_and_named() -> None:
    packet = decode(push(RXPK, stat={"rxnb": "many", "rxok": -4, "temp": None, "lati": True, "txnb": 5}))
    assert isinstance(packet, PushData)
    assert packet.stat == Stat(txnb=5)
    assert len(packet.rxpks) == 1
    assert [line.split(":")[0] for line in packet.refused] == ["stat.rxnb", "stat.rxok", "stat.lati"]
