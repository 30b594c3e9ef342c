"""What the device does with BeaconTimingAns. Source: LoRaWAN 1.0.2 §14.5."""

from __future__ import annotations

from lorawan.device.commands.context import CommandContext
from lorawan.mac_commands import BeaconTimingAns
from lorawan.mac_commands.beacon_timing import DELAY_STEP_MS
from lorawan.units import US_PER_MS


def beacon_timing_ans(command: BeaconTimingAns, device: CommandContext) -> None:
    """The next beacon begins that long after the end of this frame, or up to one step later."""
    earliest = device.now + command.delay_ms * US_PER_MS
    device.session.class_b.beacon_due = (earliest, earliest + DELAY_STEP_MS * US_PER_MS)
