"""What the network does with TXParamSetupAns. Source: LoRaWAN 1.0.4 §5.8."""

from __future__ import annotations

from lorawan.mac_commands import TxParamSetupAns, TxParamSetupReq
from lorawan.server.commands.context import ServerCommandContext


def tx_param_setup_ans(command: TxParamSetupAns, session: ServerCommandContext) -> None:
    """The device keeps to the new dwell time and power."""
    done = session.answered(TxParamSetupReq, command)
    if done is not None:
        session.picture = session.picture.after_tx_param_setup(done[0])
