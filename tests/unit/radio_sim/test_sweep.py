"""The raster sweep against a profile per pixel, built here with NumPy alone, and its ways with holes and edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from lorawan.draws import Draws
from radio_sim.coverage.self_check import SelfCheck, sampled_errors
from radio_sim.coverage.sweep import (
    Options,
    Surroundings,
    SweepError,
    Transmitter,
    exact_losses,
    sweep_losses,
)
from radio_sim.propagation.p1812 import COASTAL_LAND, INLAND, SEA, P1812Parameters, Profile, p1812_loss

PIXEL_M = 30.0
PARAMS = P1812Parameters(868e6, latitude_deg=47.0)
TX = Transmitter(120.3, 97.8, 20.0)


def _sampled(
    loss: np.ndarray, around: Surroundings, parameters: P1812Parameters, pixels: int
) -> tuple[list[np.ndarray], int]:
    errors, differing = sampled_errors(loss, around, TX, 1.5, parameters, pixels=pixels)
    return [errors], differing


def hills(seed: int, ny: int = 260, nx: int = 240) -> np.ndarray:
    """Rolling hills, 60 m between valley and top, with features down to 200 m."""
    rng = np.random.default_rng(seed)
    rough = gaussian_filter(rng.standard_normal((ny, nx)), 25) * 30 + gaussian_filter(rng.standard_normal((ny, nx)), 6)
    return ((rough - rough.min()) / np.ptp(rough) * 60.0 + 40.0).astype(np.float32)


HILLS = hills(1)
TOWNS = np.where(gaussian_filter(np.random.default_rng(2).standard_normal(HILLS.shape), 3) > 0.03, 12.0, 0.0).astype(
    np.float32
)
COAST = np.where(np.arange(240) > 150, SEA, np.where(np.arange(240) > 120, COASTAL_LAND, INLAND))
ZONES = np.broadcast_to(COAST.astype(np.int8), HILLS.shape).copy()


def own_profile(row: int, col: int, clutter: bool, zones: bool) -> Profile:
    """Samples every 30 m, the last interval half to one and a half steps long."""
    d_row, d_col = row - TX.row, col - TX.col
    total = float(np.hypot(d_row, d_col)) * PIXEL_M
    d = np.append(np.arange(int(total / PIXEL_M - 0.5) + 1) * PIXEL_M, total)
    at = [TX.row + d / total * d_row, TX.col + d / total * d_col]
    ground = map_coordinates(HILLS.astype(float), at, order=1)
    cover = map_coordinates(TOWNS.astype(float), at, order=1) if clutter else None
    nearest = tuple(np.floor(axis + 0.5).astype(int) for axis in at)
    return Profile(d, ground, TX.height_agl_m, 1.5, cover, ZONES[nearest] if zones else None)


@pytest.mark.parametrize(
    ("clutter", "zones", "time_percent"), [(False, False, 50.0), (True, False, 10.0), (True, True, 1.0)]
)
def test_a_pixel_is_p1812_of_its_own_profile(clutter: bool, zones: bool, time_percent: float) -> None:
    params = P1812Parameters(868e6, latitude_deg=47.0, time_percent=time_percent, location_percent=80.0)
    around = Surroundings(HILLS, PIXEL_M, TOWNS if clutter else None, ZONES if zones else None)
    rows, cols = np.array([5, 250, 130, 20, 200]), np.array([10, 230, 200, 100, 3])
    found = exact_losses(around, TX, 1.5, params, rows, cols)
    expected = [p1812_loss(own_profile(r, c, clutter, zones), params).l_b_db for r, c in zip(rows, cols, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("time_percent", [50.0, 5.0])
@pytest.mark.parametrize(("clutter", "p99_db"), [(False, 0.3), (True, 0.9)])
def test_the_sweep_stays_close_to_exact_profiles(clutter: bool, p99_db: float, time_percent: float) -> None:
    params = P1812Parameters(868e6, latitude_deg=47.0, time_percent=time_percent)
    around = Surroundings(HILLS, PIXEL_M, TOWNS if clutter else None, ZONES)
    loss = sweep_losses(around, [TX], 1.5, params, threads=1)[0]
    check = SelfCheck.of(*_sampled(loss, around, params, 1_500))
    assert check.samples == 1_500
    assert check.differing == 0
    assert check.mean_db < 0.1
    assert check.p99_db < p99_db


def test_nothing_is_approximated_where_a_path_has_all_its_samples_to_itself() -> None:
    """The incremental hulls, prefix sums and skipped mechanisms against plain scans of the same samples."""
    around = Surroundings(HILLS, PIXEL_M, TOWNS, ZONES)
    for time_percent in (50.0, 2.0):
        params = P1812Parameters(868e6, latitude_deg=47.0, time_percent=time_percent)
        loss = sweep_losses(around, [TX], 1.5, params, Options(own_samples=1_000), threads=1)[0]
        check = SelfCheck.of(*_sampled(loss, around, params, 500))
        assert check.worst_db < 0.01


def test_the_bits_do_not_depend_on_threads_nor_on_company() -> None:
    around = Surroundings(HILLS, PIXEL_M)
    sites = [TX, Transmitter(30.0, 200.5, 10.0), Transmitter(259.5, -0.5, 40.0)]
    one = sweep_losses(around, sites, 1.5, PARAMS, threads=1)
    for threads in (2, 5):
        for a, b in zip(one, sweep_losses(around, sites, 1.5, PARAMS, threads=threads), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one[1], sweep_losses(around, sites[1:2], 1.5, PARAMS, threads=1)[0])


def test_free_space_and_diffraction_are_the_terms_of_their_names() -> None:
    near = Options(diffraction_only=True)
    (loss,) = sweep_losses(Surroundings(HILLS, PIXEL_M), [TX], 1.5, PARAMS, near, threads=1)
    rows, cols = np.array([5, 250, 130]), np.array([10, 230, 200])
    exact = exact_losses(Surroundings(HILLS, PIXEL_M), TX, 1.5, PARAMS, rows, cols, near)
    results = [p1812_loss(own_profile(r, c, False, False), PARAMS) for r, c in zip(rows, cols, strict=True)]
    np.testing.assert_allclose(exact, [r.l_bfs_db + r.l_d50_db for r in results], rtol=0, atol=1e-4)
    np.testing.assert_allclose(loss[rows, cols], exact, rtol=0, atol=1.0)


def test_a_long_hole_hides_what_lies_behind_and_a_short_one_is_bridged() -> None:
    long, short = HILLS.copy(), HILLS.copy()
    long[60:70, 80:120] = np.nan
    short[60:62, 80:120] = np.nan
    (hidden,) = sweep_losses(Surroundings(long, PIXEL_M), [TX], 1.5, PARAMS, threads=1)
    (bridged,) = sweep_losses(Surroundings(short, PIXEL_M), [TX], 1.5, PARAMS, threads=1)
    assert np.isnan(hidden[60:70, 80:120]).all()
    assert np.isnan(hidden[20, 98])
    assert np.isfinite(hidden[75, 98])
    assert np.isfinite(hidden[200, 98])
    assert np.isnan(bridged[60:62, 80:120]).all()
    assert np.isfinite(bridged[20, 98])
    # The rim of the shadow is a matter of half a pixel.
    assert SelfCheck.of(*_sampled(hidden, Surroundings(long, PIXEL_M), PARAMS, 1_000)).differing <= 10


def test_the_area_ends_at_the_greatest_distance() -> None:
    (loss,) = sweep_losses(Surroundings(HILLS, PIXEL_M), [TX], 1.5, PARAMS, Options(1_500.0), threads=1)
    rows, cols = np.mgrid[0:260, 0:240]
    distance = np.hypot(rows - TX.row, cols - TX.col) * PIXEL_M
    np.testing.assert_array_equal(np.isfinite(loss), distance <= 1_500.0)


def test_pixels_at_the_foot_of_the_mast_are_finite_and_no_better_than_free_space() -> None:
    mast = Transmitter(120.0, 98.0, 20.0)
    (loss,) = sweep_losses(Surroundings(HILLS, PIXEL_M), [mast], 1.5, PARAMS, Options(250.0), threads=1)
    near = loss[np.isfinite(loss)]
    assert len(near) > 200
    free_space_at_the_foot = 32.4 + 20.0 * np.log10(868.0 * 0.0185)
    assert near.min() >= free_space_at_the_foot - 1e-3
    assert loss[120, 98] == pytest.approx(free_space_at_the_foot, abs=0.5)


def test_the_check_finds_a_map_that_is_wrong_and_draws_the_pixels_it_is_told_to() -> None:
    around = Surroundings(HILLS, PIXEL_M)
    loss = sweep_losses(around, [TX], 1.5, PARAMS, threads=1)[0]
    wrong = SelfCheck.of(*_sampled(loss + np.float32(3.0), around, PARAMS, 200))
    assert wrong.mean_db == pytest.approx(3.0, abs=0.1)
    places = [
        sampled_errors(loss, around, TX, 1.5, PARAMS, pixels=20, draws=Draws.of_seed(seed))[0].tolist()
        for seed in (1, 1, 2)
    ]
    assert places[0] == places[1] != places[2]


@pytest.mark.parametrize(
    ("row", "height", "raster", "says"),
    [
        (-1.0, 20.0, HILLS, "outside"),
        (20.0, 0.0, HILLS, "antenna heights"),
        (20.0, 20.0, HILLS.astype(float), "float32"),
        (20.0, 20.0, np.full_like(HILLS, np.nan), "unknown"),
    ],
)
def test_what_cannot_be_swept_is_refused(row: float, height: float, raster: np.ndarray, says: str) -> None:
    with pytest.raises(SweepError, match=says):
        sweep_losses(Surroundings(raster, PIXEL_M), [Transmitter(row, 20.0, height)], 1.5, PARAMS, threads=1)
