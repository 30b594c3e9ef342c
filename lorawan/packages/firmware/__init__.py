"""Firmware management (TS006), FPort 203. Its server side is `lorawan.packages.asking.AskingServer(FIRMWARE_V1)`."""

from lorawan.packages.firmware.commands import (
    COUNTDOWN_CANCEL,
    FIRMWARE_F_PORT,
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
from lorawan.packages.firmware.device import DeleteImage, FirmwareConfig, FirmwareDevice, ImageStored, Reboot, Rebooted

__all__ = [
    "COUNTDOWN_CANCEL",
    "FIRMWARE_F_PORT",
    "FIRMWARE_V1",
    "REBOOT_TIME_CANCEL",
    "DeleteImage",
    "DevDeleteImageAns",
    "DevDeleteImageReq",
    "DevRebootCountdownAns",
    "DevRebootCountdownReq",
    "DevRebootTimeAns",
    "DevRebootTimeReq",
    "DevUpgradeImageAns",
    "DevUpgradeImageReq",
    "DevVersionAns",
    "DevVersionReq",
    "FirmwareConfig",
    "FirmwareDevice",
    "ImageStored",
    "Reboot",
    "Rebooted",
    "UpImageStatus",
]
