"""Frames and keys beside lora-packet, a JavaScript implementation of LoRaWAN 1.0 and 1.1, both ways.

What it gets wrong, and what the comparison therefore leaves out, stands in docs/lorawan-proofs.md.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from frame_cases import DataCase, JoinCase, damaged, data_cases, join_cases, key
from lora_packet import ask

from lorawan.crypto import (
    derive_join_keys,
    derive_keys_10,
    derive_keys_11,
    derive_root_wor_s_key,
    derive_wor_keys,
    mic_rejoin_request,
)
from lorawan.frames import EncryptedJoinAccept, JoinRequest, RejoinRequest02, RejoinRequest1, parse
from lorawan.ids import Eui64, NetId
from lorawan.secured import (
    join_accept_mic_ok_10,
    join_accept_mic_ok_11,
    join_request_mic_ok,
    open_join_accept,
    seal_join_accept_10,
    seal_join_accept_11,
    seal_join_request,
)

FRAMES, JOINS = 2000, 1000


def question(case: DataCase, **more: Any) -> dict[str, Any]:
    """A data frame in lora-packet's terms."""
    # On FPort 0 lora-packet counts ConfFCnt without the ACK bit too, on downlinks always: LoRaWAN 1.1 §4.4 says 0.
    trusted = case.ack or (case.uplink and case.f_port != 0)
    return {
        "is_1_1": case.is_1_1,
        "uplink": case.uplink,
        "f_type": case.f_type,
        "dev_addr": str(case.dev_addr),
        "adr": case.adr,
        "bit_6": case.bit_6,
        "ack": case.ack,
        "bit_4": case.bit_4,
        "f_cnt": case.f_cnt,
        "f_opts": case.f_opts.hex(),
        "f_port": case.f_port,
        "payload": case.payload.hex(),
        "conf_f_cnt": case.conf_f_cnt if trusted else 0,
        "tx_dr": case.tx_dr,
        "tx_ch": case.tx_ch,
        "f_nwk": case.keys.f_nwk_s_int_key.hex(),
        "s_nwk": case.keys.s_nwk_s_int_key.hex(),
        "nwk_enc": case.keys.nwk_s_enc_key.hex(),
        "app": case.keys.app_s_key.hex(),
        **more,
    }


@pytest.mark.parametrize("is_1_1", [False, True], ids=["1.0", "1.1"])
def test_it_builds_the_same_data_frames_and_we_read_them(is_1_1: bool) -> None:
    cases = data_cases(11, FRAMES, is_1_1=is_1_1)
    answers = ask(question(case, op="build") for case in cases)
    for case, answer in zip(cases, answers, strict=True):
        assert answer["phy"] == case.sealed().hex(), case
        frame, ok, f_opts, payload = case.read(bytes.fromhex(answer["phy"]))
        assert (ok, f_opts, frame.f_port, payload) == (True, case.f_opts, case.f_port, case.payload)


@pytest.mark.parametrize("is_1_1", [False, True], ids=["1.0", "1.1"])
def test_it_reads_our_data_frames(is_1_1: bool) -> None:
    cases = data_cases(12, FRAMES, is_1_1=is_1_1)
    answers = ask(question(case, op="open", phy=case.sealed().hex()) for case in cases)
    names = ("f_type", "dev_addr", "adr", "bit_6", "ack", "bit_4", "f_port", "f_opts", "payload")
    for case, answer in zip(cases, answers, strict=True):
        asked = question(case)
        assert answer == {name: asked[name] for name in names} | {"f_cnt": case.f_cnt & 0xFFFF, "mic_ok": True}, case


@pytest.mark.parametrize("is_1_1", [False, True], ids=["1.0", "1.1"])
def test_it_agrees_on_which_frames_are_damaged(is_1_1: bool) -> None:
    random, cases = Random(13), data_cases(13, FRAMES // 2, is_1_1=is_1_1)
    payloads = [damaged(random, case.sealed()) for case in cases]
    answers = ask(question(c, op="mic_ok", phy=p.hex()) for c, p in zip(cases, payloads, strict=True))
    for case, payload, answer in zip(cases, payloads, answers, strict=True):
        assert case.read(payload)[1] is answer["mic_ok"] is False


def test_join_requests_both_ways() -> None:
    cases = join_cases(21, JOINS)
    named = [{"join_eui": str(c.join_eui), "dev_eui": str(c.dev_eui), "dev_nonce": f"{c.dev_nonce:04x}"} for c in cases]
    ours = [seal_join_request(c.nwk_key, c.join_eui, c.dev_eui, c.dev_nonce).hex() for c in cases]
    theirs = ask({"op": "join_request", "key": c.nwk_key.hex(), **n} for c, n in zip(cases, named, strict=True))
    assert [answer["phy"] for answer in theirs] == ours
    read = ask(
        {"op": "open_join_request", "key": c.nwk_key.hex(), "phy": phy} for c, phy in zip(cases, ours, strict=True)
    )
    assert read == [n | {"mic_ok": True} for n in named]
    for case, phy in zip(cases, ours, strict=True):
        frame = parse(bytes.fromhex(phy), uplink=True)
        assert isinstance(frame, JoinRequest)
        assert join_request_mic_ok(case.nwk_key, frame)


def accept_question(case: JoinCase, join_req_type: int, **more: Any) -> dict[str, Any]:
    """A Join-Accept in lora-packet's terms; JSEncKey enciphers the answer to a rejoin."""
    accept, lifetime = case.accept, derive_join_keys(case.nwk_key, case.dev_eui)
    asked = {
        "key": (case.nwk_key if join_req_type == 0xFF else lifetime.js_enc_key).hex(),
        "join_nonce": f"{accept.join_nonce:06x}",
        "net_id": str(accept.net_id),
        "dev_addr": str(accept.dev_addr),
        "dl_settings": f"{accept.opt_neg << 7 | accept.rx1_dr_offset << 4 | accept.rx2_dr:02x}",
        "rx_delay": f"{accept.rx_delay_s:02x}",
        "cf_list": accept.cf_list.hex(),
    }
    if accept.opt_neg:
        asked |= {
            "js_int": lifetime.js_int_key.hex(),
            "join_req_type": f"{join_req_type:02x}",
            "join_eui": str(case.join_eui),
            "dev_nonce": f"{case.dev_nonce:04x}",
        }
    return asked | more


def sealed_accept(case: JoinCase, join_req_type: int) -> bytes:
    if not case.accept.opt_neg:
        return seal_join_accept_10(case.nwk_key, case.accept)
    lifetime = derive_join_keys(case.nwk_key, case.dev_eui)
    return seal_join_accept_11(
        case.nwk_key if join_req_type == 0xFF else lifetime.js_enc_key,
        lifetime.js_int_key,
        case.accept,
        case.join_eui,
        case.dev_nonce,
        join_req_type=join_req_type,
    )


@pytest.mark.parametrize("join_req_type", [0xFF, 0, 1, 2])
def test_join_accepts_both_ways(join_req_type: int) -> None:
    cases = join_cases(22, JOINS)
    if join_req_type != 0xFF:  # only a 1.1 network answers a rejoin
        cases = [replace(case, accept=replace(case.accept, opt_neg=True)) for case in cases]
    ours = [sealed_accept(case, join_req_type) for case in cases]
    theirs = ask(accept_question(case, join_req_type, op="join_accept") for case in cases)
    assert [answer["phy"] for answer in theirs] == [phy.hex() for phy in ours]
    read = ask(
        accept_question(case, join_req_type, op="open_join_accept", phy=phy.hex())
        for case, phy in zip(cases, ours, strict=True)
    )
    for case, phy, answer in zip(cases, ours, read, strict=True):
        accept, asked = case.accept, accept_question(case, join_req_type)
        assert answer == {
            "join_nonce": asked["join_nonce"],
            "net_id": asked["net_id"],
            "dev_addr": asked["dev_addr"],
            "opt_neg": accept.opt_neg,
            "rx1_dr_offset": accept.rx1_dr_offset,
            "rx2_dr": accept.rx2_dr,
            "rx_delay": accept.rx_delay_s,
            "cf_list": asked["cf_list"],
            "mic_ok": True,
        }
        assert isinstance(parse(phy, uplink=False), EncryptedJoinAccept)
        lifetime = derive_join_keys(case.nwk_key, case.dev_eui)
        opened, mic, message = open_join_accept(case.nwk_key if join_req_type == 0xFF else lifetime.js_enc_key, phy)
        assert opened == accept
        if accept.opt_neg:
            assert join_accept_mic_ok_11(
                lifetime.js_int_key,
                message,
                mic,
                join_eui=case.join_eui,
                dev_nonce=case.dev_nonce,
                join_req_type=join_req_type,
            )
        else:
            assert join_accept_mic_ok_10(case.nwk_key, message, mic)


def test_session_keys_of_1_0() -> None:
    cases = join_cases(23, JOINS)
    answers = ask(
        {
            "op": "keys_10",
            "key": case.app_key.hex(),
            "net_id": str(case.accept.net_id),
            "join_nonce": f"{case.accept.join_nonce:06x}",
            "dev_nonce": f"{case.dev_nonce:04x}",
        }
        for case in cases
    )
    for case, answer in zip(cases, answers, strict=True):
        keys = derive_keys_10(case.app_key, case.accept.join_nonce, case.accept.net_id, case.dev_nonce)
        assert answer == {"nwk": keys.f_nwk_s_int_key.hex(), "app": keys.app_s_key.hex()}


def test_session_and_lifetime_keys_of_1_1() -> None:
    cases = join_cases(24, JOINS)
    answers = ask(
        {
            "op": "keys_11",
            "nwk_key": case.nwk_key.hex(),
            "app_key": case.app_key.hex(),
            "join_eui": str(case.join_eui),
            "dev_eui": str(case.dev_eui),
            "join_nonce": f"{case.accept.join_nonce:06x}",
            "dev_nonce": f"{case.dev_nonce:04x}",
        }
        for case in cases
    )
    for case, answer in zip(cases, answers, strict=True):
        keys = derive_keys_11(case.nwk_key, case.app_key, case.accept.join_nonce, case.join_eui, case.dev_nonce)
        lifetime = derive_join_keys(case.nwk_key, case.dev_eui)
        assert answer == {
            "f_nwk": keys.f_nwk_s_int_key.hex(),
            "s_nwk": keys.s_nwk_s_int_key.hex(),
            "nwk_enc": keys.nwk_s_enc_key.hex(),
            "app": keys.app_s_key.hex(),
            "js_int": lifetime.js_int_key.hex(),
            "js_enc": lifetime.js_enc_key.hex(),
        }


def test_keys_of_relayed_devices() -> None:
    cases = data_cases(26, JOINS, is_1_1=True)
    asked = ({"op": "wor_keys", "nwk_enc": c.keys.nwk_s_enc_key.hex(), "dev_addr": str(c.dev_addr)} for c in cases)
    for case, answer in zip(cases, ask(asked), strict=True):
        root = derive_root_wor_s_key(case.keys.nwk_s_enc_key)
        keys = derive_wor_keys(root, case.dev_addr)
        assert answer == {"root": root.hex(), "int": keys.wor_s_int_key.hex(), "enc": keys.wor_s_enc_key.hex()}


def test_it_reads_our_rejoin_requests() -> None:
    random = Random(25)
    questions, wanted = [], []
    for number in range(JOINS):
        rejoin_type, secret, dev_eui = number % 3, key(random), Eui64(random.getrandbits(64))
        count, net_id, join_eui = random.getrandbits(16), NetId(random.getrandbits(24)), Eui64(random.getrandbits(64))
        frame: RejoinRequest02 | RejoinRequest1
        if rejoin_type == 1:
            frame = RejoinRequest1(join_eui, dev_eui, count)
            # lora-packet 0.9.3 takes RJcount1 from inside DevEUI, so it is not asked for it
            fields = {"net_id": "", "join_eui": str(join_eui), "rj_count": ""}
        else:
            frame = RejoinRequest02(rejoin_type, net_id, dev_eui, count)
            fields = {"net_id": str(net_id), "join_eui": "", "rj_count": f"{count:04x}"}
        phy = replace(frame, mic=mic_rejoin_request(secret, frame.message())).encode()
        questions.append({"op": "rejoin", "key": secret.hex(), "phy": phy.hex()})
        wanted.append({"rejoin_type": rejoin_type, "dev_eui": str(dev_eui), "mic_ok": True, **fields})
    assert ask(questions) == wanted
