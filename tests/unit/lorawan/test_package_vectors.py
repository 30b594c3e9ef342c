"""Known answers of the application packages and of multicast keys; each runs under its own id, its source with it."""

from __future__ import annotations

from typing import Any

import pytest
from known_answers import VECTORS, absent, case_id

from lorawan.crypto import derive_mc_ke_key, derive_mc_root_key_11, derive_mc_session_keys
from lorawan.ids import AesKey, DevAddr
from lorawan.packages import Package
from lorawan.packages.certification import (
    CERTIFICATION_V1,
    TX_PERIODS_S,
    CertificationDevice,
    DownlinkSeen,
    DutVersions,
)
from lorawan.packages.certification.commands import (
    DutResetReq,
    DutVersionsAns,
    EchoIncPayloadReq,
    TxFramesCtrlReq,
    TxPeriodicityChangeReq,
)
from lorawan.packages.clock import CLOCK_V1, CLOCK_V2
from lorawan.packages.commands import PackageCommand, PackageVersionAns
from lorawan.packages.events import PackageUplink
from lorawan.packages.firmware import FIRMWARE_V1
from lorawan.packages.fragmentation import FRAGMENTATION_V1, FRAGMENTATION_V2, FragSessionStatusAns, coded, split
from lorawan.packages.multicast import MULTICAST_V1, MULTICAST_V2, McGroupStatusAns

PACKAGE_OF_AREA = {
    "ts003_v1": CLOCK_V1,
    "ts003_v2": CLOCK_V2,
    "ts004_v1": FRAGMENTATION_V1,
    "ts004_v2": FRAGMENTATION_V2,
    "ts005_v1": MULTICAST_V1,
    "ts005_v2": MULTICAST_V2,
    "ts006": FIRMWARE_V1,
}
OWN_TEST = {"ts004_v2-004"}  # against the specification


def area(*names: str) -> list[Any]:
    """The vectors of some areas, or one skipped case that says why there are none."""
    cases = [pytest.param(v, id=case_id(v)) for v in VECTORS if v["area"] in names and v["id"] not in OWN_TEST]
    return cases or absent("-".join(names), {})


# What other implementations call the fields, beside our names
THEIR_NAMES = {
    "package_identifier": "identifier",
    "package_version": "version",
    "id": "identifier",
    "time": "device_time",
    "not_enough_matrix_memory": "memory_error",
    "dl_frequ": "dl_freq_hz",
    "dr": "data_rate",
    "min_mc_f_count": "min_mc_f_cnt",
    "max_mc_f_count": "max_mc_f_cnt",
    "time_to_start": "time_to_start_s",
    "fw": "fw_to_delete_version",
    "next_fw": "next_fw_version",
    "items": "groups",
}


def ours(name: str, value: Any) -> Any:
    """Their value as we write it."""
    if name.endswith("_mask"):
        return sum(1 << i for i, on in enumerate(value) if on)
    if name == "items":
        return tuple((item["mc_group_id"], DevAddr.from_hex(item["mc_addr"])) for item in value)
    if name == "mc_addr":
        return DevAddr.from_hex(value)
    if name == "mc_key_encrypted":
        return bytes(value)
    return 0 if value is None else value  # a field that is left out is 0 here


def flat(fields: dict[str, Any]) -> dict[str, Any]:
    """Their fields under our names, out of the records that they put them into."""
    out: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            out |= flat({inner: v for inner, v in value.items() if inner != "_type"})
        else:
            out[THEIR_NAMES.get(name, name)] = ours(name, value)
    return out


@pytest.mark.parametrize("vector", area(*PACKAGE_OF_AREA))
def test_package_commands(vector: dict[str, Any]) -> None:
    given, expect, source = vector["input"], vector["expect"], vector["source"]
    package: Package = PACKAGE_OF_AREA[vector["area"]]
    wire = bytes.fromhex(given["bytes"])
    parsed = package.parse(wire, uplink=given["uplink"])
    if expect.get("error"):
        assert (parsed.commands, parsed.rest) == ((), wire), source
        return
    assert parsed.rest == b"", source
    (command,) = parsed.commands
    wanted = flat(expect["fields"])
    assert {name: getattr(command, name) for name in wanted} == wanted, source
    assert command.encode() == wire, source


@pytest.mark.parametrize(
    "vector", [pytest.param(v, id=case_id(v)) for v in VECTORS if v["id"] in OWN_TEST] or absent("ts004_v2-004", {})
)
def test_a_status_without_session_has_no_other_fields(vector: dict[str, Any]) -> None:
    """The source reads four bytes whatever the status says; TS004-2.0.0 §3.2 leaves three of them out with bit 2."""
    parsed = FRAGMENTATION_V2.parse(bytes.fromhex(vector["input"]["bytes"]), uplink=True)
    assert parsed.commands[0] == FragSessionStatusAns(True, False, True, 0, 0, 0)
    assert parsed.commands[0].encode().hex() == "0105"
    assert parsed.commands[1] == PackageVersionAns(0xC4, 0x80)  # what follows is read as another command


@pytest.mark.parametrize("vector", area("ts004_fec"))
def test_coded_fragments(vector: dict[str, Any]) -> None:
    given = vector["input"]
    fragments, padding = split(bytes.fromhex(given["data"]), given["frag_size"])
    if vector["expect"].get("error"):
        # the source refuses a block that does not fill its fragments; TS004 has the Padding field for it
        assert (len(fragments), padding) == (1, 5)
        return
    assert padding == 0
    found = [
        coded(fragments, len(fragments) + y, 1).to_bytes(given["frag_size"], "big").hex()
        for y in range(1, given["redundancy"] + 1)
    ]
    assert found == vector["expect"]["coded"], vector["source"]


@pytest.mark.parametrize("vector", area("mc_keys"))
def test_multicast_keys(vector: dict[str, Any]) -> None:
    key, block = AesKey.from_hex(vector["input"]["key"]), bytes.fromhex(vector["input"]["block"])
    derived = {
        0x20: lambda: derive_mc_root_key_11(key),
        0x00: lambda: derive_mc_ke_key(key),
        0x01: lambda: derive_mc_session_keys(key, DevAddr.from_wire(block[1:5])).mc_app_s_key,
        0x02: lambda: derive_mc_session_keys(key, DevAddr.from_wire(block[1:5])).mc_nwk_s_key,
    }[block[0]]()
    assert derived.hex() == vector["expect"]["derived"], vector["source"]


def dut() -> CertificationDevice:
    return CertificationDevice(DutVersions((1, 2, 0, 0), (1, 0, 4, 0), (2, 1, 0, 3)))


@pytest.mark.parametrize("vector", area("ts009"))
def test_certification(vector: dict[str, Any]) -> None:
    given, expect = vector["input"], vector["expect"]
    if "downlink" in given:
        device = dut()
        for _ in range(3):
            assert not device.handle(DownlinkSeen(10, b"x"), 0)
        (uplink,) = device.handle(DownlinkSeen(given["fport"], bytes.fromhex(given["downlink"])), 0)
        assert isinstance(uplink, PackageUplink)
        assert uplink.payload.hex() == expect["uplink"]  # the request is the fourth
        return
    wire = bytes.fromhex(given["bytes"])
    parsed = CERTIFICATION_V1.parse(wire, uplink="fw" in expect)
    if expect.get("error"):
        assert (parsed.commands, parsed.rest) == ((), wire)
        return
    assert parsed.rest == b""
    assert b"".join(command.encode() for command in parsed.commands) == wire
    told: list[Any] = [told_of(command) for command in parsed.commands]
    if "commands" in expect:
        assert told == expect["commands"]
    else:
        assert told == [expect]


def told_of(command: PackageCommand) -> Any:
    """A command as the vectors tell of it."""
    match command:
        case DutResetReq():
            return "DutResetReq"
        case TxPeriodicityChangeReq():
            return {"TxPeriodicityChangeReq_s": TX_PERIODS_S[command.index]}
        case EchoIncPayloadReq():
            return {"EchoIncPayloadReq": command.payload.hex()}
        case TxFramesCtrlReq():
            return {"frame_type": command.frame_type, "rest": command.ignored.hex()}
        case DutVersionsAns():
            names = ("fw", "lorawan", "regional")
            values = (command.firmware, command.lorawan, command.regional_parameters)
            return {name: ".".join(map(str, value)) for name, value in zip(names, values, strict=True)}
        case _:
            return command


def test_a_status_answer_lists_the_groups_of_its_mask() -> None:
    # TS005-2.0.0 §4.2, tables 6 and 7: status, then five bytes a group
    groups = ((0, DevAddr(0x01020304)), (3, DevAddr(0xAABBCCDD)))
    answer = McGroupStatusAns.of_groups(2, groups)
    assert answer.encode().hex() == "01" + "29" + "0004030201" + "03ddccbbaa"
    assert answer.groups == groups
