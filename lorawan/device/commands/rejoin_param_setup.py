"""What the device does with RejoinParamSetupReq. Source: LoRaWAN 1.1 §5.14."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import RejoinParamSetupAns, RejoinParamSetupReq
from lorawan.units import US_PER_S


def rejoin_param_setup(command: RejoinParamSetupReq, device: CommandContext) -> None:
    """Send a Rejoin-Request of type 0 every 2^(n + 10) s or 2^(n + 4) uplinks, whichever comes first; both are kept."""
    rejoins = device.session.rejoins
    rejoins.max_count = 1 << (command.max_count_n + 4)
    rejoins.max_time_us = US_PER_S << (command.max_time_n + 10)
    device.out.add(RejoinParamSetupAns(time_ok=True))
