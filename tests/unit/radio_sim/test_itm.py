"""The Irregular Terrain Model against NTIA's published cases, its implementation, and another coverage engine."""

from __future__ import annotations

import csv
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from scipy.ndimage import map_coordinates

from radio_sim.propagation.itm import (
    Climate,
    ItmError,
    ItmParameters,
    ItmWarning,
    Polarisation,
    PropagationMode,
    Siting,
    Variability,
    itm_area,
    itm_constants,
    itm_p2p,
    p2p_loss_db,
)

SHARED = Path(__file__).resolve().parents[4] / "shared"
VECTORS = SHARED / "vectors" / "itm"
POINTS = SHARED / "data" / "coverage" / "reference_points.csv"
DEM_TOOL = SHARED / "tools" / "make_reference_dem.py"

needs_vectors = pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not beside this checkout")


def parameters(row: dict[str, str]) -> ItmParameters:
    polarisations: tuple[Polarisation, Polarisation] = ("horizontal", "vertical")
    return ItmParameters(
        tx_height_m=float(row["h_tx__meter"]),
        rx_height_m=float(row["h_rx__meter"]),
        freq_hz=float(row["f__mhz"]) * 1e6,
        polarisation=polarisations[int(row["pol"])],
        climate=Climate(int(row["climate"])),
        refractivity=float(row["N_0"]),
        relative_permittivity=float(row["epsilon"]),
        conductivity_s_per_m=float(row["sigma"]),
        variability=Variability.of_mdvar(
            int(row["mdvar"]),
            time_pct=float(row["time"]),
            location_pct=float(row["location"]),
            situation_pct=float(row["situation"]),
        ),
    )


def to_printed_digits(value: float, printed: str) -> bool:
    decimals = len(printed.partition(".")[2])
    return f"{value:.{decimals}f}" == f"{float(printed):.{decimals}f}"


@needs_vectors
def test_point_to_point_agrees_with_ntia_to_the_printed_digits() -> None:
    profiles = [[float(x) for x in line.split(",")] for line in (VECTORS / "pfls.csv").read_text().split()]
    rows = list(csv.DictReader((VECTORS / "p2p.csv").read_text().splitlines()))
    assert len(rows) == len(profiles) == 5
    for row, (_, step, *heights) in zip(rows, profiles, strict=True):
        result = itm_p2p(heights, step, parameters(row))
        assert to_printed_digits(result.loss_db, row["A__db"]), (row, result)


@needs_vectors
def test_area_prediction_agrees_with_ntia_to_the_printed_digits() -> None:
    rows = list(csv.DictReader((VECTORS / "area.csv").read_text().splitlines()))
    assert len(rows) == 5
    for row in rows:
        result = itm_area(
            float(row["d__km"]) * 1000.0,
            float(row["delta_h__meter"]),
            parameters(row),
            tx_siting=Siting(int(row["tx_siting_criteria"])),
            rx_siting=Siting(int(row["rx_siting_criteria"])),
        )
        assert to_printed_digits(result.loss_db, row["A__db"]), (row, result)


# What NTIA's C++ implementation 1.3 computed for the terrain below: points, amplitude m, step m, antennas m, MHz,
# polarisation, climate, N₀, ε, σ, mdvar, time, location, situation; loss dB, mode, warnings.
NTIA_P2P = [
    (241, 3, 100, 1.5, 1.5, 868, "vertical", 5, 301, 15, 0.005, 0, 50, 50, 50, 154.789284, 2, 0x0000),
    (181, 6, 150, 4, 3, 433, "horizontal", 6, 320, 4, 0.001, 1, 10, 30, 70, 158.551458, 2, 0x0000),
    (41, 20, 100, 8, 10, 2400, "vertical", 1, 360, 25, 0.02, 12, 90, 80, 50, 151.339993, 1, 0x0400),
    (121, 50, 150, 20, 1.5, 169, "vertical", 2, 280, 80, 5, 23, 99, 50, 95, 127.770353, 1, 0x0000),
    (301, 90, 500, 40, 3, 5800, "horizontal", 3, 301, 15, 0.005, 0, 1, 50, 5, 192.302611, 3, 0x0000),
    (201, 200, 90, 30, 10, 868, "vertical", 4, 320, 4, 0.001, 1, 50, 95, 20, 182.698644, 1, 0x0600),
    (400, 0, 30, 25, 1.5, 433, "vertical", 5, 360, 25, 0.02, 2, 50, 50, 50, 132.309596, 1, 0x0000),
    (667, 60, 30, 12, 3, 2400, "horizontal", 6, 280, 80, 5, 13, 10, 30, 70, 194.825151, 1, 0x0200),
    (250, 5, 300, 2.5, 10, 169, "vertical", 7, 301, 15, 0.005, 0, 90, 80, 50, 168.721004, 2, 0x0000),
    (91, 30, 100, 1.5, 1.5, 5800, "vertical", 5, 320, 4, 0.001, 1, 99, 50, 95, 207.271357, 1, 0x0000),
    (500, 150, 1500, 30, 3, 868, "horizontal", 1, 360, 25, 0.02, 22, 1, 50, 5, 216.932381, 3, 0x0000),
    (600, 30, 2000, 60, 10, 433, "vertical", 4, 280, 80, 5, 3, 50, 95, 20, 283.355623, 3, 0x0008),
    (300, 10, 1000, 100, 1.5, 2400, "vertical", 6, 301, 15, 0.005, 10, 50, 50, 50, 217.634288, 3, 0x0000),
    (200, 0, 60, 10, 3, 169, "horizontal", 7, 320, 4, 0.001, 1, 10, 30, 70, 139.021122, 1, 0x0000),
    (33, 300, 60, 5, 10, 5800, "vertical", 2, 360, 25, 0.02, 2, 90, 80, 50, 138.557781, 1, 0x0000),
    (150, 40, 250, 35, 1.5, 868, "vertical", 3, 280, 80, 5, 3, 99, 50, 95, 200.159798, 2, 0x0000),
]
# Distance m, Δh m, antennas m, MHz, polarisation, climate, mdvar, time, location, situation, siting; loss, mode,
# warnings. Ground and N₀ as in the rows above, in turn.
NTIA_AREA = [
    (24000, 3, 1.5, 1.5, 868, "vertical", 5, 0, 50, 50, 50, 0, 0, 168.722064, 2, 0x0000),
    (4000, 20, 8, 10, 2400, "vertical", 1, 12, 90, 80, 50, 2, 1, 112.134549, 1, 0x0000),
    (150000, 90, 40, 3, 5800, "horizontal", 3, 0, 1, 50, 5, 1, 2, 178.767616, 3, 0x0000),
    (11970, 0, 25, 1.5, 433, "vertical", 5, 2, 50, 50, 50, 0, 0, 132.285781, 1, 0x0000),
    (74700, 5, 2.5, 10, 169, "vertical", 7, 0, 90, 80, 50, 2, 1, 169.653841, 2, 0x0000),
    (748500, 150, 30, 3, 868, "horizontal", 1, 22, 1, 50, 5, 1, 2, 213.852329, 3, 0x0000),
    (299000, 10, 100, 1.5, 2400, "vertical", 6, 10, 50, 50, 50, 0, 0, 219.965476, 3, 0x0000),
    (1920, 300, 5, 10, 5800, "vertical", 2, 2, 90, 80, 50, 2, 1, 159.774379, 1, 0x0000),
]


def rolling(points: int, amplitude: float) -> np.ndarray:
    i = np.arange(points)
    return 120 + amplitude * (np.sin(i / 17) + 0.6 * np.sin(i / 5.3 + 1) + 0.3 * np.sin(i / 1.9 + 2))


@pytest.mark.parametrize("case", NTIA_P2P, ids=str)
def test_point_to_point_agrees_with_ntia_in_every_climate_and_mode(case: tuple) -> None:
    points, amplitude, step, tx, rx, mhz, pol, climate, n0, eps, sigma, mdvar, *quantiles, loss, mode, warnings = case
    given = ItmParameters(
        tx, rx, mhz * 1e6, pol, Climate(climate), n0, eps, sigma,
        Variability.of_mdvar(mdvar, time_pct=quantiles[0], location_pct=quantiles[1], situation_pct=quantiles[2]),
    )  # fmt: skip
    result = itm_p2p(rolling(points, amplitude), step, given)
    assert result.loss_db == pytest.approx(loss, abs=1e-5)  # flat ground leaves Δh at the rounding of the last bit
    assert (result.mode, result.warnings) == (mode, warnings)
    assert p2p_loss_db(rolling(points, amplitude), float(step), itm_constants(given)) == result.loss_db


@pytest.mark.parametrize(("case", "ground"), list(zip(NTIA_AREA, NTIA_P2P[::2], strict=True)), ids=str)
def test_area_prediction_agrees_with_ntia(case: tuple, ground: tuple) -> None:
    distance, irregularity, tx, rx, mhz, pol, climate, mdvar, *quantiles, tx_siting, rx_siting, loss, mode, warnings = (
        case
    )
    n0, eps, sigma = ground[8:11]
    given = ItmParameters(
        tx, rx, mhz * 1e6, pol, Climate(climate), n0, eps, sigma,
        Variability.of_mdvar(mdvar, time_pct=quantiles[0], location_pct=quantiles[1], situation_pct=quantiles[2]),
    )  # fmt: skip
    result = itm_area(distance, irregularity, given, tx_siting=Siting(tx_siting), rx_siting=Siting(rx_siting))
    assert result.loss_db == pytest.approx(loss, abs=1e-5)
    assert (result.mode, result.warnings) == (mode, warnings)


@pytest.fixture(scope="module")
def reference_dem(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (POINTS.exists() and DEM_TOOL.exists()):
        pytest.skip("the shared reference points and the tool that makes their terrain are not beside this checkout")
    assert request.config.cache is not None
    dem = request.config.cache.mkdir("reference_dem") / "dem_utm.tif"
    if not dem.exists():
        work = tmp_path_factory.mktemp("dem")
        subprocess.run([sys.executable, str(DEM_TOOL)], cwd=work, check=True, capture_output=True)
        unfinished = dem.with_name(f"{os.getpid()}.tif")
        shutil.copy(work / "dem_utm.tif", unfinished)
        unfinished.replace(dem)
    return dem


def test_a_coverage_engine_with_the_same_model_agrees_at_its_hundred_points(reference_dem: Path) -> None:
    with rasterio.open(reference_dem) as raster:
        ground, pixel, west, north = raster.read(1).astype(float), raster.res[0], raster.bounds.left, raster.bounds.top
    rows = list(csv.DictReader(POINTS.read_text().splitlines()))
    utm = Transformer.from_crs(4326, 32631, always_xy=True)
    x, y = utm.transform([float(row["lon"]) for row in rows], [float(row["lat"]) for row in rows])
    tx_x, tx_y = west + ground.shape[1] * pixel / 2, north - ground.shape[0] * pixel / 2
    link = ItmParameters(tx_height_m=25.0, rx_height_m=1.5, freq_hz=868e6)
    differences = []
    for row, rx_x, rx_y in zip(rows, x, y, strict=True):
        # The engine measures on a sphere; its free-space loss says what it measured.
        distance = 1000.0 * 10 ** ((float(row["fs_db"]) - 32.4 - 20 * math.log10(868.0)) / 20)
        intervals = math.ceil(distance / 30.0)
        columns = (np.linspace(tx_x, rx_x, intervals + 1) - west) / pixel - 0.5
        lines = (north - np.linspace(tx_y, rx_y, intervals + 1)) / pixel - 0.5
        heights = map_coordinates(ground, [lines, columns], order=1, mode="nearest")
        differences.append(abs(itm_p2p(heights, distance / intervals, link).loss_db - float(row["itm_db"])))
    assert len(differences) == 100
    assert max(differences) < 0.2
    assert float(np.mean(differences)) < 0.02


def test_confidence_and_reliability_are_situation_and_time_at_the_median_location() -> None:
    assert Variability.of_confidence(90.0, 70.0) == Variability(70.0, 50.0, 90.0)


def test_a_horizon_at_the_first_sample_still_blocks() -> None:
    heights = np.array([0.0, 60.0, *([0.0] * 20)])
    blocked = itm_p2p(heights, 0.1, ItmParameters(50.0, 10.0, 30e6, "vertical", conductivity_s_per_m=5.0))
    assert math.isfinite(blocked.loss_db)
    assert ItmWarning.TX_HORIZON_NEAR in blocked.warnings


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"tx_height_m": 0.4}, "tx_height_m"),
        ({"rx_height_m": 3000.1}, "rx_height_m"),
        ({"freq_hz": 19e6}, "freq_hz"),
        ({"freq_hz": 20.1e9}, "freq_hz"),
        ({"refractivity": 249.0}, "refractivity"),
        ({"relative_permittivity": 0.9}, "relative_permittivity"),
        ({"conductivity_s_per_m": 0.0}, "conductivity_s_per_m"),
    ],
)
def test_inputs_outside_the_model_are_refused_by_name(change: dict[str, object], parameter: str) -> None:
    given: dict[str, object] = {"tx_height_m": 10.0, "rx_height_m": 1.5, "freq_hz": 868e6}
    with pytest.raises(ItmError) as caught:
        ItmParameters(**(given | change))
    assert caught.value.parameter == parameter
    assert parameter in str(caught.value)


@pytest.mark.parametrize("mdvar", [-1, 4, 9, 14, 24, 34, 40])
def test_codes_of_no_variability_mode_are_refused(mdvar: int) -> None:
    with pytest.raises(ItmError, match="mdvar"):
        Variability.of_mdvar(mdvar)


@pytest.mark.parametrize(
    ("heights", "step"), [([1.0], 30.0), ([[1.0, 2.0]], 30.0), ([1.0, math.nan, 2.0], 30.0), ([1.0, 2.0], 0.0)]
)
def test_profiles_that_are_none_are_refused(heights: list[float], step: float) -> None:
    with pytest.raises(ItmError):
        itm_p2p(heights, step, ItmParameters(10.0, 1.5, 868e6))


def test_the_dead_sea_at_the_highest_refractivity_is_outside_the_model() -> None:
    link = ItmParameters(10.0, 1.5, 868e6, refractivity=400.0)
    heights = np.full(50, -430.0)
    with pytest.raises(ItmError, match="surface refractivity"):
        itm_p2p(heights, 100.0, link)
    assert math.isnan(p2p_loss_db(heights, 100.0, itm_constants(link)))


def test_a_path_in_sight_is_near_free_space_and_one_behind_a_ridge_is_not() -> None:
    flat = np.zeros(101)
    ridge = flat.copy()
    ridge[50] = 150.0
    link = ItmParameters(60.0, 20.0, 868e6)
    in_sight, behind = itm_p2p(flat, 50.0, link), itm_p2p(ridge, 50.0, link)
    assert in_sight.mode is PropagationMode.LINE_OF_SIGHT
    assert in_sight.loss_db == pytest.approx(in_sight.free_space_db, abs=6.0)
    assert behind.loss_db > in_sight.loss_db + 5.0
    assert behind.horizon_distances_m == (2500.0, 2500.0)
