"""The certification protocol (TS009): what each command makes the device do, its counters, and the bench."""

from __future__ import annotations

import pytest

from lorawan.machine import Dropped
from lorawan.packages.asking import Answered, Ask
from lorawan.packages.certification import (
    BeaconMissed,
    BeaconReported,
    BeaconSeen,
    CertificationBench,
    CertificationDevice,
    ChangeClass,
    DeviceClass,
    DisablePort,
    DownlinkSeen,
    DutVersions,
    JoinAgain,
    MacRequest,
    ResetMcu,
    SendMac,
    SendPingSlotInfo,
    SetAdr,
    SetConfirmed,
    SetDutyCycle,
    SetPeriod,
    TransmitCarrier,
    WrongAnswer,
)
from lorawan.packages.certification.commands import (
    BeaconRxStatusInd,
    DutResetReq,
    EchoIncPayloadAns,
    EchoIncPayloadReq,
    RxAppCntAns,
    RxAppCntReq,
)
from lorawan.packages.commands import PackageVersionAns, PackageVersionReq
from lorawan.packages.events import PackageUplink, PackageUplinkHeard, SendDownlink
from lorawan.units import US_PER_S

# one row each of the table in certification-reference.md §4.1 (TS009-1.1.0 §5; LoRaMac-node@dcbcfb32)
DOES: list[tuple[str, list[object]]] = [
    ("01", [ResetMcu()]),
    ("02", [JoinAgain()]),
    ("0300", [ChangeClass(DeviceClass.A)]),
    ("0301", [ChangeClass(DeviceClass.B)]),
    ("0302", [ChangeClass(DeviceClass.C)]),
    ("0400", [SetAdr(False)]),
    ("0401", [SetAdr(True)]),
    ("0500", [SetDutyCycle(False)]),
    ("0501", [SetDutyCycle(True)]),
    ("0600", [SetPeriod(None)]),
    *[
        (f"06{i:02x}", [SetPeriod(seconds * US_PER_S)])
        for i, seconds in enumerate((5, 10, 20, 30, 40, 50, 60, 120, 240, 480), 1)
    ],
    ("0700", []),
    ("0701", [SetConfirmed(False)]),
    ("0702", [SetConfirmed(True)]),
    ("0702aabb", [SetConfirmed(True)]),
    ("0a", []),
    ("20", [SendMac(MacRequest.LINK_CHECK)]),
    ("21", [SendMac(MacRequest.DEVICE_TIME)]),
    ("2205", [SendPingSlotInfo(5)]),
    ("4001", []),
    ("43", []),
    ("7d0800d8b2830e", [TransmitCarrier(8 * US_PER_S, 863_100_000, 14)]),  # TS009-1.0.0 §5.14, example
    ("7d0100d8b283ff", [TransmitCarrier(US_PER_S, 863_100_000, -1)]),
    ("7e", [DisablePort(), ResetMcu()]),
]
ANSWERS = [
    ("00", "000601"),
    ("08fe00ff", "08ff0100"),
    ("09", "090100"),
    ("42", "420000"),
    ("7f", "7f010200000100040002010003"),  # seen on LoRaMac-node
]


def dut() -> CertificationDevice:
    return CertificationDevice(DutVersions((1, 2, 0, 0), (1, 0, 4, 0), (2, 1, 0, 3)))


def command(text: str, room: int = 51) -> DownlinkSeen:
    return DownlinkSeen(224, bytes.fromhex(text), room_bytes=room)


@pytest.mark.parametrize(("text", "effects"), DOES, ids=[text for text, _ in DOES])
def test_what_a_command_does(text: str, effects: list[object]) -> None:
    assert list(dut().handle(command(text), 0)) == effects


@pytest.mark.parametrize(("text", "answer"), ANSWERS)
def test_what_a_command_is_answered_with(text: str, answer: str) -> None:
    (uplink,) = dut().handle(command(text), 0)
    assert isinstance(uplink, PackageUplink)
    assert uplink.payload.hex() == answer


@pytest.mark.parametrize("text", ["0303", "0402", "0502", "060b", "0703", "4002"])
def test_values_that_mean_nothing_change_nothing(text: str) -> None:
    (dropped,) = dut().handle(command(text), 0)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "value"


@pytest.mark.parametrize("text", ["08", "03", "7d0800d8b283", "55"])
def test_what_is_unknown_or_cut_short_is_dropped(text: str) -> None:
    (dropped,) = dut().handle(command(text), 0)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "command"


def test_an_echo_is_cut_to_the_room_there_is() -> None:
    (uplink,) = dut().handle(command("08" + "10" * 100, room=11), 0)
    assert isinstance(uplink, PackageUplink)
    assert uplink.payload.hex() == "08" + "11" * 10


def test_the_downlink_counter() -> None:
    """Application frames and acknowledgements count, MAC commands on port 0 or in FOpts alone do not."""
    device = dut()
    for event, count in (
        (DownlinkSeen(1, b"x"), 1),
        (DownlinkSeen(None, ack=True), 2),
        (DownlinkSeen(None), 2),
        (DownlinkSeen(0, b"\x06"), 2),
        (DownlinkSeen(0, b"\x06", ack=True), 3),
        (DownlinkSeen(202, b"\x00"), 4),
    ):
        device.handle(event, 0)
        assert device.rx_app_cnt == count
    device.handle(command("0a"), 0)
    assert device.rx_app_cnt == 0
    device.rx_app_cnt = 0xFFFF
    device.handle(DownlinkSeen(1, b"x"), 0)
    assert device.rx_app_cnt == 0


BEACON = BeaconSeen(869_525_000, 3, -120, -10, 2, 100_000_000, 1, bytes.fromhex("a1a2a3a4a5a6"))


def test_beacons_are_counted_and_told_of_where_that_is_asked_for() -> None:
    device = dut()
    assert device.handle(BEACON, 0) == ()
    device.handle(command("4001"), 0)
    (told,) = device.handle(BEACON, 0)
    assert isinstance(told, PackageUplink)
    assert told.payload.hex() == "41010200d2ad840388fff60200e1f50501a1a2a3a4a5a6"
    (counted,) = device.handle(command("42"), 0)
    assert isinstance(counted, PackageUplink)
    assert counted.payload.hex() == "420200"
    (lost,) = device.handle(BeaconMissed(), 0)
    assert isinstance(lost, PackageUplink)
    assert lost.payload.hex().startswith("41000000")
    device.handle(BEACON, 0)
    device.handle(command("43"), 0)
    assert device.beacon_cnt == 0
    device.handle(command("4000"), 0)
    assert device.handle(BEACON, 0) == ()


def test_a_closed_port_stays_closed() -> None:
    device = dut()
    device.handle(command("7e"), 0)
    (dropped,) = device.handle(command("00"), 0)
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "disabled"
    assert device.handle(DownlinkSeen(10, b"x"), 0) == ()


def test_the_bench_asks_and_judges() -> None:
    bench, device = CertificationBench(again_us=100), dut()
    echo = EchoIncPayloadReq(bytes((0, 254, 255)))
    (sent,) = bench.handle(Ask(echo), 0)
    assert isinstance(sent, SendDownlink)
    (uplink,) = device.handle(DownlinkSeen(224, sent.payload), 0)
    assert isinstance(uplink, PackageUplink)
    answer = EchoIncPayloadAns(bytes((1, 255, 0)))
    assert bench.handle(PackageUplinkHeard(uplink.payload), 0) == [Answered(echo, answer)]
    assert bench.wake_at is None


@pytest.mark.parametrize("payload", [b"", b"\x01\x02", b"\x02\x03\x04"])
def test_the_bench_sees_a_wrong_echo(payload: bytes) -> None:
    bench = CertificationBench()
    bench.handle(Ask(EchoIncPayloadReq(b"\x01\x02")), 0)
    (wrong,) = bench.handle(PackageUplinkHeard(EchoIncPayloadAns(payload).encode()), 0)
    assert isinstance(wrong, WrongAnswer)


def test_the_bench_sees_another_package() -> None:
    bench = CertificationBench()
    bench.handle(Ask(PackageVersionReq()), 0)
    (wrong,) = bench.handle(PackageUplinkHeard(PackageVersionAns(5, 1).encode()), 0)
    assert isinstance(wrong, WrongAnswer)


def test_the_bench_repeats_what_has_an_answer() -> None:
    bench = CertificationBench(again_us=100)
    bench.handle(Ask(DutResetReq()), 0)
    assert bench.wake_at is None
    (sent,) = bench.handle(Ask(RxAppCntReq()), 0)
    assert bench.wake(100) == [sent]
    answer = RxAppCntAns(7)
    assert bench.handle(PackageUplinkHeard(answer.encode()), 100) == [Answered(RxAppCntReq(), answer)]


def test_the_bench_hears_of_beacons() -> None:
    indication = BeaconRxStatusInd(True, 1, 869_525_000, 3, -1, -1, 0, 0, 0, bytes(6))
    assert CertificationBench().handle(PackageUplinkHeard(indication.encode()), 0) == [BeaconReported(indication)]
