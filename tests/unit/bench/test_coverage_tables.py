"""Tables of sites and devices: faults named at their cell, workbooks read as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xlsxwriter
from small_map import SITES

from bench.coverage.check_table import columns, rows, write_checks
from bench.coverage.sites import read_devices, read_masts
from bench.coverage.study import Map
from bench.coverage.table import TableError, read_table
from radio_sim.coverage.study import site_check
from radio_sim.model import DeviceSite
from scenarios.load import LoadedScenario


def test_tables_name_the_cell_of_every_fault(tmp_path: Path, loaded: LoadedScenario) -> None:
    radio = loaded.scenario.radio
    path = tmp_path / "sites.csv"
    path.write_text("id,lat,lon,antenna_height_m\na,47.4,0.8,20\nb,here,0.8,20\nc,47.4,400,20\na,47.4,0.8,\n")
    with pytest.raises(TableError, match=r"sites\.csv:3:2: lat: \"here\" is not a number") as caught:
        read_masts(path, radio)
    told = [str(other) for other in caught.value.others]
    assert "sites.csv:4:3: lon: 400 is not within -180 … 180" in told[0]
    assert "sites.csv:5:4: antenna_height_m: the cell is empty" in told[1]
    path.write_text("id,lat,lon,antenna_height_m\na,47.4,0.8,20\na,47.4,0.8,20\n")
    with pytest.raises(TableError, match=r"sites\.csv:3:1: id: \"a\" twice, first in row 2"):
        read_masts(path, radio)
    path.write_text("id,lat,antenna_height_m\n")
    with pytest.raises(TableError, match="no column 'lon'"):
        read_masts(path, radio)


def test_workbooks_and_semicolons_are_read_as_people_write_them(tmp_path: Path, loaded: LoadedScenario) -> None:
    radio = loaded.scenario.radio
    classes = ["outdoor", "pit-concrete"]
    text = tmp_path / "d.csv"
    text.write_text("\ufeffName;Latitude;Longitude;Placement\nÉcole;47,45;0,87;Pit_Concrete\n;47,46;0,88;\n", "utf-8")
    devices = read_devices(text, radio, classes, "outdoor").places
    assert [(d.id, d.lat, d.lon, d.placement) for d in devices] == [
        ("École", 47.45, 0.87, "pit-concrete"),
        ("row 3", 47.46, 0.88, "outdoor"),
    ]
    book = tmp_path / "d.xlsx"
    with xlsxwriter.Workbook(book) as workbook:
        workbook.add_worksheet("about")
        sheet = workbook.add_worksheet("meters")
        sheet.write_row(1, 1, ("dev_eui", "lat", "lon", "placement"))
        sheet.write_row(2, 1, ("0001", 47.45, 0.87, "outdoor"))
        sheet.write_row(4, 1, ("0002", "47.4x", 0.87, "cellar"))
    with pytest.raises(TableError, match=r'd\.xlsx, sheet "meters", cell C5: lat: "47\.4x" is not a number') as caught:
        read_devices(book, radio, classes, "outdoor", sheet="meters")
    assert caught.value.others == ()
    with pytest.raises(TableError, match='no sheet "metres"; there are about, meters'):
        read_table(book, "metres")


def test_rows_of_a_check_keep_text_as_text(tmp_path: Path, found: Map) -> None:
    places = [
        DeviceSite("=1+1", 47.42, 0.85, 1.0, -1.5, "outdoor"),
        DeviceSite("far", 47.4, 0.88, 1.0, -1.5, "outdoor"),
    ]
    losses = np.array([[110.0, np.nan], [130.0, np.nan]], np.float32)
    checked = site_check(losses, SITES, places, found.terminal, found.classes.spreads)
    table = dict(zip(columns(checked), rows(checked, places)[0], strict=True))
    assert (table["id"], table["verdict"], table["best_gateway"], table["gateways"]) == (
        "=1+1",
        "ok",
        "north & west",
        2,
    )
    assert dict(zip(columns(checked), rows(checked, places)[1], strict=True))["rssi_dbm"] == ""
    path = tmp_path / "check.xlsx"
    write_checks(checked, places, "a model", ("a note",), path)
    read: Any = read_table(path, "site check")
    assert [row.text("id") for row in read.rows] == ["=1+1", "far"]
    assert read.rows[0].number_of("rssi_dbm") == pytest.approx(13.85 - 1.5 - 110 + 3 - 1, abs=0.05)
