"""What the network does with ADRParamSetupAns. Source: LoRaWAN 1.1 §5.11."""

from __future__ import annotations

from dataclasses import replace

from lorawan.mac_commands import AdrParamSetupAns, AdrParamSetupReq
from lorawan.server.commands.context import ServerCommandContext


def adr_param_setup_ans(command: AdrParamSetupAns, session: ServerCommandContext) -> None:
    """The device counts to the new ADR_ACK_LIMIT."""
    done = session.answered(AdrParamSetupReq, command)
    if done is not None:
        session.picture = replace(session.picture, adr_ack_limit=1 << done[0].limit_exp)
