"""The network defines or takes away an uplink channel.

Source: TS001-1.0.4 §5.6; LoRaWAN 1.1 §5.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class NewChannelReq(MacCommand):
    """Define channel ch_index with a data-rate range; freq_hz 0 takes it away (steps of 100 Hz)."""

    cid: ClassVar[int] = 0x07
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 5
    clause: ClassVar[str] = "TS001-1.0.4 §5.6"

    ch_index: int = bits(0, 8)
    freq_hz: int = bits(8, 24, unit=FREQUENCY_STEP_HZ)
    max_dr: int = bits(36, 4)
    min_dr: int = bits(32, 4)


@dataclass(frozen=True, slots=True)
class NewChannelAns(MacCommand):
    """Nothing changes unless both are true."""

    cid: ClassVar[int] = 0x07
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS001-1.0.4 §5.6"

    data_rate_range_ok: bool = flag(1)
    freq_ok: bool = flag(0)
