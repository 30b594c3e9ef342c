"""What the device does with RXTimingSetupReq. Source: LoRaWAN 1.0.4 §5.7."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.device.session import rx_delay_us
from lorawan.mac_commands import RxTimingSetupAns, RxTimingSetupReq


def rx_timing_setup(command: RxTimingSetupReq, device: CommandContext) -> None:
    """Move both windows; the answer repeats until a downlink arrives."""
    device.session.rx1_delay_us = rx_delay_us(command.delay_s)
    device.out.add(RxTimingSetupAns(), sticky=True)
