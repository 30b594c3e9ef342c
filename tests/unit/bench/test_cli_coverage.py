"""`lorabench coverage` and `lorabench terrain`: what they print, write and refuse, and their exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xlsxwriter
from affine import Affine
from typer.testing import CliRunner

from bench.cli.app import app

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples"
SITES, DEVICES = EXAMPLES / "sites.csv", EXAMPLES / "devices.csv"
NEAR = ("--only", "montlouis-water-tower", "--radius", "2", "--pixel", "100", "--model", "okumura-hata", "-q")


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def write_dem(
    path: Path, *, crs: str | None = "EPSG:4326", height_m: float = 90.0, hole: bool = False, unit: str = ""
) -> Path:
    """0.5° × 0.5° about Touraine at 0.005°, flat; a hole of 3 km about the Montlouis water tower."""
    heights = np.full((100, 100), height_m, np.float32)
    if hole:
        heights[40:46, 47:54] = -9999
    with rasterio.open(
        path, "w", driver="GTiff", width=100, height=100, count=1, dtype="float32", crs=crs, nodata=-9999,
        transform=Affine(0.005, 0, 0.6, 0, -0.005, 47.6),
    ) as dataset:  # fmt: skip
        dataset.write(heights, 1)
        if unit:
            dataset.units = (unit,)
    return path


def test_the_profile_example_works_on_the_bundled_terrain_and_says_so(tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    code, out, err = run("coverage", "profile", "montlouis-water-tower", "47.45,0.87", "--out", str(picture))
    assert code == 0
    assert "modelled, not measured" in " ".join(out.split())
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert str(picture) in err
    code, out, _ = run(
        "coverage", "profile", "montlouis-water-tower", "47.45,0.87", "--out", str(picture), "--json",
        "--placement", "pit-concrete",
    )  # fmt: skip
    facts = json.loads(out)
    up = {line["name"]: line["value"] for line in facts["uplink"]}
    assert facts["distance_m"] == pytest.approx(6_958, abs=15)
    # 13.85 − 1.5 + 3 − 1 = 14.35 dBm less the losses; a concrete lid is 15 dB.
    assert up["received power"] == pytest.approx(14.35 - facts["loss_db"] - 15.0, abs=0.01)
    assert facts["loss_by_model_db"]["free-space"] == pytest.approx(108.07, abs=0.05)
    assert facts["loss_db"] >= facts["loss_by_model_db"]["free-space"] - 0.1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("montlouis-watertower", "47.45,0.87"), 'did you mean "montlouis-water-tower"'),
        (("montlouis-water-tower", "47.45"), "write lat,lon in degrees"),
        (("montlouis-water-tower", "147.45,0.87"), "latitude first"),
        (("montlouis-water-tower", "48.9,2.3"), "beyond the edge of the heights"),
        (("montlouis-water-tower", "montlouis-water-tower"), "a link has two ends"),
        (("montlouis-water-tower", "47.45,0.87", "--model", "p1813"), "one of p1812, itm"),
        (("montlouis-water-tower", "47.45,0.87", "--placement", "cellar"), "no such class"),
    ],
)
def test_a_link_that_cannot_be_is_refused_with_a_hint(arguments: tuple[str, ...], told: str) -> None:
    code, out, err = run("coverage", "profile", *arguments)
    assert (code, out) == (2, "")
    assert told in err


def test_the_check_example_finds_the_devices_that_are_not_covered(tmp_path: Path) -> None:
    table = tmp_path / "checked.csv"
    code, out, _ = run("coverage", "check", str(DEVICES), "--sites", str(SITES), "--out", str(table))
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    lost = [row["id"] for row in rows if row["verdict"] == "no"]
    assert code == 1
    assert "meter-reugny-hamlet" in lost
    assert "town-hall-montlouis" not in lost
    assert f"{len(rows)} devices: " in out
    assert "candidate sites of the table are left out" in " ".join(out.split())
    for row in rows:
        assert 0 <= float(row["probability"]) <= 1
        assert float(row["probability_outdoor"]) >= float(row["probability_pit-cast-iron"])
        assert (row["verdict"] == "ok") == (float(row["probability"]) >= 0.95)


def test_covered_devices_and_workbooks_end_well(tmp_path: Path) -> None:
    book, out = tmp_path / "meters.xlsx", tmp_path / "out.xlsx"
    with xlsxwriter.Workbook(book) as workbook:
        sheet = workbook.add_worksheet("meters")
        sheet.write_row(0, 0, ("Meter", "Latitude", "Longitude"))
        sheet.write_row(1, 0, ("a", 47.389, 0.846))
    code, text, _ = run("coverage", "check", str(book), "--sites", str(SITES), "--out", str(out), "--json")
    assert code == 0
    (row,) = [json.loads(line) for line in text.splitlines()]
    assert (row["id"], row["best_gateway"], row["verdict"]) == ("a", "montlouis-water-tower", "ok")
    assert out.read_bytes().startswith(b"PK")


def test_bad_cells_are_named_and_nothing_is_computed(tmp_path: Path) -> None:
    table = tmp_path / "d.csv"
    table.write_text("id,lat,lon,placement\na,47.4,0.8,outdoor\nb,47.4,east,outdoor\nc,47.4,0.8,attic\n")
    code, out, err = run("coverage", "check", str(table))
    assert (code, out) == (2, "")
    assert f'{table}:3:3: lon: "east" is not a number' in err
    assert f'{table}:4:4: placement: no placement is called "attic"' in err
    table.write_text("id,lat,lon\nfar,48.9,2.3\n")
    code, _, err = run("coverage", "check", str(table))
    assert code == 2
    assert f"{table}:2:2" in err
    assert "beyond the edge of the heights" in err
    assert run("coverage", "check", str(tmp_path / "none.csv"))[0] == 2
    assert run("coverage", "check", str(DEVICES), "--out", "x.pdf")[0] == 2


def test_a_map_writes_what_was_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "map"
    code, text, _ = run("coverage", "map", "--sites", str(SITES), "--out", str(out), *NEAR)
    assert code == 0
    assert "modelled terrain: not measured" in text
    names = {path.name for path in out.iterdir()}
    assert {
        "coverage-outdoor.tif",
        "coverage.kmz",
        "map.html",
        "margin.geojson",
        "margin.png",
        "statistics.csv",
    } <= names
    summary = json.loads((out / "summary.json").read_text())
    assert [gateway["id"] for gateway in summary["gateways"]] == ["montlouis-water-tower"]
    assert summary["modelled_terrain"] is True
    few = tmp_path / "few"
    code, text, _ = run(
        "coverage", "map", "--out", str(few), *NEAR, "--formats", "csv", "--json", "--placement", "indoor"
    )
    assert code == 0
    told = json.loads(text)
    assert list(told["area_shares"]) == ["indoor"]
    assert {path.name for path in few.iterdir()} == {"statistics.csv", "summary.json"}


def test_a_swept_map_reports_its_own_error(tmp_path: Path) -> None:
    arguments = ("coverage", "map", "--out", str(tmp_path), *NEAR[:6], "--formats", "csv", "-q")
    code, text, _ = run(*arguments)
    assert code == 0
    assert "self-check: 200 pixels against their exact profiles" in text
    code, text, _ = run(*arguments, "--exact")
    assert code == 0
    assert "every pixel is computed by itself" in text


def test_a_real_model_of_the_ground_is_used_and_named(tmp_path: Path) -> None:
    dem = write_dem(tmp_path / "dem.tif")
    code, text, _ = run("coverage", "map", "--dem", str(dem), "--out", str(tmp_path / "o"), *NEAR, "--formats", "tif")
    assert code == 0
    assert "modelled" not in text
    assert "dem.tif" in text
    with rasterio.open(tmp_path / "o" / "coverage-outdoor.tif") as dataset:
        assert "MARK" not in dataset.tags()
        assert "surface" in dataset.tags()["TERRAIN"]


@pytest.mark.parametrize(
    ("dem", "told"),
    [
        ({"crs": None}, "--crs EPSG:4326"),
        ({"hole": True}, "no height is known under site montlouis-water-tower"),
        ({"unit": "ft"}, "--unit foot"),
        ({"height_m": 30_000.0}, "on no land"),
        ({"crs": "EPSG:32631"}, "beyond the edge of the heights"),
    ],
)
def test_ground_that_cannot_be_right_is_refused_with_a_hint(tmp_path: Path, dem: dict[str, object], told: str) -> None:
    path = write_dem(tmp_path / "dem.tif", **dem)  # type: ignore[arg-type]  # the parameters of the test above
    code, out, err = run("coverage", "map", "--dem", str(path), "--out", str(tmp_path / "o"), *NEAR)
    assert (code, out) == (2, "")
    assert told in err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--area", "1,2,3"),
        ("--area", "47.5,0.8,47.4,0.9"),
        ("--formats", "tif,shp"),
        ("--placement", "cellar"),
        ("--only", "nowhere"),
        ("--hata-area", "downtown"),
        ("--sites", "none.csv"),
        ("--dem", "none.tif"),
        ("--unit", "yard"),
    ],
)
def test_options_without_sense_end_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = run("coverage", "map", "--out", str(tmp_path / "o"), *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_clutter_over_a_surface_model_is_refused_and_over_bare_earth_it_costs(tmp_path: Path) -> None:
    dem = write_dem(tmp_path / "dem.tif")
    with rasterio.open(
        tmp_path / "cover.tif", "w", driver="GTiff", width=100, height=100, count=1, dtype="uint8", crs="EPSG:4326",
        transform=Affine(0.005, 0, 0.6, 0, -0.005, 47.6),
    ) as dataset:  # fmt: skip
        dataset.write(np.full((100, 100), 10, np.uint8), 1)  # WorldCover: tree cover
    link = (
        "coverage",
        "profile",
        "montlouis-water-tower",
        "47.45,0.87",
        "--dem",
        str(dem),
        "--json",
        "--out",
        str(tmp_path / "p.png"),
    )
    cover = ("--clutter", str(tmp_path / "cover.tif"))
    code, _, err = run(*link, *cover)
    assert code == 2
    assert "twice" in err
    bare, wooded = (json.loads(run(*link, "--bare-earth", *extra)[1])["loss_db"] for extra in ((), cover))
    assert wooded > bare + 10


def test_terrain_is_looked_at_and_converted(tmp_path: Path) -> None:
    code, out, _ = run("terrain", "info", "--json", "--at", "47.3889,0.85028")
    facts = json.loads(out)
    assert (code, facts["kind"], facts["crs"]) == (0, "modelled", "EPSG:32631")
    assert 70 < facts["height_at"]["height_m"] < 100  # the plateau of Montlouis
    dem, path = write_dem(tmp_path / "dem.tif", hole=True), tmp_path / "cut.tif"
    code, out, _ = run(
        "terrain", "convert", str(dem), str(path), "--around", "47.42,0.8", "--radius", "3", "--pixel", "90"
    )
    assert code == 0
    assert "90.0 … 90.0 m" in out
    with rasterio.open(path) as dataset:
        assert (dataset.crs.to_string(), dataset.transform.a) == ("EPSG:32631", 90.0)
    code, out, _ = run("terrain", "info", str(path), "--json", "--at", "47.42,0.8")
    facts = json.loads(out)
    assert facts["rasters"][0]["pixel_size_m"] == pytest.approx(90)
    assert facts["height_at"]["height_m"] == pytest.approx(90.0)
    assert run("terrain", "info", str(tmp_path / "none.tif"))[0] == 2
    assert run("terrain", "convert", str(dem), str(path))[0] == 2
    assert run("terrain", "convert", str(path), "--around", "47.4,0.8")[0] == 2
    assert run("terrain", "convert", str(dem), "out.png", "--around", "47.4,0.8")[0] == 2


def test_tiles_that_cannot_be_fetched_are_a_matter_of_the_network(tmp_path: Path) -> None:
    closed = "http://127.0.0.1:9/{tile}.tif"  # the discard port: nothing listens
    code, _, err = run("terrain", "fetch", "--around", "47.4,0.8", "--out", str(tmp_path), "--url", closed)
    assert code == 3
    assert "try again" in err
    assert run("terrain", "fetch", "--out", str(tmp_path))[0] == 2
