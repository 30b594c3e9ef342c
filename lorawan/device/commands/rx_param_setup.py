"""What the device does with RXParamSetupReq. Source: LoRaWAN 1.0.4 §5.4."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import RxParamSetupAns, RxParamSetupReq


def rx_param_setup(command: RxParamSetupReq, device: CommandContext) -> None:
    """Set both windows if the region has all three values; the answer repeats until a downlink arrives."""
    region, session = device.region, device.session
    offset_ok = session.plan.answerable(session.dr, command.rx1_dr_offset)
    dr_ok = region.is_lora(command.rx2_dr, uplink=False)
    freq_ok = region.frequency_ok(command.freq_hz)
    if offset_ok and dr_ok and freq_ok:
        session.rx1_dr_offset, session.rx2_dr, session.rx2_freq_hz = (
            command.rx1_dr_offset,
            command.rx2_dr,
            command.freq_hz,
        )
    device.out.add(RxParamSetupAns(rx1_dr_offset_ok=offset_ok, rx2_dr_ok=dr_ok, channel_ok=freq_ok), sticky=True)
