"""What the network does with LinkADRAns. Source: LoRaWAN 1.0.4 §5.2."""

from __future__ import annotations

from lorawan.mac_commands import LinkAdrAns
from lorawan.server.commands.context import ServerCommandContext


def link_adr_ans(command: LinkAdrAns, session: ServerCommandContext) -> None:
    """The device has what was asked for, or refused it: then that is not asked again."""
    if session.asked is None:
        return
    if command.power_ok and command.data_rate_ok and command.channel_mask_ok:
        session.link = session.asked
        session.history.forget()
    else:
        session.refused = session.asked
    session.asked = None
