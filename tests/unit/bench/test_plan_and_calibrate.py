"""The commands plan and calibrate on a small made-up territory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from bench.cli.calibrate import calibrate
from bench.cli.exits import ErrorGroup
from bench.cli.plan import plan

HEADER = "time,device,f_cnt,sf,gateway,rssi_dbm,snr_db\n"

SCENARIO = """\
name = "small"
start = 2026-10-01
timezone = "Europe/Paris"
warmup = "1 days"
scored = "3 days"
[radio]
shadowing_sigma = "0 dB"
[radio.path_loss]
model = "log-distance"
exponent = 5.0
[radio.slow_fading]
sigma = "3 dB"
[territory]
sites = "sites.csv"
[[stage]]
name = "all"
sites = ["west"]
[[clause]]
id = "c"
kind = "target"
measure = "monthly-connectivity"
figure = "95 %"
clause = "§1"
text = "heard"
"""
SITES = """\
id,commune,lat,lon,antenna_height_m,stage
west,,47.40,0.70,30,2026
east,,47.40,1.10,30,2027 option
far,,46.00,3.00,30,candidate
north,,47.60,0.90,30,candidate
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario of 30 devices in three clusters: by the west site, the east one and, most of them, the north one."""
    places = [("west", 5, 47.40, 0.70), ("east", 5, 47.40, 1.10), ("north", 20, 47.60, 0.90)]
    devices = "".join(
        f'[[device]]\nname = "{name}-{i}"\ndev_eui = "{number:02x}000000000000{i:02x}"\nversion = "1.0.4"\n'
        f'join_eui = "02000000000000ff"\napp_key = "{0:032x}"\n'
        f"lat = {lat + 0.001 * i}\nlon = {lon}\nuplinks_per_day = 4\n"
        for number, (name, count, lat, lon) in enumerate(places)
        for i in range(count)
    )
    (tmp_path / "small.toml").write_text(SCENARIO + devices, encoding="utf-8")
    (tmp_path / "sites.csv").write_text(SITES, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer(cls=ErrorGroup)
    app.command("plan")(plan)
    app.command("calibrate")(calibrate)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_plan_command_finds_the_cluster_and_compares_with_what_was_printed(folder: Path) -> None:
    code, out = run(
        "plan", "--scenario", str(folder / "small.toml"), "--keep", "1", "--add", "1", "--json",
    )  # fmt: skip
    assert code == 0, out
    report = json.loads(out)
    assert (report["kept"], report["added"], report["proved"]) == (["west"], ["north"], True)
    assert report["value"] == pytest.approx(25.0, abs=0.5)
    variants = {row["name"]: row for row in report["variants"]}
    assert variants["as printed"]["sites"] == ["west", "east"]
    got = {name: row["expected"]["monthly-connectivity"]["0"] for name, row in variants.items()}
    assert got == pytest.approx({"kept": 5 / 30, "as printed": 10 / 30, "as chosen": 25 / 30}, abs=0.02)
    assert report["value"] / report["total"] == pytest.approx(got["as chosen"], abs=1e-4)


def test_the_plan_command_solves_for_redundancy_and_prints_it(folder: Path) -> None:
    scenario = str(folder / "small.toml")
    code, out = run(
        "plan", "--scenario", scenario, "--keep-ids", "west", "--add", "2", "--redundancy", "1", "--margin", "5"
    )
    assert code == 0, out
    assert "Keep 1, add: east, north" in out
    assert "none is better" in out
    code, out = run("plan", "--scenario", scenario, "--keep", "2")
    assert (code, "1 rows have a year" in out) == (2, True)
    code, out = run("plan", "--scenario", scenario, "--keep-ids", "wset")
    assert (code, 'did you mean "west"' in out) == (2, True)


def test_the_calibrate_command_finds_an_offset_and_judges_the_month(folder: Path) -> None:
    rng = np.random.default_rng(1)
    lines = [HEADER.strip() + ",lat,lon,placement"]
    for number in range(60):
        distance_km = rng.uniform(2.0, 9.0)
        loss = 91.2 + 50 * np.log10(np.hypot(1e3 * distance_km, 28.5) / 1e3)
        power = 13.85 - 1.5 + 3.0 - 1.0 - loss - 6.0
        lat = 47.40 + distance_km / 111.195
        for frame in range(4):
            snr = power + np.hypot(3, 2) * rng.normal() + 114.0
            if snr < -20:
                continue
            rssi = -114.0 + 10 * np.log10(1 + 10 ** (snr / 10))
            shown = f"{rssi:.2f},{min(snr, 10.0):.2f},{lat},0.7,outdoor"
            lines.append(f"2026-10-0{1 + frame}T06:00:00Z,m{number},{frame},12,west,{shown}")
    (folder / "m.csv").write_text("\n".join(lines), encoding="utf-8")
    code, out = run("calibrate", str(folder / "m.csv"), "--scenario", str(folder / "small.toml"), "--verdict", "--json")
    assert code == 0, out
    report = json.loads(out)
    (row,) = report["fit"]["classes"]
    assert row["offset_db"] == pytest.approx(-6.0, abs=3 * row["offset_se_db"])
    assert row["sigma_db"] == pytest.approx(np.hypot(3, 2), abs=4 * row["sigma_se_db"])
    assert report["noise_dbm"]["west"] == pytest.approx(-114.0, abs=0.1)
    assert 'link_offset = "-' in report["toml"]
    assert report["verdict"]["devices"] == len({line.split(",")[1] for line in lines[1:]})
    code, out = run("calibrate", str(folder / "m.csv"), "--scenario", str(folder / "small.toml"), "--verdict")
    assert code == 0, out
    assert "Overall offset (of class outdoor)" in out
    assert "never heard are not in an export" in out


def test_the_calibrate_command_asks_for_the_places_it_lacks(folder: Path) -> None:
    (folder / "m.csv").write_text(HEADER + "2026-10-01T06:00:00Z,m,5,9,west,-110,-3\n", encoding="utf-8")
    code, out = run("calibrate", str(folder / "m.csv"), "--scenario", str(folder / "small.toml"))
    assert (code, '"m" has no position' in out) == (2, True)


def test_the_calibrate_command_asks_which_site_an_unknown_gateway_stands_for(folder: Path) -> None:
    row = "2026-10-01T06:00:00Z,m,5,9,b827ebfffe000001,-110,-3,47.4,0.7,outdoor\n"
    (folder / "m.csv").write_text(HEADER.strip() + ",lat,lon,placement\n" + row, encoding="utf-8")
    code, out = run("calibrate", str(folder / "m.csv"), "--scenario", str(folder / "small.toml"))
    assert (code, "b827ebfffe000001" in out, "--gateways" in out) == (2, True, True)
