"""Commands about the session, all of 1.1: reset, rekey, rejoin.

Source: LoRaWAN 1.1 §5, under the name of each command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from lorawan.mac_commands.base import MacCommand, bits, flag


@dataclass(frozen=True, slots=True)
class ResetInd(MacCommand):
    """An ABP device was reset. minor: LoRaWAN minor version, 1 for 1.1."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1

    minor: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class ResetConf(MacCommand):
    """The network knows of the reset. minor: its own minor version."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1

    minor: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RekeyInd(MacCommand):
    """An OTAA device has new keys; in every uplink until RekeyConf. minor: LoRaWAN minor version, 1 for 1.1."""

    cid: ClassVar[int] = 0x0B
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1

    minor: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RekeyConf(MacCommand):
    """The network uses the new keys. minor: its own minor version."""

    cid: ClassVar[int] = 0x0B
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1

    minor: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class ForceRejoinReq(MacCommand):
    """Rejoin now, max_retries (0–7) times more, 32 s × 2^period (0–7) apart, at data_rate. It has no answer."""

    cid: ClassVar[int] = 0x0E
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 2

    period: int = bits(11, 3)
    max_retries: int = bits(8, 3)
    rejoin_type: int = bits(4, 3)
    data_rate: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RejoinParamSetupReq(MacCommand):
    """Rejoin type 0 at least every 2^(max_time_n + 10) s or 2^(max_count_n + 4) uplinks."""

    cid: ClassVar[int] = 0x0F
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1

    max_time_n: int = bits(4, 4)
    max_count_n: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class RejoinParamSetupAns(MacCommand):
    """time_ok: the time limit is kept too, not only the count."""

    cid: ClassVar[int] = 0x0F
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 1

    time_ok: bool = flag(0)
