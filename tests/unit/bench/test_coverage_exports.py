"""Coverage files: places, units, holes, legality, and that a map needs no network."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib.image
import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.features import geometry_mask
from rasterio.warp import transform
from small_map import HOLE, SITES

from bench.coverage.contours import contours
from bench.coverage.geotiff import BANDS, write_geotiffs
from bench.coverage.kmz import write_kmz
from bench.coverage.labels import Label, place_labels
from bench.coverage.layers import LAYERS, MARGIN, RSSI, SF, UNKNOWN, best_server_layer, rgba_of
from bench.coverage.picture import nice_length, write_panels, write_picture
from bench.coverage.profile_picture import write_profile
from bench.coverage.shading import hillshade
from bench.coverage.statistics import area_lines, household_lines, write_statistics
from bench.coverage.study import Classes, Map, terminal_of, thinned
from bench.coverage.terrain_for import Ground
from lorawan.draws import Draws
from radio_sim.coverage.study import link_profile
from radio_sim.model import DeviceSite
from scenarios.load import LoadedScenario
from scenarios.population import build_population


@pytest.fixture(scope="module")
def tiffs(found: Map, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_geotiffs(found, tmp_path_factory.mktemp("tif"))


def test_a_geotiff_has_the_gateways_where_they_stand(tiffs: list[Path]) -> None:
    with rasterio.open(tiffs[0]) as dataset:
        assert (dataset.crs.to_string(), dataset.transform.a, dataset.shape) == ("EPSG:32631", 100.0, (70, 90))
        rssi = dataset.read(1, masked=True)
        servers = dataset.read(7)
        for number, site in enumerate(SITES, 1):
            (x,), (y,) = transform("EPSG:4326", dataset.crs, [site.lon], [site.lat])
            row, col = dataset.index(x, y)
            around = rssi[row - 6 : row + 7, col - 6 : col + 7]
            assert np.unravel_index(around.argmax(), around.shape) == (6, 6)
            assert servers[row, col] == number


def test_a_geotiff_says_what_it_holds(found: Map, tiffs: list[Path]) -> None:
    assert [path.name for path in tiffs] == ["coverage-outdoor.tif", "coverage-pit-cast-iron.tif"]
    with rasterio.open(tiffs[1]) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (dataset.units[0], dataset.units[1], dataset.units[2], dataset.units[7]) == ("dBm", "dB", "dB", "dB")
        assert dataset.descriptions[0] == "uplink RSSI at the best gateway"
        assert len(dataset.descriptions) == len(BANDS)
        tags = dataset.tags()
        assert "Okumura-Hata" in tags["MODEL"]
        assert (tags["PLACEMENT"], tags["MARK"]) == ("pit-cast-iron", "modelled terrain: not measured")
        assert tags["GATEWAYS"].startswith("1=north & west;2=")
        assert dataset.nodata == -9999
        values = dataset.read()
        assert (values[:, *HOLE] == -9999).all()
        assert (values == -9999).sum() == len(BANDS)
        margin = found.by_placement["pit-cast-iron"].margin_db
        assert np.nanmax(np.abs(values[2] - margin)[values[2] != -9999]) <= 1 / 64 + 1e-6


def test_entry_loss_is_what_separates_the_files(tiffs: list[Path]) -> None:
    outdoor, pit = (rasterio.open(path).read(1, masked=True) for path in tiffs)
    assert (outdoor - pit).compressed() == pytest.approx(25.0, abs=1 / 16)


@pytest.fixture(scope="module")
def kmz(found: Map, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kmz") / "coverage.kmz"
    write_kmz(found, [best_server_layer([site.id for site in SITES]), MARGIN], "outdoor", path)
    return path


def test_a_kmz_opens_as_a_raster_at_the_right_place(kmz: Path) -> None:
    with rasterio.open(kmz) as dataset:
        assert dataset.crs.to_epsg() == 4326
        image = dataset.read()
        for number, site in enumerate(SITES):
            row, col = dataset.index(site.lon, site.lat)
            expected = rgba_of(best_server_layer([""] * 2).bands[number].colour, 0.7)
            assert tuple(image[:, row, col].tolist()) == expected


def test_a_kmz_is_legal_kml_with_everything_inside(kmz: Path) -> None:
    namespace = {"k": "http://www.opengis.net/kml/2.2"}
    with zipfile.ZipFile(kmz) as archive:
        names = archive.namelist()
        assert names[0] == "doc.kml"
        root = ET.fromstring(archive.read("doc.kml"))
    assert root.tag == "{http://www.opengis.net/kml/2.2}kml"
    assert {element.text for element in root.iterfind(".//k:href", namespace)} == set(names) - {"doc.kml"}
    points = [element.text for element in root.iterfind(".//k:Placemark//k:coordinates", namespace)]
    assert points == ["0.830000,47.430000,30", "0.870000,47.405000,25"]
    texts = [element.text for element in root.iterfind(".//k:Placemark/k:name", namespace)]
    assert texts == [site.id for site in SITES]
    assert "not measured" in (root.findtext("k:Document/k:description", None, namespace) or "")
    for box in root.iterfind(".//k:LatLonBox", namespace):
        north, south, east, west = (
            float(box.findtext(f"k:{e}", "", namespace)) for e in ("north", "south", "east", "west")
        )
        assert 47.3 < south < north < 47.5
        assert 0.75 < west < east < 0.95


def test_contours_hold_each_pixel_of_their_class(found: Map) -> None:
    collection = json.loads(json.dumps(contours(found, "outdoor")))
    assert collection["type"] == "FeatureCollection"
    margin = found.by_placement["outdoor"].margin_db
    north_west, east = (found.grid.lat_lon_of(-0.5, -0.5), found.grid.lat_lon_of(-0.5, 89.5))
    # On a fine grid in degrees: a pixel centre's feature has its margin between its limits, and none owns the hole.
    step = 0.0005
    frame = Affine(step, 0.0, float(north_west[1]), 0.0, -step, float(max(north_west[0], east[0])))
    lows = np.full((140, 250), -np.inf)
    for feature in collection["features"]:
        properties = feature["properties"]
        inside = geometry_mask([feature["geometry"]], lows.shape, frame, invert=True)
        assert not (np.isfinite(lows) & inside).any()
        lows[inside] = -100 if properties["margin_from_db"] is None else properties["margin_from_db"]
    agree = total = 0
    for row in range(4, 68, 5):
        for col in range(3, 88, 5):
            lat, lon = (float(v) for v in found.grid.lat_lon_of(row, col))
            r, c = int((frame.f - lat) / step), int((lon - frame.c) / step)
            total += 1
            bands = [band.low for band in MARGIN.bands if band.low <= max(margin[row, col], -100)]
            agree += lows[r, c] == bands[-1]
    assert agree / total > 0.97  # a sieve takes the smallest islands away
    lat, lon = (float(v) for v in found.grid.lat_lon_of(*HOLE))
    assert lows[int((frame.f - lat) / step), int((lon - frame.c) / step)] == -np.inf


def test_statistics_add_up(found: Map, loaded: LoadedScenario, tmp_path: Path) -> None:
    sensors = build_population(loaded.scenario, loaded.communes, Draws.of_seed(1))
    lines = [*area_lines(found), *household_lines(found, sensors)]
    write_statistics(lines, tmp_path / "s.csv")
    table = list(csv.DictReader(io.StringIO((tmp_path / "s.csv").read_text(encoding="utf-8"))))
    whole = next(r for r in table if r["place"] == "whole map" and r["placement"] == "outdoor")
    assert float(whole["total"]) == pytest.approx(63.0)
    assert float(whole["unknown_share"]) == pytest.approx(1 / 6300, abs=1e-4)
    area = [r for r in table if r["kind"] == "area" and r["placement"] == "outdoor"]
    communes = sum(float(r["total"]) for r in area if r["place"] not in ("whole map", "territory"))
    assert communes == pytest.approx(float(next(r["total"] for r in area if r["place"] == "territory")), abs=0.01)
    homes = [r for r in table if r["kind"] == "household" and r["place"] == "territory"]
    row, col = found.grid.pixel_of([s.lat for s in sensors], [s.lon for s in sensors])
    inside = ((row >= -0.5) & (row < 69.5) & (col >= -0.5) & (col < 89.5)).sum()
    assert sum(int(r["total"]) for r in homes) == inside
    assert all(0 <= float(r["reception_probability"]) <= 1 for r in table if r["reception_probability"])


def pixels(path: Path) -> np.ndarray:
    return (255 * matplotlib.image.imread(path)[..., :3]).round().astype(int)


def test_pictures_show_their_classes_and_what_is_unknown(found: Map, tmp_path: Path) -> None:
    write_picture(found, SF, "outdoor", tmp_path / "sf.png")
    image = pixels(tmp_path / "sf.png")
    assert image.shape[0] > 500
    assert image.shape[1] > 500
    # The badge of modelled terrain, and none on measured ground.
    badge = np.array([0xA8, 0x33, 0x0C])
    assert (image == badge).all(axis=2).sum() > 500
    measured = replace(found, ground=Ground(replace(found.grid, kind="bare earth")))
    write_picture(measured, SF, "outdoor", tmp_path / "measured.png")
    assert (pixels(tmp_path / "measured.png") == badge).all(axis=2).sum() == 0
    write_panels(found, RSSI, tmp_path / "panels.png")
    assert pixels(tmp_path / "panels.png").std() > 10


@pytest.mark.parametrize(
    "title", ["Map", "A title that is as long as the names of communes and gateways can make it. " * 2]
)
def test_the_mark_covers_nothing(found: Map, tmp_path: Path, title: str) -> None:
    named = replace(found, title=title)
    measured = replace(named, ground=Ground(replace(found.grid, kind="bare earth")))
    for write in (
        lambda a, path: write_picture(a, SF, "pit-cast-iron", path),
        lambda a, path: write_panels(a, SF, path),
    ):
        write(named, tmp_path / "marked.png")
        write(measured, tmp_path / "plain.png")
        rows, columns = ((pixels(tmp_path / "marked.png") == [0xA8, 0x33, 0x0C]).all(axis=2)).nonzero()
        below = pixels(tmp_path / "plain.png")[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (below == 255).all()


def test_classes_take_their_lower_bound_and_unknown_has_its_own_colour(found: Map) -> None:
    coverage = found.by_placement["outdoor"]
    for layer in (*LAYERS, best_server_layer(["a", "b"])):
        classes, values = layer.classes(coverage), layer.values(coverage)
        assert classes[HOLE] == -1
        for index, band in enumerate(layer.bands[1:], 1):
            here = values[classes == index]
            assert (here >= band.low).all()
            assert (values[(classes < index) & (classes >= 0)] < band.low).all()
        assert tuple(layer.rgba(coverage)[HOLE].tolist()) == rgba_of(UNKNOWN)


def test_light_comes_from_the_north_west() -> None:
    r, c = np.mgrid[0:60, 0:60]
    bump = (40 * np.exp(-((r - 30) ** 2 + (c - 30) ** 2) / 120.0)).astype(np.float32)
    shade = hillshade(bump, 30.0).astype(int)
    assert shade[24, 24] > shade[0, 0] > shade[36, 36]


def test_thinning_keeps_pixels_where_they_are(found: Map) -> None:
    step, grid = thinned(found, 700)
    assert step == 3
    for row, col in ((0, 0), (5, 7)):
        shown, kept = grid.lat_lon_of(row, col), found.grid.lat_lon_of(3 * row, 3 * col)
        assert np.allclose(shown, kept, rtol=0, atol=1e-9)


def test_names_never_touch_each_other_or_a_mark() -> None:
    labels = [Label(f"n{i}", 10.0 * (i % 3), 4.0 * (i // 3), 9.0, 2.0) for i in range(9)]
    marks = [(m.x - 1, m.y - 1, m.x + 1, m.y + 1) for m in labels]
    placed = place_labels(labels, marks, (-40, -40, 60, 60), 1.5)
    boxes = [
        (at.x - m.half_width, at.y - m.half_height, at.x + m.half_width, at.y + m.half_height)
        for m, at in zip(labels, placed, strict=True)
        if at is not None
    ]
    assert len(boxes) >= 4
    for i, a in enumerate([*boxes, *marks]):
        for b in boxes[:i]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def test_scale_bars_have_round_lengths() -> None:
    assert [nice_length(v) for v in (7.0, 2.4, 1.0, 0.07)] == [5.0, 2.0, 1.0, pytest.approx(0.05)]


def test_a_link_picture_is_drawn(found: Map, tmp_path: Path) -> None:
    radio = found.radio
    device = DeviceSite("d", 47.41, 0.86, 1.0, -1.5, "outdoor")
    spread = Classes.of(radio, found.model.freq_hz).spreads["outdoor"]
    link = link_profile(found.grid, SITES[0], device, found.model, terminal_of(radio), spread)
    write_profile(link, found.ground, tmp_path / "p.png")
    image = pixels(tmp_path / "p.png")
    assert (image == np.array([0, 0x72, 0xB2])).all(axis=2).sum() > 300  # the line of sight
