"""Background traffic: what is drawn, and how it holds demodulators."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lorawan.draws import Draws
from lorawan.phy import LoraModulation, Transmit, lora_airtime_us
from lorawan.trace import Outcome
from radio_sim.background import BackgroundPopulation, adr_spreading_factor, draw_background_day
from radio_sim.draws import words_of
from radio_sim.links import build_links
from radio_sim.medium import ENERGY, BackgroundDay, Medium, UplinkEnded, UplinkStarts
from radio_sim.model import SX1301, DeviceSite, GatewaySite, RadioModel

DAY_US = 86_400_000_000
FREQS_HZ = tuple(867_100_000 + 200_000 * i for i in range(8))


def population(sensors: int, uplinks_per_day: float) -> BackgroundPopulation:
    return BackgroundPopulation(
        words=words_of([f"s{i}" for i in range(sensors)]),
        gain_db=np.full((sensors, 2), -120.0),
        sf=np.full(sensors, 9, np.int8),
        uplinks_per_day=np.full(sensors, uplinks_per_day),
        payload_bytes=np.full(sensors, 33),
        tx_power_dbm=np.full(sensors, 13.85),
        freqs_hz=FREQS_HZ,
    )


def test_sensors_send_their_daily_number_at_any_time_on_any_channel() -> None:
    day = draw_background_day(Draws.of_seed(1), 3, 3 * DAY_US, 4 * DAY_US, population(2000, 3.4))
    assert len(day) == pytest.approx(2000 * 3.4, abs=4 * np.sqrt(2000 * 0.24))
    assert stats.kstest((day.start_us - 3 * DAY_US) / DAY_US, "uniform").pvalue > 0.01
    assert stats.chisquare(np.bincount(day.channel, minlength=8)).pvalue > 0.01
    assert (day.airtime_us == lora_airtime_us(33, LoraModulation(9))).all()
    assert (np.diff(day.start_us) >= 0).all()


def test_a_day_of_23_hours_has_fewer_frames() -> None:
    day = draw_background_day(Draws.of_seed(1), 0, 0, DAY_US * 23 // 24, population(100, 24.0))
    assert len(day) == 2300


def test_frames_fade_with_the_links_slow_state_and_their_own_draw() -> None:
    gateways = [GatewaySite("g0", 47.4, 0.8), GatewaySite("g1", 47.45, 0.8)]
    devices = [DeviceSite(f"s{i}", 47.42, 0.85) for i in range(500)]
    model = RadioModel(slow_fading_sigma_db=3.0, frame_fading_sigma_db=2.0)
    links = build_links(Draws.of_seed(2), gateways, devices, model)
    sensors = population(500, 4.0)
    day = draw_background_day(Draws.of_seed(1), 0, 0, DAY_US, sensors, links.fading(model))
    fades = (day.power_dbm - (13.85 - 120.0)).ravel()
    # Four frames of a sensor share its slow state, so there are fewer independent values than fades.
    assert fades.std() == pytest.approx(np.sqrt(13.0), rel=0.08)
    assert fades.mean() == pytest.approx(0.0, abs=0.4)


def test_adr_settles_10_db_above_the_floor_of_the_best_gateway() -> None:
    noise = np.array([-117.0, -110.0])
    # Best SNR of each sensor at 14 dBm: 2.5 dB is just SF7 (−7.5 + 10), 2.4 dB is SF8, −10.1 dB and less is SF12.
    best_snr = np.array([2.5, 2.4, -7.5, -10.1, -60.0])
    gain = np.stack([best_snr - 131.0, np.full(5, -200.0)], axis=1)
    assert adr_spreading_factor(gain, noise, 14.0).tolist() == [7, 8, 11, 12, 12]


def frames(start_us: list[int], sf: int, channel: list[int], power_dbm: float, gateways: int = 1) -> BackgroundDay:
    n = len(start_us)
    return BackgroundDay(
        0,
        DAY_US,
        FREQS_HZ,
        np.array(start_us, np.int64),
        np.full(n, lora_airtime_us(33, LoraModulation(sf)), np.int64),
        np.full(n, sf, np.int8),
        np.array(channel, np.int8),
        np.full((n, gateways), power_dbm, np.float32),
    )


def first_outcome(medium: Medium, at: int, sf: int, freq_hz: int) -> Outcome:
    transmit = Transmit(at, b"", freq_hz, LoraModulation(sf), 14.0, lora_airtime_us(33, LoraModulation(sf)))
    medium.handle(UplinkStarts(0, 0, transmit), at)
    ended = [e for e in (*medium.wake(at + 10_000_000),) if isinstance(e, UplinkEnded)]
    return ended[0].outcome


def test_background_frames_hold_demodulators_until_they_end() -> None:
    airtime = lora_airtime_us(33, LoraModulation(12))
    gateway = GatewaySite("g", 0, 0, demodulators=SX1301)
    for at, outcome in ((500_000, Outcome.NO_DEMODULATOR), (airtime, Outcome.DELIVERED)):
        medium = Medium([gateway], np.array([[-104.0]]))
        medium.set_background(frames([0] * 8, 12, list(range(8)), -100.0))
        assert first_outcome(medium, at, 7, 868_900_000) is outcome


def test_a_crowded_background_holds_no_more_demodulators_than_there_are() -> None:
    gateway = GatewaySite("g", 0, 0, demodulators=SX1301)
    crowd = frames([1000 * i for i in range(40)], 12, [i % 8 for i in range(40)], -100.0)
    airtime = lora_airtime_us(33, LoraModulation(12))
    # The first eight hold all demodulators to their ends; had the others queued up, none would be free afterwards.
    for at, outcome in ((900_000, Outcome.NO_DEMODULATOR), (airtime + 7_000, Outcome.DELIVERED)):
        medium = Medium([gateway], np.array([[-104.0]]), policy=ENERGY)
        medium.set_background(crowd)
        assert first_outcome(medium, at, 7, 868_900_000) is outcome


def test_a_frame_across_midnight_meets_both_days() -> None:
    before, after = DAY_US - 100_000, DAY_US + 2_500_000
    for at, channel, outcome in (
        (before, 0, Outcome.COLLIDED),
        (before, 1, Outcome.COLLIDED),
        (before, 2, Outcome.DELIVERED),
        (after, 0, Outcome.DELIVERED),
    ):
        medium = Medium([GatewaySite("g", 0, 0)], np.array([[-104.0]]))
        medium.set_background(frames([DAY_US - 900_000], 12, [0], -40.0))
        medium.set_background(frames([DAY_US + 400_000], 12, [1], -40.0))
        assert first_outcome(medium, at, 12, FREQS_HZ[channel]) is outcome


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ValueError, match="rising order"):
        frames([5, 4], 7, [0, 0], -100.0)
    with pytest.raises(ValueError, match="not 2"):
        Medium([GatewaySite("a", 0, 0), GatewaySite("b", 0, 0)], np.zeros((1, 2))).set_background(
            frames([1], 7, [0], -100.0)
        )
