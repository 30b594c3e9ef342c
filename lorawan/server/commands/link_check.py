"""What the network does with LinkCheckReq. Source: LoRaWAN 1.0.4 §5.1."""

from __future__ import annotations

from lorawan.mac_commands import LinkCheckAns, LinkCheckReq
from lorawan.phy import snr_floor_db
from lorawan.server.commands.context import ServerCommandContext


def link_check(command: LinkCheckReq, session: ServerCommandContext) -> None:  # noqa: ARG001 - it has no fields
    """Tell the margin over the demodulation floor at the best gateway, and how many gateways heard."""
    event = session.event
    floor_db = snr_floor_db(session.region.modulation(event.dr).sf)
    margin_db = max(0, min(254, int(event.snr_db - floor_db)))
    session.out.add(LinkCheckAns(margin_db=margin_db, gw_cnt=min(event.n_gateways, 255)))
