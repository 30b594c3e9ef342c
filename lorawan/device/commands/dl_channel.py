"""What the device does with DlChannelReq. Source: LoRaWAN 1.0.4 §5.6."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import DlChannelAns, DlChannelReq


def dl_channel(command: DlChannelReq, device: CommandContext) -> None:
    """Move a channel's RX1; the answer repeats until a downlink arrives. A fixed plan has no such command."""
    if device.region.fixed:
        return
    device.session.plan, exists, freq_ok = device.session.plan.dl_channel(command.ch_index, command.freq_hz)
    device.out.add(DlChannelAns(uplink_freq_exists=exists, freq_ok=freq_ok), sticky=True)
