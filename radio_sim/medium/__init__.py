"""Who is heard: overlap, capture, demodulators, half duplex, receive windows."""

from radio_sim.medium.background_day import BackgroundDay
from radio_sim.medium.events import (
    CancelListen,
    DeviceListens,
    DeviceLocked,
    DownlinkEnded,
    DownlinkStarts,
    MediumEffect,
    MediumEvent,
    UplinkEnded,
    UplinkStarts,
)
from radio_sim.medium.medium import Medium
from radio_sim.medium.policy import ALOHA, ENERGY, POLICIES, PRODUCT, InterferencePolicy

__all__ = [
    "ALOHA",
    "ENERGY",
    "POLICIES",
    "PRODUCT",
    "BackgroundDay",
    "CancelListen",
    "DeviceListens",
    "DeviceLocked",
    "DownlinkEnded",
    "DownlinkStarts",
    "InterferencePolicy",
    "Medium",
    "MediumEffect",
    "MediumEvent",
    "UplinkEnded",
    "UplinkStarts",
]
