"""What the network does with RXTimingSetupAns. Source: LoRaWAN 1.0.4 §5.7."""

from __future__ import annotations

from lorawan.mac_commands import RxTimingSetupAns, RxTimingSetupReq
from lorawan.server.commands.context import ServerCommandContext


def rx_timing_setup_ans(command: RxTimingSetupAns, session: ServerCommandContext) -> None:
    """The windows after this very uplink are the new ones."""
    done = session.answered(RxTimingSetupReq, command)
    if done is not None:
        session.picture = session.picture.after_rx_timing_setup(done[0])
