"""What the network does with DevStatusAns. Source: LoRaWAN 1.0.4 §5.5."""

from __future__ import annotations

from lorawan.mac_commands import DevStatusAns, DevStatusReq
from lorawan.server.commands.context import ServerCommandContext
from lorawan.server.events import DeviceStatus


def dev_status_ans(command: DevStatusAns, session: ServerCommandContext) -> None:
    """Tell it, where it was asked for."""
    if session.answered(DevStatusReq, command) is not None:
        session.out.news.append(DeviceStatus(command.battery, command.margin_db))
