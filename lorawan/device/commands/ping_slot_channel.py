"""What the device does with PingSlotChannelReq. Source: TS001-1.0.4 §12.3; LoRaWAN 1.0.3 and 1.1 §14.3."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import PingSlotChannelAns, PingSlotChannelReq
from lorawan.version import Version


def ping_slot_channel(command: PingSlotChannelReq, device: CommandContext) -> None:
    """Move the ping slots, where both values can be had; never from within a ping slot (1.1 §14.3).

    Only 1.0.4 §12.3 repeats the answer until a class A downlink arrives.
    """
    if device.in_ping_slot:
        return
    freq_ok = command.freq_hz == 0 or device.region.frequency_ok(command.freq_hz)
    dr_ok = device.region.is_lora(command.data_rate, uplink=False)
    if freq_ok and dr_ok:
        device.session.class_b.ping_slot_freq_hz = command.freq_hz
        device.session.class_b.ping_slot_dr = command.data_rate
    answer = PingSlotChannelAns(data_rate_ok=dr_ok, freq_ok=freq_ok)
    device.out.add(answer, sticky=device.version is Version.V1_0_4)
