"""What the device does with RekeyConf. Source: LoRaWAN 1.1 §5.10."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import RekeyConf, RekeyInd

MINOR_1_1 = 1  # the only one that a 1.1 device may be answered with: above 0, not above its own (1.1 §5.10)


def rekey_conf(command: RekeyConf, device: CommandContext) -> None:
    """Stop announcing the new keys, unless the network's version is one that it cannot have."""
    if command.minor == MINOR_1_1 and device.session.announce[:1] == bytes((RekeyInd.cid,)):
        device.session.announce = b""
