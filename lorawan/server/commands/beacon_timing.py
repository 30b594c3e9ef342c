"""What the network does with BeaconTimingReq. Source: LoRaWAN 1.0.2 §14.4 and §14.5."""

from __future__ import annotations

from lorawan import mac_commands as mac
from lorawan.mac_commands.beacon_timing import DELAY_STEP_MS
from lorawan.machine import Dropped
from lorawan.ping_slots import BEACON_PERIOD_US, period_start_us
from lorawan.server.commands.context import ServerCommandContext
from lorawan.units import US_PER_MS
from lorawan.version import Version

_STEP_US = DELAY_STEP_MS * US_PER_MS


def beacon_timing(command: mac.BeaconTimingReq, session: ServerCommandContext) -> None:  # noqa: ARG001 - no fields
    """Answer; the delay stands in when the answer's own length is known (`with_beacon_timing`)."""
    if session.gps_us is None:
        session.out.refuse(Dropped("beacon_timing", "LoRaWAN 1.0.2 §14.5", "this network keeps no GPS time"))
        return
    session.out.add(mac.BeaconTimingAns(0, 0))


def with_beacon_timing(f_opts: bytes, version: Version, gps_us: int) -> bytes:
    """The commands of a downlink that ends at this GPS time, a BeaconTimingAns among them now right.

    30 ms × (Delay + 1) > time to the next beacon ≥ 30 ms × Delay. Channel 0: of a region with one beacon channel.
    """
    delay_us = period_start_us(gps_us) + BEACON_PERIOD_US - gps_us
    answer = mac.BeaconTimingAns(delay_us // _STEP_US * DELAY_STEP_MS, 0)
    commands = mac.parse_commands(f_opts, uplink=False, version=version).commands
    return mac.encode_commands([answer if isinstance(c, mac.BeaconTimingAns) else c for c in commands])
