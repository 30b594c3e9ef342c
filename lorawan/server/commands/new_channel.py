"""What the network does with NewChannelAns. Source: LoRaWAN 1.0.4 §5.6."""

from __future__ import annotations

from lorawan.mac_commands import NewChannelAns, NewChannelReq
from lorawan.server.commands.context import ServerCommandContext


def new_channel_ans(command: NewChannelAns, session: ServerCommandContext) -> None:
    """The channel is there, or gone."""
    accepted = command.data_rate_range_ok and command.freq_ok
    done = session.answered(NewChannelReq, command, accepted=accepted)
    if done is not None:
        session.picture = session.picture.after_new_channel(done[0])
