"""What the device does with PingSlotInfoAns. Source: TS001-1.0.4 §12.1."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import PingSlotInfoAns


def ping_slot_info_ans(command: PingSlotInfoAns, device: CommandContext) -> None:  # noqa: ARG001 - it has no fields
    """The network knows the periodicity that it was told."""
    settings = device.session.class_b
    if settings.asked is not None:
        settings.periodicity, settings.asked = settings.asked, None
