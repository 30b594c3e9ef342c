"""A device's clock over a link that loses, doubles and reorders."""

from __future__ import annotations

import heapq

from hypothesis import given, settings
from hypothesis import strategies as st

from lorawan.draws import Draws
from lorawan.packages.asking import Ask
from lorawan.packages.clock import ClockConfig, ClockCorrected, ClockDevice, ClockServer, ForceDeviceResyncCmd
from lorawan.packages.events import PackageDownlink, PackageUplink, PackageUplinkHeard, SendDownlink
from lorawan.units import US_PER_S

LATEST_US = 200 * US_PER_S  # a frame takes at most that long, so answers overtake later requests


@settings(max_examples=60, deadline=None)
@given(
    wrong_s=st.integers(0, 3_000_000_000),
    true_s=st.integers(0, 3_000_000_000),
    seed=st.integers(0, 10_000),
    loss=st.floats(0, 0.8),
)
def test_a_corrected_clock_is_wrong_by_no_more_than_an_uplink_takes(
    wrong_s: int, true_s: int, seed: int, loss: float
) -> None:
    """Whatever is lost, comes twice or comes late; nothing is ever added to the clock twice."""
    device, server = ClockDevice(ClockConfig(), Draws.of_seed(seed)), ClockServer()
    device.clock.gps_origin_us = wrong_s * US_PER_S
    far = abs(true_s - wrong_s) >= 1 << 31  # one correction cannot hold that
    draws, on_air, count, corrections, now = Draws.of_seed(seed), [], 0, 0, 0

    def send(down: bool, payload: bytes) -> None:
        nonlocal count
        count += 1
        fate = draws.at("link", count)
        if fate.uniform(0) >= loss:
            for copy in range(2 if fate.uniform(1) < 0.3 else 1):
                heapq.heappush(on_air, (now + fate.integer(LATEST_US, 2 + copy), count, copy, down, payload))

    for _ in range(6):
        for effect in server.handle(Ask(ForceDeviceResyncCmd(7)), now):
            assert isinstance(effect, SendDownlink)
            send(True, effect.payload)
        while on_air or device.wake_at is not None:
            due = [at for at in (device.wake_at, on_air[0][0] if on_air else None) if at is not None]
            now = max(now, min(due))
            if on_air and on_air[0][0] <= now:
                _, _, _, down, payload = heapq.heappop(on_air)
                gps_us = true_s * US_PER_S + now
                effects = (
                    device.handle(PackageDownlink(payload), now)
                    if down
                    else server.handle(PackageUplinkHeard(payload, gps_us), now)
                )
            else:
                effects = device.wake(now)
            for effect in effects:
                match effect:
                    case SendDownlink():
                        send(True, effect.payload)
                    case PackageUplink():
                        send(False, effect.payload)
                    case ClockCorrected():
                        corrections += 1
                    case _:
                        pass
            if corrections > far:
                error_us = device.clock.gps_origin_us - true_s * US_PER_S
                assert -US_PER_S < error_us <= LATEST_US + US_PER_S
