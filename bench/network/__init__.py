"""The fleet's network core: deduplication, sessions of every device, joins, and which gateway answers when. Pure."""

from bench.network.config import DeviceProfile, NetworkConfig
from bench.network.core import NetworkCore
from bench.network.events import (
    AskDevice,
    DataAccepted,
    DeviceJoined,
    DeviceTold,
    DownlinkFailed,
    NetworkDropped,
    PersistDevice,
    SendToDevice,
)
from bench.network.reception import Reception

__all__ = [
    "AskDevice",
    "DataAccepted",
    "DeviceJoined",
    "DeviceProfile",
    "DeviceTold",
    "DownlinkFailed",
    "NetworkConfig",
    "NetworkCore",
    "NetworkDropped",
    "PersistDevice",
    "Reception",
    "SendToDevice",
]
