"""The network sets the limits of the ADR back-off.

Source: LoRaWAN 1.1 §5.11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import ONLY_1_1, MacCommand, bits
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class AdrParamSetupReq(MacCommand):
    """ADR_ACK_LIMIT = 2^limit_exp, ADR_ACK_DELAY = 2^delay_exp."""

    cid: ClassVar[int] = 0x0C
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.11"

    limit_exp: int = bits(4, 4)
    delay_exp: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class AdrParamSetupAns(MacCommand):
    """The ADR limits were taken over."""

    cid: ClassVar[int] = 0x0C
    uplink: ClassVar[bool] = True
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.11"
