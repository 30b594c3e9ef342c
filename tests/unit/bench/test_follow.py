"""Sessions followed through a capture: joins give keys, counters go on past 16 bits, wrong MICs are found."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.cli.app import app
from bench.explain.follow import Followed, Follower
from bench.explain.sessions import Group
from bench.live.devices_file import write_devices
from bench.network import DeviceProfile
from bench.pcap import loratap_header, pcap_file_header, pcap_packet
from bench.runner.exact import ExactStage
from bench.runner.link import MemoryLink
from bench.runner.plan import StageWorld, stage_plan
from bench.store import write_pcap
from gateway_fw import gwmp
from lorawan.crypto import (
    SessionKeys,
    derive_join_keys,
    derive_keys_10,
    derive_keys_11,
    derive_keys_11_fallback,
    mic_rejoin_request,
)
from lorawan.frames import FCtrlDown, FCtrlUp, JoinAccept, RejoinRequest02
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.phy import CodingRate, LoraModulation
from lorawan.secured import seal_down, seal_join_accept_10, seal_join_accept_11, seal_join_request, seal_up
from lorawan.trace import DownlinkRecord, UplinkRecord
from lorawan.version import Version
from scenarios.load import load

APP_KEY, NWK_KEY = AesKey(b"k" * 16), AesKey(b"r" * 16)
DEV_EUI, JOIN_EUI = Eui64(0x0200000000000001), Eui64(0x02000000000000FF)
NET_ID, ADDRESS = NetId(0x000013), DevAddr(0x26000001)
OTAA_10 = DeviceProfile(DEV_EUI, Version.V1_0_4, JOIN_EUI, app_key=APP_KEY)
OTAA_11 = DeviceProfile(DEV_EUI, Version.V1_1, JOIN_EUI, app_key=APP_KEY, nwk_key=NWK_KEY)
ABP_KEYS = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
ABP = DeviceProfile(Eui64(2), Version.V1_0_3, dev_addr=DevAddr(0x26000002), session_keys=ABP_KEYS)


def up(keys: SessionKeys, f_cnt: int, *, is_1_1: bool = False, address: DevAddr = ADDRESS, **of: Any) -> bytes:
    settings: dict[str, Any] = {"confirmed": False, "f_ctrl": FCtrlUp(), "f_port": 1, "payload": b"hi"} | of
    return seal_up(keys, is_1_1=is_1_1, dev_addr=address, f_cnt=f_cnt, **settings)


def down(keys: SessionKeys, f_cnt: int, *, is_1_1: bool = False, address: DevAddr = ADDRESS, **of: Any) -> bytes:
    settings: dict[str, Any] = {"confirmed": False, "f_ctrl": FCtrlDown(), "f_port": 1, "payload": b"ho"} | of
    return seal_down(keys, is_1_1=is_1_1, dev_addr=address, f_cnt=f_cnt, **settings)


def seen(followed: Followed) -> tuple[str, int, str]:
    facts = followed.explanation.facts
    return facts["mic"], facts["f_cnt"], bytes.fromhex(facts.get("payload", "")).decode("latin1")


def test_a_join_of_1_0_gives_the_keys_of_what_follows() -> None:
    accept = JoinAccept(5, NET_ID, ADDRESS)
    keys = derive_keys_10(APP_KEY, 5, NET_ID, 9)
    follower = Follower([OTAA_10])
    early = follower.follow(up(keys, 0))
    assert early.device is None
    assert follower.follow(seal_join_request(APP_KEY, JOIN_EUI, DEV_EUI, 9)).explanation.mic == "ok"
    for _ in range(2):  # heard by two gateways
        assert follower.follow(seal_join_accept_10(APP_KEY, accept)).device == OTAA_10
    assert seen(follower.follow(up(keys, 0))) == ("ok", 0, "hi")
    assert seen(follower.follow(down(keys, 0))) == ("ok", 0, "ho")
    assert seen(follower.follow(up(keys, 1))) == ("ok", 1, "hi")


def test_counters_go_on_past_16_bits_and_back_for_a_late_frame() -> None:
    follower = Follower([ABP])
    wanted = [65_534, 65_535, 65_536, 65_536, 65_535, 131_071, 131_073]
    frames = [up(ABP_KEYS, f_cnt, address=DevAddr(0x26000002)) for f_cnt in wanted]
    assert [seen(follower.follow(frame)) for frame in frames] == [("ok", f_cnt, "hi") for f_cnt in wanted]


def test_a_capture_may_begin_in_the_middle_of_a_session() -> None:
    follower = Follower([ABP])
    frame = up(ABP_KEYS, 3_000_000, address=DevAddr(0x26000002))
    assert seen(follower.follow(frame)) == ("ok", 3_000_000, "hi")
    assert seen(follower.follow(down(ABP_KEYS, 70_000, address=DevAddr(0x26000002)))) == ("ok", 70_000, "ho")


def test_a_wrong_mic_of_a_known_address_is_told_and_moves_nothing() -> None:
    follower = Follower([ABP])
    address = DevAddr(0x26000002)
    assert not follower.follow(up(ABP_KEYS, 10, address=address)).wrong
    forged = up(ABP_KEYS, 500, address=address)[:-1] + b"\0"
    assert follower.follow(forged).wrong
    assert not follower.follow(up(ABP_KEYS, 11, address=address)).wrong
    stranger = follower.follow(up(ABP_KEYS, 11, address=DevAddr(0x26000003)))
    assert (stranger.wrong, stranger.device) == (False, None)


def test_a_session_of_1_1_is_followed_though_the_channel_index_is_not_in_a_capture() -> None:
    accept = JoinAccept(5, NET_ID, ADDRESS, opt_neg=True)
    keys = derive_keys_11(NWK_KEY, APP_KEY, 5, JOIN_EUI, 9)
    follower = Follower([OTAA_11])
    js_int_key = derive_join_keys(NWK_KEY, DEV_EUI).js_int_key
    follower.follow(seal_join_request(NWK_KEY, JOIN_EUI, DEV_EUI, 9))
    assert follower.follow(seal_join_accept_11(NWK_KEY, js_int_key, accept, JOIN_EUI, 9)).explanation.mic == "ok"
    radio = {"freq_hz": 867_500_000, "modulation": LoraModulation(9)}
    frame = up(keys, 0, is_1_1=True, confirmed=True, tx_dr=3, tx_ch=5, f_opts=b"\x0b\x01")
    first = follower.follow(frame, **radio)  # type: ignore[arg-type]
    assert seen(first) == ("ok", 0, "hi")
    assert first.explanation.facts["f_opts_commands"] == [{"command": "RekeyInd", "minor": 1}]
    assert "TxDr 3, TxCh 5 (found by trying), " in first.explanation.facts["mic_check"]
    answer = down(keys, 0, is_1_1=True, confirmed=True, f_ctrl=FCtrlDown(ack=True), conf_f_cnt=0)
    assert seen(follower.follow(answer)) == ("ok", 0, "ho")
    network = down(keys, 0, is_1_1=True, f_port=None, payload=b"", f_opts=b"\x0b\x01")
    found = follower.follow(network).explanation.facts
    assert (found["mic"], found["counter"]) == ("ok", "NFCntDown")
    ack = up(keys, 1, is_1_1=True, tx_dr=3, tx_ch=5, f_ctrl=FCtrlUp(ack=True), conf_f_cnt=0)
    assert seen(follower.follow(ack, **radio)) == ("ok", 1, "hi")  # type: ignore[arg-type]
    wrong = up(keys, 2, is_1_1=True, tx_dr=3, tx_ch=5)[:-1] + b"\0"
    assert follower.follow(wrong, **radio).wrong  # type: ignore[arg-type]


def test_a_frequency_stays_one_channel_of_a_session() -> None:
    keys = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), AesKey(b"a" * 16))
    follower = Follower([DeviceProfile(DEV_EUI, Version.V1_1, dev_addr=ADDRESS, session_keys=keys)])
    # in US915, whose data rates have other numbers than those of EU868: SF10 is DR0, SF7 is DR3
    sent = [
        (0, 903_900_000, 10, 0, 8),
        (1, 903_900_000, 7, 3, 8),
        (2, 904_100_000, 7, 3, 9),
        (3, 904_100_000, 10, 0, 9),
    ]
    for f_cnt, freq_hz, sf, tx_dr, tx_ch in sent:
        frame = up(keys, f_cnt, is_1_1=True, tx_dr=tx_dr, tx_ch=tx_ch)
        found = follower.follow(frame, freq_hz=freq_hz, modulation=LoraModulation(sf))
        assert seen(found) == ("ok", f_cnt, "hi")
        assert f"TxDr {tx_dr}, TxCh {tx_ch} (found by trying" in found.explanation.facts["mic_check"]
    for tx_dr, tx_ch in ((0, 9), (1, 8), (0, 0)):
        frame = up(keys, 4, is_1_1=True, tx_dr=tx_dr, tx_ch=tx_ch)
        assert follower.follow(frame, freq_hz=903_900_000, modulation=LoraModulation(10)).wrong
    frame = up(keys, 4, is_1_1=True, tx_dr=0, tx_ch=8)
    last = follower.follow(frame, freq_hz=903_900_000, modulation=LoraModulation(10)).explanation
    assert last.mic == "ok"
    assert "TxDr 0, TxCh 8 (found by trying, with earlier frames), " in last.facts["mic_check"]


def test_what_acknowledges_a_frame_from_before_the_capture_is_half_checked() -> None:
    keys = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), AesKey(b"a" * 16))
    follower = Follower([DeviceProfile(DEV_EUI, Version.V1_1, dev_addr=ADDRESS, session_keys=keys)])
    frame = up(keys, 7, is_1_1=True, f_ctrl=FCtrlUp(ack=True), conf_f_cnt=41)
    found = follower.follow(frame)
    assert found.explanation.mic.startswith("not checked: one half holds, the ConfFCnt")
    assert found.explanation.facts["payload"] == b"hi".hex()
    answer = follower.follow(down(keys, 7, is_1_1=True, f_ctrl=FCtrlDown(ack=True), conf_f_cnt=41))
    assert (answer.wrong, answer.explanation.mic.split(":")[0]) == (False, "not checked")


def test_a_1_1_device_on_a_1_0_network_is_followed_in_the_old_form() -> None:
    keys = derive_keys_11_fallback(NWK_KEY, 5, NET_ID, 9)
    follower = Follower([OTAA_11])
    follower.follow(seal_join_request(NWK_KEY, JOIN_EUI, DEV_EUI, 9))
    follower.follow(seal_join_accept_10(NWK_KEY, JoinAccept(5, NET_ID, ADDRESS)))
    found = follower.follow(up(keys, 0, f_opts=b"\x02"))
    assert seen(found) == ("ok", 0, "hi")
    assert found.explanation.facts["version"] == "1.0.4"


@pytest.mark.parametrize("rejoin_type", [0, 2])
def test_a_rejoin_begins_a_new_session(rejoin_type: int) -> None:
    keys = derive_keys_11(NWK_KEY, APP_KEY, 5, JOIN_EUI, 9)
    joins = derive_join_keys(NWK_KEY, DEV_EUI)
    follower = Follower([OTAA_11])
    follower.follow(seal_join_request(NWK_KEY, JOIN_EUI, DEV_EUI, 9))
    accept = JoinAccept(5, NET_ID, ADDRESS, opt_neg=True)
    follower.follow(seal_join_accept_11(NWK_KEY, joins.js_int_key, accept, JOIN_EUI, 9))
    message = RejoinRequest02(rejoin_type, NET_ID, DEV_EUI, 3).message()
    asked = follower.follow(message + mic_rejoin_request(keys.s_nwk_s_int_key, message))
    assert (asked.explanation.mic, asked.device) == ("ok", OTAA_11)
    again = JoinAccept(6, NET_ID, DevAddr(0x26000009), opt_neg=True)
    frame = seal_join_accept_11(joins.js_enc_key, joins.js_int_key, again, JOIN_EUI, 3, join_req_type=rejoin_type)
    assert follower.follow(frame).explanation.mic == "ok"
    new_keys = derive_keys_11(NWK_KEY, APP_KEY, 6, JOIN_EUI, 3)
    assert seen(follower.follow(up(new_keys, 0, is_1_1=True, address=DevAddr(0x26000009)))) == ("ok", 0, "hi")
    assert seen(follower.follow(up(keys, 1, is_1_1=True))) == ("ok", 1, "hi")  # the old one, until the new is used


def test_a_multicast_group_is_followed() -> None:
    group = Group(DevAddr(0x01FFFFFF), AesKey(b"m" * 16), AesKey(b"M" * 16))
    follower = Follower([], [group])
    keys = SessionKeys.for_10(group.mc_nwk_s_key, group.mc_app_s_key)
    found = follower.follow(down(keys, 70_001, address=group.mc_addr))
    assert (seen(found), found.group) == (("ok", 70_001, "ho"), group.mc_addr)
    assert follower.follow(down(keys, 70_002, address=group.mc_addr)[:-1] + b"\0").wrong


def test_of_two_groups_with_one_address_the_one_whose_key_fits_is_followed() -> None:
    address = DevAddr(0x01FFFFFF)
    groups = [Group(address, AesKey(bytes((k,)) * 16), AesKey(b"M" * 16)) for k in (1, 2)]
    follower = Follower([], groups)
    for k, group in enumerate(groups):
        keys = SessionKeys.for_10(group.mc_nwk_s_key, group.mc_app_s_key)
        assert seen(follower.follow(down(keys, 5 + k, address=address))) == ("ok", 5 + k, "ho")


KEYS_TOML = f"""
[[device]]
name = "meter"
dev_eui = "{DEV_EUI}"
version = "1.0.4"
join_eui = "{JOIN_EUI}"
app_key = "{APP_KEY.hex()}"

[[multicast]]
mc_addr = "01ffffff"
mc_nwk_s_key = "{(b"m" * 16).hex()}"
mc_app_s_key = "{(b"M" * 16).hex()}"
"""


def capture(path: Path, frames: list[bytes]) -> Path:
    header = loratap_header(868_100_000, 7, -97.0, 5.25)
    packets = [pcap_packet(1_795_520_000 + n, 5, header + frame) for n, frame in enumerate(frames)]
    path.write_bytes(pcap_file_header() + b"".join(packets))
    return path


def frames_of_a_session() -> list[bytes]:
    keys = derive_keys_10(APP_KEY, 5, NET_ID, 9)
    return [
        seal_join_request(APP_KEY, JOIN_EUI, DEV_EUI, 9),
        seal_join_accept_10(APP_KEY, JoinAccept(5, NET_ID, ADDRESS)),
        up(keys, 0),
        down(keys, 0),
        up(ABP_KEYS, 0, address=DevAddr(0x26000077)),
    ]


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["frame", "decode", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_a_capture_is_decoded_with_its_keys(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(KEYS_TOML)
    path = capture(tmp_path / "a.pcap", frames_of_a_session())
    code, out, err = run(str(path), "--keys", str(tmp_path / "keys.toml"), "--json")
    *rows, last = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [(row["packet"], row["mic"].split(":")[0], row["device"]) for row in rows] == [
        (1, "ok", str(DEV_EUI)),
        (2, "ok", str(DEV_EUI)),
        (3, "ok", str(DEV_EUI)),
        (4, "ok", str(DEV_EUI)),
        (5, "not checked", None),
    ]
    assert (rows[2]["payload"], rows[2]["name"], rows[2]["data_rate"]) == (b"hi".hex(), "meter", "SF7BW125")
    assert rows[0]["time_ns"] == 1_795_520_000_000_005_000
    summary = last["summary"]
    assert (summary["frames"], summary["mic_ok"], summary["mic_wrong"], summary["mic_not_checked"]) == (5, 4, 0, 1)
    assert summary["devices"] == [
        {
            "dev_eui": str(DEV_EUI),
            "name": "meter",
            "dev_addr": str(ADDRESS),
            "up": 1,
            "down": 1,
            "joins": 2,
            "wrong": 0,
            "f_cnts": {"FCntUp": 0, "FCntDown": 0},
        }
    ]
    assert APP_KEY.hex() not in out
    keys = derive_keys_10(APP_KEY, 5, NET_ID, 9)
    assert keys.app_s_key.hex() not in out
    assert keys.app_s_key.hex() in run(str(path), "--keys", str(tmp_path / "keys.toml"), "--show-keys")[1]


def test_a_capture_as_text_has_a_block_for_each_packet(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(KEYS_TOML)
    path = capture(tmp_path / "a.pcap", frames_of_a_session())
    code, out, _ = run(str(path), "--keys", str(tmp_path / "keys.toml"))
    assert code == 0
    assert out.count("\n-- packet ") + out.startswith("-- packet ") == 5
    assert "-- packet 3  2026-11-24" in out
    assert "868.1000 MHz  SF7BW125  RSSI -97 dBm  SNR 5.25 dB  device meter (0200000000000001)" in out
    assert "[TS001-1.0.4 §4.3.1.5]" in out
    assert "meter 0200000000000001: up 1, down 1, joins 2, wrong 0; last FCntUp 0, FCntDown 0" in out


def over_ip(payload: bytes, port: int) -> bytes:
    """RFC 791 and RFC 768 by hand, for link type 101."""
    udp = struct.pack(">HHHH", port, 1700, 8 + len(payload), 0) + payload
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4)) + udp


def test_a_capture_at_the_gateway_is_followed_in_both_directions(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(KEYS_TOML)
    datagrams = []
    for frame in frames_of_a_session()[:4]:
        if frame[0] >> 5 in (1, 3, 5):
            txpk = gwmp.Txpk(freq_hz=869_525_000, modulation=LoraModulation(12), payload=frame, tmst=9)
            datagrams.append(gwmp.encode(gwmp.PullResp(2, 4, txpk)))
            continue
        good = gwmp.Rxpk(1, 868_300_000, LoraModulation(9), CodingRate.CR_4_5, -101.0, 3.5, frame)
        damaged = replace(good, payload=frame[:-1] + b"\0", crc_status=gwmp.CRC_BAD)
        datagrams.append(gwmp.encode(gwmp.PushData(2, 7, Eui64(0xDEADBEEF), (good, damaged, good))))
    datagrams.append(gwmp.encode(gwmp.PullAck(2, 9)))
    path = tmp_path / "gateway.pcap"
    packets = [pcap_packet(n, 0, over_ip(datagram, 4000)) for n, datagram in enumerate(datagrams)]
    path.write_bytes(pcap_file_header(101) + b"".join(packets))
    code, out, _ = run(str(path), "--keys", str(tmp_path / "keys.toml"), "--json")
    *rows, last = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    read = [(row["source"], row["type"], row["mic"]) for row in rows if "error" not in row]
    assert read == [
        ("rxpk", "JOIN_REQUEST", "ok"),
        ("rxpk", "JOIN_REQUEST", "ok"),
        ("txpk", "JOIN_ACCEPT", "ok"),
        ("rxpk", "UNCONFIRMED_UP", "ok"),
        ("rxpk", "UNCONFIRMED_UP", "ok"),
        ("txpk", "UNCONFIRMED_DOWN", "ok"),
    ]
    assert rows[0]["gateway"] == "00000000deadbeef"
    assert (last["summary"]["damaged"], last["summary"]["other_packets"]) == (2, 1)


def test_the_frames_of_a_run_are_all_read_with_the_keys_of_its_plan(tmp_path: Path) -> None:
    world = StageWorld(load("tev"), "2027", 7, 12, 2, 1)
    plan = stage_plan(world)
    stage = ExactStage(plan, MemoryLink())
    for day in range(2):
        stage.run_day(day)
    records = stage.recorder.records(plan.bounds_us[2])
    write_pcap(tmp_path / "frames.pcap", records)
    write_devices(tmp_path / "devices.toml", plan, title="test")
    code, out, _ = run(str(tmp_path / "frames.pcap"), "--keys", str(tmp_path / "devices.toml"), "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    summary = rows[-1]["summary"]
    assert code == 0
    assert summary["frames"] == sum(isinstance(r, UplinkRecord | DownlinkRecord) for r in records) > 30
    assert {row["mic"] for row in rows[:-1]} == {"ok"}


def test_a_wrong_mic_is_exit_code_1_and_a_cut_file_2(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(KEYS_TOML)
    frames = frames_of_a_session()
    frames[2] = frames[2][:-1] + b"\0"
    path = capture(tmp_path / "a.pcap", frames)
    keys = ("--keys", str(tmp_path / "keys.toml"))
    code, out, _ = run(str(path), *keys)
    assert code == 1
    assert "MIC ok 3, wrong 1, not checked 1" in out
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    code, out, err = run(str(path), *keys)
    last = len(pcap_file_header()) + 4 * 16 + sum(15 + len(frame) for frame in frames[:4])
    assert (code, err) == (2, f"error: {path}: byte {last}: a packet of 30 bytes runs over the end of the file\n")
    assert "4 packets, 4 frames" in out
    path.write_bytes(b"no capture")
    code, out, err = run(str(path))
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_a_packet_that_is_no_frame_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = capture(tmp_path / "a.pcap", [b"\x40short", *frames_of_a_session()[2:3]])
    code, out, _ = run(str(path), "--json")
    first, second, last = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert (first["error_offset"], first["clause"]) == (6, "TS001-1.0.4 §4.3.1")
    assert second["device"] is None
    assert last["summary"]["not_read"] == 1


def test_a_group_may_have_its_mc_key(tmp_path: Path) -> None:
    # brocaar/lorawan@a18a103 applayer/multicastsetup/keys_test.go: McNwkSKey of McAddr 01020304
    mc_key, mc_nwk_s_key = "0102030405060708090a0b0c0d0e0f10", AesKey.from_hex("c3f6b388bad6c000b23291ad52c11c7b")
    (tmp_path / "keys.toml").write_text(f'[[multicast]]\nmc_addr = "01020304"\nmc_key = "{mc_key}"\n')
    frame = down(SessionKeys.for_10(mc_nwk_s_key, AesKey(bytes(16))), 3, address=DevAddr(0x01020304))
    path = capture(tmp_path / "a.pcap", [frame])
    code, out, _ = run(str(path), "--keys", str(tmp_path / "keys.toml"), "--json")
    assert code == 0
    assert [json.loads(line).get("mic") for line in out.splitlines()] == ["ok", None]
    (tmp_path / "keys.toml").write_text(
        f'[[multicast]]\nmc_addr = "01020304"\nmc_key = "{mc_key}"\nmc_app_s_key = "{mc_key}"\n'
    )
    code, _, err = run(str(path), "--keys", str(tmp_path / "keys.toml"))
    assert (code, "mc_key and session keys both" in err) == (2, True)


def test_groups_are_for_captures_alone(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").write_text(KEYS_TOML)
    result = CliRunner().invoke(app, ["network", "run", "--keys", str(tmp_path / "keys.toml"), "--for", "1 s"])
    assert result.exit_code == 2
    assert "multicast: unknown key" in result.stderr
