"""What the device does with ADRParamSetupReq. Source: LoRaWAN 1.1 §5.11."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import AdrParamSetupAns, AdrParamSetupReq


def adr_param_setup(command: AdrParamSetupReq, device: CommandContext) -> None:
    """Take the limits of the back-off over."""
    device.session.adr_ack_limit, device.session.adr_ack_delay = 1 << command.limit_exp, 1 << command.delay_exp
    device.out.add(AdrParamSetupAns())
