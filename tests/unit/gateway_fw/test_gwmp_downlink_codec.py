"""Downlinks of Semtech UDP and their answers against hand-written JSON and PROTOCOL.md (sx1302_hal 2.1.0)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_fw.errors import GwmpError
from gateway_fw.gwmp import (
    PullResp,
    TxAck,
    TxError,
    Txpk,
    decode,
    encode,
)
from lorawan.ids import Eui64
from lorawan.phy import CodingRate, LoraModulation

EUI = Eui64(0xAA555A0000000101)
EUI_BYTES = bytes.fromhex("aa555a0000000101")

TXPK: dict[str, Any] = {
    "imme": False,
    "tmst": 1000,
    "freq": 864.123456,
    "rfch": 0,
    "powe": 14,
    "modu": "LORA",
    "datr": "SF11BW125",
    "codr": "4/6",
    "ipol": True,
    "size": 4,
    "data": "3q2+7w==",
}


def pull_resp(txpk: dict[str, Any]) -> bytes:
    return b"\x02\x12\x34\x03" + json.dumps({"txpk": txpk}).encode()


def one_txpk(**changes: object) -> Txpk:
    packet = decode(pull_resp({**TXPK, **changes}))
    assert isinstance(packet, PullResp)
    return packet.txpk


def test_a_downlink_is_read_in_the_units_of_the_field() -> None:
    assert one_txpk(ncrc=True, prea=8, brd=1, ant=2) == Txpk(
        freq_hz=864_123_456,
        modulation=LoraModulation(11),
        payload=b"\xde\xad\xbe\xef",
        tmst=1000,
        power_dbm=14.0,
        coding_rate=CodingRate.CR_4_6,
        inverted_polarity=True,
        no_crc=True,
        preamble=8,
        board=1,
        antenna=2,
    )


def test_frequencies_are_rounded_to_the_hertz_on_the_way_down() -> None:
    assert one_txpk(freq=512.3).freq_hz == 512_300_000  # 512.3 × 1e6 is 512299999.99999994


def test_a_downlink_is_written_as_the_protocol_names_it() -> None:
    txpk = Txpk(
        freq_hz=869_525_000, modulation=LoraModulation(12), payload=b"\x01", imme=True, power_dbm=27.0,
        inverted_polarity=True, no_crc=True,
    )  # fmt: skip
    datagram = encode(PullResp(2, 0xBEEF, txpk))
    assert datagram[:4] == b"\x02\xbe\xef\x03"
    written = json.loads(datagram[4:])
    assert written == {
        "txpk": {
            "imme": True, "freq": 869.525, "rfch": 0, "powe": 27, "modu": "LORA", "datr": "SF12BW125", "codr": "4/5",
            "ipol": True, "ncrc": True, "size": 1, "data": "AQ==",
        }
    }  # fmt: skip
    assert isinstance(written["txpk"]["powe"], int)


def test_an_fsk_downlink_carries_its_deviation_in_hertz() -> None:
    txpk = one_txpk(modu="FSK", datr=50000, codr=None, fdev=3000)
    assert (txpk.modulation, txpk.fdev_hz, txpk.coding_rate) == (50_000, 3000, None)
    packet = PullResp(2, 1, txpk)
    assert decode(encode(packet)).txpk.fdev_hz == 3000  # type: ignore[union-attr]  # a PullResp comes back


@pytest.mark.parametrize("field", ["freq", "rfch", "modu", "datr", "codr", "size", "data", "tmst"])
def test_a_downlink_without_a_mandatory_field_is_refused(field: str) -> None:
    with pytest.raises(GwmpError) as caught:
        decode(pull_resp({key: value for key, value in TXPK.items() if key != field}))
    assert field in str(caught.value)


def test_an_fsk_downlink_without_deviation_is_refused() -> None:
    with pytest.raises(GwmpError, match="fdev"):
        decode(pull_resp({**TXPK, "modu": "FSK", "datr": 50000}))


@pytest.mark.parametrize(
    "change",
    [
        {"tmst": 1 << 32},
        {"tmst": -5},
        {"imme": "yes"},
        {"size": 3},
        {"powe": "14"},
        {"prea": -1},
        {"rfch": 1e9},
        {"codr": "OFF"},
        {"modu": "LR-FHSS"},
    ],
    ids=str,
)
def test_a_downlink_that_no_gateway_can_carry_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(GwmpError):
        decode(pull_resp({**TXPK, **change}))


@pytest.mark.parametrize("error", [error for error in TxError if error is not TxError.UNKNOWN])
def test_every_error_of_tx_ack_is_read_and_written(error: TxError) -> None:
    datagram = b"\x02\x12\x34\x05" + EUI_BYTES + b'{"txpk_ack":{"error":"%s"}}' % error.value.encode()
    packet = decode(datagram)
    assert packet == TxAck(2, 0x1234, EUI, error)
    assert encode(packet) == (datagram[:12] if error is TxError.NONE else datagram)


def test_an_unheard_of_error_is_unknown() -> None:
    packet = decode(b"\x02\x12\x34\x05" + EUI_BYTES + b'{"txpk_ack":{"error":"ON_FIRE"}}')
    assert packet == TxAck(2, 0x1234, EUI, TxError.UNKNOWN)


@pytest.mark.parametrize(("value", "power"), [("20", 20.0), ('"20"', 20.0), ('"much"', None), ("null", None)])
def test_a_power_warning_carries_the_power_used(value: str, power: float | None) -> None:
    text = '{"txpk_ack":{"warn":"TX_POWER","value":' + value + "}}"
    packet = decode(b"\x02\x12\x34\x05" + EUI_BYTES + text.encode())
    assert packet == TxAck(2, 0x1234, EUI, TxError.NONE, "TX_POWER", power)


def test_a_power_warning_is_written_as_the_reference_does() -> None:
    datagram = encode(TxAck(2, 1, EUI, TxError.NONE, "TX_POWER", 27.0))
    assert datagram[12:] == b'{"txpk_ack":{"warn":"TX_POWER","value":27}}'


@pytest.mark.parametrize(
    "tail", [b"", b"\0", b"\0\0\0", b" ", b"{}", b'{"txpk_ack":null}', b'{"txpk_ack":{"error":""}}']
)
def test_tx_ack_of_twelve_bytes_or_with_a_nul_means_success(tail: bytes) -> None:
    assert decode(b"\x02\x12\x34\x05" + EUI_BYTES + tail) == TxAck(2, 0x1234, EUI)
