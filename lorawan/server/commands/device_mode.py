"""What the network does with DeviceModeInd. Source: LoRaWAN 1.1 §18.1."""

from __future__ import annotations

from lorawan.mac_commands import DeviceModeConf, DeviceModeInd
from lorawan.machine import Dropped
from lorawan.operating_class import DEVICE_MODES
from lorawan.server.commands.context import ServerCommandContext


def device_mode(command: DeviceModeInd, session: ServerCommandContext) -> None:
    """The device is of this class from now on; a class that does not exist is not confirmed."""
    for operating_class, value in DEVICE_MODES.items():
        if value == command.operating_class:
            session.classes.operating_class = operating_class
            session.out.add(DeviceModeConf(value))
            return
    session.out.refuse(Dropped("device_mode", "LoRaWAN 1.1 §18.1", f"class {command.operating_class} is RFU"))
