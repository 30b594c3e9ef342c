"""The end device's MAC, class A, as a core: joins, sends, opens its windows, answers the network."""

from lorawan.device.config import Activation, DeviceConfig
from lorawan.device.core import DeviceCore
from lorawan.device.events import (
    Joined,
    LinkChecked,
    Persist,
    Received,
    ReceptionStarted,
    RequestLinkCheck,
    RequestTime,
    SendDone,
    SendRequest,
    StartJoin,
    StartRejoin,
    StopListening,
    TimeReceived,
    Transmission,
)
from lorawan.device.memory import DeviceMemory, RadioParameters, SessionMemory

__all__ = [
    "Activation",
    "DeviceConfig",
    "DeviceCore",
    "DeviceMemory",
    "Joined",
    "LinkChecked",
    "Persist",
    "RadioParameters",
    "Received",
    "ReceptionStarted",
    "RequestLinkCheck",
    "RequestTime",
    "SendDone",
    "SendRequest",
    "SessionMemory",
    "StartJoin",
    "StartRejoin",
    "StopListening",
    "TimeReceived",
    "Transmission",
]
