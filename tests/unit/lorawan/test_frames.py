"""What `parse`, the peeks and the encoders refuse, and what they say about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

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
    encode_cf_list,
    parse,
    parse_cf_list,
    peek_dev_addr,
    peek_f_type,
    peek_join_eui,
)
from lorawan.ids import DevAddr, Eui64, NetId

# Laid out by hand after TS001-1.0.4 tables 2–10: MHDR, DevAddr, FCtrl, FCnt, FOpts, FPort, FRMPayload, MIC
UP = bytes.fromhex("80 04030201 f2 7b00 0203 0a 010203 aabbccdd")
DOWN = bytes.fromhex("60 04030201 b1 ffff 02 aabbccdd")
JOIN = bytes.fromhex("00 0807060504030201 1817161514131211 efbe aabbccdd")


def test_an_uplink_falls_into_its_fields() -> None:
    assert parse(UP, uplink=True) == DataUp(
        confirmed=True,
        dev_addr=DevAddr(0x01020304),
        f_ctrl=FCtrlUp(adr=True, adr_ack_req=True, ack=True, class_b=True),
        f_cnt=123,
        f_opts=b"\x02\x03",
        f_port=10,
        frm_payload=b"\x01\x02\x03",
        mic=b"\xaa\xbb\xcc\xdd",
    )


def test_a_downlink_without_port_falls_into_its_fields() -> None:
    assert parse(DOWN, uplink=False) == DataDown(
        confirmed=False,
        dev_addr=DevAddr(0x01020304),
        f_ctrl=FCtrlDown(adr=True, ack=True, f_pending=True),
        f_cnt=0xFFFF,
        f_opts=b"\x02",
        f_port=None,
        mic=b"\xaa\xbb\xcc\xdd",
    )


def test_joins_fall_into_their_fields() -> None:
    join_eui, dev_eui, mic = Eui64(0x0102030405060708), Eui64(0x1112131415161718), b"\xaa\xbb\xcc\xdd"
    assert parse(JOIN) == JoinRequest(join_eui, dev_eui, 0xBEEF, mic)
    assert parse(b"\x20" + bytes(16)) == EncryptedJoinAccept(bytes(16))
    rejoin_0 = bytes.fromhex("c0 02 030201 1817161514131211 db00 aabbccdd")
    assert parse(rejoin_0) == RejoinRequest02(2, NetId(0x010203), dev_eui, 219, mic)
    rejoin_1 = bytes.fromhex("c0 01 0807060504030201 1817161514131211 db00 aabbccdd")
    assert parse(rejoin_1) == RejoinRequest1(join_eui, dev_eui, 219, mic)


def test_an_accept_in_clear_falls_into_its_fields() -> None:
    clear = bytes.fromhex("030201 130060 04030201 d3 f5")
    accept = JoinAccept.parse(clear)
    assert accept == JoinAccept(0x010203, NetId(0x600013), DevAddr(0x01020304), True, 5, 3, 5)
    assert accept.message() == clear[:-1] + b"\x05", "RxDelay's upper half is reserved"


@pytest.mark.parametrize(
    ("payload", "field", "offset"),
    [
        pytest.param(b"", "PHYPayload", 0, id="empty"),
        pytest.param(bytes(256), "PHYPayload", 255, id="longer-than-lora-carries"),
        pytest.param(b"\x41" + UP[1:], "Major", 0, id="major-1"),
        pytest.param(b"\x40", "PHYPayload", 1, id="mhdr-alone"),
        pytest.param(bytes.fromhex("40 04030201 00 0000 aabbcc"), "PHYPayload", 11, id="one-byte-short"),
        pytest.param(bytes.fromhex("40 04030201 01 0000 aabbccdd"), "FOptsLen", 5, id="options-run-into-the-mic"),
        pytest.param(bytes.fromhex("60 04030201 0f 0000 02 aabbccdd"), "FOptsLen", 5, id="options-beyond-the-end"),
        pytest.param(bytes.fromhex("40 04030201 01 0000 02 00 02 aabbccdd"), "FPort", 9, id="commands-in-both-places"),
        pytest.param(JOIN[:-1], "PHYPayload", 22, id="join-request-short"),
        pytest.param(JOIN + b"\x00", "PHYPayload", 23, id="join-request-long"),
        pytest.param(b"\x20" + bytes(15), "PHYPayload", 16, id="accept-short"),
        pytest.param(b"\x20" + bytes(24), "PHYPayload", 25, id="accept-between"),
        pytest.param(b"\xc0", "RejoinType", 1, id="rejoin-without-type"),
        pytest.param(b"\xc0\x03" + bytes(17), "RejoinType", 1, id="rejoin-type-3"),
        pytest.param(b"\xc0\x00" + bytes(22), "PHYPayload", 19, id="rejoin-0-as-long-as-1"),
        pytest.param(b"\xc0\x01" + bytes(17), "PHYPayload", 19, id="rejoin-1-as-short-as-0"),
    ],
)
def test_a_refusal_names_the_field_and_its_place(payload: bytes, field: str, offset: int) -> None:
    with pytest.raises(FrameError) as refused:
        parse(payload)
    assert (refused.value.field, refused.value.offset) == (field, offset)


def test_commands_in_both_places_are_refused_by_the_clause_on_options() -> None:
    with pytest.raises(FrameError, match="at once") as refused:
        parse(bytes.fromhex("60 04030201 01 0000 02 00 02 aabbccdd"))
    assert refused.value.clause == "TS001-1.0.4 §4.3.1.6"


def test_options_beside_an_empty_port_0_are_taken() -> None:
    frame = parse(bytes.fromhex("40 04030201 01 0000 02 00 aabbccdd"))
    assert isinstance(frame, DataUp)
    assert (frame.f_opts, frame.f_port, frame.frm_payload) == (b"\x02", 0, b"")


@pytest.mark.parametrize(
    ("payload", "direction"), [(UP, True), (DOWN, False), (JOIN, True), (b"\x20" + bytes(16), False)]
)
def test_a_frame_heard_in_the_wrong_direction_is_refused(payload: bytes, direction: bool) -> None:
    assert parse(payload, uplink=direction) == parse(payload)
    with pytest.raises(FrameError, match="FType at byte 0"):
        parse(payload, uplink=not direction)


def test_proprietary_frames_go_both_ways_whole() -> None:
    assert parse(b"\xe0\x01\x02", uplink=True) == parse(b"\xe0\x01\x02", uplink=False) == Proprietary(b"\x01\x02")


def test_a_changed_copy_of_a_received_frame_is_encoded_anew() -> None:
    frame = parse(UP)
    assert isinstance(frame, DataUp)
    assert replace(frame, f_port=11).encode() == UP[:10] + b"\x0b" + UP[11:]


@pytest.mark.parametrize(
    "frame",
    [
        DataUp(False, DevAddr(1), FCtrlUp(), 0x10000),
        DataUp(False, DevAddr(1), FCtrlUp(), -1),
        DataDown(False, DevAddr(1), FCtrlDown(), 0, f_opts=bytes(16)),
        DataDown(False, DevAddr(1), FCtrlDown(), 0, f_port=-1),
        DataUp(False, DevAddr(1), FCtrlUp(), 0, mic=b"abc"),
        JoinRequest(Eui64(1), Eui64(1), 0x10000),
        JoinRequest(Eui64(1), Eui64(1), 1, mic=b"abcde"),
        EncryptedJoinAccept(bytes(17)),
        RejoinRequest02(1, NetId(1), Eui64(1), 0),
        RejoinRequest02(0, NetId(1), Eui64(1), -1),
        RejoinRequest1(Eui64(1), Eui64(1), 0x10000),
        Proprietary(bytes(255)),
    ],
    ids=repr,
)
def test_a_frame_with_a_value_out_of_range_is_not_encoded(frame: DataUp) -> None:
    with pytest.raises(FrameError):
        frame.encode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"join_nonce": 1 << 24},
        {"rx1_dr_offset": 8},
        {"rx2_dr": 16},
        {"rx_delay_s": 16},
        {"rx_delay_s": -1},
        {"cf_list": bytes(15)},
    ],
    ids=str,
)
def test_an_accept_with_a_value_out_of_range_is_not_encoded(wrong: dict[str, object]) -> None:
    accept = JoinAccept(1, NetId(1), DevAddr(1))
    assert len(accept.message()) == 12
    with pytest.raises(FrameError):
        replace(accept, **wrong).message()  # type: ignore[arg-type]  # wrong values on purpose


@pytest.mark.parametrize("length", [0, 11, 13, 27, 29])
def test_a_clear_accept_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(FrameError, match="12 or 28"):
        JoinAccept.parse(bytes(length))


def test_peeks_find_what_filters_look_at() -> None:
    assert [peek_f_type(bytes((kind << 5,))) for kind in range(8)] == list(FType)
    assert peek_dev_addr(UP) == peek_dev_addr(DOWN[:5]) == 0x01020304
    assert peek_join_eui(JOIN) == 0x0102030405060708
    assert peek_join_eui(bytes.fromhex("c0 01 0807060504030201")) == 0x0102030405060708


@pytest.mark.parametrize("payload", [b"", JOIN, DOWN[:4], b"\xe0" + bytes(20)], ids=["empty", "join", "cut", "other"])
def test_no_device_address_is_peeked_where_none_stands(payload: bytes) -> None:
    with pytest.raises(FrameError):
        peek_dev_addr(payload)


@pytest.mark.parametrize(
    "payload",
    [b"", UP, JOIN[:8], b"\xc0\x00" + bytes(17), b"\xc0\x01" + bytes(7)],
    ids=["empty", "up", "cut", "r0", "r1"],
)
def test_no_join_eui_is_peeked_where_none_stands(payload: bytes) -> None:
    with pytest.raises(FrameError):
        peek_join_eui(payload)


def test_the_header_byte_keeps_type_and_major_and_drops_reserved_bits() -> None:
    assert Mhdr.of_byte(0xFD) == Mhdr(FType.PROPRIETARY, major=1)
    assert Mhdr(FType.CONFIRMED_DOWN).to_byte() == 0xA0
    with pytest.raises(FrameError, match="Major"):
        Mhdr(FType.CONFIRMED_UP, major=4).to_byte()


def test_a_channel_list_holds_five_frequencies() -> None:
    freqs_hz = (867_100_000, 867_300_000, 867_500_000)
    cf_list = encode_cf_list(freqs_hz)
    assert cf_list.hex() == "184f84e85684b85e8400000000000000"
    assert parse_cf_list(cf_list) == (*freqs_hz, 0, 0)


@pytest.mark.parametrize("freqs_hz", [(1,) * 6, (867_100_050,), (-100,), (1_677_721_600,)], ids=str)
def test_a_channel_list_refuses_what_it_cannot_hold(freqs_hz: tuple[int, ...]) -> None:
    with pytest.raises(FrameError, match="CFList"):
        encode_cf_list(freqs_hz)


@pytest.mark.parametrize("cf_list", [b"", bytes(15), bytes(15) + b"\x01"], ids=["none", "short", "masks"])
def test_a_channel_list_of_another_length_or_type_is_refused(cf_list: bytes) -> None:
    with pytest.raises(FrameError, match="CFList"):
        parse_cf_list(cf_list)
