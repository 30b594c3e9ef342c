"""Firmware management (TS006): versions, the one programmed reboot, the one stored image."""

from __future__ import annotations

import pytest

from lorawan.machine import Dropped
from lorawan.packages.asking import Answered, Ask, AskingServer, Unanswered
from lorawan.packages.commands import PackageCommand, PackageVersionAns, PackageVersionReq, encode_commands
from lorawan.packages.events import PackageDownlink, PackageUplink, PackageUplinkHeard, SendDownlink, TimeKnown
from lorawan.packages.firmware import (
    FIRMWARE_V1,
    DeleteImage,
    DevDeleteImageAns,
    DevDeleteImageReq,
    DevRebootCountdownAns,
    DevRebootCountdownReq,
    DevRebootTimeAns,
    DevRebootTimeReq,
    DevUpgradeImageAns,
    DevUpgradeImageReq,
    DevVersionAns,
    DevVersionReq,
    FirmwareConfig,
    FirmwareDevice,
    ImageStored,
    Reboot,
    Rebooted,
    UpImageStatus,
)
from lorawan.units import US_PER_S

GPS_S = 1_400_000_000


def device_of(*, knows_time: bool = True) -> FirmwareDevice:
    device = FirmwareDevice(FirmwareConfig(0x01020304, 7))
    if knows_time:
        device.handle(TimeKnown(GPS_S * US_PER_S), 0)
    return device


def ask(device: FirmwareDevice, command: PackageCommand, now: int = 0) -> object:
    """Its only effect: the answer, or what it does."""
    (effect,) = device.handle(PackageDownlink(command.encode()), now)
    if isinstance(effect, PackageUplink):
        (answer,) = effect.commands
        return answer
    return effect


def test_versions() -> None:
    assert ask(device_of(), DevVersionReq()) == DevVersionAns(0x01020304, 7)
    assert ask(device_of(), PackageVersionReq()) == PackageVersionAns(4, 1)


def test_a_reboot_at_a_time() -> None:
    device = device_of()
    assert ask(device, DevRebootTimeReq(GPS_S + 100), 40 * US_PER_S) == DevRebootTimeAns(60)
    assert device.wake_at == 100 * US_PER_S
    assert device.wake(100 * US_PER_S - 1) == ()
    assert device.wake(100 * US_PER_S) == (Reboot(install=False),)
    assert device.wake_at is None


@pytest.mark.parametrize(("knows_time", "at"), [(True, GPS_S - 1), (True, GPS_S), (False, GPS_S + 100)])
def test_a_time_that_is_past_or_cannot_be_known(knows_time: bool, at: int) -> None:
    device = device_of(knows_time=knows_time)
    assert ask(device, DevRebootTimeReq(at)) == DevRebootTimeAns(0)
    assert device.wake_at is None


def test_a_reboot_after_a_while() -> None:
    device = device_of(knows_time=False)
    assert ask(device, DevRebootCountdownReq(16_777_214), 5) == DevRebootCountdownAns(16_777_214)
    assert device.wake_at == 5 + 16_777_214 * US_PER_S  # 194 days, 4 h, 20 min and 14 s (TS006-1.0.0 §3.4)
    assert 16_777_214 == ((194 * 24 + 4) * 60 + 20) * 60 + 14


@pytest.mark.parametrize("now_please", [DevRebootTimeReq(0), DevRebootCountdownReq(0)])
def test_a_reboot_at_once_has_no_answer(now_please: PackageCommand) -> None:
    device = device_of()
    ask(device, DevRebootCountdownReq(10))
    assert ask(device, now_please) == Reboot(install=False)
    assert device.wake_at is None


@pytest.mark.parametrize(
    ("cancel", "answer"),
    [
        (DevRebootTimeReq(0xFFFFFFFF), DevRebootTimeAns(0xFFFFFFFF)),
        (DevRebootCountdownReq(0xFFFFFF), DevRebootCountdownAns(0xFFFFFF)),
    ],
)
def test_either_command_cancels(cancel: PackageCommand, answer: PackageCommand) -> None:
    device = device_of()
    ask(device, DevRebootTimeReq(GPS_S + 100))
    assert ask(device, cancel) == answer
    assert device.wake_at is None


def test_a_reboot_by_the_clock_moves_with_it_and_a_countdown_does_not() -> None:
    device = device_of()
    ask(device, DevRebootTimeReq(GPS_S + 100))
    device.handle(TimeKnown((GPS_S + 10) * US_PER_S), 0)
    assert device.wake_at == 90 * US_PER_S
    ask(device, DevRebootCountdownReq(50))
    device.handle(TimeKnown((GPS_S + 20) * US_PER_S), 0)
    assert device.wake_at == 50 * US_PER_S


def test_only_the_last_valid_request_counts() -> None:
    device = device_of()
    ask(device, DevRebootTimeReq(GPS_S + 100))
    ask(device, DevRebootCountdownReq(20))
    ask(device, DevRebootTimeReq(GPS_S - 5))  # not a valid one
    assert device.wake_at == 20 * US_PER_S


@pytest.mark.parametrize("status", UpImageStatus)
def test_a_valid_image_is_installed_by_a_reboot(status: UpImageStatus) -> None:
    device = device_of()
    device.handle(ImageStored(status, 9), 0)
    valid = status is UpImageStatus.VALID
    assert ask(device, DevUpgradeImageReq()) == DevUpgradeImageAns(status, 9 if valid else 0)
    assert ask(device, DevRebootCountdownReq(0)) == Reboot(install=valid)
    device.handle(Rebooted(valid), 0)
    assert ask(device, DevVersionReq()) == DevVersionAns(9 if valid else 0x01020304, 7)
    if valid:  # TS006-1.0.0 §3.5: it is no longer reported
        assert ask(device, DevUpgradeImageReq()) == DevUpgradeImageAns(UpImageStatus.NONE, 0)


def test_an_image_is_deleted_by_its_version() -> None:
    device = device_of()
    assert ask(device, DevDeleteImageReq(9)) == DevDeleteImageAns(True, False)
    device.handle(ImageStored(UpImageStatus.VALID, 9), 0)
    assert ask(device, DevDeleteImageReq(8)) == DevDeleteImageAns(False, True)
    uplink, deleted = device.handle(PackageDownlink(DevDeleteImageReq(9).encode()), 0)
    assert isinstance(uplink, PackageUplink)
    assert uplink.commands == (DevDeleteImageAns(False, False),)
    assert deleted == DeleteImage(9)
    assert ask(device, DevUpgradeImageReq()) == DevUpgradeImageAns(UpImageStatus.NONE, 0)


def test_several_commands_are_answered_in_as_few_uplinks_as_have_room() -> None:
    many = encode_commands([DevVersionReq(), DevUpgradeImageReq(), DevVersionReq()])
    effects = device_of().handle(PackageDownlink(many, room_bytes=11), 0)
    sizes = [len(effect.payload) for effect in effects if isinstance(effect, PackageUplink)]
    assert sizes == [11, 9]


def test_multicast_is_dropped() -> None:
    (dropped,) = device_of().handle(PackageDownlink(DevRebootCountdownReq(0).encode(), mc_group_id=0), 0)
    assert isinstance(dropped, Dropped)


def test_a_server_asks_until_it_is_answered_or_gives_up() -> None:
    server = AskingServer(FIRMWARE_V1, again_us=100, tries=2)
    asked = SendDownlink(DevVersionReq().encode())
    assert server.handle(Ask(DevVersionReq()), 0) == (asked,)
    assert server.wake(99) == []
    assert server.wake(100) == [asked]
    assert server.wake(200) == [Unanswered(DevVersionReq(), 2)]
    assert server.wake_at is None
    server.handle(Ask(DevVersionReq()), 200)
    answer = DevVersionAns(1, 2)
    assert server.handle(PackageUplinkHeard(answer.encode()), 250) == [Answered(DevVersionReq(), answer)]
    assert server.wake_at is None
    (dropped,) = server.handle(PackageUplinkHeard(b"\xee"), 250)
    assert isinstance(dropped, Dropped)
