"""How well the network hears a device.

Source: TS001-1.0.4 §5.1; LoRaWAN 1.1 §5.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits


@dataclass(frozen=True, slots=True)
class LinkCheckReq(MacCommand):
    """How well am I heard?"""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = True
    clause: ClassVar[str] = "TS001-1.0.4 §5.1"


@dataclass(frozen=True, slots=True)
class LinkCheckAns(MacCommand):
    """margin_db: over the demodulation floor at the best gateway, 0–254 (255 reserved); gw_cnt: gateways."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 2
    clause: ClassVar[str] = "TS001-1.0.4 §5.1"

    margin_db: int = bits(0, 8)
    gw_cnt: int = bits(8, 8)
