"""What the network does with DutyCycleAns. Source: LoRaWAN 1.0.4 §5.3."""

from __future__ import annotations

from lorawan.mac_commands import DutyCycleAns, DutyCycleReq
from lorawan.server.commands.context import ServerCommandContext


def duty_cycle_ans(command: DutyCycleAns, session: ServerCommandContext) -> None:
    """The device keeps to it; nothing that the network does depends on it."""
    session.answered(DutyCycleReq, command)
