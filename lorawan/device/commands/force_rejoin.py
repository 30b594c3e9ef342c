"""What the device does with ForceRejoinReq. Source: LoRaWAN 1.1 §5.13, §6.2.4.3."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.device.config import Activation
from lorawan.device.rejoin import Forced
from lorawan.mac_commands import ForceRejoinReq


def force_rejoin(command: ForceRejoinReq, device: CommandContext) -> None:
    """Rejoin at once, and max_retries times more until an accept comes; a second command replaces the first.

    RejoinType 0 and 1 both ask for a request of type 0, 2 for one of type 2; the rest is RFU and passed over. Only what
    has joined can rejoin. The command has no answer: the Rejoin-Request is one.
    """
    if command.rejoin_type > 2 or device.config.activation is not Activation.OTAA:
        return
    rejoin_type = 2 if command.rejoin_type == 2 else 0
    device.session.rejoins.forced = Forced(rejoin_type, command.data_rate, command.period, 1 + command.max_retries)
