"""What the device does with NewChannelReq. Source: LoRaWAN 1.0.4 §5.6."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import NewChannelAns, NewChannelReq
from lorawan.regions import Channel


def new_channel(command: NewChannelReq, device: CommandContext) -> None:
    """Define or take away a channel beyond the default ones, if the region allows it."""
    region, session = device.region, device.session
    index = command.ch_index
    changeable = len(region.default_channels) <= index < region.max_channels
    freq_ok = changeable and (command.freq_hz == 0 or region.frequency_ok(command.freq_hz))
    range_ok = changeable and command.min_dr <= command.max_dr and region.is_lora(command.max_dr)
    if freq_ok and range_ok:
        if command.freq_hz:
            session.channels[index] = Channel(command.freq_hz, command.min_dr, command.max_dr)
            session.ch_mask |= 1 << index
        else:
            session.channels[index] = None
            session.ch_mask &= ~(1 << index)
            if not session.ch_mask:  # a device without channels could never be reached again
                session.ch_mask = region.default_ch_mask
    device.out.add(NewChannelAns(data_rate_range_ok=range_ok, freq_ok=freq_ok))
