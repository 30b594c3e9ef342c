"""What the network does with RejoinParamSetupAns. Source: LoRaWAN 1.1 §5.14."""

from __future__ import annotations

from lorawan.mac_commands import RejoinParamSetupAns, RejoinParamSetupReq
from lorawan.server.commands.context import ServerCommandContext


def rejoin_param_setup_ans(command: RejoinParamSetupAns, session: ServerCommandContext) -> None:
    """The device keeps the count in any case, and the time where time_ok says so: the operator sees which."""
    session.answered(RejoinParamSetupReq, command)
