"""What the network does with RXParamSetupAns. Source: LoRaWAN 1.0.4 §5.4."""

from __future__ import annotations

from lorawan.mac_commands import RxParamSetupAns, RxParamSetupReq
from lorawan.server.commands.context import ServerCommandContext, impossible


def rx_param_setup_ans(command: RxParamSetupAns, session: ServerCommandContext) -> None:
    """The windows after this very uplink are the new ones: the answer is in every uplink until a downlink comes."""
    accepted = command.rx1_dr_offset_ok and command.rx2_dr_ok and command.channel_ok
    done = session.answered(RxParamSetupReq, command, accepted=accepted)
    if done is None:
        return
    region, request = session.region, done[0]
    if request.rx1_dr_offset > region.max_rx1_dr_offset or not region.is_lora(request.rx2_dr, uplink=False):
        session.out.refuse(impossible(request))
        return
    session.picture = session.picture.after_rx_param_setup(request)
