"""What the network does with each MAC command of a device: one file per command, one table of them all.

Source: LoRaWAN 1.0.4 §5, 1.1 §5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from lorawan import mac_commands as mac
from lorawan.server.commands.adr_param_setup import adr_param_setup_ans
from lorawan.server.commands.beacon_timing import beacon_timing, with_beacon_timing
from lorawan.server.commands.context import Answers, ServerCommandContext
from lorawan.server.commands.dev_status import dev_status_ans
from lorawan.server.commands.device_mode import device_mode
from lorawan.server.commands.device_time import device_time
from lorawan.server.commands.dl_channel import dl_channel_ans
from lorawan.server.commands.duty_cycle import duty_cycle_ans
from lorawan.server.commands.link_adr import link_adr_ans
from lorawan.server.commands.link_check import link_check
from lorawan.server.commands.new_channel import new_channel_ans
from lorawan.server.commands.ping_slots import beacon_freq_ans, ping_slot_channel_ans, ping_slot_info
from lorawan.server.commands.rejoin_param_setup import rejoin_param_setup_ans
from lorawan.server.commands.rekey import rekey_ind
from lorawan.server.commands.reset import reset_ind
from lorawan.server.commands.rx_param_setup import rx_param_setup_ans
from lorawan.server.commands.rx_timing_setup import rx_timing_setup_ans
from lorawan.server.commands.tx_param_setup import tx_param_setup_ans
from lorawan.server.requests import STICKY, STICKY_IN_1_0_4_ALONE
from lorawan.version import Version

Handler: TypeAlias = Callable[[Any, ServerCommandContext], None]  # its first argument is of the type it stands under

HANDLERS: Final[Mapping[type[mac.MacCommand], Handler]] = MappingProxyType(
    {
        mac.ResetInd: reset_ind,
        mac.LinkCheckReq: link_check,
        mac.LinkAdrAns: link_adr_ans,
        mac.DutyCycleAns: duty_cycle_ans,
        mac.RxParamSetupAns: rx_param_setup_ans,
        mac.DevStatusAns: dev_status_ans,
        mac.NewChannelAns: new_channel_ans,
        mac.RxTimingSetupAns: rx_timing_setup_ans,
        mac.TxParamSetupAns: tx_param_setup_ans,
        mac.DlChannelAns: dl_channel_ans,
        mac.RekeyInd: rekey_ind,
        mac.AdrParamSetupAns: adr_param_setup_ans,
        mac.DeviceTimeReq: device_time,
        mac.RejoinParamSetupAns: rejoin_param_setup_ans,
        mac.PingSlotInfoReq: ping_slot_info,
        mac.PingSlotChannelAns: ping_slot_channel_ans,
        mac.BeaconTimingReq: beacon_timing,
        mac.BeaconFreqAns: beacon_freq_ans,
        mac.DeviceModeInd: device_mode,
    }
)


def carry_out(commands: Sequence[mac.MacCommand], session: ServerCommandContext) -> None:
    """Carry out commands, in order. One without a handler answers what this network never asks, and is passed over."""
    for command in commands:
        kind = type(command)
        if kind in STICKY and (kind not in STICKY_IN_1_0_4_ALONE or session.version is Version.V1_0_4):
            session.out.sticky.add(kind)
        handler = HANDLERS.get(kind)
        if handler is not None:
            handler(command, session)


__all__ = ["HANDLERS", "Answers", "Handler", "ServerCommandContext", "carry_out", "with_beacon_timing"]
