"""A joined device of 1.1 confirms its new keys.

Source: LoRaWAN 1.1 §5.10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import ONLY_1_1, MacCommand, bits
from lorawan.version import Version


@dataclass(frozen=True, slots=True)
class RekeyInd(MacCommand):
    """An OTAA device has new keys; in every uplink until RekeyConf. minor: LoRaWAN minor version, 1 for 1.1."""

    cid: ClassVar[int] = 0x0B
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.10"

    minor: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RekeyConf(MacCommand):
    """The network uses the new keys. minor: its own minor version."""

    cid: ClassVar[int] = 0x0B
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    versions: ClassVar[tuple[Version, ...]] = ONLY_1_1
    clause: ClassVar[str] = "LoRaWAN 1.1 §5.10"

    minor: int = bits(0, 4)
