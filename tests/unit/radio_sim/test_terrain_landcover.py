"""Land cover becomes clutter heights by a table a user may edit, and never on top of a surface model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from radio_sim.terrain.area import Area, frame_of
from radio_sim.terrain.errors import ClutterError
from radio_sim.terrain.grid import HeightGrid
from radio_sim.terrain.landcover import CLUTTER_HEIGHTS, ClutterTable, read_clutter

LAT, LON = 47.42, 0.85
AREA = Area.around(LAT, LON, 900)

# Rec. ITU-R P.1812-8 §3.2.1, default representative clutter heights, by class of each product.
P1812_M = {"worldcover": {10: 15, 30: 0, 40: 0, 50: 10, 80: 0}, "corine": {111: 15, 112: 10, 211: 0, 311: 15, 512: 0}}


def ground(kind: str = "bare earth") -> HeightGrid:
    frame = frame_of(AREA, 30)
    return HeightGrid(
        np.full((frame.rows, frame.cols), 80, np.float32), frame.crs, frame.west_m, frame.north_m, 30, kind, "flat"
    )


def cover(path: Path, west: int, east: int, *, dtype: str = "uint8", nodata: int = 0, half_side: int = 300) -> Path:
    """Two classes either side of the meridian of the middle, 10 m pixels in UTM, class 30 in one pixel of nine."""
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True).transform(LON, LAT)
    x, y = round(x / 30) * 30, round(y / 30) * 30
    classes = np.full((2 * half_side, 2 * half_side), west)
    classes[:, half_side:] = east
    if dtype == "uint8":
        classes[1::3, 1::3] = 30
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=2 * half_side,
        height=2 * half_side,
        count=1,
        dtype=dtype,
        crs="EPSG:32631",
        nodata=nodata,
        transform=Affine(10, 0, x - half_side * 10, 0, -10, y + half_side * 10),
    ) as dataset:
        dataset.write(classes.astype(dtype), 1)
    return path


@pytest.mark.parametrize("name", ["worldcover", "corine"])
def test_the_bundled_tables_follow_the_recommendation(name) -> None:
    table = ClutterTable.load(name)
    assert {number: table.heights_m[number] for number in P1812_M[name]} == P1812_M[name]
    assert len(table.heights_m) == {"worldcover": 11, "corine": 44}[name]
    assert all(0 <= height <= 20 for height in table.heights_m.values())


def test_a_pixel_takes_the_height_of_its_commonest_class(tmp_path) -> None:
    grid = ground()
    heights = read_clutter(cover(tmp_path / "wc.tif", 10, 50), grid, ClutterTable.load("worldcover"))
    assert heights.shape == grid.shape
    assert heights.dtype == np.float32
    row, col = (round(float(value)) for value in grid.pixel_of(LAT, LON))
    assert set(heights[:, : col - 1].ravel()) == {15.0}
    assert set(heights[:, col + 2 :].ravel()) == {10.0}
    assert heights[row, col - 3] == 15


@pytest.mark.parametrize(("west", "east"), [(311, 112), (23, 2)])
def test_corine_is_understood_by_code_and_by_number(tmp_path, west, east) -> None:
    path = cover(tmp_path / "clc.tif", west, east, dtype="int16", nodata=-128)
    heights = read_clutter(path, ground(), ClutterTable.load("corine"))
    assert set(heights.ravel()) == {15.0, 10.0}


def test_a_surface_model_takes_no_clutter(tmp_path) -> None:
    with pytest.raises(ClutterError, match="twice"):
        read_clutter(cover(tmp_path / "wc.tif", 10, 50), ground("surface"), ClutterTable.load("worldcover"))


def test_a_class_without_a_height_is_named(tmp_path) -> None:
    with pytest.raises(ClutterError, match="class 11, 17 has no height"):
        read_clutter(cover(tmp_path / "odd.tif", 11, 17), ground(), ClutterTable.load("worldcover"))


def test_missing_cover_is_refused_unless_a_height_is_given(tmp_path) -> None:
    path = cover(tmp_path / "small.tif", 10, 50, half_side=30)
    table = ClutterTable.load("worldcover")
    with pytest.raises(ClutterError, match=r"small\.tif: 8\d\.\d% of the area"):
        read_clutter(path, ground(), table)
    heights = read_clutter(path, ground(), table, elsewhere_m=3.0)
    assert heights[0, 0] == 3
    assert set(heights.ravel()) == {3.0, 10.0, 15.0}


def test_a_table_can_be_edited(tmp_path) -> None:
    edited = tmp_path / "mine.toml"
    edited.write_text(CLUTTER_HEIGHTS.read_text().replace("10 = { height_m = 15.0", "10 = { height_m = 22.5", 1))
    assert ClutterTable.load("worldcover", edited).heights_m[10] == 22.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml", "not TOML"),
        ("[other]\n", r"no table \[worldcover.classes\]"),
        ("[worldcover.classes]\n10 = { height_m = -1.0 }\n", "10 = "),
        ("[worldcover.classes]\n10 = { height_m = 'tall' }\n", "10 = "),
        ("[worldcover.classes]\ntrees = 15\n", "trees = 15"),
        ("[worldcover.classes]\n10 = nan\n", "10 = nan"),
    ],
)
def test_a_malformed_table_says_where(tmp_path, text, message) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ClutterError, match=rf"bad\.toml: .*{message}"):
        ClutterTable.load("worldcover", path)


def test_heights_keep_holes() -> None:
    table = replace(ClutterTable.load("worldcover"), heights_m={10: 12.0})
    heights = table.heights_of(np.array([[10, np.nan]], np.float32))
    assert heights[0, 0] == 12
    assert np.isnan(heights[0, 1])
