"""A device whose crystal is off hears its network at every data rate and delay (LoRaWAN 1.0.4 §3.3.4)."""

from __future__ import annotations

import pytest
from mac_pairs import downlink, otaa

from lorawan.device import Joined, ReceptionStarted, SendDone, SendRequest, StartJoin, StopListening
from lorawan.errors import MisuseError
from lorawan.ids import NetId
from lorawan.phy import Heard, Listen, lora_symbol_us
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


@pytest.mark.parametrize("dr", range(6))
def test_a_frame_caught_in_rx2_is_waited_for(dr: int) -> None:
    """The radio tells of it when its preamble is over, after the window itself has closed."""
    pair = Pair(otaa(Version.V1_0_4))
    pair.join()
    session = pair.device.session
    assert session is not None
    session.rx2_dr = dr
    payload = downlink(pair)
    pair.device.handle(SendRequest(10, b"x"), pair.now)
    effects = pair.device.wake(pair.device.wake_at or 0)
    rx2 = next(e for e in effects if isinstance(e, Listen) and e.window == 2)
    symbol_us = lora_symbol_us(rx2.modulation)
    locks_at = rx2.closes_at + 3 * symbol_us  # the last frame that has shown five symbols when the window closes
    assert not pair.device.wake(locks_at)
    pair.device.handle(ReceptionStarted(locks_at + 500_000), locks_at)
    assert not pair.device.wake(locks_at + 400_000)
    heard = Heard(locks_at + 500_000, payload, rx2.freq_hz, rx2.modulation, -90.0, 5.0, 0)
    assert any(isinstance(e, StopListening) for e in pair.device.handle(heard, heard.at))
