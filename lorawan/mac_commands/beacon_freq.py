"""The network sets the frequency of the beacon.

Source: TS001-1.0.4 §12.2; LoRaWAN 1.1 §14.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, DeviceClass, MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class BeaconFreqReq(MacCommand):
    """freq_hz: 0 for the region's own beacon plan (steps of 100 Hz)."""

    cid: ClassVar[int] = 0x13
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 3
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "TS001-1.0.4 §12.2"

    freq_hz: int = bits(0, 24, unit=FREQUENCY_STEP_HZ)


@dataclass(frozen=True, slots=True)
class BeaconFreqAns(MacCommand):
    """freq_ok: the device can receive there, and does."""

    cid: ClassVar[int] = 0x13
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "TS001-1.0.4 §12.2"

    freq_ok: bool = flag(0)
