"""The network sets the receive windows' rates and RX2's frequency.

Source: TS001-1.0.4 §5.4; LoRaWAN 1.1 §5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class RxParamSetupReq(MacCommand):
    """RX1 data-rate offset 0–7, RX2 data rate 0–15 and frequency (steps of 100 Hz)."""

    cid: ClassVar[int] = 0x05
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS001-1.0.4 §5.4"

    rx1_dr_offset: int = bits(4, 3)
    rx2_dr: int = bits(0, 4)
    freq_hz: int = bits(8, 24, unit=FREQUENCY_STEP_HZ)


@dataclass(frozen=True, slots=True)
class RxParamSetupAns(MacCommand):
    """Nothing changes unless all three are true."""

    cid: ClassVar[int] = 0x05
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS001-1.0.4 §5.4"

    rx1_dr_offset_ok: bool = flag(2)
    rx2_dr_ok: bool = flag(1)
    channel_ok: bool = flag(0)
