"""A class B device tells how often it opens its ping slots.

Source: TS001-1.0.4 §12.1; LoRaWAN 1.1 §14.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import DeviceClass, MacCommand, bits


@dataclass(frozen=True, slots=True)
class PingSlotInfoReq(MacCommand):
    """periodicity p, 0–7: 2^(7 − p) unicast ping slots a beacon period, 0.96 × 2^p s apart."""

    cid: ClassVar[int] = 0x10
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "TS001-1.0.4 §12.1"

    periodicity: int = bits(0, 3)


@dataclass(frozen=True, slots=True)
class PingSlotInfoAns(MacCommand):
    """The network knows the periodicity."""

    cid: ClassVar[int] = 0x10
    uplink: ClassVar[bool] = False
    device_class: ClassVar[DeviceClass] = "B"
    clause: ClassVar[str] = "TS001-1.0.4 §12.1"
