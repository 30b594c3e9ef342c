"""An ABP device of 1.1 tells the network that it was reset.

Source: LoRaWAN 1.1 §5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import ONLY_1_1, MacCommand, bits
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class ResetInd(MacCommand):
    """An ABP device was reset; in every uplink until ResetConf. minor: LoRaWAN minor version, 1 for 1.1."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.1"

    minor: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class ResetConf(MacCommand):
    """The network knows of the reset. minor: its own minor version."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.1"

    minor: int = bits(0, 4)
