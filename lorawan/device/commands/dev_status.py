"""What the device does with DevStatusReq. Source: LoRaWAN 1.0.4 §5.5."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import DevStatusAns, DevStatusReq


def dev_status(command: DevStatusReq, device: CommandContext) -> None:  # noqa: ARG001 - it has no fields
    """Tell the battery's state and the SNR of the request, in the range of its six bits."""
    margin_db = max(-32, min(31, round(device.session.last_snr_db)))
    device.out.add(DevStatusAns(battery=device.config.battery, margin_db=margin_db))
