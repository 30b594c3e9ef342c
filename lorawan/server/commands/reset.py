"""What the network does with ResetInd. Source: LoRaWAN 1.1 §5.1."""

from __future__ import annotations

from lorawan.mac_commands import ResetConf, ResetInd
from lorawan.server.commands.context import ServerCommandContext


def reset_ind(command: ResetInd, session: ServerCommandContext) -> None:
    """Confirm it; the device has begun anew, at full power."""
    session.out.add(ResetConf(command.minor))
    session.link = None
