"""What the device does with ResetConf. Source: LoRaWAN 1.1 §5.1."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import ResetConf, ResetInd

MINOR_1_1 = 1  # ResetConf must carry the version of the device itself (1.1 §5.1)


def reset_conf(command: ResetConf, device: CommandContext) -> None:
    """Stop announcing the reset, unless the network's version is one that it cannot have."""
    if command.minor == MINOR_1_1 and device.session.announce[:1] == bytes((ResetInd.cid,)):
        device.session.announce = b""
