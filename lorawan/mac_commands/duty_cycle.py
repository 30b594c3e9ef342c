"""The network limits how much of the time a device sends.

Source: TS001-1.0.4 §5.3; LoRaWAN 1.1 §5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits


@dataclass(frozen=True, slots=True)
class DutyCycleReq(MacCommand):
    """max_d_cycle n: the device may send 1/2^n of the time over all sub-bands, 0–15."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS001-1.0.4 §5.3"

    max_d_cycle: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class DutyCycleAns(MacCommand):
    """The duty cycle was taken over."""

    cid: ClassVar[int] = 0x04
    uplink: ClassVar[bool] = True
    clause: ClassVar[str] = "TS001-1.0.4 §5.3"
