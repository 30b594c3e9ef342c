"""The time of the network.

Source: TS001-1.0.4 §5.9, which says that 1.0.3 introduced it; LoRaWAN 1.1 §5.12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import FROM_1_0_3, MacCommand, bits
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class DeviceTimeReq(MacCommand):
    """What time is it?"""

    cid: ClassVar[int] = 0x0D
    uplink: ClassVar[bool] = True
    versions: ClassVar[tuple[Version, ...]] = FROM_1_0_3
    clause: ClassVar[str] = "TS001-1.0.4 §5.9"


@dataclass(frozen=True, slots=True)
class DeviceTimeAns(MacCommand):
    """GPS time at the end of the uplink that asked: whole seconds (32 bits) and 1/256 s."""

    cid: ClassVar[int] = 0x0D
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 5
    versions: ClassVar[tuple[Version, ...]] = FROM_1_0_3
    clause: ClassVar[str] = "TS001-1.0.4 §5.9"

    gps_seconds: int = bits(0, 32)
    fraction_256: int = bits(32, 8)
