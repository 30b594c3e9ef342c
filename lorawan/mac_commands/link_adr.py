"""The network sets data rate, power, channels and repetitions.

Source: TS001-1.0.4 §5.2; LoRaWAN 1.1 §5.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class LinkAdrReq(MacCommand):
    """data_rate, tx_power: indices of the region (from 1.0.4, 15 keeps); ch_mask: bit n is channel n."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 4
    clause: ClassVar[str] = "TS001-1.0.4 §5.2"

    data_rate: int = bits(4, 4)
    tx_power: int = bits(0, 4)
    ch_mask: int = bits(8, 16)
    ch_mask_cntl: int = bits(28, 3)
    nb_trans: int = bits(24, 4)


@dataclass(frozen=True, slots=True)
class LinkAdrAns(MacCommand):
    """Nothing changes unless all three are true."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS001-1.0.4 §5.2"

    power_ok: bool = flag(2)
    data_rate_ok: bool = flag(1)
    channel_mask_ok: bool = flag(0)
