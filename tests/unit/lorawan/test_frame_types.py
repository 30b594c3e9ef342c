"""What the types of frames promise beside their bytes, and the declared layouts of data frames; found by mutation."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lorawan.crypto import (
    cipher,
    crypt_f_opts,
    crypt_payload,
    derive_keys_10,
    derive_keys_11,
    keys,
    mic_data_10,
    mic_data_block,
    mic_join_accept_11,
    mic_up_11,
    multicast,
    relay,
)
from lorawan.errors import FrameError
from lorawan.frames import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    FCtrlDown,
    FCtrlUp,
    FType,
    JoinAccept,
    JoinRequest,
    Mhdr,
    Proprietary,
    RejoinRequest02,
    RejoinRequest1,
    beacon,
    data,
    encode_cf_list,
    header,
    join,
    parse,
    parse_cf_list,
)
from lorawan.frames.beacon import Beacon
from lorawan.frames.layouts import DATA_DOWN, DATA_UP, REJOIN_REQUEST_02, REJOIN_REQUEST_1
from lorawan.ids import AesKey, DevAddr, Eui64, NetId

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "lorawan" / "cases.json"
KEY, ADDRESS = AesKey(bytes(16)), DevAddr(0x01020304)


def types_of(*modules: ModuleType) -> list[type]:
    return [
        each
        for module in modules
        for each in vars(module).values()
        if is_dataclass(each) and isinstance(each, type) and each.__module__ == module.__name__
    ]


TYPES = types_of(cipher, keys, multicast, relay, beacon, data, header, join)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_values_cannot_be_changed_and_hold_nothing_else(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in vars(kind)
    assert not hasattr(object.__new__(kind), "__dict__")


@pytest.mark.parametrize("kind", [DataUp, DataDown, JoinRequest, RejoinRequest02, RejoinRequest1])
def test_the_bytes_a_frame_came_in_are_its_own_business(kind: Any) -> None:
    (wire,) = (each for each in fields(kind) if each.name == "_wire")
    assert (wire.init, wire.repr, wire.compare) == (False, False, False)


def test_what_is_left_out_is_zero() -> None:
    assert (FCtrlUp().bits, FCtrlDown().bits) == (0, 0)
    assert JoinAccept(1, NetId(2), ADDRESS).message() == bytes.fromhex("010000 020000 04030201 00 01")
    blank = Beacon(7)
    assert (blank.info_desc, blank.lat, blank.lng, blank.param, blank.specific_ok) == (0, 0, 0, 0, True)


# FCtrl by its upper nibble, TS001-1.0.4 §4.3.1: ADR, ADRACKReq, ACK, class B up; ADR, RFU, ACK, FPending down
@pytest.mark.parametrize("nibble", range(16))
def test_every_frame_control_is_read_and_written(nibble: int) -> None:
    adr, bit_6, ack, bit_4 = (digit == "1" for digit in f"{nibble:04b}")
    rest = bytes.fromhex("0000 aabbccdd")
    up, down = (parse(bytes((mhdr,)) + ADDRESS.to_wire() + bytes((nibble << 4,)) + rest) for mhdr in (0x40, 0x60))
    assert isinstance(up, DataUp)
    assert isinstance(down, DataDown)
    assert up.f_ctrl == FCtrlUp(adr, bit_6, ack, bit_4)
    assert down.f_ctrl == FCtrlDown(adr, ack, bit_4)
    assert (up.f_ctrl.bits, down.f_ctrl.bits) == (nibble << 4, nibble << 4 & 0xB0)


@pytest.mark.parametrize(
    ("frame", "start"),
    [
        (DataUp(False, ADDRESS, FCtrlUp(), 1), "40"),
        (DataUp(True, ADDRESS, FCtrlUp(), 1), "80"),
        (DataDown(False, ADDRESS, FCtrlDown(), 1), "60"),
        (DataDown(True, ADDRESS, FCtrlDown(), 1), "a0"),
    ],
)
def test_a_frame_built_from_fields_is_its_bytes(frame: DataUp | DataDown, start: str) -> None:
    whole = bytes.fromhex(start + "04030201 00 0100 aabbccdd")
    built = replace(frame, mic=whole[-4:])
    assert (built.message(), built.encode(), int(built.f_type)) == (whole[:-4], whole, int(start, 16) >> 5)
    assert parse(whole).message() == whole[:-4]  # type: ignore[union-attr]  # a data frame has it
    assert parse(whole) == built


def test_joins_built_from_fields_are_their_bytes() -> None:
    join_eui, dev_eui, mic = Eui64(0x0102030405060708), Eui64(0x1112131415161718), b"\xaa\xbb\xcc\xdd"
    for frame, text in (
        (JoinRequest(join_eui, dev_eui, 0xBEEF, mic), "00 0807060504030201 1817161514131211 efbe"),
        (RejoinRequest02(0, NetId(0x010203), dev_eui, 0xBEEF, mic), "c0 00 030201 1817161514131211 efbe"),
        (RejoinRequest02(2, NetId(0x010203), dev_eui, 0xBEEF, mic), "c0 02 030201 1817161514131211 efbe"),
        (RejoinRequest1(join_eui, dev_eui, 0xBEEF, mic), "c0 01 0807060504030201 1817161514131211 efbe"),
    ):
        message = bytes.fromhex(text)
        parsed = parse(message + mic)
        assert isinstance(parsed, JoinRequest | RejoinRequest02 | RejoinRequest1)
        assert frame.message() == parsed.message() == message
        assert frame.encode() == parsed.encode() == message + mic
    assert Proprietary(b"\x01\x02").encode() == b"\xe0\x01\x02"
    for length in (16, 32):
        assert EncryptedJoinAccept(bytes(length)).encode() == b"\x20" + bytes(length)
    for length in (15, 18, 31, 33):
        with pytest.raises(FrameError, match="16 or 32"):
            EncryptedJoinAccept(bytes(length)).encode()


def test_the_longest_frames_are_built_and_one_byte_more_is_not() -> None:
    up = DataUp(False, ADDRESS, FCtrlUp(), 1, f_port=1, frm_payload=bytes(242))
    assert len(up.encode()) == 255
    assert len(Proprietary(bytes(254)).encode()) == 255
    for frame in (replace(up, frm_payload=bytes(243)), replace(up, f_opts=b"\x02"), Proprietary(bytes(255))):
        with pytest.raises(FrameError, match="255"):
            frame.encode()


def test_the_ciphers_take_a_whole_frame_and_whole_options() -> None:
    assert len(crypt_payload(KEY, True, ADDRESS, 0xFFFFFFFF, bytes(255))) == 255
    assert len(crypt_f_opts(KEY, True, ADDRESS, 0xFFFFFFFF, bytes(15))) == 15
    assert crypt_payload(KEY, True, ADDRESS, 1, b"") == crypt_f_opts(KEY, True, ADDRESS, 1, b"") == b""
    with pytest.raises(FrameError, match="256 bytes"):
        crypt_payload(KEY, True, ADDRESS, 1, bytes(256))
    with pytest.raises(FrameError, match="16 bytes"):
        crypt_f_opts(KEY, True, ADDRESS, 1, bytes(16))


def test_nonces_beyond_their_bits_derive_nothing() -> None:
    derive_keys_10(KEY, 0xFFFFFF, NetId(0), 0xFFFF)
    derive_keys_11(KEY, KEY, 0xFFFFFF, Eui64(0), 0xFFFF)
    for join_nonce, dev_nonce, field in ((1 << 24, 0, "JoinNonce"), (0, 1 << 16, "DevNonce"), (0, -1, "DevNonce")):
        with pytest.raises(FrameError, match=field):
            derive_keys_10(KEY, join_nonce, NetId(0), dev_nonce)
        with pytest.raises(FrameError, match=field):
            derive_keys_11(KEY, KEY, join_nonce, Eui64(0), dev_nonce)


def test_numbers_that_a_block_has_no_room_for_make_no_mic_and_no_keystream() -> None:
    with pytest.raises(FrameError, match="MIC block"):
        mic_up_11(KEY, KEY, ADDRESS, 1, b"any", conf_f_cnt=0, tx_dr=256, tx_ch=0)
    with pytest.raises(FrameError, match="MIC block"):
        mic_data_10(KEY, True, ADDRESS, 1 << 32, b"any")
    with pytest.raises(FrameError, match="MIC block"):
        mic_join_accept_11(KEY, 256, Eui64(0), 0, b"any")
    with pytest.raises(FrameError, match="FCnt"):
        crypt_f_opts(KEY, True, ADDRESS, 1 << 32, b"\x02")
    with pytest.raises(FrameError, match="FCnt"):
        crypt_payload(KEY, True, ADDRESS, -1, b"any")


# TS004-2.0.0 §3.3, table 12: SessionCnt 16 bits, FragIndex one byte, Descriptor 32 bits
def test_numbers_beyond_the_block_of_a_data_block_make_no_mic() -> None:
    assert len(mic_data_block(KEY, 0xFFFF, 0xFF, 0xFFFFFFFF, b"")) == 4
    for numbers in ((1 << 16, 0, 0), (0, 1 << 8, 0), (0, 0, 1 << 32), (-1, 0, 0)):
        with pytest.raises(FrameError, match="B0"):
            mic_data_block(KEY, *numbers, b"")


def test_ciphers_of_a_key_are_kept() -> None:
    assert cipher.aes(KEY) is cipher.aes(AesKey(bytes(16)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("c0", "no type"),
        ("c003" + "00" * 17, "type 3"),
        ("c003", "type 3"),
        ("c001" + "00" * 17, "a Rejoin-Request of type 1 of 19 bytes"),
        ("c0", "there are 0, 1 and 2"),
        ("c002", "a Rejoin-Request of type 2 of 2 bytes"),
        ("43" + "00" * 11, "version 3 is unknown"),
        ("40 04030201 5f 0000 02 aabbccdd", "15 bytes of FOpts in a frame that has room for 1 "),
        ("40 04030201 03 0000 02 aabbccdd", "3 bytes of FOpts in a frame that has room for 1 "),
    ],
)
def test_a_refusal_says_what_was_found(text: str, said: str) -> None:
    with pytest.raises(FrameError, match=said):
        parse(bytes.fromhex(text))


def test_a_refusal_of_a_direction_says_which_it_was() -> None:
    with pytest.raises(FrameError, match="UNCONFIRMED_DOWN came as an uplink"):
        parse(b"\x60" + bytes(11), uplink=True)
    with pytest.raises(FrameError, match="CONFIRMED_UP came as a downlink"):
        parse(b"\x80" + bytes(11), uplink=False)


def test_the_declared_layout_of_a_rejoin_names_its_type() -> None:
    for layout, rejoin_type, length in ((REJOIN_REQUEST_02, 2, 15), (REJOIN_REQUEST_1, 1, 20)):
        raw = layout.parse(bytes((0xC0, rejoin_type)) + bytes(length - 2))
        assert (raw.mhdr, raw.rejoin_type) == (0xC0, rejoin_type)
        assert layout.sizeof() == length


# TS001-1.0.4 §4.2.1, table of frame types; Rejoin-Request: LoRaWAN 1.1 §4.2.1
def test_frame_types_know_their_direction_and_whether_they_carry_data() -> None:
    assert [kind.uplink for kind in FType] == [True, False, True, False, True, False, True, None]
    assert [kind.is_data for kind in FType] == [False, False, True, True, True, True, False, False]
    assert [Mhdr(FType.JOIN_REQUEST, major).to_byte() for major in range(4)] == [0, 1, 2, 3]
    for major in (-1, 4):
        with pytest.raises(FrameError, match="Major"):
            Mhdr(FType.JOIN_REQUEST, major).to_byte()


def test_a_list_of_another_type_is_named_with_its_place() -> None:
    with pytest.raises(FrameError, match="type 7") as refused:
        parse_cf_list(bytes(14) + b"\x05\x07")
    assert refused.value.offset == 15
    with pytest.raises(FrameError, match="6 frequencies"):
        encode_cf_list((867_100_000,) * 6)
    assert encode_cf_list((0, 1_677_721_500))[3:6] == b"\xff\xff\xff"


def test_beacons_are_timed_modulo_32_bits_and_placed_by_halves_of_a_turn() -> None:
    placed = Beacon.at((1 << 32) + 5, -45.0, -90.0, 2, 7)
    assert (placed.gps_s, placed.info_desc, placed.param) == (5, 2, 3)
    assert (placed.latitude_deg, placed.longitude_deg) == (-45.0, -90.0)
    beyond = Beacon.at(0, -90.01, -180.01)
    assert (beyond.lat, beyond.lng) == (-(1 << 23), -(1 << 23))
    assert Beacon.at((1 << 32) - 1, 0, 0).gps_s == 0xFFFFFFFF
    # TS001-1.0.4 §13.1 and §13.2
    assert (beacon.BEACON_PERIOD_S, beacon.BEACON_PREAMBLE_SYMBOLS) == (128, 10)


@pytest.mark.parametrize(
    "case", [each for each in json.loads(GOLDEN.read_text()) if each["kind"] == "data"], ids=lambda case: case["id"]
)
def test_the_declared_layout_reads_and_writes_what_others_built(case: dict[str, Any]) -> None:
    phy, uplink = bytes.fromhex(case["phy"]), case["uplink"]
    layout = DATA_UP if uplink else DATA_DOWN
    raw = layout.parse(phy[:-4])
    assert (raw.mhdr.f_type, raw.mhdr.rfu, raw.mhdr.major) == (2 + (not uplink) + 2 * case["confirmed"], 0, 0)
    assert (raw.dev_addr, raw.f_cnt) == (int(case["dev_addr"], 16), case["f_cnt"] % 65536)
    f_ctrl = raw.f_ctrl
    bit_6, bit_4 = (f_ctrl.adr_ack_req, f_ctrl.class_b) if uplink else (f_ctrl.rfu, f_ctrl.f_pending)
    assert (f_ctrl.adr, bit_6, f_ctrl.ack, bit_4) == tuple(case[name] for name in ("adr", "bit_6", "ack", "bit_4"))
    assert len(raw.f_opts) == f_ctrl.f_opts_len == len(case["f_opts"]) // 2
    assert raw.f_opts + raw.body == phy[8:-4]
    assert len(raw.body) == (0 if case["f_port"] is None else 1 + len(case["payload"]) // 2)
    assert layout.build(raw) == phy[:-4]
