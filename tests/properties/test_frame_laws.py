"""Laws of the frame codecs and of sealed frames."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lorawan.crypto import SessionKeys
from lorawan.errors import FrameError
from lorawan.frames import DataDown, DataFrame, DataUp, FCtrlDown, FCtrlUp, Frame, JoinAccept, JoinRequest, parse
from lorawan.frames.layouts import DATA_DOWN, DATA_UP, JOIN_REQUEST
from lorawan.ids import AesKey, DevAddr, Eui64
from lorawan.secured import (
    join_accept_mic_ok_10,
    join_accept_mic_ok_11,
    join_request_mic_ok,
    mic_down_ok,
    mic_up_ok,
    open_down,
    open_join_accept,
    open_up,
    recover_f_cnt,
    seal_down,
    seal_join_accept_10,
    seal_join_accept_11,
    seal_join_request,
    seal_up,
)
from lorawan.strategies import (
    aes_keys,
    bodies,
    data_downs,
    data_ups,
    dev_addrs,
    eui64s,
    f_cnts,
    f_ctrl_downs,
    f_ctrl_ups,
    frames,
    join_accepts,
    session_keys,
)

ANY_PAYLOAD = st.binary(max_size=300) | st.binary(min_size=12, max_size=40)


@settings(max_examples=400)
@given(payload=ANY_PAYLOAD, uplink=st.none() | st.booleans())
def test_any_bytes_make_a_frame_that_keeps_them_or_a_frame_error(payload: bytes, uplink: bool | None) -> None:
    try:
        frame = parse(payload, uplink=uplink)
    except FrameError:
        return
    assert frame.encode() == payload or payload[0] & 0x1C, "only reserved bits of MHDR may get lost"


@given(frame=frames(), data=st.data())
def test_a_damaged_frame_is_parsed_or_refused_and_nothing_else(frame: Frame, data: st.DataObject) -> None:
    payload = bytearray(frame.encode())
    for at in data.draw(st.lists(st.integers(0, len(payload) - 1), max_size=4)):
        payload[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(payload)))
    for damaged in (bytes(payload), bytes(payload[:cut])):
        found = _parsed_or_none(damaged)
        assert found is None or len(found.encode()) == len(damaged)


@given(frame=frames())
def test_parsing_what_was_encoded_gives_the_frame_back(frame: Frame) -> None:
    payload = frame.encode()
    parsed = parse(payload)
    assert parsed == frame
    assert replace(parsed).encode() == payload, "also from the fields alone, not from the bytes kept"


@settings(max_examples=400)
@given(payload=ANY_PAYLOAD.map(lambda rest: bytes((0x40 + (rest[:1] or b"\0")[0] % 4 * 0x20,)) + rest))
@example(payload=bytes.fromhex("40040302010000000a01aabbccdd"))
def test_data_frames_are_read_as_their_declared_layout_reads_them(payload: bytes) -> None:
    try:
        frame = parse(payload)
    except FrameError:
        return
    assert isinstance(frame, DataUp | DataDown)
    raw = (DATA_UP if isinstance(frame, DataUp) else DATA_DOWN).parse(payload[:-4])
    body = b"" if frame.f_port is None else bytes((frame.f_port,)) + frame.frm_payload
    assert (raw.mhdr.f_type, raw.mhdr.major) == (frame.f_type, 0)
    assert (raw.dev_addr, raw.f_cnt, raw.f_opts, raw.body) == (frame.dev_addr, frame.f_cnt, frame.f_opts, body)
    assert (raw.f_ctrl.adr, raw.f_ctrl.ack, raw.f_ctrl.f_opts_len) == (
        frame.f_ctrl.adr,
        frame.f_ctrl.ack,
        len(frame.f_opts),
    )
    if isinstance(frame.f_ctrl, FCtrlUp):
        assert (raw.f_ctrl.adr_ack_req, raw.f_ctrl.class_b) == (frame.f_ctrl.adr_ack_req, frame.f_ctrl.class_b)
    else:
        assert raw.f_ctrl.f_pending == frame.f_ctrl.f_pending


@given(frame=data_ups() | data_downs())
def test_data_frames_are_written_as_their_declared_layout_writes_them(frame: DataFrame) -> None:
    up = isinstance(frame, DataUp)
    f_ctrl = {name: getattr(frame.f_ctrl, name) for name in type(frame.f_ctrl).__dataclass_fields__}
    body = b"" if frame.f_port is None else bytes((frame.f_port,)) + frame.frm_payload
    fields = {
        "mhdr": {"f_type": frame.f_type, "rfu": 0, "major": 0},
        "dev_addr": frame.dev_addr,
        "f_ctrl": f_ctrl | {"f_opts_len": len(frame.f_opts)} | ({} if up else {"rfu": False}),
        "f_cnt": frame.f_cnt,
        "f_opts": frame.f_opts,
        "body": body,
    }
    layout = DATA_UP if up else DATA_DOWN
    assert frame.message() == layout.build(fields)


@given(
    keys=session_keys(),
    is_1_1=st.booleans(),
    confirmed=st.booleans(),
    dev_addr=dev_addrs(),
    f_ctrl=f_ctrl_ups(),
    f_cnt=f_cnts(),
    body=bodies(),
    conf_f_cnt=f_cnts(),
    tx_dr=st.integers(0, 15),
    tx_ch=st.integers(0, 95),
    data=st.data(),
)
def test_a_sealed_uplink_opens_again_and_one_flipped_bit_fails_its_mic(
    keys: SessionKeys,
    is_1_1: bool,
    confirmed: bool,
    dev_addr: DevAddr,
    f_ctrl: FCtrlUp,
    f_cnt: int,
    body: tuple[bytes, int | None, bytes],
    conf_f_cnt: int,
    tx_dr: int,
    tx_ch: int,
    data: st.DataObject,
) -> None:
    f_opts, f_port, payload = body
    heard = {"conf_f_cnt": conf_f_cnt, "tx_dr": tx_dr, "tx_ch": tx_ch}
    phy = seal_up(
        keys,
        is_1_1=is_1_1,
        confirmed=confirmed,
        dev_addr=dev_addr,
        f_ctrl=f_ctrl,
        f_cnt=f_cnt,
        f_opts=f_opts,
        f_port=f_port,
        payload=payload,
        **heard,
    )
    frame = parse(phy, uplink=True)
    assert isinstance(frame, DataUp)
    assert (frame.confirmed, frame.dev_addr, frame.f_ctrl, frame.f_port) == (confirmed, dev_addr, f_ctrl, f_port)
    assert mic_up_ok(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt, **heard)
    opened = open_up(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    assert (opened.f_opts, opened.payload) == (f_opts, payload)
    damaged = _parsed_or_none(_flipped(phy, data))
    if isinstance(damaged, DataUp):
        assert not mic_up_ok(keys, is_1_1=is_1_1, frame=damaged, f_cnt=f_cnt, **heard)


@given(
    keys=session_keys(),
    is_1_1=st.booleans(),
    confirmed=st.booleans(),
    dev_addr=dev_addrs(),
    f_ctrl=f_ctrl_downs(),
    f_cnt=f_cnts(),
    body=bodies(),
    conf_f_cnt=f_cnts(),
    data=st.data(),
)
def test_a_sealed_downlink_opens_again_and_one_flipped_bit_fails_its_mic(
    keys: SessionKeys,
    is_1_1: bool,
    confirmed: bool,
    dev_addr: DevAddr,
    f_ctrl: FCtrlDown,
    f_cnt: int,
    body: tuple[bytes, int | None, bytes],
    conf_f_cnt: int,
    data: st.DataObject,
) -> None:
    f_opts, f_port, payload = body
    phy = seal_down(
        keys,
        is_1_1=is_1_1,
        confirmed=confirmed,
        dev_addr=dev_addr,
        f_ctrl=f_ctrl,
        f_cnt=f_cnt,
        f_opts=f_opts,
        f_port=f_port,
        payload=payload,
        conf_f_cnt=conf_f_cnt,
    )
    frame = parse(phy, uplink=False)
    assert isinstance(frame, DataDown)
    assert (frame.confirmed, frame.dev_addr, frame.f_ctrl, frame.f_port) == (confirmed, dev_addr, f_ctrl, f_port)
    assert mic_down_ok(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt, conf_f_cnt=conf_f_cnt)
    opened = open_down(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    assert (opened.f_opts, opened.payload) == (f_opts, payload)
    damaged = _parsed_or_none(_flipped(phy, data))
    if isinstance(damaged, DataDown):
        assert not mic_down_ok(keys, is_1_1=is_1_1, frame=damaged, f_cnt=f_cnt, conf_f_cnt=conf_f_cnt)


@given(key=aes_keys(), join_eui=eui64s(), dev_eui=eui64s(), dev_nonce=st.integers(0, 0xFFFF), data=st.data())
def test_a_sealed_join_request_is_read_by_its_layout_and_no_bit_of_it_may_change(
    key: AesKey, join_eui: Eui64, dev_eui: Eui64, dev_nonce: int, data: st.DataObject
) -> None:
    phy = seal_join_request(key, join_eui, dev_eui, dev_nonce)
    frame = parse(phy, uplink=True)
    assert isinstance(frame, JoinRequest)
    assert (frame.join_eui, frame.dev_eui, frame.dev_nonce) == (join_eui, dev_eui, dev_nonce)
    assert JOIN_REQUEST.parse(phy[:-4]).dev_nonce == dev_nonce
    assert join_request_mic_ok(key, frame)
    damaged = _parsed_or_none(_flipped(phy, data))
    if isinstance(damaged, JoinRequest):
        assert not join_request_mic_ok(key, damaged)


@given(
    key=aes_keys(), js_int_key=aes_keys(), accept=join_accepts(), join_eui=eui64s(), dev_nonce=st.integers(0, 0xFFFF)
)
def test_a_sealed_accept_opens_to_itself_and_only_with_the_mic_of_its_form(
    key: AesKey, js_int_key: AesKey, accept: JoinAccept, join_eui: Eui64, dev_nonce: int
) -> None:
    assume(key != js_int_key)
    sealed_10 = seal_join_accept_10(key, replace(accept, opt_neg=False))
    opened, mic, message = open_join_accept(key, sealed_10)
    assert opened == replace(accept, opt_neg=False)
    assert join_accept_mic_ok_10(key, message, mic)
    assert not join_accept_mic_ok_11(js_int_key, message, mic, join_eui=join_eui, dev_nonce=dev_nonce)

    sealed_11 = seal_join_accept_11(key, js_int_key, accept, join_eui, dev_nonce)
    opened, mic, message = open_join_accept(key, sealed_11)
    assert opened == replace(accept, opt_neg=True)
    assert join_accept_mic_ok_11(js_int_key, message, mic, join_eui=join_eui, dev_nonce=dev_nonce)
    assert not join_accept_mic_ok_10(key, message, mic)


@given(last=f_cnts(), step=st.integers(0, 0xFFFF))
def test_a_counter_is_recovered_across_any_gap_that_16_bits_can_tell(last: int, step: int) -> None:
    assert recover_f_cnt(last, (last + step) & 0xFFFF) == (last + step) % (1 << 32)


def _flipped(payload: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(payload))


def _parsed_or_none(payload: bytes) -> Frame | None:
    try:
        return parse(payload)
    except FrameError:
        return None
