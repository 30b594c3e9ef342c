"""The network moves the RX1 frequency of an uplink channel.

Source: TS001-1.0.4 §5.6; LoRaWAN 1.1 §5.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import FREQUENCY_STEP_HZ, MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class DlChannelReq(MacCommand):
    """Move RX1 of an uplink channel to freq_hz (steps of 100 Hz)."""

    cid: ClassVar[int] = 0x0A
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS001-1.0.4 §5.6"

    ch_index: int = bits(0, 8)
    freq_hz: int = bits(8, 24, unit=FREQUENCY_STEP_HZ)


@dataclass(frozen=True, slots=True)
class DlChannelAns(MacCommand):
    """Nothing changes unless both are true."""

    cid: ClassVar[int] = 0x0A
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS001-1.0.4 §5.6"

    uplink_freq_exists: bool = flag(1)
    freq_ok: bool = flag(0)
