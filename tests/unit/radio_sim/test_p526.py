"""Diffraction as the maps use it against ITU-R P.526 written independently, geometry by hand and the figures of P.1812.

The kernels are those of P.1812, which round the speed of light to 2.998e8 m/s; the oracle does not.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from p526_oracle import AVERAGE_GROUND, delta_bullington
from scipy.special import fresnel

from radio_sim.coverage.loss_model import LossModel
from radio_sim.coverage.sweep import Options, Surroundings, Transmitter, exact_losses
from radio_sim.propagation.p1812 import P1812Parameters, Profile, p1812_loss
from radio_sim.propagation.p1812.climate import Constants, constants
from radio_sim.propagation.p1812.diffraction import bullington, knife_edge, spherical

P1812 = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "p1812"
MHZ_868 = P1812Parameters(868e6)
C = constants(MHZ_868)
MEDIAN_KM = 8500.0  # effective Earth radius where nothing better is known: ITU-R P.526-15 §1


@pytest.mark.parametrize("nu", [-0.7, 0.0, 0.5, 1.0, 2.4, 5.0, 20.0])
def test_the_approximation_is_the_fresnel_integral_within_0_15_db(nu: float) -> None:
    s, c = fresnel(nu)
    exact = -20 * math.log10(math.hypot(1 - c - s, c - s) / 2)
    assert knife_edge(nu) == pytest.approx(exact, abs=0.15)


def test_grazing_an_edge_costs_six_db_and_a_clear_path_nothing() -> None:
    assert knife_edge(0.0) == pytest.approx(6.0, abs=0.05)
    assert [knife_edge(-5.0), knife_edge(-0.79)] == [0.0, 0.0]


def test_bullington_over_one_ridge_is_that_edge_and_its_correction() -> None:
    bulge = 2000.0 * 3000.0 / (2 * 8.5e6)
    above = 180.0 + bulge - (120.0 * 3000 + 110.0 * 2000) / 5000
    # An edge as high as the first Fresnel zone's radius there has ν = √2: ITU-R P.526-15 §4.1.
    radius = math.sqrt(C.wavelength_m * 2000.0 * 3000.0 / 5000.0)
    edge = knife_edge(math.sqrt(2.0) * above / radius)
    loss = bullington(np.array([0.0, 2.0, 5.0]), np.array([100.0, 180.0, 100.0]), 120, 110, MEDIAN_KM, C.wavelength_m)
    assert loss == pytest.approx(edge + (1 - math.exp(-edge / 6)) * 10.1)


def test_bullington_of_two_ridges_puts_one_edge_where_the_tangents_meet() -> None:
    distances, heights = np.array([0.0, 2.0, 8.0, 10.0]), np.array([0.0, 100.0, 100.0, 0.0])
    # With no curvature both tangents rise 90 m in 2 km from 10 m and meet half way, 235 m up.
    edge = knife_edge(225.0 * math.sqrt(2.0 / C.wavelength_m * (1 / 5000.0 + 1 / 5000.0)))
    loss = bullington(distances, heights, 10.0, 10.0, 1e12, C.wavelength_m)
    assert loss == pytest.approx(edge + (1 - math.exp(-edge / 6)) * 10.2, abs=1e-6)


@pytest.mark.parametrize("polarisation", ["vertical", "horizontal"])
@pytest.mark.parametrize("freq_hz", [150e6, 868e6, 2.4e9])
def test_over_any_terrain_the_p526_model_is_free_space_and_the_oracles_diffraction(
    freq_hz: float, polarisation: str
) -> None:
    generator = np.random.default_rng(int(freq_hz))
    model = LossModel("p526", int(freq_hz), terminal_clutter=None)
    hidden = 0
    for _ in range(60):
        steps = int(generator.integers(5, 150))
        distances = np.arange(steps + 1) * generator.uniform(20.0, 400.0)
        heights = 100.0 + np.cumsum(generator.normal(0.0, generator.uniform(0.0, 15.0), steps + 1))
        tx, rx = generator.uniform(1.5, 60.0), generator.uniform(1.0, 20.0)
        vertical = polarisation == "vertical"
        result = p1812_loss(
            Profile(distances, heights, tx, rx),
            P1812Parameters(freq_hz, polarisation="vertical" if vertical else "horizontal"),
        )
        expected = delta_bullington(
            distances, heights, heights[0] + tx, heights[-1] + rx, freq_hz / 1e6, 1e3 * result.ae_km, *AVERAGE_GROUND,
            vertical,
        )  # fmt: skip
        assert result.l_d50_db == pytest.approx(expected, abs=2e-3)
        if vertical:
            free_space_db = 32.4 + 20.0 * math.log10(
                freq_hz / 1e6 * math.hypot(distances[-1], heights[0] + tx - heights[-1] - rx) / 1e3
            )
            assert model.over(distances, heights, tx, rx) == pytest.approx(free_space_db + expected, abs=2e-3)
        hidden += expected > 20.0
    assert hidden > 10


def test_a_pixel_of_the_p526_map_is_free_space_and_the_oracles_diffraction() -> None:
    heights = (60.0 * np.random.default_rng(5).random((30, 90))).astype(np.float32)
    options = Options(diffraction_only=True)
    rows, cols = np.array([12, 12]), np.array([40, 85])
    losses = exact_losses(Surroundings(heights, 30.0), Transmitter(12.0, 0.0, 20.0), 1.5, MHZ_868, rows, cols, options)
    for col, loss in zip(cols, losses, strict=True):
        line = heights[12, : col + 1].astype(float)
        distances = 30.0 * np.arange(col + 1)
        expected = delta_bullington(
            distances, line, line[0] + 20.0, line[-1] + 1.5, 868.0, 1e3 * C.ae_km, *AVERAGE_GROUND, True
        )
        slant_km = math.hypot(distances[-1], line[0] + 18.5 - line[-1]) / 1e3
        assert loss == pytest.approx(32.4 + 20.0 * math.log10(868.0 * slant_km) + expected, abs=2e-3)
        assert expected > 10.0


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


def test_kernels_and_oracle_give_the_reference_diffraction_of_p1812_over_land() -> None:
    if not P1812.exists():
        pytest.skip("the shared vectors are not beside this checkout")
    cases = clutterless_land_cases()
    assert len(cases) >= 3
    for name, given, (distance_km, heights, _) in cases:
        tx, rx, freq_ghz = given["htg (m)"], given["hrg (m)"], given["f (GHz)"]
        result = p1812_loss(
            Profile(distance_km * 1000.0, heights, tx, rx),
            P1812Parameters(
                freq_ghz * 1e9, polarisation="horizontal" if given["pol"] == 1 else "vertical", delta_n=given["DN"]
            ),
        )
        assert result.l_d50_db == pytest.approx(given["Ld50 (dB)"], abs=1e-6), name
        ends = heights[0] + tx, heights[-1] + rx
        oracle = delta_bullington(
            distance_km * 1000.0, heights, *ends, freq_ghz * 1e3, given["ae (km)"] * 1e3, *AVERAGE_GROUND,
            given["pol"] != 1,
        )  # fmt: skip
        assert oracle == pytest.approx(given["Ld50 (dB)"], abs=5e-4), name


def sphere(c: Constants, sea: float, km: float, tx: float, rx: float) -> float:
    return spherical(c, sea, km, tx, rx, MEDIAN_KM)


@pytest.mark.parametrize(("sea", "polarisation"), [(0.0, "vertical"), (0.0, "horizontal"), (1.0, "vertical")])
def test_the_spherical_earth_has_no_step_at_the_horizon(sea: float, polarisation: str) -> None:
    c = constants(P1812Parameters(868e6, polarisation="vertical" if polarisation == "vertical" else "horizontal"))
    horizon = math.sqrt(2 * 8.5e6) * (math.sqrt(30.0) + math.sqrt(10.0)) / 1e3
    near, far = (sphere(c, sea, horizon * factor, 30.0, 10.0) for factor in (1 - 1e-7, 1 + 1e-7))
    assert near == pytest.approx(far, abs=0.01)


def test_far_beyond_the_horizon_the_loss_grows_by_the_slope_of_the_first_term() -> None:
    # 17.6 dB per unit of X = 2.188·f^(1/3)·a_e^(−2/3)·d, less the change of 10·log10 X: ITU-R P.526-15 §3.1.1.2.
    unit_km = 8500.0 ** (2 / 3) / (2.188 * 868.0 ** (1 / 3))
    rise = sphere(C, 0.0, 300.0, 30.0, 30.0) - sphere(C, 0.0, 200.0, 30.0, 30.0)
    assert rise == pytest.approx(17.6 * 100 / unit_km - 10 * math.log10(1.5), rel=1e-3)


def test_over_a_smooth_earth_the_complete_method_is_the_spherical_earth() -> None:
    result = p1812_loss(Profile(np.linspace(0.0, 60e3, 601), np.zeros(601), 30.0, 10.0), MHZ_868)
    assert result.l_d50_db == pytest.approx(spherical(C, 0.0, 60.0, 30.0, 10.0, C.ae_km), abs=1e-6)
