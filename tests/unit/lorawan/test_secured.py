"""Sealed frames against an oracle that shares no code with the library: `cryptography`, and bytes laid out by hand."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

from lorawan.crypto import SessionKeys, derive_join_keys, derive_keys_10, derive_keys_11, derive_keys_11_fallback
from lorawan.errors import FrameError
from lorawan.frames import DataDown, DataUp, FCtrlDown, FCtrlUp, JoinAccept, parse
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
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

F_INT, S_INT, ENC, APP = (bytes([fill] * 15 + [0xF0 | fill]) for fill in (1, 2, 3, 4))
KEYS_10 = SessionKeys.for_10(AesKey(F_INT), AesKey(APP))
KEYS_11 = SessionKeys(AesKey(F_INT), AesKey(S_INT), AesKey(ENC), AesKey(APP))
DEV_ADDR = DevAddr(0x26011BDA)
ADDR = bytes.fromhex("da1b0126")
ROOT_A, ROOT_N = AesKey(bytes(range(0x20, 0x30))), AesKey(bytes(range(0x40, 0x50)))
JOIN_EUI, DEV_EUI = Eui64(0x0102030405060708), Eui64(0x1112131415161718)
JOIN_EUI_WIRE, DEV_EUI_WIRE = bytes.fromhex("0807060504030201"), bytes.fromhex("1817161514131211")
ACCEPT = JoinAccept(0x010203, NetId(0x600013), DevAddr(0x26011BDA), rx1_dr_offset=2, rx2_dr=3, rx_delay_s=5)
CF_LIST = bytes.fromhex("184f84e85684b85e84886684586e8400")


def aes(key: bytes, data: bytes) -> bytes:
    return Cipher(AES(key), ECB()).encryptor().update(data)


def cmac(key: bytes, data: bytes) -> bytes:
    code = CMAC(AES(key))
    code.update(data)
    return code.finalize()


def stream(key: bytes, direction: int, f_cnt: int, data: bytes, fourth: int = 0) -> bytes:
    out = bytearray()
    for number in range(0, len(data), 16):
        block = bytes([1, 0, 0, 0, fourth, direction]) + ADDR + f_cnt.to_bytes(4, "little")
        keystream = aes(key, block + bytes([0, number // 16 + 1]))
        out += bytes(a ^ b for a, b in zip(data[number : number + 16], keystream, strict=False))
    return bytes(out)


@dataclass(frozen=True)
class Case:
    """A data frame in clear."""

    is_1_1: bool
    confirmed: bool
    ack: bool
    f_cnt: int
    f_opts: bytes
    f_port: int | None
    payload: bytes
    conf_f_cnt: int = 0x3344
    tx_dr: int = 5
    tx_ch: int = 7


def oracle(case: Case, direction: int) -> bytes:
    enc, down = ENC if case.is_1_1 else F_INT, direction == 1
    f_opts = case.f_opts
    if case.is_1_1:
        f_opts = stream(enc, direction, case.f_cnt, f_opts, 2 if down and case.f_port else 1)
    mhdr = (3 if down else 2) + (2 if case.confirmed else 0)
    f_ctrl = 0x80 | (0x20 if case.ack else 0) | len(f_opts)
    message = bytes([mhdr << 5]) + ADDR + bytes([f_ctrl]) + (case.f_cnt & 0xFFFF).to_bytes(2, "little") + f_opts
    if case.f_port is not None:
        key = APP if case.f_port else enc
        message += bytes([case.f_port]) + stream(key, direction, case.f_cnt, case.payload)
    conf = (case.conf_f_cnt if case.is_1_1 and case.ack else 0).to_bytes(2, "little")
    tail = ADDR + case.f_cnt.to_bytes(4, "little") + bytes([0, len(message)])
    if down:
        key = S_INT if case.is_1_1 else F_INT
        return message + cmac(key, b"\x49" + conf + bytes([0, 0, 1]) + tail + message)[:4]
    forwarding = cmac(F_INT, b"\x49" + bytes(5) + tail + message)
    if not case.is_1_1:
        return message + forwarding[:4]
    serving = cmac(S_INT, b"\x49" + conf + bytes([case.tx_dr, case.tx_ch, 0]) + tail + message)
    return message + serving[:2] + forwarding[:2]


BODIES = [
    (b"", None, b""),
    (b"\x02", None, b""),
    (b"", 0, b"\x06\x02"),
    (b"", 1, b""),
    (bytes(range(15)), 10, b"sixteen bytes is"),
    (b"\x03\x07", 223, bytes(range(45))),
]
CASES = [
    Case(is_1_1, confirmed, ack, f_cnt, *body)
    for (is_1_1, confirmed, ack), f_cnt, body in itertools.product(
        itertools.product((False, True), repeat=3), (0, 0x0001FFFF), BODIES
    )
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_uplink_is_sealed_as_the_oracle_does_and_opens_again(case: Case) -> None:
    keys = KEYS_11 if case.is_1_1 else KEYS_10
    phy = seal_up(
        keys,
        is_1_1=case.is_1_1,
        confirmed=case.confirmed,
        dev_addr=DEV_ADDR,
        f_ctrl=FCtrlUp(adr=True, ack=case.ack),
        f_cnt=case.f_cnt,
        f_opts=case.f_opts,
        f_port=case.f_port,
        payload=case.payload,
        conf_f_cnt=case.conf_f_cnt,
        tx_dr=case.tx_dr,
        tx_ch=case.tx_ch,
    )
    assert phy.hex() == oracle(case, 0).hex()
    frame = parse(phy, uplink=True)
    assert isinstance(frame, DataUp)
    assert (frame.confirmed, frame.dev_addr, frame.f_cnt) == (case.confirmed, DEV_ADDR, case.f_cnt & 0xFFFF)
    seen = {"conf_f_cnt": case.conf_f_cnt, "tx_dr": case.tx_dr, "tx_ch": case.tx_ch}
    assert mic_up_ok(keys, is_1_1=case.is_1_1, frame=frame, f_cnt=case.f_cnt, **seen)
    opened = open_up(keys, is_1_1=case.is_1_1, frame=frame, f_cnt=case.f_cnt)
    assert (opened.f_opts, frame.f_port, opened.payload) == (case.f_opts, case.f_port, case.payload)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_downlink_is_sealed_as_the_oracle_does_and_opens_again(case: Case) -> None:
    keys = KEYS_11 if case.is_1_1 else KEYS_10
    phy = seal_down(
        keys,
        is_1_1=case.is_1_1,
        confirmed=case.confirmed,
        dev_addr=DEV_ADDR,
        f_ctrl=FCtrlDown(adr=True, ack=case.ack),
        f_cnt=case.f_cnt,
        f_opts=case.f_opts,
        f_port=case.f_port,
        payload=case.payload,
        conf_f_cnt=case.conf_f_cnt,
    )
    assert phy.hex() == oracle(case, 1).hex()
    frame = parse(phy, uplink=False)
    assert isinstance(frame, DataDown)
    assert mic_down_ok(keys, is_1_1=case.is_1_1, frame=frame, f_cnt=case.f_cnt, conf_f_cnt=case.conf_f_cnt)
    opened = open_down(keys, is_1_1=case.is_1_1, frame=frame, f_cnt=case.f_cnt)
    assert (opened.f_opts, frame.f_port, opened.payload) == (case.f_opts, case.f_port, case.payload)


def test_the_mic_covers_reserved_bits_as_they_came() -> None:
    message = bytes([0x40 | 0x1C]) + ADDR + bytes.fromhex("0001000aff")
    block = b"\x49" + bytes(5) + ADDR + bytes.fromhex("0100000000") + bytes([len(message)])
    frame = parse(message + cmac(F_INT, block + message)[:4])
    assert isinstance(frame, DataUp)
    assert mic_up_ok(KEYS_10, is_1_1=False, frame=frame, f_cnt=1)


@pytest.mark.parametrize(
    ("changed", "value"), [("f_cnt", 0x10001), ("conf_f_cnt", 9), ("tx_dr", 4), ("tx_ch", 1)], ids=str
)
def test_a_1_1_uplink_heard_otherwise_than_sent_fails_its_mic(changed: str, value: int) -> None:
    sent = {"f_cnt": 1, "conf_f_cnt": 8, "tx_dr": 5, "tx_ch": 2}
    phy = seal_up(
        KEYS_11,
        is_1_1=True,
        confirmed=False,
        dev_addr=DEV_ADDR,
        f_ctrl=FCtrlUp(ack=True),
        f_port=1,
        payload=b"x",
        f_cnt=sent["f_cnt"],
        conf_f_cnt=sent["conf_f_cnt"],
        tx_dr=sent["tx_dr"],
        tx_ch=sent["tx_ch"],
    )
    frame = parse(phy)
    assert isinstance(frame, DataUp)
    assert mic_up_ok(KEYS_11, is_1_1=True, frame=frame, **sent)
    assert not mic_up_ok(KEYS_11, is_1_1=True, frame=frame, **(sent | {changed: value}))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"f_opts": bytes(16)}, "FOpts"),
        ({"f_opts": b"\x02", "f_port": 0, "payload": b"\x02"}, "FPort"),
        ({"payload": b"x"}, "FPort"),
        ({"f_port": 256, "payload": b"x"}, "FPort"),
        ({"f_port": 1, "payload": bytes(243)}, "FRMPayload"),
        ({"f_port": 1, "payload": bytes(256)}, "FRMPayload"),
        ({"f_cnt": 1 << 32}, "MIC block"),
        ({"f_cnt": 1 << 32, "f_port": 1, "payload": b"x"}, "FCnt"),
        ({"f_cnt": -1}, "MIC block"),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_1_1", [False, True])
def test_what_no_frame_can_hold_is_not_sealed(is_1_1: bool, wrong: dict[str, object], field: str) -> None:
    asked: dict[str, object] = {"is_1_1": is_1_1, "confirmed": False, "dev_addr": DEV_ADDR, "f_cnt": 1, **wrong}
    keys = KEYS_11 if is_1_1 else KEYS_10
    with pytest.raises(FrameError) as up:
        seal_up(keys, f_ctrl=FCtrlUp(), **asked)  # type: ignore[arg-type]  # wrong values on purpose
    with pytest.raises(FrameError) as down:
        seal_down(keys, f_ctrl=FCtrlDown(), **asked)  # type: ignore[arg-type]  # wrong values on purpose
    assert up.value.field == down.value.field == field


def test_a_join_request_carries_the_cmac_of_its_bytes() -> None:
    phy = seal_join_request(ROOT_A, JOIN_EUI, DEV_EUI, 0xBEEF)
    message = b"\x00" + JOIN_EUI_WIRE + DEV_EUI_WIRE + b"\xef\xbe"
    assert phy == message + cmac(ROOT_A, message)[:4]
    frame = parse(phy, uplink=True)
    assert join_request_mic_ok(ROOT_A, frame)  # type: ignore[arg-type]  # the test fails if it is another frame
    assert not join_request_mic_ok(ROOT_N, frame)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("cf_list", [b"", CF_LIST], ids=["short", "cf-list"])
def test_a_1_0_accept_opens_with_aes_encrypt_alone(cf_list: bytes) -> None:
    accept = JoinAccept(0x010203, NetId(0x600013), DEV_ADDR, False, 2, 3, 5, cf_list)
    phy = seal_join_accept_10(ROOT_A, accept)
    clear = b"\x03\x02\x01" + b"\x13\x00\x60" + ADDR + b"\x23\x05" + cf_list
    assert aes(ROOT_A, phy[1:]) == clear + cmac(ROOT_A, b"\x20" + clear)[:4]
    opened, mic, message = open_join_accept(ROOT_A, phy)
    assert opened == accept
    assert join_accept_mic_ok_10(ROOT_A, message, mic)
    assert not join_accept_mic_ok_10(ROOT_N, message, mic)


@pytest.mark.parametrize("join_req_type", [0xFF, 0, 1, 2])
def test_a_1_1_accept_says_so_and_ties_the_request_to_its_mic(join_req_type: int) -> None:
    phy = seal_join_accept_11(ROOT_N, ROOT_A, ACCEPT, JOIN_EUI, 0x0102, join_req_type=join_req_type)
    clear = b"\x03\x02\x01" + b"\x13\x00\x60" + ADDR + b"\xa3\x05"
    signed = bytes([join_req_type]) + JOIN_EUI_WIRE + b"\x02\x01" + b"\x20" + clear
    assert aes(ROOT_N, phy[1:]) == clear + cmac(ROOT_A, signed)[:4]
    opened, mic, message = open_join_accept(ROOT_N, phy)
    assert opened.opt_neg
    asked = {"join_eui": JOIN_EUI, "dev_nonce": 0x0102, "join_req_type": join_req_type}
    assert join_accept_mic_ok_11(ROOT_A, message, mic, **asked)  # type: ignore[arg-type]  # a mixed dict
    assert not join_accept_mic_ok_11(ROOT_A, message, mic, join_eui=JOIN_EUI, dev_nonce=0x0103)


def test_a_1_0_accept_cannot_claim_1_1() -> None:
    with pytest.raises(FrameError, match="OptNeg"):
        seal_join_accept_10(ROOT_A, JoinAccept(1, NetId(0), DEV_ADDR, opt_neg=True))


@pytest.mark.parametrize("length", [0, 1, 16, 18, 32, 34])
def test_an_accept_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(FrameError, match="Join-Accept"):
        open_join_accept(ROOT_A, bytes(length))


def test_session_keys_are_the_aes_of_their_blocks() -> None:
    tail_10 = b"\x03\x02\x01" + b"\x13\x00\x60" + b"\x05\x04" + bytes(7)
    tail_11 = b"\x03\x02\x01" + JOIN_EUI_WIRE + b"\x05\x04" + bytes(2)
    v10 = derive_keys_10(ROOT_A, 0x010203, NetId(0x600013), 0x0405)
    assert v10 == SessionKeys.for_10(AesKey(aes(ROOT_A, b"\x01" + tail_10)), AesKey(aes(ROOT_A, b"\x02" + tail_10)))
    v11 = derive_keys_11(ROOT_N, ROOT_A, 0x010203, JOIN_EUI, 0x0405)
    assert v11.f_nwk_s_int_key == aes(ROOT_N, b"\x01" + tail_11)
    assert v11.s_nwk_s_int_key == aes(ROOT_N, b"\x03" + tail_11)
    assert v11.nwk_s_enc_key == aes(ROOT_N, b"\x04" + tail_11)
    assert v11.app_s_key == aes(ROOT_A, b"\x02" + tail_11)
    fallback = derive_keys_11_fallback(ROOT_N, 0x010203, NetId(0x600013), 0x0405)
    nwk_s_key = aes(ROOT_N, b"\x01" + tail_10)
    assert fallback.f_nwk_s_int_key == fallback.s_nwk_s_int_key == fallback.nwk_s_enc_key == nwk_s_key
    assert fallback.app_s_key == aes(ROOT_N, b"\x02" + tail_10)
    lifetime = derive_join_keys(ROOT_N, DEV_EUI)
    assert lifetime.js_enc_key == aes(ROOT_N, b"\x05" + DEV_EUI_WIRE + bytes(7))
    assert lifetime.js_int_key == aes(ROOT_N, b"\x06" + DEV_EUI_WIRE + bytes(7))


@pytest.mark.parametrize(("join_nonce", "dev_nonce"), [(1 << 24, 0), (-1, 0), (0, 1 << 16), (0, -1)])
def test_nonces_that_do_not_fit_make_no_keys(join_nonce: int, dev_nonce: int) -> None:
    with pytest.raises(FrameError, match="Nonce"):
        derive_keys_10(ROOT_A, join_nonce, NetId(0), dev_nonce)


def test_keys_do_not_show_in_a_repr() -> None:
    assert APP.hex() not in repr(KEYS_11)
    assert repr(APP) not in repr(KEYS_11)


@pytest.mark.parametrize(
    ("last", "low16", "expected"),
    [
        (None, 0, 0),
        (None, 0xFFFF, 0xFFFF),
        (0, 1, 1),
        (5, 5, 5),
        (0xFFFF, 0, 0x10000),
        (0x1FFFE, 0x0001, 0x20001),
        (0x12AFE, 0x2AFF, 0x12AFF),
        (7, 6, 0x10006),
        (0xFFFFFFFF, 0, 0),
    ],
)
def test_a_counter_is_the_next_one_with_the_bits_on_the_wire(last: int | None, low16: int, expected: int) -> None:
    assert recover_f_cnt(last, low16) == expected
