"""The device side of firmware management: versions, one programmed reboot, one stored upgrade image.

Source: TS006-1.0.0 §3.2–3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lorawan.machine import Dropped, Instant
from lorawan.packages.commands import PackageCommand, PackageVersionReq
from lorawan.packages.events import DeviceClock, PackageDownlink, PackageUplink, TimeKnown, uplinks_of
from lorawan.packages.firmware.commands import (
    COUNTDOWN_CANCEL,
    FIRMWARE_V1,
    REBOOT_TIME_CANCEL,
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
    UpImageStatus,
)
from lorawan.units import US_PER_S


@dataclass(frozen=True, slots=True)
class FirmwareConfig:
    """fw_version, hw_version: 32 bits each, as the manufacturer numbers them."""

    fw_version: int
    hw_version: int


@dataclass(frozen=True, slots=True)
class ImageStored:
    """Event: an upgrade image was downloaded and examined; it takes the place of any other.

    version: what will run once it is installed; it counts for a valid image alone.
    """

    status: UpImageStatus
    version: int = 0


@dataclass(frozen=True, slots=True)
class Rebooted:
    """Event: the device runs again after Reboot; installed: with the image that was stored."""

    installed: bool


@dataclass(frozen=True, slots=True)
class Reboot:
    """Effect: reset the hardware, after what was to be sent is sent. install: put the valid image in place first."""

    install: bool


@dataclass(frozen=True, slots=True)
class DeleteImage:
    """Effect: delete the stored image."""

    version: int


FirmwareDeviceEvent: TypeAlias = PackageDownlink | TimeKnown | ImageStored | Rebooted
FirmwareDeviceEffect: TypeAlias = PackageUplink | Reboot | DeleteImage | Dropped


class FirmwareDevice:
    """One device's firmware."""

    def __init__(self, config: FirmwareConfig) -> None:
        self.fw_version, self.hw_version = config.fw_version, config.hw_version
        self.image = ImageStored(UpImageStatus.NONE)
        self.clock: DeviceClock | None = None  # None: the time is not known
        self._reboot_at: Instant | None = None
        self._reboot_gps_s: int | None = None  # where it was asked for by the clock

    @property
    def wake_at(self) -> Instant | None:
        """When the programmed reboot is due."""
        return self._reboot_at

    def wake(self, now: Instant) -> Sequence[FirmwareDeviceEffect]:
        """Reboot, if it is time."""
        if self._reboot_at is None or now < self._reboot_at:
            return ()
        self._program(None)
        return (self._reboot(),)

    def handle(self, event: FirmwareDeviceEvent, now: Instant) -> Sequence[FirmwareDeviceEffect]:
        """Take a downlink, the time, an image or a reboot in."""
        match event:
            case TimeKnown():
                self.clock = DeviceClock(event.gps_origin_us)
                if self._reboot_gps_s is not None:  # the hour is the same, by another clock
                    self._reboot_at = self.clock.instant_of(self._reboot_gps_s, now)
                return ()
            case ImageStored():
                self.image = event
                return ()
            case Rebooted():
                if event.installed:
                    self.fw_version, self.image = self.image.version, ImageStored(UpImageStatus.NONE)
                self._program(None)
                return ()
            case PackageDownlink():
                return self._downlink(event, now)

    def _downlink(self, event: PackageDownlink, now: Instant) -> Sequence[FirmwareDeviceEffect]:
        package = FIRMWARE_V1
        if event.mc_group_id is not None:
            return (Dropped("multicast", package.clause, "unicast only"),)
        parsed = package.parse(event.payload, uplink=False)
        answers: list[PackageCommand] = []
        effects: list[FirmwareDeviceEffect] = []
        for command in parsed.commands:
            match command:
                case PackageVersionReq():
                    answers.append(package.version_ans)
                case DevVersionReq():
                    answers.append(DevVersionAns(self.fw_version, self.hw_version))
                case DevRebootTimeReq(reboot_time=0) | DevRebootCountdownReq(countdown=0):
                    self._program(None)
                    effects.append(self._reboot())  # this request alone has no answer
                case DevRebootTimeReq():
                    answers.append(DevRebootTimeAns(self._at(command.reboot_time, now)))
                case DevRebootCountdownReq():
                    answers.append(DevRebootCountdownAns(self._in(command.countdown, now)))
                case DevUpgradeImageReq():
                    valid = self.image.status is UpImageStatus.VALID
                    answers.append(DevUpgradeImageAns(self.image.status, self.image.version if valid else 0))
                case DevDeleteImageReq():
                    answers.append(self._delete(command.fw_to_delete_version, effects))
        if parsed.rest:
            effects.append(Dropped("command", package.clause, f"not understood: {parsed.rest.hex()}"))
        return [*uplinks_of(answers, event.room_bytes), *effects]

    def _reboot(self) -> Reboot:
        return Reboot(self.image.status is UpImageStatus.VALID)

    def _program(self, at: Instant | None, gps_s: int | None = None) -> None:
        """There is one reboot at most: this one, or none."""
        self._reboot_at, self._reboot_gps_s = at, gps_s

    def _at(self, gps_s: int, now: Instant) -> int:
        """Program a reboot for that second: seconds until then, or 0 where the time is unknown or past (§3.3)."""
        if gps_s == REBOOT_TIME_CANCEL:
            self._program(None)
            return REBOOT_TIME_CANCEL
        if self.clock is None or (at := self.clock.instant_of(gps_s, now)) <= now:
            return 0
        self._program(at, gps_s)
        return max(1, (at - now) // US_PER_S)  # 0 would say that it cannot

    def _in(self, seconds: int, now: Instant) -> int:
        """Program a reboot after that time, counted from now: this request's reception (§3.4)."""
        if seconds == COUNTDOWN_CANCEL:
            self._program(None)
        else:
            self._program(now + seconds * US_PER_S)
        return seconds

    def _delete(self, version: int, effects: list[FirmwareDeviceEffect]) -> DevDeleteImageAns:
        if self.image.status is not UpImageStatus.VALID:
            return DevDeleteImageAns(True, False)
        if self.image.version != version:
            return DevDeleteImageAns(False, True)
        self.image = ImageStored(UpImageStatus.NONE)
        effects.append(DeleteImage(version))
        return DevDeleteImageAns(False, False)
