"""What the device does with RekeyConf. Source: LoRaWAN 1.1 §5.10."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import RekeyConf


def rekey_conf(command: RekeyConf, device: CommandContext) -> None:  # noqa: ARG001 - any minor version will do
    """Stop announcing the new keys."""
    device.session.announce = b""
