"""Package commands on the wire, written by hand from the tables of the specifications, and what ends a reading."""

from __future__ import annotations

import pytest

from lorawan.errors import FrameError
from lorawan.packages import PACKAGES, Package
from lorawan.packages.certification import CERTIFICATION_V1
from lorawan.packages.certification import commands as cert
from lorawan.packages.clock import CLOCK_V1, CLOCK_V2
from lorawan.packages.clock import commands as clock
from lorawan.packages.commands import PackageCommand, PackageVersionAns, PackageVersionReq, encode_commands
from lorawan.packages.firmware import FIRMWARE_V1
from lorawan.packages.firmware import commands as fw
from lorawan.packages.fragmentation import FRAGMENTATION_V1, FRAGMENTATION_V2
from lorawan.packages.fragmentation import commands as frag
from lorawan.packages.multicast import MULTICAST_V1, MULTICAST_V2
from lorawan.packages.multicast import commands as mc

KEY = bytes(range(16))

# package, wire, command, clause: typed from the tables named
WIRE: list[tuple[Package, str, PackageCommand, str]] = [
    (CLOCK_V2, "00", PackageVersionReq(), "TS003-2.0.0 §3.1"),
    (CLOCK_V2, "00" "01" "02", PackageVersionAns(1, 2), "TS003-2.0.0 table 3"),
    (CLOCK_V1, "01" "78563412" "1a", clock.AppTimeReq(0x12345678, 10, True), "TS003-1.0.0 tables 3 and 4"),
    (CLOCK_V2, "01" "ffffffff" "05", clock.AppTimeAns(-1, 5), "TS003-1.0.0 tables 5 and 6"),
    (CLOCK_V2, "02" "0c", clock.DeviceAppTimePeriodicityReq(12), "TS003-2.0.0 §3.3"),
    (CLOCK_V2, "02" "01" "01000080", clock.DeviceAppTimePeriodicityAns(True, 0x80000001), "TS003-2.0.0 table 10"),
    (CLOCK_V2, "03" "03", clock.ForceDeviceResyncCmd(3), "TS003-2.0.0 tables 12 and 13"),
    (FRAGMENTATION_V2, "01" "07", frag.FragSessionStatusReq(3, True), "TS004-2.0.0 table 5"),
    (
        FRAGMENTATION_V2,
        "01" "02" "3480" "00",
        frag.FragSessionStatusAns(False, True, False, 0x34, 2, 0),
        "TS004-2.0.0 tables 6 to 8",
    ),
    (FRAGMENTATION_V2, "01" "04", frag.FragSessionStatusAns(False, False, True, 0, 0, 0), "TS004-2.0.0 §3.2"),
    (FRAGMENTATION_V1, "01" "3480" "07" "00", frag.FragSessionStatusAnsV1(0x34, 2, 7, False), "TS004-1.0.0 §3.5"),
    (FRAGMENTATION_V2, "02" "91", frag.FragSessionSetupAns(2, True, False, False, False, True), "TS004-2.0.0 table 14"),
    (FRAGMENTATION_V2, "03" "02", frag.FragSessionDeleteReq(2), "TS004-2.0.0 table 16"),
    (FRAGMENTATION_V2, "03" "06", frag.FragSessionDeleteAns(2, True), "TS004-2.0.0 table 18"),
    (FRAGMENTATION_V2, "04" "05", frag.FragDataBlockReceivedReq(1, True), "TS004-2.0.0 table 20"),
    (FRAGMENTATION_V2, "04" "01", frag.FragDataBlockReceivedAns(1), "TS004-2.0.0 table 22"),
    (FRAGMENTATION_V2, "08" "0140" "aabb", frag.DataFragment(1, 1, b"\xaa\xbb"), "TS004-2.0.0 tables 23 and 24"),
    (MULTICAST_V2, "01" "05", mc.McGroupStatusReq(0b0101), "TS005-2.0.0 table 5"),
    (
        MULTICAST_V2,
        "02" "01" "44332211" + KEY.hex() + "01000000" "ff000000",
        mc.McGroupSetupReq(1, 0x11223344, KEY, 1, 255),
        "TS005-2.0.0 tables 8 and 9",
    ),
    (MULTICAST_V2, "02" "05", mc.McGroupSetupAns(1, True), "TS005-2.0.0 table 11"),
    (MULTICAST_V2, "03" "03", mc.McGroupDeleteReq(3), "TS005-2.0.0 table 13"),
    (MULTICAST_V2, "03" "07", mc.McGroupDeleteAns(3, True), "TS005-2.0.0 table 15"),
    (
        MULTICAST_V2,
        "04" "01" "78563412" "08" "d2ad84" "03",
        mc.McClassCSessionReq(1, 0x12345678, 8, 869_525_000, 3),
        "TS005-2.0.0 table 16",
    ),
    (
        MULTICAST_V2,
        "05" "01" "80000000" "25" "000000" "03",
        mc.McClassBSessionReq(1, 128, 5, 2, 0, 3),
        "TS005-2.0.0 tables 21 to 23",
    ),
    (MULTICAST_V2, "04" "21", mc.McClassCSessionAns(1, False, False, False, 0, True, 0), "TS005-2.0.0 §4.5"),
    (MULTICAST_V2, "05" "02" "0a0000", mc.McClassBSessionAns(2, False, False, False, 10, False, 0), "TS005-2.0.0 §4.6"),
    (MULTICAST_V2, "05" "81", mc.McClassBSessionAns(1, False, False, False, 0, False, 2), "TS005-2.0.0 §4.5, reserved"),
    (MULTICAST_V1, "04" "08", mc.McClassCSessionAnsV1(0, False, True, False, 0), "TS005-1.0.0 table 19"),
    (FIRMWARE_V1, "01" "04030201" "08070605", fw.DevVersionAns(0x01020304, 0x05060708), "TS006-1.0.0 table 3"),
    (FIRMWARE_V1, "02" "ffffffff", fw.DevRebootTimeReq(0xFFFFFFFF), "TS006-1.0.0 §3.3"),
    (FIRMWARE_V1, "03" "feffff", fw.DevRebootCountdownReq(16_777_214), "TS006-1.0.0 §3.4, note"),
    (FIRMWARE_V1, "04" "02", fw.DevUpgradeImageAns(2, 0), "TS006-1.0.0 table 10"),
    (FIRMWARE_V1, "04" "03" "04030201", fw.DevUpgradeImageAns(3, 0x01020304), "TS006-1.0.0 §3.5"),
    (CERTIFICATION_V1, "7d" "0800" "d8b283" "0e", cert.TxCwReq(8, 863_100_000, 14), "TS009-1.0.0 §5.14, example"),
    (CERTIFICATION_V1, "22" "05", cert.DutPingSlotInfoReq(5), "TS009-1.0.0 §5.13"),
    (CERTIFICATION_V1, "42" "3412", cert.BeaconCntAns(0x1234), "LoRaMac-node@dcbcfb32 LmhpCompliance.c"),
    (
        CERTIFICATION_V1,
        "41" "01" "0500" "d2ad84" "03" "88ff" "f6" "02" "00e1f505" "01" "a1a2a3a4a5a6",
        cert.BeaconRxStatusInd(True, 5, 0x84ADD2 * 100, 3, -120, -10, 2, 100_000_000, 1, bytes.fromhex("a1a2a3a4a5a6")),
        "LoRaMac-node@dcbcfb32 LmhpCompliance.c, SendBeaconRxStatusInd",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("package", "wire", "command", "clause"), WIRE, ids=[f"{type(c).__name__}-{w}" for _, w, c, _ in WIRE]
)
def test_a_command_on_the_wire(package: Package, wire: str, command: PackageCommand, clause: str) -> None:
    assert command.encode().hex() == wire, clause
    assert package.parse(bytes.fromhex(wire), uplink=command.uplink).commands == (command,), clause


def test_a_setup_request_on_the_wire() -> None:
    # TS004-2.0.0 tables 9 to 11: session, NbFrag, FragSize, Control, Padding, Descriptor, SessionCnt, MIC
    wire = "02" + "25" + "0a00" + "32" + "43" + "07" + "04030201" + "3412" + "deadbeef"
    command = frag.FragSessionSetupReq(5, 2, 10, 50, 3, 0, True, 7, 0x01020304, 0x1234, bytes.fromhex("deadbeef"))
    assert command.encode().hex() == wire
    # TS004-1.0.0 §3.2: the same without the last two, and bit 6 of Control is RFU
    old = frag.FragSessionSetupReqV1(5, 2, 10, 50, 3, 0, 7, 0x01020304)
    assert old.encode().hex() == "02" + "25" + "0a00" + "32" + "03" + "07" + "04030201"
    parsed = FRAGMENTATION_V1.parse(bytes.fromhex(wire), uplink=False)
    assert parsed.commands[0] == old  # RFU is passed over
    assert parsed.rest.hex() == "3412deadbeef"


# identifier, version, FPort: TS003 to TS006 §3 or §4, TS009 §5.1
IDENTITIES = {(1, 1, 202), (1, 2, 202), (2, 1, 200), (2, 2, 200), (3, 1, 201), (3, 2, 201), (4, 1, 203), (6, 1, 224)}


def test_the_packages_are_who_they_say() -> None:
    assert {(p.identifier, p.version, p.f_port) for p in PACKAGES} == IDENTITIES


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: f"{p.name}-{p.version}")
def test_what_is_unknown_or_cut_short_ends_the_reading(package: Package) -> None:
    version = PackageVersionReq().encode()
    unknown = next(cid for cid in range(256) if (False, cid) not in package.registry)
    parsed = package.parse(version + bytes((unknown,)) + version, uplink=False)
    assert parsed.commands == (PackageVersionReq(),)
    assert parsed.rest == bytes((unknown, 0))


def test_a_field_that_is_left_out_cannot_have_a_value() -> None:
    with pytest.raises(FrameError, match="left out"):
        fw.DevUpgradeImageAns(1, 7)
    with pytest.raises(FrameError, match="left out"):
        mc.McGroupStatusAns(1, 1, b"")
    with pytest.raises(FrameError, match=r"DataFragment\.n"):
        frag.DataFragment(1 << 14, 0, b"")
    with pytest.raises(FrameError, match="mic"):
        frag.FragSessionSetupReq(0, 0, 1, 1, 0, 0, False, 0, 0, 0, b"abc")


def test_commands_of_one_message_come_in_order() -> None:
    commands = (PackageVersionReq(), clock.ForceDeviceResyncCmd(2), clock.DeviceAppTimePeriodicityReq(1))
    assert CLOCK_V2.parse(encode_commands(commands), uplink=False).commands == commands
