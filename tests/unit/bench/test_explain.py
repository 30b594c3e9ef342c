"""Frames explained: places, values and clauses as the specifications print them; keys only when asked for."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from explained import field

from bench.explain import Known, explain
from bench.explain.clauses import command_clause
from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys, derive_join_keys, derive_keys_11
from lorawan.errors import FrameError
from lorawan.frames import FCtrlDown, FCtrlUp, JoinAccept
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.secured import seal_down, seal_join_accept_10, seal_join_accept_11, seal_up
from lorawan.version import Version

NWK_S_KEY, APP_S_KEY = AesKey(b"n" * 16), AesKey(b"a" * 16)
KNOWN = Known(f_nwk_s_int_key=NWK_S_KEY, s_nwk_s_int_key=NWK_S_KEY, nwk_s_enc_key=NWK_S_KEY, app_s_key=APP_S_KEY)
WOR_KEY = AesKey(bytes(range(16)))
KEYS_11 = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), APP_S_KEY)
KNOWN_11 = Known(Version.V1_1, *(getattr(KEYS_11, name) for name in SessionKeys.__slots__))


def downlink(payload: bytes = b"", f_port: int | None = None, f_opts: bytes = b"", f_cnt: int = 1) -> bytes:
    return seal_down(
        SessionKeys.for_10(NWK_S_KEY, APP_S_KEY),
        is_1_1=False,
        confirmed=False,
        dev_addr=DevAddr(0x26000001),
        f_ctrl=FCtrlDown(),
        f_cnt=f_cnt,
        f_opts=f_opts,
        f_port=f_port,
        payload=payload,
    )


@pytest.mark.parametrize(("show_keys", "shown"), [(False, "hidden"), (True, bytes(range(16)).hex())], ids=str)
def test_relay_commands_are_plain_data(show_keys: bool, shown: str) -> None:
    commands = (
        mac.FilterListReq(filter_list_idx=1, filter_list_action=2, filter_list_eui=b"\x01\x02"),
        mac.UpdateUplinkListReq(7, 5, 2, DevAddr(0x01020304), 9, WOR_KEY),
    )
    frame = downlink(mac.encode_commands(commands), 0)
    text = json.dumps(explain(frame, replace(KNOWN, f_cnt=1, show_keys=show_keys)).as_dict())
    view = json.loads(text)
    assert view["mic"] == "ok"
    filters, update = view["payload_commands"]
    assert (filters["command"], filters["filter_list_eui"]) == ("FilterListReq", "0102")
    assert (update["dev_addr"], update["root_wor_s_key"]) == ("01020304", shown)
    assert (WOR_KEY.hex() in text) is show_keys


def test_a_link_adr_request_is_laid_out_as_the_specification_draws_it() -> None:
    # TS001-1.0.4 §5.2: DataRate_TXPower DR[7:4] TXPower[3:0], ChMask 2, Redundancy RFU[7] ChMaskCntl[6:4] NbTrans[3:0]
    explanation = explain(downlink(f_opts=bytes.fromhex("0352070061")), KNOWN)
    inside = [
        ("CID", "8", 3),
        ("DataRate", "9 [7:4]", 5),
        ("TXPower", "9 [3:0]", 2),
        ("ChMask", "10–11", 7),
        ("RFU", "12 [7]", 0),
        ("ChMaskCntl", "12 [6:4]", 6),
        ("NbTrans", "12 [3:0]", 1),
    ]
    command = field(explanation, "FHDR", "FOpts", "LinkADRReq")
    assert [(f.name, f.place, f.value) for f in command.inner] == inside
    assert {f.clause for f in command.inner} == {"TS001-1.0.4 §5.2"}


@pytest.mark.parametrize(
    ("block", "values"),
    [
        # LoRaWAN 1.1 §18.1, table 23
        ("2002", {"Class": (2, "class C")}),
        ("2001", {"Class": (1, "RFU")}),
        # A known answer of TS011 §10.7: `mac_command_relay` of ../shared/vectors/lorawan.json
        ("46040302012a0d", {"WorSnr": (-10, "-10 dB"), "WorRssi": (-120, "-120 dBm")}),
    ],
)
def test_a_command_tells_class_and_units(block: str, values: dict[str, tuple[int, str]]) -> None:
    known = replace(KNOWN_11, tx_dr=0, tx_ch=0)
    frame = seal_up(
        KEYS_11,
        is_1_1=True,
        confirmed=False,
        dev_addr=DevAddr(1),
        f_ctrl=FCtrlUp(),
        f_cnt=7,
        f_opts=bytes.fromhex(block),
        f_port=None,
    )
    command = explain(frame, replace(known, f_cnt=7)).fields[1].inner[-1].inner[0]
    assert {f.name: (f.value, f.meaning) for f in command.inner if f.name in values} == values


@pytest.mark.parametrize("version", list(Version), ids=str)
def test_the_type_of_a_frame_has_its_name_in_the_version(version: Version) -> None:
    # §4.2 of each: MType in 1.0.2, 1.0.3 and 1.1, FType in TS001-1.0.4
    name = "FType" if version is Version.V1_0_4 else "MType"
    assert field(explain(bytes.fromhex("e0"), Known(version)), "MHDR", name).value == "PROPRIETARY"


# Typed from the tables of contents of the four documents; RP002-1.0.4 for the CFList.
CLAUSES = [
    ("FCnt", ("4.3.1.5", "4.3.1.5", "4.3.1.5", "4.3.1.5")),
    ("ADR", ("4.3.1.1", "4.3.1.1", "4.3.1.1", "4.3.1.1")),
    ("FPending", ("4.3.1.4", "4.3.1.4", "4.3.1.4", "4.3.1.4")),
    ("FPort", ("4.3.2", "4.3.2", "4.3.2", "4.3.2")),
    ("FRMPayload", ("4.3.3", "4.3.3", "4.3.3", "4.3.3")),
    ("MIC", ("4.4", "4.4", "4.4", "4.4.1")),
    ("LinkADRReq", ("5.2", "5.2", "5.2", "5.3")),
    ("DevStatusReq", ("5.5", "5.5", "5.5", "5.6")),
    ("DlChannelReq", ("5.6", "5.6", "5.6", "5.7")),
]
DOCUMENTS = {"1.0.2": "LoRaWAN 1.0.2", "1.0.3": "LoRaWAN 1.0.3", "1.0.4": "TS001-1.0.4", "1.1": "LoRaWAN 1.1"}


@pytest.mark.parametrize("version", list(Version), ids=str)
def test_every_field_has_the_clause_of_its_own_version(version: Version) -> None:
    commands = (mac.LinkAdrReq(5, 0, 7, 0, 1), mac.DevStatusReq(), mac.DlChannelReq(3, 867_100_000))
    keys = KEYS_11 if version.is_1_1 else SessionKeys.for_10(NWK_S_KEY, APP_S_KEY)
    frame = seal_down(
        keys,
        is_1_1=version.is_1_1,
        confirmed=True,
        dev_addr=DevAddr(1),
        f_ctrl=FCtrlDown(),
        f_cnt=7,
        f_opts=mac.encode_commands(commands),
        f_port=3,
        payload=b"hello",
    )
    explanation = explain(frame, KNOWN_11 if version.is_1_1 else replace(KNOWN, version=version))
    assert explanation.mic == "ok"
    found: dict[str, str] = {}
    todo = list(explanation.fields)
    while todo:
        one = todo.pop(0)
        found.setdefault(one.name, one.clause)
        todo += one.inner
    at = list(Version).index(version)
    assert {name: found[name] for name, _ in CLAUSES} == {
        name: f"{DOCUMENTS[version.value]} §{sections[at]}" for name, sections in CLAUSES
    }


@pytest.mark.parametrize(
    ("port", "meaning", "clause"),
    [
        (0, "MAC commands", "TS001-1.0.4 §4.3.2"),
        (1, "the application's", "TS001-1.0.4 §4.3.2"),
        (200, "remote multicast setup, by default", "TS005-2.0.0 §4"),
        (201, "fragmented data block transport, by default", "TS004-2.0.0 §3"),
        (202, "clock synchronization, by default", "TS003-2.0.0 §3"),
        (203, "firmware management, by default", "TS006-1.0.0 §3"),
        (224, "certification", "TS009-1.1.0 §5"),
        (225, "RFU", "TS001-1.0.4 §4.3.2"),
        (226, "relay protocol, by default", "TS011-1.0.0"),
    ],
)
def test_ports_are_named(port: int, meaning: str, clause: str) -> None:
    found = field(explain(downlink(b"\x06", port), KNOWN), "FPort")
    assert (found.value, found.meaning, found.clause) == (port, meaning, clause)


def test_a_package_payload_is_read_command_by_command() -> None:
    # TS009-1.0.0 §5.14, its own example: carrier for 8 s at 863.1 MHz with 14 dBm
    carrier = explain(downlink(bytes.fromhex("7d0800d8b2830e"), 224), KNOWN)
    assert carrier.facts["package"] == "certification, version 1"
    command = field(carrier, "FRMPayload", carrier.facts["payload_commands"][0]["command"])
    assert [f.value for f in command.inner] == [0x7D, 8, 863_100_000, 14]
    # TS003-2.0.0 §3.2, AppTimeReq: DeviceTime 4, Param = RFU[7:5] AnsRequired[4] TokenReq[3:0]; then bytes of nobody
    request = bytes.fromhex("0101020304" + "13" + "ee")
    facts = explain(sealed_up(request, 202), KNOWN).facts
    assert facts["payload_commands"] == [
        {"command": "AppTimeReq", "device_time": 0x04030201, "token_req": 3, "ans_required": True},
        {"unknown": "ee"},
    ]
    assert explain(downlink(b"hello", 1), KNOWN).facts.get("payload_commands") is None


def sealed_up(payload: bytes, f_port: int) -> bytes:
    keys = SessionKeys.for_10(NWK_S_KEY, APP_S_KEY)
    of = {"is_1_1": False, "confirmed": False, "dev_addr": DevAddr(1), "f_ctrl": FCtrlUp(), "f_cnt": 0}
    return seal_up(keys, f_port=f_port, payload=payload, **of)  # type: ignore[arg-type]


def test_a_command_that_the_version_has_not_ends_the_reading_and_is_named() -> None:
    f_opts = mac.encode_commands((mac.LinkCheckReq(), mac.DeviceTimeReq()))
    frame = seal_up(
        SessionKeys.for_10(NWK_S_KEY, APP_S_KEY),
        is_1_1=False,
        confirmed=False,
        dev_addr=DevAddr(1),
        f_ctrl=FCtrlUp(),
        f_cnt=0,
        f_opts=f_opts,
    )
    old = explain(frame, replace(KNOWN, version=Version.V1_0_2))
    assert old.facts["f_opts_commands"] == [{"command": "LinkCheckReq"}, {"unknown": "0d"}]
    assert "1.0.2 has no DeviceTimeReq" in field(old, "FHDR", "FOpts", "not read").meaning
    assert field(explain(frame, KNOWN), "FHDR", "FOpts", "DeviceTimeReq").clause == "TS001-1.0.4 §5.9"


def test_a_1_1_uplink_tells_which_half_of_the_mic_is_wrong() -> None:
    frame = seal_up(
        KEYS_11, is_1_1=True, confirmed=False, dev_addr=DevAddr(1), f_ctrl=FCtrlUp(), f_cnt=0, tx_dr=5, tx_ch=2
    )
    assert explain(frame, replace(KNOWN_11, tx_dr=5, tx_ch=2)).mic == "ok"
    other = explain(frame, replace(KNOWN_11, tx_dr=4, tx_ch=2))
    assert other.mic == "wrong"
    assert "TxDr 4, TxCh 2, FCntUp 0) and the message: wrong" in other.facts["mic_check"]
    assert "B0 (Dir 0, FCntUp 0) and the message: ok" in other.facts["mic_check"]
    half = explain(frame, replace(KNOWN_11, s_nwk_s_int_key=None))
    assert half.mic == "not checked: one half holds, the SNwkSIntKey is not given"


ROOT, APP_KEY = AesKey(b"r" * 16), AesKey(b"k" * 16)
DEV_EUI, JOIN_EUI = Eui64(0x0807060504030201), Eui64(0x1112131415161718)
# The CFList of channels 867.1 to 867.9 MHz. Source: chirpstack lrwn cflist.rs
CF_LIST_0 = bytes.fromhex("184f84e85684b85e84886684586e8400")
ACCEPT = JoinAccept(9, NetId(0x000013), DevAddr(0x26000001), False, 1, 3, 5, CF_LIST_0)


def test_an_accept_of_1_0_shows_its_channels_and_hides_its_keys() -> None:
    frame = seal_join_accept_10(APP_KEY, ACCEPT)
    explanation = explain(frame, Known(app_key=APP_KEY, dev_nonce=7))
    assert explanation.mic == "ok"
    assert explanation.facts["cf_list_freq_hz"] == [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000]
    first = field(explanation, "CFList", "Freq Ch N")
    assert (first.place, first.value, first.clause) == ("13–15", 867_100_000, "RP002-1.0.4 §2.3.1")
    assert field(explanation, "RXDelay", "Del").meaning == "RX1 after 5 s, RX2 after 6 s"
    assert explanation.facts["session_keys"]["app_s_key"] == "hidden"
    assert field(explanation, "NwkSKey").value == "hidden"


def test_a_channel_mask_list_is_read_mask_by_mask() -> None:
    # US915, sub-band 2: channels 8 to 15 and 65. RP002-1.0.4 §2.3.2
    cf_list = bytes.fromhex("00ff0000000000000200").ljust(15, b"\0") + b"\x01"
    accept = JoinAccept(9, NetId(0x000013), DevAddr(1), cf_list=cf_list)
    explanation = explain(seal_join_accept_10(APP_KEY, accept), Known(app_key=APP_KEY))
    assert explanation.facts["cf_list_ch_masks"][:5] == ["00ff", "0000", "0000", "0000", "0200"]
    assert field(explanation, "CFList", "ChMask0").value == "ff00"
    assert field(explanation, "CFList", "ChMask4").meaning == "channels 64–79"
    assert field(explanation, "CFList", "CFListType").value == 1


@pytest.mark.parametrize("rejoin_type", [None, 0, 1, 2], ids=str)
def test_an_accept_of_1_1_is_opened_whatever_it_answers(rejoin_type: int | None) -> None:
    joins = derive_join_keys(ROOT, DEV_EUI)
    key = ROOT if rejoin_type is None else joins.js_enc_key
    join_req_type = 0xFF if rejoin_type is None else rejoin_type
    frame = seal_join_accept_11(key, joins.js_int_key, ACCEPT, JOIN_EUI, 7, join_req_type=join_req_type)
    known = Known(
        Version.V1_1,
        nwk_key=ROOT,
        app_key=APP_KEY,
        dev_eui=DEV_EUI,
        join_eui=JOIN_EUI,
        dev_nonce=7,
        rejoin_type=rejoin_type,
        show_keys=True,
    )
    explanation = explain(frame, known)
    assert explanation.mic == "ok"
    assert explanation.keys == derive_keys_11(ROOT, APP_KEY, 9, JOIN_EUI, 7)
    assert field(explanation, "DLSettings", "OptNeg").value is True
    assert field(explanation, "AppSKey").value == explanation.keys.app_s_key.hex()
    assert explain(frame, replace(known, dev_nonce=8)).mic == "wrong"


def test_an_accept_of_a_1_0_network_for_a_1_1_device_gives_the_old_keys() -> None:
    frame = seal_join_accept_10(ROOT, ACCEPT)
    known = Known(Version.V1_1, nwk_key=ROOT, app_key=APP_KEY, dev_eui=DEV_EUI, join_eui=JOIN_EUI, dev_nonce=7)
    explanation = explain(frame, known)
    assert explanation.mic == "ok"
    assert [f.name for f in explanation.fields if f.meaning == "derived"] == ["NwkSKey", "AppSKey"]


def test_rejoin_requests_are_checked_with_the_key_of_their_type() -> None:
    # brocaar/lorawan@a18a103 phypayload_test.go; its key is taken as the JSIntKey there, so here only the layout
    frame = bytes.fromhex("c0010807060504030201100f0e0d0c0b0a09db00eac31072")
    explanation = explain(frame, Known(Version.V1_1))
    assert [(f.name, f.value) for f in explanation.fields[1:5]] == [
        ("RejoinType", 1),
        ("JoinEUI", "0102030405060708"),
        ("DevEUI", "090a0b0c0d0e0f10"),
        ("RJcount1", 219),
    ]
    assert {f.clause for f in explanation.fields[1:]} == {"LoRaWAN 1.1 §6.2.4"}
    assert explanation.mic == "not checked: the NwkKey, and so the JSIntKey, is not given"
    assert "RFU in 1.0.4" in field(explain(frame, Known()), "MHDR", "FType").meaning


def test_a_multicast_frame_names_its_keys_and_what_it_must_not_have() -> None:
    explanation = explain(downlink(b"x", 5, f_opts=b"\x06"), replace(KNOWN, version=Version.V1_1, multicast=True))
    assert explanation.mic == "ok"
    assert "McNwkSKey" in explanation.facts["mic_check"]
    assert field(explanation, "FHDR", "FOpts").meaning == "not allowed to a multicast frame"
    assert field(explanation, "FRMPayload").meaning == "enciphered with the McAppSKey"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ("", "PHYPayload at byte 0: the frame is empty [TS001-1.0.4 §4.1]"),
        ("40f17dbe49000200", "PHYPayload at byte 8: a data frame of 8 bytes [TS001-1.0.4 §4.3.1]"),
        ("41f17dbe4900020001954378762b11ff0d", "Major at byte 0: version 1 is unknown [TS001-1.0.4 §4.2.2]"),
        ("40f17dbe490f020001954378762b11ff0d", "FOptsLen at byte 5: 15 bytes of FOpts"),
        ("40f17dbe490102000200954378762b11ff0d", "FPort at byte 9: MAC commands stand in FOpts and in FRMPayload"),
        ("0001020304", "PHYPayload at byte 5: a Join-Request of 5 bytes [TS001-1.0.4 §6.2.5]"),
        ("2001020304", "PHYPayload at byte 5: a Join-Accept of 5 bytes [TS001-1.0.4 §6.2.6]"),
        ("c003", "RejoinType at byte 1: type 3 [LoRaWAN 1.1 §6.2.4]"),
        ("e0" + "00" * 255, "PHYPayload at byte 255: 256 bytes [TS001-1.0.4 §4.1]"),
    ],
)
def test_bytes_that_are_no_frame_are_refused_with_offset_and_clause(frame: str, message: str) -> None:
    with pytest.raises(FrameError) as raised:
        explain(bytes.fromhex(frame), KNOWN)
    assert str(raised.value).startswith(message)
    assert raised.value.offset is not None
    assert raised.value.clause


def test_the_clauses_of_commands_agree_with_those_that_the_commands_carry() -> None:
    # Two tables by two hands: one by version for readers, one beside each command's declaration.
    apart = {
        command.__name__: command.clause
        for command in mac.COMMANDS
        if command.clause not in {command_clause(command.cid, version) for version in command.versions}
    }
    assert apart == {}
