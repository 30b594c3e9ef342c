"""The network sets dwell time and largest EIRP, in the regions that have the command.

Source: TS001-1.0.4 §5.8; LoRaWAN 1.1 §5.9; LoRaWAN 1.0.2 §5.8, where it first appears.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class TxParamSetupReq(MacCommand):
    """Dwell-time limits of 400 ms and the index of the largest EIRP, 0–15. Silently ignored in EU868."""

    cid: ClassVar[int] = 0x09
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS001-1.0.4 §5.8"

    downlink_dwell: bool = flag(5)
    uplink_dwell: bool = flag(4)
    max_eirp_index: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class TxParamSetupAns(MacCommand):
    """The limits were taken over."""

    cid: ClassVar[int] = 0x09
    uplink: ClassVar[bool] = True
    clause: ClassVar[str] = "TS001-1.0.4 §5.8"
