"""Semtech UDP datagrams as a whole: headers, what is no datagram, what none can carry."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from gateway_fw.errors import GatewayError, GwmpError
from gateway_fw.gwmp import (
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    Rxpk,
    Stat,
    TxAck,
    Txpk,
    decode,
    encode,
)
from lorawan.ids import Eui64
from lorawan.phy import CodingRate, LoraModulation

EUI = Eui64(0xAA555A0000000101)
EUI_BYTES = bytes.fromhex("aa555a0000000101")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("tail", "packet"),
    [
        (b"\x01", lambda version: PushAck(version, 0x1234)),
        (b"\x02" + EUI_BYTES, lambda version: PullData(version, 0x1234, EUI)),
        (b"\x04", lambda version: PullAck(version, 0x1234)),
        (b"\x05" + EUI_BYTES, lambda version: TxAck(version, 0x1234, EUI)),
    ],
)
def test_datagrams_without_json_are_their_documented_bytes(tail: bytes, packet: Any, version: int) -> None:
    datagram = bytes([version, 0x12, 0x34]) + tail
    assert decode(datagram) == packet(version)
    assert encode(packet(version)) == datagram


@pytest.mark.parametrize(
    ("datagram", "field"),
    [
        (b"", "datagram"),
        (b"\x02\x00\x00", "datagram"),
        (b"\x00\x00\x00\x01", "version"),
        (b"\x03\x00\x00\x01", "version"),
        (b"\x02\x00\x00\x06", "identifier"),
        (b"\x02\x00\x00\xff", "identifier"),
        (b"\x02\x00\x00\x02" + EUI_BYTES[:7], "gateway EUI"),
        (b"\x02\x00\x00\x00" + EUI_BYTES, "PUSH_DATA"),
        (b"\x02\x00\x00\x00" + EUI_BYTES + b"[]", "PUSH_DATA"),
        (b"\x02\x00\x00\x00" + EUI_BYTES + b'{"rxpk":{}}', "PUSH_DATA"),
        (b"\x02\x00\x00\x00" + EUI_BYTES + b"{", "PUSH_DATA"),
        (b"\x02\x00\x00\x00" + EUI_BYTES + b'{"x":' + b"[" * 50_000, "PUSH_DATA"),
        (b"\x02\x00\x00\x00" + EUI_BYTES + b'{"x":NaN}', "PUSH_DATA"),
        (b"\x02\x00\x00\x03", "PULL_RESP"),
        (b"\x02\x00\x00\x03{}", "PULL_RESP"),
        (b'\x02\x00\x00\x03{"txpk":null}', "PULL_RESP"),
        (b"\x02\x00\x00\x05" + EUI_BYTES + b"OK", "TX_ACK"),
        (b"\x02\x00\x00\x05" + EUI_BYTES + b'{"txpk_ack":1}', "TX_ACK"),
    ],
)
def test_what_is_no_datagram_is_a_gwmp_error_that_says_where(datagram: bytes, field: str) -> None:
    with pytest.raises(GwmpError) as caught:
        decode(datagram)
    assert caught.value.field == field
    assert isinstance(caught.value, GatewayError)
    assert isinstance(caught.value, ValueError)


def test_a_gwmp_error_survives_pickling() -> None:
    with pytest.raises(GwmpError) as caught:
        decode(b"\x07\x00\x00\x01")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert (copy.field, copy.offset, copy.hint) == ("version", 0, "1 or 2")


@pytest.mark.parametrize(
    "packet",
    [
        PushAck(3, 0),
        PushAck(2, 0x10000),
        PushData(2, 0, EUI, (Rxpk(1 << 32, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, -90, 5, b""),)),
        PushData(2, 0, EUI, (Rxpk(-1, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, -90, 5, b""),)),
        PushData(2, 0, EUI, (Rxpk(0, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, float("nan"), 5, b""),)),
        PushData(2, 0, EUI, (Rxpk(0, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, -90, 5, bytes(256)),)),
        PushData(2, 0, EUI, (), Stat(temperature_c=float("inf"))),
        PullResp(2, 0, Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=b"")),
        PullResp(2, 0, Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=b"", tmst=1 << 32)),
        PullResp(2, 0, Txpk(freq_hz=868_100_000, modulation=50_000, payload=b"", imme=True, coding_rate=None)),
        PullResp(2, 0, Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=bytes(256), imme=True)),
    ],
)  # fmt: skip
def test_what_no_datagram_can_carry_is_not_written(packet: Any) -> None:
    with pytest.raises(GwmpError):
        encode(packet)
