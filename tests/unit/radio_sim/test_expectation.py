"""The closed-form coverage expectation against the medium's own frames and against hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from lorawan.draws import Draws
from lorawan.phy import LoraModulation, Transmit, lora_airtime_us
from radio_sim.expectation import daily_heard_probability, frame_heard_probability, heard_within, margins_db
from radio_sim.links import Links, build_links
from radio_sim.medium import Medium, UplinkEnded, UplinkStarts
from radio_sim.model import DeviceSite, GatewaySite, RadioModel
from radio_sim.propagation.fading import FrameFading

DAY_US = 86_400_000_000
GATEWAYS = [GatewaySite(f"g{i}", 47.4, 0.8 + 0.05 * i, antenna_height_m=25.0) for i in range(3)]


def world(model: RadioModel, devices: int = 60) -> Links:
    sites = [DeviceSite(f"d{i}", 47.36 + 0.002 * i, 0.85, placement="pit_concrete") for i in range(devices)]
    return build_links(Draws.of_seed(4), GATEWAYS, sites, model)


def test_two_gateways_hear_a_frame_with_the_product_of_their_misses() -> None:
    fading = FrameFading("lognormal", sigma_db=2.0)
    expected = 1 - (1 - stats.norm.cdf(1.0 / 2)) * (1 - stats.norm.cdf(-3.0 / 2))
    assert frame_heard_probability(np.array([1.0, -3.0]), fading) == pytest.approx(expected, abs=1e-5)


def test_without_slow_fading_a_day_misses_with_the_nth_power_of_a_frame() -> None:
    model = RadioModel(slow_fading_sigma_db=0.0, frame_fading_sigma_db=3.0)
    links = world(model, devices=20)
    miss = stats.norm.sf((links.gain_db - 6.0 - links.noise_dbm + 20.0) / 3.0).prod(axis=1)
    chance = daily_heard_probability(links, model, days=2, uplinks_per_day=3, tx_power_dbm=-6.0)
    assert chance == pytest.approx(np.stack([1 - miss**3] * 2, axis=1), abs=1e-4)
    lossy = daily_heard_probability(links, model, days=2, uplinks_per_day=3, tx_power_dbm=-6.0, frame_loss=0.25)
    assert lossy[:, 0] == pytest.approx(1 - (1 - 0.75 * (1 - miss)) ** 3, abs=1e-4)
    assert 0.1 < chance.mean() < 0.95


@pytest.mark.parametrize("law", ["lognormal", "rice", "none"])
def test_the_expectation_agrees_with_frames_played_through_the_medium(law: str) -> None:
    model = RadioModel(frame_fading_law=law, frame_fading_k_db=6.0, slow_fading_correlation_s=40_000.0)  # type: ignore[arg-type]  # one of the literals
    links = world(model)
    days, per_day = 12, 4  # one frame in each block of slow fading, as the expectation spreads them
    expected = daily_heard_probability(links, model, days=days, uplinks_per_day=per_day, tx_power_dbm=13.85)
    assert 0.1 < expected.mean() < 0.95
    medium = Medium.of_links(GATEWAYS, links, model)
    modulation = LoraModulation(12)
    airtime = lora_airtime_us(33, modulation)
    heard = np.zeros(expected.shape, bool)
    for slot in range(days * per_day):
        for device in range(len(expected)):
            at = slot * (DAY_US // per_day) + device * 10_000_000
            transmit = Transmit(at, b"", 868_100_000, modulation, 13.85, airtime)
            medium.handle(UplinkStarts(device, slot, transmit), at)
            for effect in medium.wake(at + airtime):
                assert isinstance(effect, UplinkEnded)
                heard[device, slot // per_day] |= bool(effect.heard)
    difference = heard.sum() - expected.sum()
    error = np.sqrt((expected * (1.0 - expected)).sum())
    assert abs(difference) <= 3.5 * error + 1e-9
    # And each sensor-day that is all but certain either way goes that way.
    assert heard[expected > 1 - 1e-7].all()
    assert not heard[expected < 1e-7].any()


def test_a_better_link_never_lowers_a_probability_and_a_loss_never_raises_one() -> None:
    model = RadioModel()
    links = world(model)

    def chance(offset_db: float, loss: float) -> np.ndarray:
        return daily_heard_probability(
            links,
            model,
            days=5,
            uplinks_per_day=2,
            tx_power_dbm=13.85,
            link_offset_db=offset_db,
            frame_loss=loss,
        )

    base = chance(0.0, 0.0)
    assert (chance(5.0, 0.0) >= base - 1e-6).all()
    assert (chance(-5.0, 0.0) <= base + 1e-6).all()
    assert (chance(0.0, 0.3) <= base + 1e-6).all()
    assert chance(5.0, 0.0).mean() > base.mean() > chance(-5.0, 0.0).mean()


def test_a_certain_link_loses_only_the_days_on_which_interference_takes_every_frame() -> None:
    model = RadioModel(path_loss="free_space", shadowing_sigma_db=0.0)
    links = build_links(Draws.of_seed(4), GATEWAYS[:1], [DeviceSite("near", 47.401, 0.8)], model)
    chance = daily_heard_probability(links, model, days=3, uplinks_per_day=2, tx_power_dbm=13.85, frame_loss=0.1)
    assert chance == pytest.approx(1 - 0.1**2, abs=1e-5)
    silent = daily_heard_probability(links, model, days=3, uplinks_per_day=0, tx_power_dbm=13.85)
    assert (silent == 0).all()


def test_later_days_do_not_depend_on_where_the_span_begins() -> None:
    model = RadioModel()
    links = world(model)
    whole = daily_heard_probability(links, model, days=8, uplinks_per_day=2, tx_power_dbm=13.85)
    late = daily_heard_probability(links, model, days=3, first_day=5, uplinks_per_day=2, tx_power_dbm=13.85)
    assert late == pytest.approx(whole[:, 5:], abs=1e-6)


def test_blocks_that_straddle_midnight_are_shared_between_days() -> None:
    model = RadioModel(slow_fading_block_s=7 * 3600.0, frame_fading_law="none", slow_fading_sigma_db=4.0)
    links = world(model)
    chance = daily_heard_probability(links, model, days=6, uplinks_per_day=1, tx_power_dbm=13.85)
    assert np.isfinite(chance).all()
    # Without per-frame fading a day's chance is 0 or 1, whatever the share of its good blocks.
    assert np.isin(chance, (0.0, 1.0)).all()


def test_margins_count_from_the_floor_of_each_sensors_sf() -> None:
    model = RadioModel()
    links = world(model, devices=2)
    margin = margins_db(links, tx_power_dbm=np.array([13.85, 11.85]), sf=np.array([7, 12]), link_offset_db=1.0)
    assert margin[0] == pytest.approx(links.gain_db[0] + 13.85 - links.noise_dbm + 7.5 + 1.0)
    assert margin[1] == pytest.approx(links.gain_db[1] + 11.85 - links.noise_dbm + 20.0 + 1.0)


def test_heard_within_a_window_looks_back_and_no_further() -> None:
    daily = np.array([[0.5, 0.0, 0.2, 1.0]], np.float32)
    assert heard_within(daily, 2) == pytest.approx(np.array([[0.5, 0.5, 0.2, 1.0]]))
    assert heard_within(daily, 10) == pytest.approx(np.array([[0.5, 0.5, 0.6, 1.0]]))
