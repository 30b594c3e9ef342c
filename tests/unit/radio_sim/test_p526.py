"""Diffraction against the figures of ITU-R P.526, geometry done by hand, and the reference results of ITU-R P.1812."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy.special import fresnel

from radio_sim.propagation.p526 import (
    SEA_WATER,
    bullington_loss_db,
    delta_bullington_loss_db,
    diffraction_parameter,
    knife_edge_loss_db,
    spherical_earth_loss_db,
)

P1812 = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "p1812"
FREQ_HZ = 868e6
WAVELENGTH_M = 299_792_458.0 / FREQ_HZ


@pytest.mark.parametrize("nu", [-0.7, 0.0, 0.5, 1.0, 2.4, 5.0, 20.0])
def test_the_approximation_is_the_fresnel_integral_within_0_15_db(nu: float) -> None:
    s, c = fresnel(nu)
    exact = -20 * math.log10(math.hypot(1 - c - s, c - s) / 2)
    assert float(knife_edge_loss_db(nu)) == pytest.approx(exact, abs=0.15)


def test_grazing_an_edge_costs_six_db_and_a_clear_path_nothing() -> None:
    assert float(knife_edge_loss_db(0.0)) == pytest.approx(6.0, abs=0.05)
    assert knife_edge_loss_db([-5.0, -0.79]).tolist() == [0.0, 0.0]


def test_an_edge_a_fresnel_radius_high_has_a_parameter_of_root_two() -> None:
    d1, d2 = 3000.0, 7000.0
    radius = math.sqrt(WAVELENGTH_M * d1 * d2 / (d1 + d2))
    assert float(diffraction_parameter(radius, d1, d2, FREQ_HZ)) == pytest.approx(math.sqrt(2.0))


def test_bullington_over_one_ridge_is_that_edge_and_its_correction() -> None:
    distances, heights = np.array([0.0, 2000.0, 5000.0]), np.array([100.0, 180.0, 100.0])
    bulge = 2000.0 * 3000.0 / (2 * 8.5e6)
    above = 180.0 + bulge - (120.0 * 3000 + 110.0 * 2000) / 5000
    edge = float(knife_edge_loss_db(diffraction_parameter(above, 2000.0, 3000.0, FREQ_HZ)))
    loss = bullington_loss_db(distances, heights, tx_height_m=20.0, rx_height_m=10.0, freq_hz=FREQ_HZ)
    assert loss == pytest.approx(edge + (1 - math.exp(-edge / 6)) * 10.1)


def test_bullington_of_two_ridges_puts_one_edge_where_the_tangents_meet() -> None:
    distances = np.array([0.0, 2000.0, 8000.0, 10_000.0])
    heights = np.array([0.0, 100.0, 100.0, 0.0])
    # With no curvature both tangents rise 90 m in 2 km from 10 m and meet half way, 235 m up.
    edge = float(knife_edge_loss_db(diffraction_parameter(225.0, 5000.0, 5000.0, FREQ_HZ)))
    loss = bullington_loss_db(
        distances, heights, tx_height_m=10.0, rx_height_m=10.0, freq_hz=FREQ_HZ, earth_radius_m=1e15
    )
    assert loss == pytest.approx(edge + (1 - math.exp(-edge / 6)) * 10.2, abs=1e-6)


def test_a_profile_of_its_ends_alone_diffracts_nothing() -> None:
    assert bullington_loss_db([0.0, 900.0], [5.0, 7.0], tx_height_m=2.0, rx_height_m=2.0, freq_hz=FREQ_HZ) == 0.0


def clutterless_land_cases() -> list[tuple[str, dict[str, float], np.ndarray]]:
    cases = []
    for path in sorted(P1812.glob("results/*_0_log.csv")):
        rows = [row for row in csv.reader(path.read_text().splitlines()) if len(row) > 3 and row[3]]
        given = {row[0].strip(): float(row[3]) for row in rows if not row[0].startswith("#")}
        profile = list(csv.reader((P1812 / "profiles" / f"{path.name[:-10]}.csv").read_text().splitlines()))
        begin = next(i for i, row in enumerate(profile) if row[0] == "Number of Points:")
        points = profile[begin + 1 : begin + 1 + int(profile[begin][1])]
        columns = np.array([[float(row[i]) for i in (0, 1, 3)] for row in points]).T
        if not columns[2, 1:-1].any() and given["w"] == 0:
            cases.append((path.name, given, columns))
    return cases


def test_delta_bullington_agrees_with_the_reference_implementation_of_p1812_over_land() -> None:
    if not P1812.exists():
        pytest.skip("the shared vectors are not beside this checkout")
    cases = clutterless_land_cases()
    assert len(cases) >= 3
    for name, given, (distance_km, heights, _) in cases:
        loss = delta_bullington_loss_db(
            distance_km * 1000.0,
            heights,
            tx_height_m=given["htg (m)"],
            rx_height_m=given["hrg (m)"],
            freq_hz=given["f (GHz)"] * 1e9,
            polarisation="horizontal" if given["pol"] == 1 else "vertical",
            earth_radius_m=given["ae (km)"] * 1000.0,
        )
        # P.1812 rounds the speed of light to 2.998e8 m/s.
        assert loss == pytest.approx(given["Ld50 (dB)"], abs=5e-4), name


@pytest.mark.parametrize(
    ("ground", "polarisation"), [((22.0, 0.003), "vertical"), ((22.0, 0.003), "horizontal"), (SEA_WATER, "vertical")]
)
def test_the_spherical_earth_has_no_step_at_the_horizon(ground: tuple[float, float], polarisation: str) -> None:
    horizon = math.sqrt(2 * 8.5e6) * (math.sqrt(30.0) + math.sqrt(10.0))
    near, far = (
        spherical_earth_loss_db(
            horizon * factor,
            tx_height_m=30.0,
            rx_height_m=10.0,
            freq_hz=FREQ_HZ,
            polarisation="vertical" if polarisation == "vertical" else "horizontal",
            ground=ground,
        )
        for factor in (1 - 1e-7, 1 + 1e-7)
    )
    assert near == pytest.approx(far, abs=0.01)


def test_far_beyond_the_horizon_the_loss_grows_by_the_slope_of_the_first_term() -> None:
    def loss(distance_m: float) -> float:
        return spherical_earth_loss_db(distance_m, tx_height_m=30.0, rx_height_m=30.0, freq_hz=FREQ_HZ)

    # 17.6 dB per unit of X = 2.188·f^(1/3)·a_e^(−2/3)·d, less the change of 10·log10 X: ITU-R P.526-15 §3.1.1.2.
    unit_km = 8500.0 ** (2 / 3) / (2.188 * 868.0 ** (1 / 3))
    rise = loss(300e3) - loss(200e3)
    assert rise == pytest.approx(17.6 * 100 / unit_km - 10 * math.log10(1.5), rel=1e-3)


def test_over_a_smooth_earth_the_complete_method_is_the_spherical_earth() -> None:
    distances = np.linspace(0.0, 60e3, 601)
    loss = delta_bullington_loss_db(distances, np.zeros(601), tx_height_m=30.0, rx_height_m=10.0, freq_hz=FREQ_HZ)
    sphere = spherical_earth_loss_db(60e3, tx_height_m=30.0, rx_height_m=10.0, freq_hz=FREQ_HZ)
    assert loss == pytest.approx(sphere, abs=1e-6)


def test_the_complete_method_is_reciprocal() -> None:
    generator = np.random.default_rng(7)
    for _ in range(50):
        distances = np.cumsum(np.concatenate([[0.0], generator.uniform(20, 80, 150)]))
        heights = 100 + np.cumsum(generator.normal(0, 4, 151))
        there = delta_bullington_loss_db(distances, heights, tx_height_m=25.0, rx_height_m=2.0, freq_hz=FREQ_HZ)
        back = delta_bullington_loss_db(
            distances[-1] - distances[::-1], heights[::-1], tx_height_m=2.0, rx_height_m=25.0, freq_hz=FREQ_HZ
        )
        assert there == pytest.approx(back, abs=1e-6)


@pytest.mark.parametrize(
    ("distances", "heights", "tx"),
    [
        ([0.0], [1.0], 2.0),
        ([0.0, 10.0], [1.0, 2.0, 3.0], 2.0),
        ([5.0, 10.0], [1.0, 2.0], 2.0),
        ([0.0, 10.0, 10.0], [1.0, 2.0, 3.0], 2.0),
        ([0.0, 10.0], [1.0, math.nan], 2.0),
        ([0.0, 10.0], [1.0, 2.0], 0.0),
    ],
)
def test_profiles_that_are_none_are_refused(distances: list[float], heights: list[float], tx: float) -> None:
    with pytest.raises(ValueError, match=r"profile|above zero"):
        delta_bullington_loss_db(distances, heights, tx_height_m=tx, rx_height_m=2.0, freq_hz=FREQ_HZ)
