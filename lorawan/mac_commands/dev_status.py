"""Battery and reception of a device.

Source: TS001-1.0.4 §5.5; LoRaWAN 1.1 §5.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits


@dataclass(frozen=True, slots=True)
class DevStatusReq(MacCommand):
    """How are you?"""

    cid: ClassVar[int] = 0x06
    uplink: ClassVar[bool] = False
    clause: ClassVar[str] = "TS001-1.0.4 §5.5"


@dataclass(frozen=True, slots=True)
class DevStatusAns(MacCommand):
    """battery: 0 external supply, 1–254 level, 255 unknown; margin_db: SNR of the request, −32–31 dB."""

    cid: ClassVar[int] = 0x06
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 2
    clause: ClassVar[str] = "TS001-1.0.4 §5.5"

    battery: int = bits(0, 8)
    margin_db: int = bits(8, 6, signed=True)
