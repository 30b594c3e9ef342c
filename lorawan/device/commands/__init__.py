"""What a device does with each MAC command of the network: one file per command, one table of them all.

Source: LoRaWAN 1.0.4 §5, 1.1 §5; differences between versions stand in `lorawan.version`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from lorawan import mac_commands as mac
from lorawan.device.commands.adr_param_setup import adr_param_setup
from lorawan.device.commands.beacon_freq import beacon_freq
from lorawan.device.commands.beacon_timing import beacon_timing_ans
from lorawan.device.commands.context import Answers, CommandContext
from lorawan.device.commands.dev_status import dev_status
from lorawan.device.commands.device_mode import device_mode_conf
from lorawan.device.commands.device_time import device_time_ans
from lorawan.device.commands.dl_channel import dl_channel
from lorawan.device.commands.duty_cycle import duty_cycle
from lorawan.device.commands.force_rejoin import force_rejoin
from lorawan.device.commands.link_adr import link_adr
from lorawan.device.commands.link_check import link_check_ans
from lorawan.device.commands.new_channel import new_channel
from lorawan.device.commands.ping_slot_channel import ping_slot_channel
from lorawan.device.commands.ping_slot_info import ping_slot_info_ans
from lorawan.device.commands.rejoin_param_setup import rejoin_param_setup
from lorawan.device.commands.rekey import rekey_conf
from lorawan.device.commands.reset import reset_conf
from lorawan.device.commands.rx_param_setup import rx_param_setup
from lorawan.device.commands.rx_timing_setup import rx_timing_setup
from lorawan.device.commands.tx_param_setup import tx_param_setup

Handler: TypeAlias = Callable[[Any, CommandContext], None]  # its first argument is of the type it stands under

HANDLERS: Final[Mapping[type[mac.MacCommand], Handler]] = MappingProxyType(
    {
        mac.ResetConf: reset_conf,
        mac.LinkCheckAns: link_check_ans,
        mac.DutyCycleReq: duty_cycle,
        mac.RxParamSetupReq: rx_param_setup,
        mac.DevStatusReq: dev_status,
        mac.NewChannelReq: new_channel,
        mac.RxTimingSetupReq: rx_timing_setup,
        mac.TxParamSetupReq: tx_param_setup,
        mac.DlChannelReq: dl_channel,
        mac.RekeyConf: rekey_conf,
        mac.AdrParamSetupReq: adr_param_setup,
        mac.DeviceTimeAns: device_time_ans,
        mac.PingSlotInfoAns: ping_slot_info_ans,
        mac.PingSlotChannelReq: ping_slot_channel,
        mac.BeaconTimingAns: beacon_timing_ans,
        mac.BeaconFreqReq: beacon_freq,
        mac.DeviceModeConf: device_mode_conf,
        mac.ForceRejoinReq: force_rejoin,
        mac.RejoinParamSetupReq: rejoin_param_setup,
    }
)

# Contiguous ones are one command: their handler is given them all, in order
BLOCK_HANDLERS: Final[Mapping[type[mac.MacCommand], Handler]] = MappingProxyType({mac.LinkAdrReq: link_adr})


def carry_out(block: bytes, device: CommandContext) -> Answers:
    """Carry out a block of commands in clear, in order, as far as the session's version knows them.

    A command without a handler is passed over and not answered: its length is known, so the ones after it count.
    """
    commands = mac.parse_commands(block, uplink=False, version=device.version).commands
    for kind, alike in groupby(commands, type):
        if kind in BLOCK_HANDLERS:
            BLOCK_HANDLERS[kind](tuple(alike), device)
        elif kind in HANDLERS:
            for command in alike:
                HANDLERS[kind](command, device)
    return device.out


__all__ = ["BLOCK_HANDLERS", "HANDLERS", "Answers", "CommandContext", "Handler", "carry_out"]
