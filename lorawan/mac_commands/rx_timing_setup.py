"""The network sets the delay of RX1.

Source: TS001-1.0.4 §5.7; LoRaWAN 1.1 §5.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits


@dataclass(frozen=True, slots=True)
class RxTimingSetupReq(MacCommand):
    """delay_s: 0–15 s from the end of the uplink to RX1, where 0 means 1 s too. RX2 is one second later."""

    cid: ClassVar[int] = 0x08
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS001-1.0.4 §5.7"

    delay_s: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RxTimingSetupAns(MacCommand):
    """The delay was taken over."""

    cid: ClassVar[int] = 0x08
    uplink: ClassVar[bool] = True
    clause: ClassVar[str] = "TS001-1.0.4 §5.7"
