"""What the device does with DeviceTimeAns. Source: LoRaWAN 1.0.4 §5.9."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.device.events import TimeReceived
from lorawan.mac_commands import DeviceTimeAns


def device_time_ans(command: DeviceTimeAns, device: CommandContext) -> None:
    """Tell the application."""
    device.out.news += (TimeReceived(command.gps_seconds, command.fraction_256),)
