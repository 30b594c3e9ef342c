"""Laws of P.1812 and of its sweep that hold for any terrain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from p526_oracle import spherical_earth
from scipy.ndimage import gaussian_filter

from radio_sim.coverage.self_check import SelfCheck, sampled_errors
from radio_sim.coverage.sweep import Options, Surroundings, Transmitter, sweep_losses
from radio_sim.propagation.p1812 import P1812Parameters, Profile, p1812_loss

heights = st.lists(st.floats(0.0, 150.0), min_size=3, max_size=60)
antennas = st.floats(1.0, 80.0)
kilometres = st.floats(0.3, 60.0)
percents = st.sampled_from([1.0, 10.0, 50.0])


def a_profile(ground: list[float], km: float, tx: float, rx: float) -> Profile:
    return Profile(np.linspace(0.0, km * 1000.0, len(ground)), np.array(ground), tx, rx)


@settings(max_examples=150, deadline=None)
@given(heights, kilometres, antennas, antennas, percents)
def test_the_way_back_is_the_way_there(ground: list[float], km: float, tx: float, rx: float, percent: float) -> None:
    params = P1812Parameters(868e6, time_percent=percent)
    there = p1812_loss(a_profile(ground, km, tx, rx), params).l_b_db
    back = p1812_loss(a_profile(ground[::-1], km, rx, tx), params).l_b_db
    assert there == pytest.approx(back, abs=1e-6)


@settings(max_examples=150, deadline=None)
@given(heights, kilometres, antennas, antennas, st.data())
def test_a_higher_obstacle_never_lowers_the_loss_over_the_terrain(
    ground: list[float], km: float, tx: float, rx: float, data: st.DataObject
) -> None:
    """Of the actual profile, L_bulla: the whole may fall, for a fitted surface that tips lowers the spherical part."""
    at = data.draw(st.integers(1, len(ground) - 2))
    higher = list(ground)
    higher[at] += data.draw(st.floats(0.1, 100.0))
    params = P1812Parameters(868e6)
    before = p1812_loss(a_profile(ground, km, tx, rx), params)
    after = p1812_loss(a_profile(higher, km, tx, rx), params)
    assert after.l_bulla_50_db >= before.l_bulla_50_db - 1e-9


@settings(max_examples=150, deadline=None)
@given(kilometres, antennas, antennas, st.floats(0.0, 1000.0))
def test_a_plain_costs_free_space_and_the_spherical_earth(km: float, tx: float, rx: float, level: float) -> None:
    """ITU-R P.526 §3.2, written independently: over a plain both Bullington parts of eq. 39 cancel."""
    result = p1812_loss(a_profile([level] * 61, km, tx, rx), P1812Parameters(868e6))
    sphere = spherical_earth(km * 1000.0, tx, rx, 868.0, result.ae_km * 1000.0, 22.0, 0.003, True)
    assert result.l_bulla_50_db == pytest.approx(result.l_bulls_50_db, abs=1e-6)
    assert result.l_d50_db == pytest.approx(max(sphere, result.l_bulls_50_db), abs=0.02)
    assert result.l_b_db >= result.l_bfs_db - 1e-9


@settings(max_examples=100, deadline=None)
@given(heights, kilometres, antennas, antennas)
def test_the_loss_never_falls_with_the_share_of_places(ground: list[float], km: float, tx: float, rx: float) -> None:
    profile = a_profile(ground, km, tx, rx)
    over_places = [p1812_loss(profile, P1812Parameters(868e6, location_percent=q)).l_b_db for q in (5.0, 50.0, 95.0)]
    assert over_places == sorted(over_places)


def a_world(seed: int, size: int, smooth: float, relief: float) -> np.ndarray:
    rough = gaussian_filter(np.random.default_rng(seed).standard_normal((size, size)), smooth, mode="wrap")
    return ((rough - rough.min()) / np.ptp(rough) * relief).astype(np.float32)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 25), st.integers(1, 25), st.floats(60.0, 65.0), st.floats(60.0, 65.0))
def test_moving_the_origin_moves_the_map(seed: int, down: int, right: int, row: float, col: float) -> None:
    world = a_world(seed, 130, 3.0, 60.0)
    options, params = Options(max_distance_m=900.0), P1812Parameters(868e6)
    here = sweep_losses(Surroundings(world[:100, :100], 30.0), [Transmitter(row, col, 15.0)], 1.5, params, options)[0]
    window = world[down : 100 + down, right : 100 + right]
    moved = Transmitter(row - down, col - right, 15.0)
    there = sweep_losses(Surroundings(window, 30.0), [moved], 1.5, params, options)[0]
    np.testing.assert_allclose(here[down:, right:], there[: 100 - down, : 100 - right], rtol=0, atol=1e-3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.floats(2.0, 12.0), st.floats(10.0, 200.0), antennas, percents)
def test_the_sweep_is_near_the_exact_map_over_any_hills(
    seed: int, smooth: float, relief: float, tx_height: float, percent: float
) -> None:
    around = Surroundings(a_world(seed, 120, smooth, relief), 30.0)
    tx, params = Transmitter(61.2, 48.7, tx_height), P1812Parameters(868e6, time_percent=percent)
    loss = sweep_losses(around, [tx], 1.5, params, threads=1)[0]
    errors, differing = sampled_errors(loss, around, tx, 1.5, params, pixels=300)
    check = SelfCheck.of([errors], differing)
    assert check.differing == 0
    assert check.mean_db < 0.2
