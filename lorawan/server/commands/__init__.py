"""What the network does with each MAC command of a device: one file per command, one table of them all.

Source: LoRaWAN 1.0.4 §5, 1.1 §5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from lorawan import mac_commands as mac
from lorawan.server.commands.beacon_timing import beacon_timing, with_beacon_timing
from lorawan.server.commands.context import Answers, ServerCommandContext
from lorawan.server.commands.device_mode import device_mode
from lorawan.server.commands.device_time import device_time
from lorawan.server.commands.link_adr import link_adr_ans
from lorawan.server.commands.link_check import link_check
from lorawan.server.commands.ping_slots import beacon_freq_ans, ping_slot_channel_ans, ping_slot_info
from lorawan.server.commands.rekey import rekey_ind
from lorawan.server.commands.reset import reset_ind
from lorawan.version import Version

Handler: TypeAlias = Callable[[Any, ServerCommandContext], None]  # its first argument is of the type it stands under

HANDLERS: Final[Mapping[type[mac.MacCommand], Handler]] = MappingProxyType(
    {
        mac.ResetInd: reset_ind,
        mac.LinkCheckReq: link_check,
        mac.LinkAdrAns: link_adr_ans,
        mac.RekeyInd: rekey_ind,
        mac.DeviceTimeReq: device_time,
        mac.PingSlotInfoReq: ping_slot_info,
        mac.PingSlotChannelAns: ping_slot_channel_ans,
        mac.BeaconTimingReq: beacon_timing,
        mac.BeaconFreqAns: beacon_freq_ans,
        mac.DeviceModeInd: device_mode,
    }
)


def carry_out(block: bytes, version: Version, session: ServerCommandContext) -> None:
    """Carry out a block of commands in clear, in order, as far as the session's version knows them.

    A command without a handler answers what this network never asks, and is passed over.
    """
    for command in mac.parse_commands(block, uplink=True, version=version).commands:
        handler = HANDLERS.get(type(command))
        if handler is not None:
            handler(command, session)


__all__ = ["HANDLERS", "Answers", "Handler", "ServerCommandContext", "carry_out", "with_beacon_timing"]
