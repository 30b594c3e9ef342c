"""P.1812 over a whole elevation model against crc-covlib (C++, MIT): 100 receivers 1–28 km from one transmitter."""

from __future__ import annotations

import csv
import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer

from radio_sim.coverage.sweep import Surroundings, Transmitter, exact_losses, sweep_losses
from radio_sim.propagation.p1812 import P1812Parameters, Profile, p1812_loss

SHARED = Path(__file__).resolve().parents[4] / "shared"
POINTS = SHARED / "data" / "coverage" / "reference_points.csv"
MAKER = SHARED / "tools" / "make_reference_dem.py"
EARTH_M = 6_371_000.0

MEDIAN = P1812Parameters(868e6, latitude_deg=47.42)
NINETY_FIVE = P1812Parameters(868e6, latitude_deg=47.42, location_percent=95.0)
TX = Transmitter(666.5, 666.5, 25.0)


@pytest.fixture(scope="module")
def heights(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """The elevation model the points were computed over, made by its own script."""
    if not (POINTS.exists() and MAKER.exists()):
        pytest.skip("the shared reference points or the tool that makes their terrain are not beside this checkout")
    folder = tmp_path_factory.mktemp("dem")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tool's, not ours
        patch.chdir(folder)
        made = runpy.run_path(str(MAKER))
    return np.asarray(made["z"], np.float32)


@pytest.fixture(scope="module")
def points() -> dict[str, np.ndarray]:
    if not POINTS.exists():
        pytest.skip("the shared reference points are not beside this checkout")
    with POINTS.open() as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def on_the_sphere(heights: np.ndarray, lat: float, lon: float) -> Profile:
    """The great circle from the transmitter, in equal steps of at most 30 m, terrain bilinear in the projected grid."""
    to_degrees = Transformer.from_crs(32631, 4326, always_xy=True)
    to_metres = Transformer.from_crs(4326, 32631, always_xy=True)
    centre_x, centre_y = to_metres.transform(0.85, 47.42)
    tx_lon, tx_lat = to_degrees.transform(centre_x, centre_y)

    def unit(lat_deg: float, lon_deg: float) -> np.ndarray:
        a, b = np.radians(lat_deg), np.radians(lon_deg)
        return np.array([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)])

    start, end = unit(tx_lat, tx_lon), unit(lat, lon)
    angle = float(np.arccos(start @ end))
    along = np.linspace(0.0, 1.0, int(np.ceil(angle * EARTH_M / 30.0)) + 1)[:, None]
    way = (np.sin((1 - along) * angle) * start + np.sin(along * angle) * end) / np.sin(angle)
    x, y = to_metres.transform(
        np.degrees(np.arctan2(way[:, 1], way[:, 0])), np.degrees(np.arcsin(np.clip(way[:, 2], -1, 1)))
    )
    row, col = (centre_y - y) / 30.0 + 666.5, (x - centre_x) / 30.0 + 666.5
    r, q = row.astype(int), col.astype(int)
    fr, fq = row - r, col - q
    top = heights[r, q] * (1 - fq) + heights[r, q + 1] * fq
    bottom = heights[r + 1, q] * (1 - fq) + heights[r + 1, q + 1] * fq
    return Profile(along[:, 0] * angle * EARTH_M, top * (1 - fr) + bottom * fr, 25.0, 1.5)


@pytest.mark.parametrize(("column", "params"), [("p1812_db", MEDIAN), ("p1812_pL95_db", NINETY_FIVE)])
def test_profiles_on_the_sphere_agree_with_crc_covlib_to_its_printed_digits(
    heights: np.ndarray, points: dict[str, np.ndarray], column: str, params: P1812Parameters
) -> None:
    found = [
        p1812_loss(on_the_sphere(heights, lat, lon), params).l_b_db
        for lat, lon in zip(points["lat"], points["lon"], strict=True)
    ]
    np.testing.assert_allclose(found, points[column], rtol=0, atol=2e-4)


def test_exact_pixels_differ_by_the_map_projection_alone(heights: np.ndarray, points: dict[str, np.ndarray]) -> None:
    """Grid distances are up to 0.29 % off the sphere's, and the last step of a profile falls elsewhere."""
    rows, cols = points["row"].astype(int), points["col"].astype(int)
    found = exact_losses(Surroundings(heights, 30.0), TX, 1.5, MEDIAN, rows, cols)
    error = np.abs(found - points["p1812_db"])
    assert error.mean() < 0.04
    assert np.sum(error > 0.1) <= 5
    assert error.max() < 0.2


def test_swept_pixels_are_within_a_third_of_a_decibel(heights: np.ndarray, points: dict[str, np.ndarray]) -> None:
    (loss,) = sweep_losses(Surroundings(heights, 30.0), [TX], 1.5, MEDIAN)
    error = np.abs(loss[points["row"].astype(int), points["col"].astype(int)] - points["p1812_db"])
    assert np.sum(error <= 0.35) >= 97
    assert error.max() < 2.0
