"""Which version has which MAC command, typed from the command tables of the specifications.

Sources: LoRaWAN 1.0.2 §5 and §14; 1.0.3 tables 5 and 15; TS001-1.0.4 tables 14 and 61; LoRaWAN 1.1 tables 4, 22 and 24;
TS011-1.0.0 §10 for relays, which builds on 1.0.4.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from mac_pairs import hear_commands, joined

from lorawan import mac_commands as mac
from lorawan.device import LinkChecked, RequestLinkCheck
from lorawan.device.commands import BLOCK_HANDLERS as DEVICE_BLOCK_HANDLERS
from lorawan.device.commands import HANDLERS as DEVICE_HANDLERS
from lorawan.frames import DataUp, parse
from lorawan.regions import EU868, Region
from lorawan.server.commands import HANDLERS as SERVER_HANDLERS
from lorawan.version import Version

V102, V103, V104, V11 = Version.V1_0_2, Version.V1_0_3, Version.V1_0_4, Version.V1_1
#      CID   1.0.2  1.0.3  1.0.4  1.1
HAS = {
    0x01: (False, False, False, True),
    0x02: (True, True, True, True),
    0x03: (True, True, True, True),
    0x04: (True, True, True, True),
    0x05: (True, True, True, True),
    0x06: (True, True, True, True),
    0x07: (True, True, True, True),
    0x08: (True, True, True, True),
    0x09: (True, True, True, True),
    0x0A: (True, True, True, True),
    0x0B: (False, False, False, True),
    0x0C: (False, False, False, True),
    0x0D: (False, True, True, True),
    0x0E: (False, False, False, True),
    0x0F: (False, False, False, True),
    0x10: (True, True, True, True),
    0x11: (True, True, True, True),
    0x12: (True, True, False, True),  # 1.0.3 and 1.1 deprecate it; 1.0.4 has the name and no clause
    0x13: (True, True, True, True),
    0x20: (False, False, False, True),
    0x40: (False, False, True, True),
    0x41: (False, False, True, True),
    0x42: (False, False, True, True),
    0x43: (False, False, True, True),
    0x44: (False, False, True, True),
    0x45: (False, False, True, True),
    0x46: (False, False, True, True),
}
ONE_WAY = {(0x0E, True), (0x46, False)}  # ForceRejoinReq has no answer, NotifyNewEndDeviceReq neither


@pytest.mark.parametrize("version", Version, ids=str)
@pytest.mark.parametrize("uplink", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("cid", range(256), ids=lambda cid: f"{cid:02X}")
def test_a_block_is_read_as_far_as_the_version_knows_it(cid: int, uplink: bool, version: Version) -> None:
    known = HAS.get(cid, (False,) * 4)[list(Version).index(version)] and (cid, uplink) not in ONE_WAY
    parsed = mac.parse_commands(bytes((cid,)) + bytes(26), uplink=uplink, version=version)
    assert bool(parsed.commands) is known
    if known:
        assert (parsed.commands[0].cid, parsed.commands[0].uplink) == (cid, uplink)
    else:
        assert parsed.rest[0] == cid


def test_every_command_says_its_class_and_clause() -> None:
    classes = {0x10: "B", 0x11: "B", 0x12: "B", 0x13: "B", 0x20: "C"} | dict.fromkeys(range(0x40, 0x47), "relay")
    for command in mac.COMMANDS:
        assert command.device_class == classes.get(command.cid, "A")
        assert "§" in command.clause


def next_commands(version: Version, *commands: mac.MacCommand) -> bytes:
    pair = joined(version)
    hear_commands(pair, *commands)
    pair.send(b"x")
    frame = parse(pair.sent[-1].transmit.payload, uplink=True)
    assert isinstance(frame, DataUp)
    return frame.f_opts


@pytest.mark.parametrize(
    ("version", "answers"), [(V102, "06ff05"), (V103, "06ff05"), (V104, "06ff05")], ids=["1.0.2", "1.0.3", "1.0.4"]
)
def test_a_device_stops_at_a_command_of_another_version(version: Version, answers: str) -> None:
    commands = (mac.DevStatusReq(), mac.AdrParamSetupReq(limit_exp=4, delay_exp=3), mac.DutyCycleReq(max_d_cycle=1))
    assert next_commands(version, *commands).hex() == answers


def test_a_1_1_device_takes_the_back_off_limits_over() -> None:
    pair = joined(V11)
    hear_commands(pair, mac.AdrParamSetupReq(limit_exp=4, delay_exp=3))
    session = pair.device.session
    assert session is not None
    assert (session.adr_ack_limit, session.adr_ack_delay) == (16, 8)


def test_a_device_passes_over_a_known_command_it_does_nothing_with() -> None:
    assert next_commands(V104, mac.CtrlUplinkListReq(3, 1), mac.DutyCycleReq(max_d_cycle=1)).hex() == "04"


@pytest.mark.parametrize(("version", "sticky"), [(V102, False), (V103, False), (V104, True), (V11, False)], ids=str)
def test_tx_param_setup_is_kept_where_the_region_has_it(version: Version, sticky: bool) -> None:
    pair = joined(version, region=_with_tx_param_setup())
    hear_commands(pair, mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=True, max_eirp_index=5))
    session = pair.device.session
    assert session is not None
    plan = session.plan
    assert (plan.downlink_dwell, plan.uplink_dwell, plan.max_eirp_dbm) == (False, True, 16.0)  # index 5, 1.0.4 §5.8
    assert [(answer.encoded, answer.sticky) for answer in session.answers] == [(b"\x09", sticky)]


def _with_tx_param_setup() -> Region:
    return replace(EU868, has_tx_param_setup=True)


@pytest.mark.parametrize(("version", "answered"), [(V104, False), (V11, True)], ids=str)
def test_a_network_stops_at_a_command_of_another_version(version: Version, answered: bool) -> None:
    pair = joined(version)
    assert pair.device.session is not None
    pair.device.session.announce = mac.RekeyInd(1).encode()
    pair.feed(RequestLinkCheck())
    pair.send(b"x")
    assert bool(pair.of(LinkChecked)) is answered


def test_a_1_1_device_on_a_1_0_network_speaks_1_0_4() -> None:
    assert [version.in_session(is_1_1=version.is_1_1) for version in Version] == list(Version)
    assert V11.in_session(is_1_1=False) is V104


def test_each_side_handles_what_the_other_sends() -> None:
    assert not any(command.uplink for command in (*DEVICE_HANDLERS, *DEVICE_BLOCK_HANDLERS))
    assert all(command.uplink for command in SERVER_HANDLERS)
