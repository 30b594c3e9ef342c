"""What the device does with NewChannelReq. Source: LoRaWAN 1.0.4 §5.6."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import NewChannelAns, NewChannelReq


def new_channel(command: NewChannelReq, device: CommandContext) -> None:
    """Define or take away a channel beyond the default ones, if the region allows it; a fixed plan never does."""
    if device.region.fixed:
        return
    plan, range_ok, freq_ok = device.session.plan.new_channel(
        command.ch_index, command.freq_hz, command.min_dr, command.max_dr
    )
    device.session.replan(plan)
    device.out.add(NewChannelAns(data_rate_range_ok=range_ok, freq_ok=freq_ok))
