"""Commands of the firmware management package, FPort 203.

Source: TS006-1.0.0 §3.1–3.6, tables 1–12.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from lorawan.mac_commands.base import bits, flag
from lorawan.packages.commands import Package, PackageCommand

FIRMWARE_F_PORT: Final = 203
REBOOT_TIME_CANCEL: Final = 0xFFFFFFFF  # TS006-1.0.0 §3.3
COUNTDOWN_CANCEL: Final = 0xFFFFFF  # TS006-1.0.0 §3.4


class UpImageStatus(IntEnum):
    """What is known of a stored upgrade image. Source: TS006-1.0.0 §3.5, table 10."""

    NONE = 0
    CORRUPTED = 1
    OTHER_HARDWARE = 2
    VALID = 3


@dataclass(frozen=True, slots=True)
class DevVersionReq(PackageCommand):
    """Which firmware runs on which hardware?"""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = False
    clause: ClassVar[str] = "TS006-1.0.0 §3.2"


@dataclass(frozen=True, slots=True)
class DevVersionAns(PackageCommand):
    """Both numbers are the manufacturer's."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 8
    clause: ClassVar[str] = "TS006-1.0.0 §3.2"

    fw_version: int = bits(0, 32)
    hw_version: int = bits(32, 32)


@dataclass(frozen=True, slots=True)
class DevRebootTimeReq(PackageCommand):
    """Reboot at this GPS second; 0: at once; FFFFFFFF: do not."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS006-1.0.0 §3.3"

    reboot_time: int = bits(0, 32)


@dataclass(frozen=True, slots=True)
class DevRebootTimeAns(PackageCommand):
    """Seconds from this uplink to the reboot; 0: it cannot; FFFFFFFF: it will not."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS006-1.0.0 §3.3"

    reboot_time: int = bits(0, 32)


@dataclass(frozen=True, slots=True)
class DevRebootCountdownReq(PackageCommand):
    """Reboot in so many seconds; 0: at once; FFFFFF: do not."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 3
    clause: ClassVar[str] = "TS006-1.0.0 §3.4"

    countdown: int = bits(0, 24)


@dataclass(frozen=True, slots=True)
class DevRebootCountdownAns(PackageCommand):
    """Seconds from this uplink to the reboot; 0: it cannot; FFFFFF: it will not."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 3
    clause: ClassVar[str] = "TS006-1.0.0 §3.4"

    countdown: int = bits(0, 24)


@dataclass(frozen=True, slots=True)
class DevUpgradeImageReq(PackageCommand):
    """Is there an image to upgrade to?"""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = False
    clause: ClassVar[str] = "TS006-1.0.0 §3.5"


@dataclass(frozen=True, slots=True)
class DevUpgradeImageAns(PackageCommand):
    """status: an UpImageStatus. next_fw_version: left out unless the image is valid."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 5
    clause: ClassVar[str] = "TS006-1.0.0 §3.5"

    status: int = bits(0, 2)
    next_fw_version: int = bits(8, 32)

    @classmethod
    def length_of(cls, after_cid: bytes) -> int:
        """Five bytes for a valid image, else one."""
        return 5 if after_cid and after_cid[0] & 3 == UpImageStatus.VALID else 1


@dataclass(frozen=True, slots=True)
class DevDeleteImageReq(PackageCommand):
    """Delete the stored image if it has this version."""

    cid: ClassVar[int] = 0x05
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS006-1.0.0 §3.6"

    fw_to_delete_version: int = bits(0, 32)


@dataclass(frozen=True, slots=True)
class DevDeleteImageAns(PackageCommand):
    """Deleted where neither bit is set. The order of the two bits is assumed, as brocaar/lorawan@a18a103 has it."""

    cid: ClassVar[int] = 0x05
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS006-1.0.0 §3.6"

    error_no_valid_image: bool = flag(0)
    error_invalid_version: bool = flag(1)


FIRMWARE_V1: Final = Package.of(
    "firmware management",
    4,
    1,
    FIRMWARE_F_PORT,
    "TS006-1.0.0 §3",
    DevVersionReq,
    DevVersionAns,
    DevRebootTimeReq,
    DevRebootTimeAns,
    DevRebootCountdownReq,
    DevRebootCountdownAns,
    DevUpgradeImageReq,
    DevUpgradeImageAns,
    DevDeleteImageReq,
    DevDeleteImageAns,
)
