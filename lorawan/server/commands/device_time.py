"""What the network does with DeviceTimeReq. Source: LoRaWAN 1.0.4 §5.9."""

from __future__ import annotations

from lorawan.mac_commands import DeviceTimeReq
from lorawan.machine import Dropped
from lorawan.server.commands.context import ServerCommandContext


def device_time(command: DeviceTimeReq, session: ServerCommandContext) -> None:  # noqa: ARG001 - it has no fields
    """Refuse it by name."""
    session.out.refuse(Dropped("device_time", "LoRaWAN 1.0.4 §5.9", "this network keeps no GPS time"))
