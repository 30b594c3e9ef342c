"""The network sets how often a device rejoins by itself.

Source: LoRaWAN 1.1 §5.14.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import ONLY_1_1, MacCommand, bits, flag
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class RejoinParamSetupReq(MacCommand):
    """Rejoin type 0 at least every 2^(max_time_n + 10) s or 2^(max_count_n + 4) uplinks."""

    cid: ClassVar[int] = 0x0F
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.14"

    max_time_n: int = bits(4, 4)
    max_count_n: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RejoinParamSetupAns(MacCommand):
    """time_ok: the time limit is kept too, not only the count."""

    cid: ClassVar[int] = 0x0F
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.14"

    time_ok: bool = flag(0)
