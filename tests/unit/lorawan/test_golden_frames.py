"""Frames, keys and times that other implementations gave for random inputs: tests/golden/lorawan/make.py says how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from frame_cases import DataCase

from lorawan.crypto import (
    SessionKeys,
    decrypt_mc_key,
    derive_data_block_int_key,
    derive_join_keys,
    derive_keys_10,
    derive_keys_11,
    derive_mc_ke_key,
    derive_mc_root_key_10,
    derive_mc_root_key_11,
    derive_mc_session_keys,
    derive_root_wor_s_key,
    derive_wor_keys,
    encrypt_mc_key,
    mic_data_block,
    mic_rejoin_request,
)
from lorawan.frames import (
    JoinAccept,
    JoinRequest,
    RejoinRequest02,
    RejoinRequest1,
    encode_cf_list,
    parse,
    parse_cf_list,
)
from lorawan.frames.beacon import Beacon, decode_beacon, encode_beacon
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.phy import CodingRate, LoraModulation, lora_airtime_us
from lorawan.secured import (
    join_accept_mic_ok_10,
    join_accept_mic_ok_11,
    join_request_mic_ok,
    open_join_accept,
    seal_join_accept_10,
    seal_join_accept_11,
    seal_join_request,
)

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "golden" / "lorawan" / "cases.json").read_text()
)


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(case, id=f"{case['id']} by {case['by']}") for case in CASES if case["kind"] == kind]


def key(text: str) -> AesKey:
    return AesKey.from_hex(text)


@pytest.mark.parametrize("case", of_kind("data"))
def test_data_frames(case: dict[str, Any]) -> None:
    names = ("is_1_1", "uplink", "confirmed", "adr", "bit_6", "ack", "bit_4", "f_cnt", "f_port", "conf_f_cnt")
    frame = DataCase(
        keys=SessionKeys(*(key(text) for text in case["keys"])),
        dev_addr=DevAddr.from_hex(case["dev_addr"]),
        f_opts=bytes.fromhex(case["f_opts"]),
        payload=bytes.fromhex(case["payload"]),
        tx_dr=case["tx_dr"],
        tx_ch=case["tx_ch"],
        **{name: case[name] for name in names},
    )
    phy = bytes.fromhex(case["phy"])
    assert frame.sealed() == phy
    parsed, ok, f_opts, payload = frame.read(phy)
    assert (ok, f_opts, payload, parsed.f_port) == (True, frame.f_opts, frame.payload, frame.f_port)
    assert (parsed.dev_addr, parsed.f_cnt, parsed.confirmed) == (frame.dev_addr, frame.f_cnt % 65536, frame.confirmed)


@pytest.mark.parametrize("case", of_kind("join_request"))
def test_join_requests(case: dict[str, Any]) -> None:
    join_eui, dev_eui = Eui64.from_hex(case["join_eui"]), Eui64.from_hex(case["dev_eui"])
    phy, dev_nonce = bytes.fromhex(case["phy"]), int(case["dev_nonce"], 16)
    assert seal_join_request(key(case["nwk_key"]), join_eui, dev_eui, dev_nonce) == phy
    frame = parse(phy, uplink=True)
    assert frame == JoinRequest(join_eui, dev_eui, dev_nonce, phy[-4:])
    assert join_request_mic_ok(key(case["nwk_key"]), frame)


@pytest.mark.parametrize("case", of_kind("join_accept"))
def test_join_accepts(case: dict[str, Any]) -> None:
    settings, nwk_key, phy = int(case["dl_settings"], 16), key(case["nwk_key"]), bytes.fromhex(case["phy"])
    accept = JoinAccept(
        join_nonce=int(case["join_nonce"], 16),
        net_id=NetId.from_hex(case["net_id"]),
        dev_addr=DevAddr.from_hex(case["dev_addr"]),
        opt_neg=settings >= 0x80,
        rx1_dr_offset=settings >> 4 & 7,
        rx2_dr=settings & 15,
        rx_delay_s=int(case["rx_delay"], 16),
        cf_list=bytes.fromhex(case["cf_list"]),
    )
    join_eui, dev_nonce = Eui64.from_hex(case["join_eui"]), int(case["dev_nonce"], 16)
    lifetime, join_req_type = derive_join_keys(nwk_key, Eui64.from_hex(case["dev_eui"])), case.get("join_req_type", 255)
    sealing = nwk_key if join_req_type == 255 else lifetime.js_enc_key
    opened, mic, message = open_join_accept(sealing, phy)
    assert opened == accept
    if not accept.opt_neg:
        assert seal_join_accept_10(nwk_key, accept) == phy
        assert join_accept_mic_ok_10(nwk_key, message, mic)
        return
    assert (
        seal_join_accept_11(sealing, lifetime.js_int_key, accept, join_eui, dev_nonce, join_req_type=join_req_type)
        == phy
    )
    asked = {"join_eui": join_eui, "dev_nonce": dev_nonce, "join_req_type": join_req_type}
    assert join_accept_mic_ok_11(lifetime.js_int_key, message, mic, **asked)


@pytest.mark.parametrize("case", of_kind("keys_10"))
def test_session_keys_of_1_0(case: dict[str, Any]) -> None:
    join_nonce, dev_nonce = int(case["join_nonce"], 16), int(case["dev_nonce"], 16)
    keys = derive_keys_10(key(case["nwk_key"]), join_nonce, NetId.from_hex(case["net_id"]), dev_nonce)
    assert {"nwk": keys.f_nwk_s_int_key.hex(), "app": keys.app_s_key.hex()} == case["keys"]


@pytest.mark.parametrize("case", of_kind("keys_11"))
def test_session_and_lifetime_keys_of_1_1(case: dict[str, Any]) -> None:
    nwk_key, join_nonce, dev_nonce = key(case["nwk_key"]), int(case["join_nonce"], 16), int(case["dev_nonce"], 16)
    keys = derive_keys_11(nwk_key, key(case["app_key"]), join_nonce, Eui64.from_hex(case["join_eui"]), dev_nonce)
    lifetime = derive_join_keys(nwk_key, Eui64.from_hex(case["dev_eui"]))
    assert {
        "f_nwk": keys.f_nwk_s_int_key.hex(),
        "s_nwk": keys.s_nwk_s_int_key.hex(),
        "nwk_enc": keys.nwk_s_enc_key.hex(),
        "app": keys.app_s_key.hex(),
        "js_int": lifetime.js_int_key.hex(),
        "js_enc": lifetime.js_enc_key.hex(),
    } == case["keys"]


@pytest.mark.parametrize("case", of_kind("rejoin"))
def test_rejoin_requests(case: dict[str, Any]) -> None:
    phy, dev_eui, count = bytes.fromhex(case["phy"]), Eui64.from_hex(case["dev_eui"]), int(case["rj_count"], 16)
    frame: RejoinRequest02 | RejoinRequest1
    if case["rejoin_type"] == 1:
        frame = RejoinRequest1(Eui64.from_hex(case["network"]), dev_eui, count, phy[-4:])
    else:
        frame = RejoinRequest02(case["rejoin_type"], NetId.from_hex(case["network"]), dev_eui, count, phy[-4:])
    assert frame.encode() == phy
    assert parse(phy, uplink=True) == frame
    assert mic_rejoin_request(key(case["key"]), frame.message()) == phy[-4:]


@pytest.mark.parametrize("case", of_kind("keys_relay"))
def test_keys_of_relayed_devices(case: dict[str, Any]) -> None:
    root = derive_root_wor_s_key(key(case["key"]))
    keys = derive_wor_keys(root, DevAddr.from_hex(case["dev_addr"]))
    found = {"root": root.hex(), "int": keys.wor_s_int_key.hex(), "enc": keys.wor_s_enc_key.hex()}
    assert found == case["keys"]


@pytest.mark.parametrize("case", of_kind("keys_multicast"))
def test_keys_of_multicast_groups(case: dict[str, Any]) -> None:
    root_key, mc_key = key(case["root_key"]), key(case["mc_key"])
    mc_root_key = derive_mc_root_key_11(root_key) if case["is_1_1"] else derive_mc_root_key_10(root_key)
    mc_ke_key = derive_mc_ke_key(mc_root_key)
    assert (mc_root_key.hex(), mc_ke_key.hex()) == (case["mc_root_key"], case["mc_ke_key"])
    assert encrypt_mc_key(mc_ke_key, mc_key).hex() == case["mc_key_encrypted"]
    assert decrypt_mc_key(mc_ke_key, bytes.fromhex(case["mc_key_encrypted"])) == mc_key
    keys = derive_mc_session_keys(mc_key, DevAddr.from_hex(case["mc_addr"]))
    assert (keys.mc_app_s_key.hex(), keys.mc_nwk_s_key.hex()) == (case["mc_app_s_key"], case["mc_nwk_s_key"])


@pytest.mark.parametrize("case", of_kind("data_block"))
def test_integrity_of_data_blocks(case: dict[str, Any]) -> None:
    int_key = derive_data_block_int_key(key(case["root_key"]))
    assert int_key.hex() == case["int_key"]
    numbers = (case["session_cnt"], case["frag_index"], case["descriptor"])
    assert mic_data_block(int_key, *numbers, bytes.fromhex(case["block"])).hex() == case["mic"]


def test_no_case_is_without_a_test() -> None:
    own = Path(__file__).read_text()
    assert all(f'of_kind("{case["kind"]}")' in own for case in CASES)


@pytest.mark.parametrize("case", of_kind("cf_list"))
def test_lists_of_frequencies(case: dict[str, Any]) -> None:
    assert encode_cf_list(case["freqs_hz"]).hex() == case["cf_list"]
    assert list(parse_cf_list(bytes.fromhex(case["cf_list"]))) == case["freqs_hz"]


@pytest.mark.parametrize("case", of_kind("beacon"))
def test_beacons(case: dict[str, Any]) -> None:
    beacon = Beacon(case["gps_s"], case["info_desc"], case["lat"], case["lng"])
    assert encode_beacon(beacon, case["sf"]).hex() == case["phy"]
    found = decode_beacon(bytes.fromhex(case["phy"]), case["sf"])
    assert found.specific_ok
    assert (found.gps_s, found.info_desc, found.lat, found.lng) == tuple(
        case[name] for name in ("gps_s", "info_desc", "lat", "lng")
    )


@pytest.mark.parametrize("case", of_kind("airtime"))
def test_times_on_air(case: dict[str, Any]) -> None:
    modulation = LoraModulation(case["sf"], case["bandwidth_khz"] * 1000)
    assert lora_airtime_us(case["length"], modulation, coding_rate=CodingRate(case["coding_rate"])) == case["us"]
