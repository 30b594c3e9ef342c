"""The network makes a device rejoin.

Source: LoRaWAN 1.1 §5.13.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import ONLY_1_1, MacCommand, bits
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class ForceRejoinReq(MacCommand):
    """Rejoin now, max_retries (0–7) times more, 32 s × 2^period (0–7) apart, at data_rate. It has no answer."""

    cid: ClassVar[int] = 0x0E
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 2
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.13"

    period: int = bits(11, 3)
    max_retries: int = bits(8, 3)
    rejoin_type: int = bits(4, 3)
    data_rate: int = bits(0, 4)
