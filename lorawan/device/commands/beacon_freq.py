"""What the device does with BeaconFreqReq. Source: TS001-1.0.4 §12.2."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import BeaconFreqAns, BeaconFreqReq


def beacon_freq(command: BeaconFreqReq, device: CommandContext) -> None:
    """Look for beacons on another frequency, 0 for the region's own."""
    freq_ok = command.freq_hz == 0 or device.region.frequency_ok(command.freq_hz)
    if freq_ok:
        device.session.class_b.beacon_freq_hz = command.freq_hz
    device.out.add(BeaconFreqAns(freq_ok=freq_ok))
