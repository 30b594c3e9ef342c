"""Known answers gathered from other implementations and from devices; each runs under its own id."""

from __future__ import annotations

from typing import Any

import pytest
from known_answers import area

from lorawan.crypto import (
    SessionKeys,
    derive_join_keys,
    derive_keys_10,
    derive_keys_11,
    mic_data_10,
    mic_down_11,
    mic_join_accept_10,
    mic_join_request,
    mic_rejoin_request,
    mic_up_11,
)
from lorawan.frames import (
    DataDown,
    DataUp,
    EncryptedJoinAccept,
    FCtrlUp,
    FType,
    JoinAccept,
    JoinRequest,
    Proprietary,
    RejoinRequest02,
    RejoinRequest1,
    parse,
    parse_cf_list,
)
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.mac_commands import MacCommand, encode_commands, parse_commands
from lorawan.phy import CodingRate, LoraModulation, lora_airtime_us, lora_payload_symbols, lora_symbol_us
from lorawan.secured import (
    join_accept_mic_ok_11,
    join_request_mic_ok,
    mic_down_ok,
    mic_up_ok,
    open_down,
    open_join_accept,
    open_up,
)

NOBODY = AesKey(bytes(16))


def key(text: str | None) -> AesKey:
    return AesKey.from_hex(text) if text else NOBODY


def data_frame(text: str) -> DataUp | DataDown:
    frame = parse(bytes.fromhex(text))
    assert isinstance(frame, DataUp | DataDown)
    assert frame.encode().hex() == text
    return frame


def check_fields(frame: DataUp | DataDown, expect: dict[str, Any]) -> None:
    found = {
        "mtype": int(frame.f_type),
        "devaddr": str(frame.dev_addr),
        "fctrl": frame.f_ctrl.bits | len(frame.f_opts),
        "fcnt16": frame.f_cnt,
        "fcnt": frame.f_cnt,
        "fopts": frame.f_opts.hex(),
        "fport": frame.f_port,
        "frmpayload": frame.frm_payload.hex(),
        "frm": frame.frm_payload.hex(),
        "mic": frame.mic.hex(),
    }
    wanted = {name: value for name, value in expect.items() if name in found}
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(("given", "expect"), area("data10"))
def test_data_frames_of_1_0(given: dict[str, Any], expect: dict[str, Any]) -> None:
    frame, f_cnt = data_frame(given["frame"]), given["fcnt32"]
    check_fields(frame, expect)
    keys = SessionKeys.for_10(key(given["nwkskey"]), key(given["appskey"]))
    up = isinstance(frame, DataUp)
    if given["nwkskey"]:
        computed = mic_data_10(keys.f_nwk_s_int_key, up, frame.dev_addr, f_cnt, frame.message())
        assert computed.hex() == expect["mic_computed"]
        ok = (
            mic_up_ok(keys, is_1_1=False, frame=frame, f_cnt=f_cnt)
            if isinstance(frame, DataUp)
            else mic_down_ok(keys, is_1_1=False, frame=frame, f_cnt=f_cnt)
        )
        assert ok is expect["mic_valid"]
    if "plaintext" in expect:
        assert opened(keys, False, frame, f_cnt)[1] == expect["plaintext"]


@pytest.mark.parametrize(("given", "expect"), area("data11"))
def test_data_frames_of_1_1(given: dict[str, Any], expect: dict[str, Any]) -> None:
    frame, f_cnt = data_frame(given["frame"]), given["fcnt32"]
    check_fields(frame, expect)
    names = ("FNwkSIntKey", "SNwkSIntKey", "NwkSEncKey", "AppSKey")
    keys = SessionKeys(*(key(given[name]) for name in names))
    conf = given["conf_fcnt"]
    if isinstance(frame, DataUp):
        seen = {"conf_f_cnt": conf, "tx_dr": given["tx_dr"], "tx_ch": given["tx_ch"]}
        forwarding, serving = keys.f_nwk_s_int_key, keys.s_nwk_s_int_key
        mic = mic_up_11(forwarding, serving, frame.dev_addr, f_cnt, frame.message(), **seen)
        assert mic_up_ok(keys, is_1_1=True, frame=frame, f_cnt=f_cnt, **seen)
    else:
        mic = mic_down_11(keys.s_nwk_s_int_key, frame.dev_addr, f_cnt, frame.message(), conf_f_cnt=conf)
        assert mic_down_ok(keys, is_1_1=True, frame=frame, f_cnt=f_cnt, conf_f_cnt=conf)
    assert mic.hex() == expect["mic_computed"]
    f_opts, payload = opened(keys, True, frame, f_cnt)
    if "plaintext" in expect:
        assert payload == expect["plaintext"]
    if "fopts_plain" in expect:
        assert f_opts == expect["fopts_plain"]


def opened(keys: SessionKeys, is_1_1: bool, frame: DataUp | DataDown, f_cnt: int) -> tuple[str, str]:
    if isinstance(frame, DataUp):
        clear = open_up(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    else:
        clear = open_down(keys, is_1_1=is_1_1, frame=frame, f_cnt=f_cnt)
    return clear.f_opts.hex(), clear.payload.hex()


@pytest.mark.parametrize(("given", "expect"), area("dut10", "dut11"))
def test_frames_exchanged_with_a_device(given: dict[str, Any], expect: dict[str, Any]) -> None:
    if "join_request" in given:
        check_join_exchange(given, expect)
        return
    frame = data_frame(given["frame"])
    texts = given["keys"]
    is_1_1 = "snwk" in texts
    serving = texts["snwk"] if is_1_1 else texts["nwk"]
    keys = SessionKeys(key(texts["fnwk"]), key(serving), key(texts["nwkenc"]), key(texts["app"]))
    conf = given["conf_fcnt"]
    if isinstance(frame, DataUp):
        tx_dr, tx_ch = given["tx_dr"], given["tx_ch"]
        assert mic_up_ok(keys, is_1_1=is_1_1, frame=frame, f_cnt=frame.f_cnt, conf_f_cnt=conf, tx_dr=tx_dr, tx_ch=tx_ch)
    else:
        assert mic_down_ok(keys, is_1_1=is_1_1, frame=frame, f_cnt=frame.f_cnt, conf_f_cnt=conf)
        assert frame.f_ctrl.ack == expect["ack"]
    check_fields(frame, expect)
    assert opened(keys, is_1_1, frame, frame.f_cnt) == (expect["fopts_plain"], expect["plaintext"])


def check_join_exchange(given: dict[str, Any], expect: dict[str, Any]) -> None:
    nwk_key, app_key = key(given["nwk_key"]), key(given["app_key"])
    request = parse(bytes.fromhex(given["join_request"]))
    assert isinstance(request, JoinRequest)
    assert join_request_mic_ok(nwk_key, request)
    accept, mic, message = open_join_accept(nwk_key, bytes.fromhex(given["join_accept"]))
    assert (message + mic).hex() == expect["accept_plain"]
    assert str(accept.dev_addr) == expect["devaddr"]
    js_int_key = derive_join_keys(nwk_key, request.dev_eui).js_int_key
    asked = {"join_eui": request.join_eui, "dev_nonce": request.dev_nonce}
    assert join_accept_mic_ok_11(js_int_key, message, mic, **asked)  # type: ignore[arg-type]  # a mixed dict
    keys = derive_keys_11(nwk_key, app_key, accept.join_nonce, request.join_eui, request.dev_nonce)
    found = (keys.f_nwk_s_int_key, keys.s_nwk_s_int_key, keys.nwk_s_enc_key, keys.app_s_key)
    assert [k.hex() for k in found] == [expect[name] for name in ("fnwk", "snwk", "nwkenc", "app")]


@pytest.mark.parametrize(("given", "expect"), area("join_request"))
def test_join_requests(given: dict[str, Any], expect: dict[str, Any]) -> None:
    frame = parse(bytes.fromhex(given["frame"]))
    assert isinstance(frame, JoinRequest)
    assert str(frame.join_eui) == expect["join_eui"]
    assert str(frame.dev_eui) == expect["dev_eui"]
    assert (frame.dev_nonce, frame.mic.hex()) == (expect["dev_nonce"], expect["mic"])
    if "key" in given:
        assert mic_join_request(key(given["key"]), frame.message()).hex() == expect["mic_computed"]
        assert join_request_mic_ok(key(given["key"]), frame) is expect["mic_valid"]


@pytest.mark.parametrize(("given", "expect"), area("join_accept"))
def test_join_accepts(given: dict[str, Any], expect: dict[str, Any]) -> None:
    if "frame" in given:
        payload = bytes.fromhex(given["frame"])
        assert isinstance(parse(payload), EncryptedJoinAccept)
        accept, mic, message = open_join_accept(key(given["key"]), payload)
        assert (message[1:] + mic).hex() == expect["plain"]
    elif "plain_frame" in given:
        plain = bytes.fromhex(given["plain_frame"])
        accept, mic, message = JoinAccept.parse(plain[1:-4]), plain[-4:], plain[:-4]
    else:
        accept, mic, message = JoinAccept.parse(bytes.fromhex(given["payload"])), b"", b""
    computed = mic_join_accept_10(key(given["key"]), message) if "key" in given else b""
    found = {
        "join_nonce": accept.join_nonce,
        "net_id": str(accept.net_id),
        "devaddr": str(accept.dev_addr),
        "dl_settings": accept.opt_neg << 7 | accept.rx1_dr_offset << 4 | accept.rx2_dr,
        "opt_neg": int(accept.opt_neg),
        "rx1_dr_offset": accept.rx1_dr_offset,
        "rx2_dr": accept.rx2_dr,
        "rx_delay": accept.rx_delay_s,
        "cflist": accept.cf_list.hex(),
        "mic": mic.hex(),
        "mic_valid": computed == mic,
        "mic_computed": computed.hex(),
    }
    wanted = {name: value for name, value in expect.items() if name != "plain"}
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(("given", "expect"), area("keys10"))
def test_session_keys_of_1_0(given: dict[str, Any], expect: dict[str, Any]) -> None:
    join_nonce, dev_nonce = int(given["app_nonce"], 16), int(given["dev_nonce"], 16)
    keys = derive_keys_10(key(given["app_key"]), join_nonce, NetId.from_hex(given["net_id"]), dev_nonce)
    assert (keys.f_nwk_s_int_key.hex(), keys.app_s_key.hex()) == (expect["nwkskey"], expect["appskey"])


@pytest.mark.parametrize(("given", "expect"), area("keys11"))
def test_session_and_join_keys_of_1_1(given: dict[str, Any], expect: dict[str, Any]) -> None:
    nwk_key = key(given["nwk_key"])
    if "dev_eui" in given:
        lifetime = derive_join_keys(nwk_key, Eui64.from_hex(given["dev_eui"]))
        assert (lifetime.js_int_key.hex(), lifetime.js_enc_key.hex()) == (expect["JSIntKey"], expect["JSEncKey"])
        return
    join_nonce, dev_nonce, third = int(given["join_nonce"], 16), int(given["dev_nonce"], 16), given["join_eui_or_netid"]
    if len(third) == 16:
        keys = derive_keys_11(nwk_key, key(given["app_key"]), join_nonce, Eui64.from_hex(third), dev_nonce)
        assert keys.s_nwk_s_int_key.hex() == expect["SNwkSIntKey"]
        assert keys.nwk_s_enc_key.hex() == expect["NwkSEncKey"]
        assert (keys.f_nwk_s_int_key.hex(), keys.app_s_key.hex()) == (expect["FNwkSIntKey"], expect["AppSKey"])
        return
    # With OptNeg unset the source keeps the 1.1 labels 03 and 04 and the AppKey, where LoRaWAN 1.1 §6.2.3 falls back to
    # 1.0 with the NwkKey alone; the two keys that both forms define by the same block are held to it.
    net_id = NetId.from_hex(third)
    assert derive_keys_10(nwk_key, join_nonce, net_id, dev_nonce).f_nwk_s_int_key.hex() == expect["FNwkSIntKey"]
    assert derive_keys_10(key(given["app_key"]), join_nonce, net_id, dev_nonce).app_s_key.hex() == expect["AppSKey"]


@pytest.mark.parametrize(("given", "expect"), area("rejoin"))
def test_rejoin_requests(given: dict[str, Any], expect: dict[str, Any]) -> None:
    payload = (
        bytes.fromhex(given["frame"]) if "frame" in given else b"\xc0" + bytes.fromhex(given["payload"]) + bytes(4)
    )
    frame = parse(payload)
    assert isinstance(frame, RejoinRequest02 | RejoinRequest1)
    found: dict[str, Any] = {"dev_eui": str(frame.dev_eui), "rjcount": frame.rj_count, "mic": frame.mic.hex()}
    if isinstance(frame, RejoinRequest1):
        found |= {"type": 1, "join_eui": str(frame.join_eui)}
    else:
        found |= {"type": frame.rejoin_type, "net_id": str(frame.net_id)}
    assert {name: found[name] for name in expect} == expect
    if "key" in given:
        assert mic_rejoin_request(key(given["key"]), frame.message()) == frame.mic


@pytest.mark.parametrize(("given", "expect"), area("proprietary"))
def test_proprietary_frames(given: dict[str, Any], expect: dict[str, Any]) -> None:
    for text in given.get("frames") or [given["frame"]]:
        frame = parse(bytes.fromhex(text))
        assert isinstance(frame, Proprietary)
        assert frame.encode().hex() == text
        # Some sources split a MIC from it; here it stays with the payload
        assert frame.payload.hex() == expect.get("payload", text[2:]) + (expect["mic"] or "")


@pytest.mark.parametrize(("given", "expect"), area("fctrl"))
def test_frame_control_of_uplinks(given: dict[str, Any], expect: dict[str, Any]) -> None:
    byte = given["fctrl"]
    frame = parse(b"\x40" + bytes(4) + bytes((byte,)) + bytes(2) + bytes(byte & 15) + bytes(4))
    assert isinstance(frame, DataUp)
    assert frame.f_ctrl == FCtrlUp(
        *(bool(expect[name]) for name in ("adr", "adr_ack_req", "ack", "fpending_or_classb"))
    )
    assert len(frame.f_opts) == expect["fopts_len"]


@pytest.mark.parametrize(("given", "expect"), area("mac_payload"))
def test_mac_payloads(given: dict[str, Any], expect: dict[str, Any]) -> None:
    if "fields" in given:
        want = given["fields"]
        confirmed = FType(want["mtype"]) is FType.CONFIRMED_UP
        built = DataUp(
            confirmed,
            DevAddr.from_hex(want["devaddr"]),
            FCtrlUp(),
            want["fcnt"],
            f_port=want["fport"],
            frm_payload=bytes.fromhex(want["frm"]),
        )
        assert built.message().hex() == expect["phy_without_mic"]
        return
    check_fields(data_frame("40" + given["mac_payload"] + "00000000"), expect)


@pytest.mark.parametrize(("given", "expect"), area("cflist"))
def test_channel_lists(given: dict[str, Any], expect: dict[str, Any]) -> None:
    assert list(parse_cf_list(bytes.fromhex(given["cflist"]))) == expect["channels"]


@pytest.mark.parametrize(("given", "expect"), area("airtime"))
def test_airtimes(given: dict[str, Any], expect: dict[str, Any]) -> None:
    coding_rate = CodingRate(int(given.get("cr", "4/5")[2:]) - 4)
    if "symbols" in expect:
        symbols = lora_payload_symbols(
            given["payload"],
            given["sf"],
            coding_rate=coding_rate,
            explicit_header=given["explicit_header"],
            ldro=given["ldro"],
        )
        assert symbols == expect["symbols"]
        return
    modulation = LoraModulation(given["sf"], given["bw_khz"] * 1000)
    if "payload" not in given:
        assert lora_symbol_us(modulation) == expect["us"]
        return
    airtime_us = lora_airtime_us(
        given["payload"],
        modulation,
        coding_rate=coding_rate,
        preamble_symbols=given["preamble"],
        ldro=given["ldro"],
    )
    assert airtime_us == expect["us"]


# What other implementations call the fields, beside our names
THEIR_NAMES = {
    "chmask_ack": "channel_mask_ok",
    "ch_mask_ack": "channel_mask_ok",
    "dr_ack": "data_rate_ok",
    "dr_ok": "data_rate_ok",
    "tx_power_ack": "power_ok",
    "freq": "freq_hz",
    "frequency": "freq_hz",
    "channel_freq_ok": "freq_ok",
    "beacon_freq_ok": "freq_ok",
    "dr_range_ok": "data_rate_range_ok",
    "margin": "margin_db",
    "max_eirp": "max_eirp_index",
    "uplink_dwell_time": "uplink_dwell",
    "downlink_dwell_time": "downlink_dwell",
    "dev_lorawan_version": "minor",
    "class": "operating_class",
    "backoff": "back_off",
    "second_ch_freq": "second_ch_freq_hz",
    "wor_snr": "wor_snr_db",
    "wor_rssi": "wor_rssi_dbm",
}
THEIR_VALUES = {"LoRaWAN1_1": 1, "NoLimit": False, "ClassA": 0, "ClassC": 2, "Dynamic": 2, "NoChange": 3}


def flat(fields: dict[str, Any]) -> dict[str, Any]:
    """Their fields under our names, without what has no counterpart."""
    out: dict[str, Any] = {}
    for name, value in fields.items():
        if name in ("_type", "opt_neg"):
            continue
        if name == "time_since_gps_epoch":
            out |= {"gps_seconds": value["s"], "fraction_256": value["ns"] * 256 // 1_000_000_000}
        elif isinstance(value, dict):
            out |= flat(value)
        elif name == "dev_addr":
            out[name] = DevAddr.from_hex(value)
        else:
            ours = THEIR_NAMES.get(name, name.removesuffix("_ack") + "_ok" if name.endswith("_ack") else name)
            out[ours] = THEIR_VALUES[value] if isinstance(value, str) else value
    return out


@pytest.mark.parametrize(("given", "expect"), area("mac_command", "mac_command_relay"))
def test_mac_commands(given: dict[str, Any], expect: dict[str, Any]) -> None:
    wire = bytes.fromhex(given["bytes"])
    parsed = parse_commands(wire, uplink=given["uplink"])
    assert parsed.rest == b""
    (command,) = parsed.commands
    assert isinstance(command, MacCommand)
    assert (command.cid, type(command).__name__.lower()) == (expect["cid"], expect["name"].lower())
    wanted = flat(expect["fields"])
    assert {name: getattr(command, name) for name in wanted} == wanted
    assert command.encode() == wire


@pytest.mark.parametrize(("given", "expect"), area("dut_mac"))
def test_mac_commands_exchanged_with_a_device(given: dict[str, Any], expect: dict[str, Any]) -> None:
    for text, uplink in ((given["downlink_mac"], False), (expect["uplink_mac"], True)):
        parsed = parse_commands(bytes.fromhex(text), uplink=uplink)
        assert parsed.rest == b""
        assert encode_commands(parsed.commands).hex() == text
