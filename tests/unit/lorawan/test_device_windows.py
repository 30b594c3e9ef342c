"""A device whose crystal is off hears its network at every data rate and delay (LoRaWAN 1.0.4 §3.3.4)."""

from __future__ import annotations

import pytest
from mac_pairs import otaa

from lorawan.device import Joined, SendDone, StartJoin
from lorawan.errors import MisuseError
from lorawan.ids import NetId
from lorawan.server import JoinSettings
from lorawan.testing import Pair
from lorawan.version import Version

BOUND_PPM = 500


def heard(drift_ppm: int, *, bound_ppm: int = BOUND_PPM, window: int = 1, dr: int = 5, delay_s: int = 1) -> bool:
    """Whether a device with this clock joins and is acknowledged, with no downlink missed."""
    settings = JoinSettings(NetId(0x13), rx_delay_s=delay_s, rx2_dr=dr)
    config = otaa(Version.V1_0_4, crystal_ppm=bound_ppm, join_data_rates=(dr,), adr=False)
    pair = Pair(config, settings=settings, window=window, drift_ppm=drift_ppm)
    pair.feed(StartJoin())
    pair.run(until=20_000_000)
    if not pair.of(Joined):
        return False
    pair.send(b"x", confirmed=True)
    return pair.of(SendDone)[-1].acknowledged is True and not pair.missed


@pytest.mark.parametrize("drift_ppm", [-BOUND_PPM, BOUND_PPM])
@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("dr", range(6))
@pytest.mark.parametrize("delay_s", [1, 5, 15])
def test_a_downlink_is_heard_for_every_error_within_the_bound(
    drift_ppm: int, window: int, dr: int, delay_s: int
) -> None:
    assert heard(drift_ppm, window=window, dr=dr, delay_s=delay_s)


@pytest.mark.parametrize("drift_ppm", [-BOUND_PPM, BOUND_PPM])
def test_the_bound_matters(drift_ppm: int) -> None:
    """At DR5 and 15 s, 500 ppm are 7.5 ms or seven symbols: windows made for 20 ppm miss them."""
    assert not heard(drift_ppm, bound_ppm=20, delay_s=15)
    assert heard(20, bound_ppm=20, delay_s=15)
    assert heard(-20, bound_ppm=20, delay_s=15)


def test_a_bound_below_zero_is_a_misuse() -> None:
    with pytest.raises(MisuseError):
        otaa(Version.V1_0_4, crystal_ppm=-1)
