"""Application packages: TS003 clock, TS004 fragmentation, TS005 multicast, TS006 firmware, TS009 certification.

Each has its commands, a core for the device and one for the server; `host` puts the device sides behind one core.
"""

from typing import Final

from lorawan.packages.certification.commands import CERTIFICATION_V1
from lorawan.packages.clock.commands import CLOCK_V1, CLOCK_V2
from lorawan.packages.commands import Package, PackageCommand, ParsedPackage
from lorawan.packages.firmware.commands import FIRMWARE_V1
from lorawan.packages.fragmentation.commands import FRAGMENTATION_V1, FRAGMENTATION_V2
from lorawan.packages.multicast.commands import MULTICAST_V1, MULTICAST_V2

PACKAGES: Final[tuple[Package, ...]] = (
    MULTICAST_V1,
    MULTICAST_V2,
    FRAGMENTATION_V1,
    FRAGMENTATION_V2,
    CLOCK_V1,
    CLOCK_V2,
    FIRMWARE_V1,
    CERTIFICATION_V1,
)

__all__ = ["PACKAGES", "Package", "PackageCommand", "ParsedPackage"]
