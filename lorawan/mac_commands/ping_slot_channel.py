"""The network sets frequency and data rate of the ping slots.

Source: TS001-1.0.4 §12.3; LoRaWAN 1.1 §14.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, DeviceClass, MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class PingSlotChannelReq(MacCommand):
    """freq_hz: 0 for the region's own plan (steps of 100 Hz); data_rate: index of the region."""

    cid: ClassVar[int] = 0x11
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "TS001-1.0.4 §12.3"

    freq_hz: int = bits(0, 24, unit=FREQUENCY_STEP_HZ)
    data_rate: int = bits(24, 4)


@dataclass(frozen=True, slots=True)
class PingSlotChannelAns(MacCommand):
    """Nothing changes unless both are true."""

    cid: ClassVar[int] = 0x11
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "TS001-1.0.4 §12.3"

    data_rate_ok: bool = flag(1)
    freq_ok: bool = flag(0)
