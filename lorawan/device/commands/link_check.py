"""What the device does with LinkCheckAns. Source: LoRaWAN 1.0.4 §5.1."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.device.events import LinkChecked
from lorawan.mac_commands import LinkCheckAns


def link_check_ans(command: LinkCheckAns, device: CommandContext) -> None:
    """Tell the application."""
    device.out.news += (LinkChecked(command.margin_db, command.gw_cnt),)
