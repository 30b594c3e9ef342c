"""What the network does with RekeyInd. Source: LoRaWAN 1.1 §5.10."""

from __future__ import annotations

from lorawan.mac_commands import RekeyConf, RekeyInd
from lorawan.server.commands.context import ServerCommandContext


def rekey_ind(command: RekeyInd, session: ServerCommandContext) -> None:
    """Confirm it."""
    session.out.add(RekeyConf(command.minor))
