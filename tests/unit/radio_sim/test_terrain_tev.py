"""The bundled terrain against the figures it must agree with, read here from its own input files."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio

from radio_sim.terrain.bundled import DATA, TEV_TERRAIN, tev_terrain
from radio_sim.terrain.grid import HeightGrid
from radio_sim.terrain.model_tev import TevInputs, build_tev_terrain, leave_out

LEVELS_TOLERANCE_M = 3.0


@pytest.fixture(scope="module")
def terrain() -> HeightGrid:
    return tev_terrain()


@pytest.fixture(scope="module")
def inputs() -> TevInputs:
    return TevInputs.load()


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lines(*names: str) -> list[np.ndarray]:
    features = json.loads((DATA / "tev_valleys.geojson").read_text(encoding="utf-8"))["features"]
    return [
        np.array(feature["geometry"]["coordinates"]) for feature in features if feature["properties"]["name"] in names
    ]


def test_it_says_that_it_is_a_model(terrain) -> None:
    assert terrain.kind == "modelled"
    assert "model" in terrain.source
    with rasterio.open(TEV_TERRAIN) as dataset:
        assert dataset.tags()["TERRAIN_KIND"] == "modelled"
    assert TEV_TERRAIN.stat().st_size < 2_000_000


def test_it_loads_at_once(terrain) -> None:
    assert terrain.heights.flags.c_contiguous
    durations = []
    for _ in range(5):
        begin = time.perf_counter()
        tev_terrain()
        durations.append(time.perf_counter() - begin)
    assert min(durations) < 0.05


def test_it_covers_the_communes_and_twelve_kilometres_around(terrain) -> None:
    ten = {"37270", "37281", "37052", "37156", "37273", "37194", "37267", "37015", "37124", "37153"}
    for row in rows("tev_communes.csv"):
        if row["insee"] in ten:
            reach = 12_000 + (float(row["area_km2"]) * 1e6 / np.pi) ** 0.5
            part = terrain.around(float(row["lat_centre"]), float(row["lon_centre"]), reach)
            assert min(part.shape) >= 2 * reach / 60
            assert not np.isnan(part.heights).any()


def test_the_plain_of_the_loire_and_the_plateaus_are_where_they_should_be(terrain) -> None:
    plain = [(47.3944, 0.7661), (47.386, 0.748), (47.405, 0.90)]  # La Ville-aux-Dames, Saint-Pierre-des-Corps, Noizay
    assert all(45 <= float(terrain.height_at(*place)) <= 55 for place in plain)
    # Vouvray's vineyards, the airfield of Tours, Champeigne, Gâtine.
    plateau = [(47.4203, 0.8117), (47.4322, 0.7276), (47.335, 0.79), (47.5016, 0.7887)]
    assert all(80 <= float(terrain.height_at(*place)) <= 125 for place in plateau)


@pytest.mark.parametrize(
    ("foot", "edge"),
    [
        ((47.4080, 0.8200), (47.4220, 0.8200)),  # north of the Loire at Vouvray
        ((47.3945, 0.8500), (47.3870, 0.8500)),  # south of the Loire at Montlouis
        ((47.3600, 0.8060), (47.3480, 0.8060)),  # south of the Cher at Véretz
        ((47.4815, 0.8880), (47.4815, 0.9050)),  # east of the Brenne at Reugny
    ],
)
def test_bluffs_rise_from_the_valley_to_the_plateau_within_a_kilometre_and_a_half(terrain, foot, edge) -> None:
    profile = terrain.profile(*foot, *edge, 30)
    assert profile.distance_m[-1] < 1_600
    assert profile.height_m[-1] - profile.height_m[0] > 22


def test_rivers_run_downhill_at_their_level(terrain) -> None:
    for line in lines("Loire", "Cher", "Brenne", "Cisse"):
        lon, lat, level = line.T
        ground = terrain.height_at(lat, lon)
        inside = ~np.isnan(ground)
        assert np.abs(ground - level)[inside].max() < 8
        assert np.median(np.abs(ground - level)[inside]) < LEVELS_TOLERANCE_M
        assert np.diff(ground[inside]).max() < 2  # listed downstream; the 60 m pixels straddle the banks


def test_town_heights_are_met_within_what_they_are_worth(terrain) -> None:
    towns = [row for row in rows("tev_spot_heights.csv") if row["status"].startswith("real")]
    ground = terrain.height_at([float(row["lat"]) for row in towns], [float(row["lon"]) for row in towns])
    error = ground - np.array([float(row["elevation_m"]) for row in towns])
    error = error[~np.isnan(error)]
    assert len(error) > 80
    # Of ±10 m heights at ±200 m positions: most within 10 m, the flat ones much closer.
    assert np.mean(np.abs(error) < 10) > 0.7
    assert np.sqrt(np.mean(error**2)) < 10


def test_estimated_levels_are_met(terrain) -> None:
    spots = [row for row in rows("tev_spot_heights.csv") if row["status"].startswith("estimated")]
    ground = terrain.height_at([float(row["lat"]) for row in spots], [float(row["lon"]) for row in spots])
    error = ground - np.array([float(row["elevation_m"]) for row in spots])
    assert np.abs(error).max() < 6
    assert np.median(np.abs(error)) < LEVELS_TOLERANCE_M


def test_no_commune_is_above_its_highest_or_below_its_lowest_altitude(terrain) -> None:
    """Within 0.6 of the radius of a disc of its area, which lies in the commune for all but the oddest outlines."""
    checked, outside = 0, []
    for row in rows("tev_communes.csv"):
        radius = 0.6 * (float(row["area_km2"]) * 1e6 / np.pi) ** 0.5
        row0, col0 = (float(value) for value in terrain.pixel_of(float(row["lat_centre"]), float(row["lon_centre"])))
        r, c = np.ogrid[0 : terrain.shape[0], 0 : terrain.shape[1]]
        disc = terrain.heights[np.hypot(r - row0, c - col0) * 60 < radius]
        if len(disc) == 0:
            continue
        checked += 1
        excess = max(float(disc.max()) - float(row["altitude_max_m"]), float(row["altitude_min_m"]) - float(disc.min()))
        if excess > 5:
            outside.append((row["name"], round(excess, 1)))
    assert checked > 80
    assert not outside


def test_it_is_made_again_from_its_inputs(terrain, inputs) -> None:
    again = build_tev_terrain(inputs)
    assert (again.crs, again.bounds, again.kind) == (terrain.crs, terrain.bounds, terrain.kind)
    difference = np.abs(again.heights - terrain.heights)
    # Another processor's last bit may turn a rounding to decimetres, no more.
    assert difference.max() < 0.11
    assert np.mean(difference > 0.05) < 1e-3


def test_heights_left_out_of_the_fit_are_predicted(inputs) -> None:
    left = leave_out(inputs, folds=4)
    error = np.array([one.error_m for one in left])
    floor = np.array([one.error_m for one in left if one.share > 0.85])
    upland = np.array([one.error_m for one in left if one.share < 0.3])
    assert len(error) > 80
    assert np.sqrt(np.mean(error**2)) < 11.5
    assert np.sqrt(np.mean(upland**2)) < 10.5
    assert np.sqrt(np.mean(floor**2)) < 7.5
    # And the model is worth having: a plane through the same towns is much worse.
    lat, lon = np.array([(one.spot.lat, one.spot.lon) for one in left]).T
    height = np.array([one.spot.height_m for one in left])
    plane = np.column_stack([np.ones(len(lat)), lat, lon])
    flat = height - plane @ np.linalg.lstsq(plane, height, rcond=None)[0]
    assert np.sqrt(np.mean(error**2)) < 0.7 * np.sqrt(np.mean(flat**2))


def test_the_command_explains_itself() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "radio_sim.terrain.model_tev"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "OUT.tif" in done.stderr
