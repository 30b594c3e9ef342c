"""What the device does with DutyCycleReq. Source: LoRaWAN 1.0.4 §5.3."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import DutyCycleAns, DutyCycleReq


def duty_cycle(command: DutyCycleReq, device: CommandContext) -> None:
    """Take the limit over; every later transmission keeps it."""
    device.session.max_d_cycle = command.max_d_cycle
    device.out.add(DutyCycleAns())
