"""Commands of the clock synchronization package, FPort 202. Versions 1 and 2 are the same on the wire.

Source: TS003-2.0.0 §3.1–3.4; TS003-1.0.0 §3.1–3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from lorawan.mac_commands.base import bits, flag
from lorawan.packages.commands import Package, PackageCommand

CLOCK_F_PORT: Final = 202


@dataclass(frozen=True, slots=True)
class AppTimeReq(PackageCommand):
    """The device's clock as it sends this: seconds since the GPS epoch modulo 2^32. token_req: 0–15."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 5
    clause: ClassVar[str] = "TS003-2.0.0 §3.2"

    device_time: int = bits(0, 32)
    token_req: int = bits(32, 4)
    ans_required: bool = flag(36)


@dataclass(frozen=True, slots=True)
class AppTimeAns(PackageCommand):
    """Seconds to add to the device's clock, signed. token_ans: the token_req that is answered."""

    cid: ClassVar[int] = 0x01
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 5
    clause: ClassVar[str] = "TS003-2.0.0 §3.2"

    time_correction: int = bits(0, 32, signed=True)
    token_ans: int = bits(32, 4)


@dataclass(frozen=True, slots=True)
class DeviceAppTimePeriodicityReq(PackageCommand):
    """Ask for the time every 128 · 2^period s, period 0–15."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS003-2.0.0 §3.3"

    period: int = bits(0, 4)


@dataclass(frozen=True, slots=True)
class DeviceAppTimePeriodicityAns(PackageCommand):
    """not_supported: the application keeps its own periodicity. device_time as in AppTimeReq."""

    cid: ClassVar[int] = 0x02
    uplink: ClassVar[bool] = True
    length: ClassVar[int] = 5
    clause: ClassVar[str] = "TS003-2.0.0 §3.3"

    not_supported: bool = flag(0)
    device_time: int = bits(8, 32)


@dataclass(frozen=True, slots=True)
class ForceDeviceResyncCmd(PackageCommand):
    """Send AppTimeReq nb_transmissions times, until it is answered (ForceDeviceResyncReq in version 1)."""

    cid: ClassVar[int] = 0x03
    uplink: ClassVar[bool] = False
    length: ClassVar[int] = 1
    clause: ClassVar[str] = "TS003-2.0.0 §3.4"

    nb_transmissions: int = bits(0, 3)


_COMMANDS: Final = (
    AppTimeReq,
    AppTimeAns,
    DeviceAppTimePeriodicityReq,
    DeviceAppTimePeriodicityAns,
    ForceDeviceResyncCmd,
)
CLOCK_V1: Final = Package.of("clock synchronization", 1, 1, CLOCK_F_PORT, "TS003-1.0.0 §3", *_COMMANDS)
CLOCK_V2: Final = Package.of("clock synchronization", 1, 2, CLOCK_F_PORT, "TS003-2.0.0 §3", *_COMMANDS)
