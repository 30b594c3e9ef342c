"""What the network does with DeviceTimeReq. Source: LoRaWAN 1.0.4 §5.9, 1.1 §5.12."""

from __future__ import annotations

from lorawan.mac_commands import DeviceTimeAns, DeviceTimeReq
from lorawan.machine import Dropped
from lorawan.server.commands.context import ServerCommandContext
from lorawan.units import US_PER_S


def device_time(command: DeviceTimeReq, session: ServerCommandContext) -> None:  # noqa: ARG001 - it has no fields
    """GPS time at the end of the uplink, within 100 ms; refused by name where this network keeps none."""
    gps_us = session.gps_us
    if gps_us is None:
        session.out.refuse(Dropped("device_time", "LoRaWAN 1.0.4 §5.9", "this network keeps no GPS time"))
        return
    seconds, rest_us = divmod(gps_us, US_PER_S)
    session.out.add(DeviceTimeAns(gps_seconds=seconds & 0xFFFFFFFF, fraction_256=rest_us * 256 // US_PER_S))
