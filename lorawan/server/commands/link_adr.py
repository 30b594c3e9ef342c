"""What the network does with LinkADRAns. Source: LoRaWAN 1.0.4 §5.2, 1.1 §5.3."""

from __future__ import annotations

from lorawan.mac_commands import LinkAdrAns, LinkAdrReq
from lorawan.server.commands.context import ServerCommandContext
from lorawan.server.picture import LinkSettings


def link_adr_ans(command: LinkAdrAns, session: ServerCommandContext) -> None:
    """The device has what was asked for, or refused it: then ADR does not ask that again.

    The first answer settles a block: before 1.1 there is one for each request of it, all alike.
    """
    accepted = command.power_ok and command.data_rate_ok and command.channel_mask_ok
    if any(type(request[0]) is LinkAdrReq for request in session.requests.sent):
        block = session.answered(LinkAdrReq, command, accepted=accepted)
        if block is not None:
            event, old = session.event, session.link
            link = old or LinkSettings(event.dr, 0, 1, session.picture.plan.ch_mask)
            session.picture = session.picture.after_link_adr(block)
            session.link = session.picture.link_after(block[-1], link, session.version.rules)
            session.history.forget()
        return
    if session.asked is None:
        return
    if accepted:
        session.link = session.asked
        session.history.forget()
    else:
        session.refused = session.asked
    session.asked = None
