"""A device whose crystal is off hears its network at every data rate and delay (LoRaWAN 1.0.4 §3.3.4)."""

from __future__ import annotations

import pytest
from mac_pairs import joined, otaa

from lorawan.errors import MisuseError
from lorawan.server import QueueDownlink
from lorawan.testing import Pair
from lorawan.version import Version

BOUND_PPM = 500


def hears(pair: Pair, clock_ppm: float) -> bool:
    """Whether a confirmed uplink's acknowledgement arrives when the clock is off by so much."""
    pair.clock_ppm = clock_ppm
    before = len(pair.device_effects)
    pair.now += 3_600_000_000
    pair.send(b"x", confirmed=True)
    done = [e for e in pair.device_effects[before:] if type(e).__name__ == "SendDone"]
    return bool(done[-1].acknowledged)  # type: ignore[union-attr]


@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("dr", range(6))
@pytest.mark.parametrize("delay_s", [1, 5, 15])
def test_a_downlink_is_heard_for_every_error_within_the_bound(window: int, dr: int, delay_s: int) -> None:
    pair = joined(Version.V1_0_4, crystal_ppm=BOUND_PPM, adr=False)
    session = pair.device.session
    assert session is not None
    pair.window = window
    session.rx1_delay_us, session.dr, session.rx2_dr = delay_s * 1_000_000, dr, dr
    assert hears(pair, BOUND_PPM)
    assert hears(pair, -BOUND_PPM)
    assert not hears(pair, 1_000_000)  # a clock twice as fast closes the window long before


def test_the_bound_matters() -> None:
    """At DR5 and 15 s, 500 ppm are 7.5 ms or seven symbols: windows made for 20 ppm miss them."""
    pair = joined(Version.V1_0_4, crystal_ppm=20)
    assert pair.device.session is not None
    pair.device.session.rx1_delay_us = 15_000_000
    assert hears(pair, 20)
    assert not hears(pair, 500)


def test_a_joining_device_waits_as_exactly() -> None:
    pair = Pair(otaa(Version.V1_0_4, crystal_ppm=100), clock_ppm=-100)
    pair.join()
    assert pair.session is not None
    pair.session.handle(QueueDownlink(7, b"data"), pair.now)
    pair.send(b"x")
    assert pair.device.session is not None
    assert pair.device.session.n_f_cnt_down is not None


def test_a_bound_below_zero_is_a_misuse() -> None:
    with pytest.raises(MisuseError):
        otaa(Version.V1_0_4, crystal_ppm=-1)
