"""When the next beacon comes: the class B start-up of 1.0.2, which DeviceTimeReq replaced.

Source: LoRaWAN 1.0.2 §14.4; LoRaWAN 1.1 §14.4, which deprecates it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import DeviceClass, MacCommand, bits
from lorawan.version import Version

# Deprecated in 1.0.3 and 1.1; TS001-1.0.4 table 61 keeps the name and has no clause for it
BEACON_TIMING_VERSIONS = (Version.V1_0_2, Version.V1_0_3, Version.V1_1)
DELAY_STEP_MS = 30  # LoRaWAN 1.0.2 §14.5, from memory


@dataclass(frozen=True, slots=True)
class BeaconTimingReq(MacCommand):
    """When and where is the next beacon?"""

    cid: ClassVar[int] = 0x12
    uplink: ClassVar[bool] = True
    versions: ClassVar[tuple[Version, ...]] = BEACON_TIMING_VERSIONS
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "LoRaWAN 1.0.2 §14.4"


@dataclass(frozen=True, slots=True)
class BeaconTimingAns(MacCommand):
    """The beacon begins delay_ms (steps of 30 ms) after the end of this frame or up to one step later, on channel."""

    cid: ClassVar[int] = 0x12
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 3
    versions: ClassVar[tuple[Version, ...]] = BEACON_TIMING_VERSIONS
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "LoRaWAN 1.0.2 §14.4"

    delay_ms: int = bits(0, 16, unit=DELAY_STEP_MS)
    channel: int = bits(16, 8)
