"""What the device does with TXParamSetupReq. Source: LoRaWAN 1.0.4 §5.8."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import TxParamSetupAns, TxParamSetupReq
from lorawan.version import Version


def tx_param_setup(command: TxParamSetupReq, device: CommandContext) -> None:
    """Take the limits over where the region has the command, and be silent where it has not.

    Only 1.0.4 §5.8 repeats the answer until a downlink arrives; 1.0.3 §5.8 and 1.1 §5.9 do not ask for that.
    """
    if not device.region.has_tx_param_setup:
        return
    plan = device.session.plan.with_tx_params(
        uplink_dwell=command.uplink_dwell,
        downlink_dwell=command.downlink_dwell,
        max_eirp_index=command.max_eirp_index,
    )
    device.session.replan(plan)
    device.out.add(TxParamSetupAns(), sticky=device.version is Version.V1_0_4)
