"""The fleet's network core: deduplication, sessions of every device, joins, and which gateway answers when. Pure."""

from bench.network.config import DeviceProfile, NetworkConfig
from bench.network.core import NetworkCore
from bench.network.events import DataAccepted, DeviceJoined, DownlinkFailed, NetworkDropped, SendToDevice
from bench.network.reception import Reception

__all__ = [
    "DataAccepted",
    "DeviceJoined",
    "DeviceProfile",
    "DownlinkFailed",
    "NetworkConfig",
    "NetworkCore",
    "NetworkDropped",
    "Reception",
    "SendToDevice",
]
