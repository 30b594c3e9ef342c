"""Elevation models in many formats and systems come out as the plane they were made from; wrong ones say why."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from radio_sim.model import GatewaySite
from radio_sim.terrain.area import MOST_PIXELS, Area, frame_of
from radio_sim.terrain.errors import (
    HeightUnitError,
    HoleUnderSiteError,
    ImplausibleHeightError,
    NoCrsError,
    NoOverlapError,
    SiteOutsideTerrainError,
    TerrainError,
    UnreadableTerrainError,
)
from radio_sim.terrain.grid import HeightGrid
from radio_sim.terrain.read import read_terrain
from radio_sim.terrain.write import write_geotiff

LAT, LON = 47.42, 0.85
AREA = Area.around(LAT, LON, 2_000)


def tilted(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """A plane in degrees: 100 m at the middle, +1 m a thousandth degree north, +0.5 m a thousandth degree east."""
    return 100 + 1000 * (lat - LAT) + 500 * (lon - LON)


def make(path: Path, *, crs: str | None, origin: tuple[float, float], step: float, shape: tuple[int, int], **options):
    """Write the plane as a raster; `origin` is the outer upper left corner in the raster's own coordinates."""
    dtype = options.pop("dtype", "float32")
    data_crs = options.pop("data_crs", crs)
    driver = options.pop("driver", "GTiff")
    unit = options.pop("unit", None)
    change = options.pop("change", lambda heights: heights)
    rows, cols = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    x, y = origin[0] + cols * step, origin[1] - rows * step
    lon, lat = Transformer.from_crs(data_crs, "EPSG:4326", always_xy=True).transform(x, y)
    heights = change(tilted(np.asarray(lat), np.asarray(lon)))
    with rasterio.open(
        path,
        "w",
        driver=driver,
        height=shape[0],
        width=shape[1],
        count=1,
        dtype=dtype,
        crs=crs,
        transform=Affine(step, 0, origin[0], 0, -step, origin[1]),
        **options,
    ) as dataset:
        dataset.write(heights.astype(dtype), 1)
        if unit:
            dataset.units = (unit,)
    return path


def degrees(path: Path, **options) -> Path:
    """The plane over ±0.05° in geographic coordinates, 3 arc seconds."""
    settings = {"crs": "EPSG:4326", "origin": (LON - 0.05, LAT + 0.05), "step": 1 / 1200, "shape": (120, 120)}
    return make(path, **{**settings, **options})


def error_of(grid: HeightGrid) -> float:
    """Largest difference of a grid from the plane, in m, leaving the outermost pixels."""
    rows, cols = np.mgrid[1 : grid.shape[0] - 1, 1 : grid.shape[1] - 1]
    lat, lon = grid.lat_lon_of(rows, cols)
    return float(np.abs(grid.heights[1:-1, 1:-1] - tilted(lat, lon)).max())


def lambert(path: Path) -> Path:
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:2154", always_xy=True).transform(LON, LAT)
    return make(path, crs="EPSG:2154", origin=(x - 4_000, y + 4_000), step=25, shape=(320, 320))


def utm(path: Path) -> Path:
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True).transform(LON, LAT)
    return make(path, crs="EPSG:32631", origin=(x - 4_000, y + 4_000), step=40, shape=(200, 200), driver="COG")


def mercator_asc(path: Path) -> Path:
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(LON, LAT)
    return make(path, crs="EPSG:3857", origin=(x - 6_000, y + 6_000), step=50, shape=(240, 240), driver="AAIGrid")


@pytest.mark.parametrize(
    ("name", "maker"),
    [("geographic.tif", degrees), ("lambert.tif", lambert), ("cog.tif", utm), ("mercator.asc", mercator_asc)],
)
def test_formats_and_systems_give_the_same_ground(tmp_path, name, maker) -> None:
    grid = read_terrain(maker(tmp_path / name), AREA, pixel_size_m=50)
    assert grid.crs == "EPSG:32631"
    assert not np.isnan(grid.heights).any()
    # An eighth of a pixel is GDAL's tolerance in place: under 0.1 m on this slope.
    assert error_of(grid) < 0.1


def test_srtm_hgt_is_read_with_its_voids(tmp_path) -> None:
    rows, cols = np.mgrid[0:1201, 0:1201]
    heights = tilted(48 - rows / 1200, cols / 1200)
    heights[696, 1020] = -32768  # 47.42 N, 0.85 E
    path = tmp_path / "N47E000.hgt"
    heights.round().astype(">i2").tofile(path)
    grid = read_terrain(path, AREA, pixel_size_m=90)
    far = np.hypot(*(np.mgrid[0 : grid.shape[0], 0 : grid.shape[1]] - np.array(grid.pixel_of(LAT, LON))[:, None, None]))
    lat, lon = grid.lat_lon_of(*np.mgrid[0 : grid.shape[0], 0 : grid.shape[1]])
    assert np.nanmax(np.abs(grid.heights - tilted(lat, lon))[far > 2]) < 1.0  # whole metres
    assert np.nanmin(grid.heights) > 50


def test_a_given_grid_system_is_used(tmp_path) -> None:
    grid = read_terrain(degrees(tmp_path / "a.tif"), AREA, pixel_size_m=50, grid_crs="EPSG:2154")
    assert grid.crs == "EPSG:2154"
    assert error_of(grid) < 0.1


def test_tiles_of_a_folder_join_without_a_seam(tmp_path) -> None:
    half = {"step": 1 / 1200, "shape": (120, 60), "crs": "EPSG:4326"}
    make(tmp_path / "west.tif", origin=(LON - 0.05, LAT + 0.05), **half)
    make(tmp_path / "east.tif", origin=(LON, LAT + 0.05), **half)
    whole = degrees(tmp_path / "whole.TIFF")
    parts = [tmp_path / "west.tif", tmp_path / "east.tif"]
    one = read_terrain(whole, AREA, pixel_size_m=20)
    two = read_terrain(parts, AREA, pixel_size_m=20)
    assert np.abs(one.heights - two.heights).max() < 1e-3
    whole.unlink()
    assert np.array_equal(read_terrain(tmp_path, AREA, pixel_size_m=20).heights, two.heights)


def test_unlike_tiles_are_joined_and_the_first_named_wins(tmp_path) -> None:
    fine = make(
        tmp_path / "fine.tif", crs="EPSG:4326", origin=(LON, LAT + 0.01), step=1 / 3600, shape=(72, 36), dtype="float64"
    )
    raised = degrees(tmp_path / "raised.tif", change=lambda heights: heights + 100)
    grid = read_terrain([fine, raised], AREA, pixel_size_m=30)
    assert float(grid.height_at(LAT + 0.005, LON + 0.005)) == pytest.approx(107.5, abs=0.2)
    assert float(grid.height_at(LAT + 0.005, LON - 0.005)) == pytest.approx(202.5, abs=0.2)


def test_a_vrt_over_tiles_is_read(tmp_path) -> None:
    tile = degrees(tmp_path / "tile.tif")
    vrt = tmp_path / "all.vrt"
    vrt.write_text(
        textwrap.dedent(f"""\
        <VRTDataset rasterXSize="120" rasterYSize="120"><SRS>EPSG:4326</SRS>
        <GeoTransform>{LON - 0.05}, {1 / 1200}, 0, {LAT + 0.05}, 0, {-1 / 1200}</GeoTransform>
        <VRTRasterBand dataType="Float32" band="1"><SimpleSource><SourceFilename>{tile}</SourceFilename>
        <SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>""")
    )
    assert error_of(read_terrain(vrt, AREA, pixel_size_m=50)) < 0.1


def test_what_is_written_is_read_back(tmp_path) -> None:
    frame = frame_of(AREA, 50)
    heights = np.random.default_rng(1).uniform(40, 150, (frame.rows, frame.cols)).astype(np.float32)
    heights[3, 4] = np.nan
    grid = HeightGrid(heights, frame.crs, frame.west_m, frame.north_m, 50, "modelled", "a test")
    write_geotiff(grid, tmp_path / "grid.tif")
    back = read_terrain(tmp_path / "grid.tif", AREA, pixel_size_m=50)
    assert (back.kind, back.shape, back.bounds) == ("modelled", grid.shape, grid.bounds)
    assert np.isnan(back.heights[3, 4])
    assert np.nanmax(np.abs(back.heights - heights)) < 0.0501


def test_overviews_serve_coarse_pixels_with_means(tmp_path) -> None:
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32631", always_xy=True).transform(LON, LAT)
    x, y = round(x / 400) * 400, round(y / 400) * 400
    # A chequered surface of 5 m pixels: single pixels are 0 or 200 m, every overview is 100 m.
    path = make(
        tmp_path / "chequered.tif",
        crs="EPSG:32631",
        origin=(x - 3_200, y + 3_200),
        step=5,
        shape=(1280, 1280),
        change=lambda heights: np.where(np.indices(heights.shape).sum(0) % 2, 0.0, 200.0),
        driver="COG",
        resampling="average",
    )
    with rasterio.open(path) as dataset:
        assert dataset.overviews(1)
    coarse = read_terrain(path, AREA, pixel_size_m=40)
    assert np.abs(coarse.heights - 100).max() < 1


# --- errors -------------------------------------------------------------------------------------------------------


def test_a_raster_without_a_system_asks_for_it(tmp_path) -> None:
    path = degrees(tmp_path / "bare.tif", crs=None, data_crs="EPSG:4326")
    with pytest.raises(NoCrsError, match=r"bare\.tif.*--crs"):
        read_terrain(path, AREA)
    assert error_of(read_terrain(path, AREA, pixel_size_m=50, source_crs="EPSG:4326")) < 0.1


def test_a_site_outside_is_named_with_its_distance(tmp_path) -> None:
    path = degrees(tmp_path / "a.tif")
    far = GatewaySite("far", LAT + 0.05 + 0.09, LON)  # 0.09° north of the edge: 10.0 km
    with pytest.raises(SiteOutsideTerrainError, match=r"site far .* 10\.0 km beyond") as caught:
        read_terrain(path, Area.of_sites([far], 50_000), pixel_size_m=300, sites=[GatewaySite("in", LAT, LON), far])
    assert caught.value.site == "far"
    assert caught.value.beyond_m == pytest.approx(10_008, abs=20)


def test_a_hole_under_a_site_is_named(tmp_path) -> None:
    def hole(heights: np.ndarray) -> np.ndarray:
        heights[50:70, 50:70] = -32768
        return heights

    path = degrees(tmp_path / "holed.tif", dtype="int16", change=hole)
    site = GatewaySite("mast", LAT, LON)
    with pytest.raises(HoleUnderSiteError, match=r"holed\.tif.*site mast"):
        read_terrain(path, AREA, sites=[site])
    assert np.isnan(read_terrain(path, AREA).height_at(LAT, LON))


def test_an_undeclared_hole_of_another_value_is_refused_and_can_be_declared(tmp_path) -> None:
    def hole(heights: np.ndarray) -> np.ndarray:
        heights[50:70, 50:70] = -9999
        return heights

    path = degrees(tmp_path / "holed.tif", change=hole)
    with pytest.raises(ImplausibleHeightError, match=r"-9999 m.*--nodata"):
        read_terrain(path, AREA)
    assert np.isnan(read_terrain(path, AREA, nodata=-9999).height_at(LAT, LON))


def test_feet_by_tag_are_refused_and_converted(tmp_path) -> None:
    path = degrees(tmp_path / "feet.tif", unit="ft", change=lambda heights: heights / 0.3048)
    with pytest.raises(HeightUnitError, match=r"'ft'.*--unit foot"):
        read_terrain(path, AREA)
    assert error_of(read_terrain(path, AREA, pixel_size_m=50, unit="foot")) < 0.1


def test_feet_without_a_tag_are_found_by_known_heights(tmp_path) -> None:
    path = degrees(tmp_path / "feet.tif", change=lambda heights: heights / 0.3048)
    known = [(LAT + d, LON, 100 + 1000 * d) for d in (-0.01, 0.0, 0.01)]
    with pytest.raises(HeightUnitError, match=r"3\.3 times"):
        read_terrain(path, AREA, known_heights=known)
    read_terrain(degrees(tmp_path / "metres.tif"), AREA, known_heights=known)


@pytest.mark.parametrize(
    ("origin", "hint"),
    [
        ((LAT - 0.05, LON + 0.05), "swapped"),
        ((-LON - 0.05, LAT + 0.05), "east and west"),
        ((LON - 0.05, -LAT + 0.05), "north and south"),
        ((12.0, 50.0), "tiles that cover"),
    ],
)
def test_a_raster_elsewhere_says_how(tmp_path, origin, hint) -> None:
    path = degrees(tmp_path / "elsewhere.tif", origin=origin)
    with pytest.raises(NoOverlapError, match=rf"elsewhere\.tif.*{hint}"):
        read_terrain(path, AREA)


@pytest.mark.parametrize("content", [b"", b"not a raster", b"II*\x00\x08\x00\x00\x00\xff\xff"])
def test_a_broken_file_is_an_error_of_the_family(tmp_path, content) -> None:
    path = tmp_path / "broken.tif"
    path.write_bytes(content)
    with pytest.raises(UnreadableTerrainError, match=r"broken\.tif"):
        read_terrain(path, AREA)


def test_a_truncated_file_is_an_error_of_the_family(tmp_path) -> None:
    path = degrees(tmp_path / "cut.tif", compress="deflate")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableTerrainError, match=r"cut\.tif"):
        read_terrain(path, AREA)


def test_missing_files_and_empty_folders_are_named(tmp_path) -> None:
    with pytest.raises(UnreadableTerrainError, match=r"nowhere\.tif: there is no such"):
        read_terrain(tmp_path / "nowhere.tif", AREA)
    with pytest.raises(UnreadableTerrainError, match="no rasters in this folder"):
        read_terrain(tmp_path, AREA)


def test_absurd_areas_are_refused() -> None:
    with pytest.raises(TerrainError, match="larger pixels"):
        frame_of(Area.around(LAT, LON, 20_000), 40_000 / (MOST_PIXELS * 1.1) ** 0.5)
    with pytest.raises(TerrainError, match="empty or not on the globe"):
        Area(48, 0, 47, 1)


def test_memory_follows_the_area_and_not_the_file(tmp_path) -> None:
    path = tmp_path / "big.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=36_000,
        height=36_000,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=Affine(1 / 3600, 0, -4, 0, -1 / 3600, 52),
        tiled=True,
        blockxsize=512,
        blockysize=512,
        sparse_ok=True,
        compress="deflate",
    ) as dataset:
        block = np.full((512, 512), 77, "float32")
        row, col = dataset.index(LON, LAT)
        for r in range(row // 512 - 1, row // 512 + 2):
            for c in range(col // 512 - 1, col // 512 + 2):
                dataset.write(block, 1, window=((r * 512, r * 512 + 512), (c * 512, c * 512 + 512)))
    code = f"""
        import resource
        from radio_sim.terrain.area import Area
        from radio_sim.terrain.read import read_terrain
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        grid = read_terrain({str(path)!r}, Area.around({LAT}, {LON}, 5000), pixel_size_m=30)
        assert abs(grid.heights - 77).max() < 1e-3
        print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
        """
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=root, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 100  # MiB; the file is 4.9 GiB of heights
