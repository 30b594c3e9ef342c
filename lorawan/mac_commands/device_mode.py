"""A device of 1.1 changes between class A and class C.

Source: LoRaWAN 1.1 §18.1, table 25.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import ONLY_1_1, DeviceClass, MacCommand, bits
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class DeviceModeInd(MacCommand):
    """operating_class: 0 for class A, 2 for class C, 1 RFU; in every uplink until DeviceModeConf."""

    cid: ClassVar[int] = 0x20
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    device_class: ClassVar[DeviceClass] = "C"
    clause: ClassVar[str] = "LoRaWAN 1.1 §18.1"

    operating_class: int = bits(0, 8)


@dataclass(frozen=True, slots=True)
class DeviceModeConf(MacCommand):
    """operating_class: the one that the device announced."""

    cid: ClassVar[int] = 0x20
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    device_class: ClassVar[DeviceClass] = "C"
    clause: ClassVar[str] = "LoRaWAN 1.1 §18.1"

    operating_class: int = bits(0, 8)
