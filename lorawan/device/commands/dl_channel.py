"""What the device does with DlChannelReq. Source: LoRaWAN 1.0.4 §5.6."""

from __future__ import annotations

from dataclasses import replace

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import DlChannelAns, DlChannelReq


def dl_channel(command: DlChannelReq, device: CommandContext) -> None:
    """Move a channel's RX1; the answer repeats until a downlink arrives."""
    session, index = device.session, command.ch_index
    channel = session.channels[index] if index < len(session.channels) else None
    freq_ok = device.region.frequency_ok(command.freq_hz)
    if channel is not None and freq_ok:
        session.channels[index] = replace(channel, rx1_freq_hz=command.freq_hz)
    device.out.add(DlChannelAns(uplink_freq_exists=channel is not None, freq_ok=freq_ok), sticky=True)
