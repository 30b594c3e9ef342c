"""What the network does with DlChannelAns. Source: LoRaWAN 1.0.4 §5.6 (its second part), 1.1 §5.7."""

from __future__ import annotations

from lorawan.mac_commands import DlChannelAns, DlChannelReq
from lorawan.server.commands.context import ServerCommandContext


def dl_channel_ans(command: DlChannelAns, session: ServerCommandContext) -> None:
    """RX1 of that channel is elsewhere from this uplink on."""
    accepted = command.uplink_freq_exists and command.freq_ok
    done = session.answered(DlChannelReq, command, accepted=accepted)
    if done is not None:
        session.picture = session.picture.after_dl_channel(done[0])
