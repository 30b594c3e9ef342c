"""Clock synchronization (TS003), FPort 202."""

from lorawan.packages.clock.commands import (
    CLOCK_F_PORT,
    CLOCK_V1,
    CLOCK_V2,
    AppTimeAns,
    AppTimeReq,
    DeviceAppTimePeriodicityAns,
    DeviceAppTimePeriodicityReq,
    ForceDeviceResyncCmd,
)
from lorawan.packages.clock.device import ClockConfig, ClockCorrected, ClockDevice, RequestClock
from lorawan.packages.clock.server import ClockSeen, ClockServer

__all__ = [
    "CLOCK_F_PORT",
    "CLOCK_V1",
    "CLOCK_V2",
    "AppTimeAns",
    "AppTimeReq",
    "ClockConfig",
    "ClockCorrected",
    "ClockDevice",
    "ClockSeen",
    "ClockServer",
    "DeviceAppTimePeriodicityAns",
    "DeviceAppTimePeriodicityReq",
    "ForceDeviceResyncCmd",
    "RequestClock",
]
