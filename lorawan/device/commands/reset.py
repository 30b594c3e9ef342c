"""What the device does with ResetConf. Source: LoRaWAN 1.1 §5.1."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import ResetConf


def reset_conf(command: ResetConf, device: CommandContext) -> None:  # noqa: ARG001 - any minor version will do
    """Stop announcing the reset."""
    device.session.announce = b""
