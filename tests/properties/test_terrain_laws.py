"""Laws of the height grid: planes come out as planes, profiles end where they should, pixel coordinates round-trip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from radio_sim.model import GatewaySite
from radio_sim.terrain import HeightGrid, TerrainError
from radio_sim.terrain.errors import HoleUnderSiteError, SiteOutsideTerrainError

TO_UTM = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True)
WEST, NORTH, PIXEL, ROWS, COLS = 330_000.0, 5_260_000.0, 90.0, 120, 160

coefficients = st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(0, 500))
places = st.tuples(st.floats(47.40, 47.46), st.floats(0.76, 0.90))  # within the grid by more than a pixel


def plane(a: float, b: float, c: float) -> HeightGrid:
    """A plane of slopes a (east) and b (north), c m at the grid's corner."""
    rows, cols = np.mgrid[0:ROWS, 0:COLS] + 0.5
    heights = c + a * cols * PIXEL - b * rows * PIXEL
    return HeightGrid(heights.astype(np.float32), "EPSG:32631", WEST, NORTH, PIXEL, "bare earth", "a plane")


def on_plane(a: float, b: float, c: float, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    x, y = TO_UTM.transform(lon, lat)
    return c + a * (np.asarray(x) - WEST) + b * (np.asarray(y) - NORTH)


@given(coefficients, places)
@settings(max_examples=60, deadline=None)
def test_interpolation_of_a_plane_is_the_plane(slopes, place) -> None:
    height = float(plane(*slopes).height_at(*place))
    assert height == pytest.approx(float(on_plane(*slopes, *place)), abs=2e-3)


@given(coefficients, places, places, st.floats(20, 2_000))
@settings(max_examples=60, deadline=None)
def test_a_profile_of_a_plane_is_straight_and_true_to_length(slopes, one, two, step) -> None:
    profile = plane(*slopes).profile(*one, *two, step)
    length = Geod(ellps="WGS84").inv(one[1], one[0], two[1], two[0])[2]
    assert profile.distance_m[0] == 0
    assert profile.distance_m[-1] == pytest.approx(length, abs=1e-6)
    assert np.diff(profile.distance_m).max() <= step * (1 + 1e-6)
    straight = np.linspace(*on_plane(*slopes, *np.array([one, two]).T), len(profile.height_m))
    # A geodesic of 10 km leaves the grid's straight line by under 0.2 m.
    assert np.abs(profile.height_m - straight).max() < 0.1


@given(coefficients, places, places)
@settings(max_examples=30, deadline=None)
def test_a_profile_backwards_is_the_profile(slopes, one, two) -> None:
    grid = plane(*slopes)
    there, back = grid.profile(*one, *two), grid.profile(*two, *one)
    assert np.allclose(there.height_m, back.height_m[::-1], atol=1e-3)


@given(st.floats(-10, 200), st.floats(-10, 200))
@settings(max_examples=60, deadline=None)
def test_pixel_coordinates_round_trip(row, col) -> None:
    grid = plane(0, 0, 0)
    back = grid.pixel_of(*grid.lat_lon_of(row, col))
    assert np.allclose([float(value) for value in back], (row, col), atol=1e-5)


@given(st.integers(0, ROWS - 1), st.integers(0, COLS - 1))
@settings(max_examples=40, deadline=None)
def test_a_pixel_centre_has_its_own_height_even_beside_holes(row, col) -> None:
    grid = plane(0.1, 0.1, 0)
    heights = np.full_like(grid.heights, np.nan)
    heights[row, col] = 123.5
    lonely = HeightGrid(heights, grid.crs, WEST, NORTH, PIXEL, "surface", "one pixel")
    assert float(lonely.height_at_pixel(row, col)) == 123.5
    assert np.isnan(lonely.height_at_pixel(row + 0.25 if row < ROWS - 1 else row - 0.25, col))


@given(places, st.floats(100, 3_000))
@settings(max_examples=40, deadline=None)
def test_a_window_holds_the_same_heights(place, radius) -> None:
    grid = plane(0.1, -0.05, 100)
    part = grid.around(*place, radius)
    assert float(part.height_at(*place)) == pytest.approx(float(grid.height_at(*place)), abs=1e-3)
    assert max(part.shape) <= 2 * radius / PIXEL + 2


def test_beyond_the_edge_there_is_no_height() -> None:
    grid = plane(0, 0, 50)
    rows = np.array([-0.51, -0.5, 0, ROWS - 0.5, ROWS - 0.49])
    assert np.isnan(grid.height_at_pixel(rows, 5)).tolist() == [True, False, False, False, True]
    assert np.isnan(grid.height_at(0.0, 100.0))


def test_sites_without_ground_are_named() -> None:
    grid = plane(0, 0, 50)
    lat, lon = (float(value) for value in grid.lat_lon_of(ROWS - 0.5, 20))
    outside = GatewaySite("south", lat - 0.01, lon)
    with pytest.raises(SiteOutsideTerrainError, match="site south") as caught:
        grid.check_sites([GatewaySite("in", 47.43, 0.8), outside])
    assert caught.value.beyond_m == pytest.approx(1112, rel=0.01)
    grid.heights[:] = np.nan
    with pytest.raises(HoleUnderSiteError, match="site in"):
        grid.check_sites([GatewaySite("in", 47.43, 0.8)])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2225", "nonsense"])  # degrees, US survey feet, neither
def test_a_grid_is_metric(crs) -> None:
    with pytest.raises(TerrainError):
        HeightGrid(np.zeros((2, 2), np.float32), crs, 0, 0, 30, "surface", "x")
