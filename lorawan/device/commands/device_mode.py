"""What the device does with DeviceModeConf. Source: LoRaWAN 1.1 §18.1."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.device.session import CLASS_A_IND
from lorawan.mac_commands import DeviceModeConf, DeviceModeInd


def device_mode_conf(command: DeviceModeConf, device: CommandContext) -> None:
    """The network knows the class: stop announcing it. A Conf of another class confirms nothing."""
    if device.session.mode == DeviceModeInd(command.operating_class).encode():
        device.session.maybe_class_c = device.session.mode != CLASS_A_IND
        device.session.mode = b""
