"""Clutter loss against the published validation data of ITU-R P.2108 and the figures planners quote."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from radio_sim.propagation.p2108 import (
    CLUTTER_HEIGHT_M,
    ClutterType,
    earth_space_clutter_loss_db,
    height_gain_correction_db,
    terrestrial_clutter_loss_db,
)

VECTORS = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "p2108"
TYPES: tuple[ClutterType, ...] = ("water_sea", "open_rural", "suburban", "urban", "trees_forest", "dense_urban")


def rows(name: str) -> list[dict[str, float]]:
    path = VECTORS / f"{name}TestData.csv"
    if not path.exists():
        pytest.skip("the shared vectors are not beside this checkout")
    return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(path.read_text().splitlines())]


def height_gain(row: dict[str, float]) -> float:
    return float(
        height_gain_correction_db(
            row["h__meter"],
            row["f__ghz"] * 1e9,
            TYPES[int(row["clutter_type"]) - 1],
            clutter_height_m=row["R__meter"],
            street_width_m=row["w_s__meter"],
        )
    )


def terrestrial(row: dict[str, float]) -> float:
    return float(terrestrial_clutter_loss_db(row["d__km"] * 1000.0, row["f__ghz"] * 1e9, row["p"]))


def earth_space(row: dict[str, float]) -> float:
    return float(earth_space_clutter_loss_db(row["theta_deg"], row["f__ghz"] * 1e9, row["p"]))


@pytest.mark.parametrize(
    ("name", "model", "column", "count"),
    [
        ("HeightGainTerminalCorrectionModel", height_gain, "A_h__db", 23),
        ("TerrestrialStatisticalModel", terrestrial, "L_ctt__db", 12),
        ("AeronauticalStatisticalModel", earth_space, "L_ces__db", 13),
    ],
)
def test_every_published_case_agrees_to_its_printed_digit_or_is_refused(name, model, column, count) -> None:  # type: ignore[no-untyped-def] # the table says it
    cases = rows(name)
    assert len(cases) == count
    for row in cases:
        if row["rtn"] == 0:
            assert model(row) == pytest.approx(row[column], abs=0.0501), row
        else:
            with pytest.raises(ValueError, match=r"P\.2108"):
                model(row)


def test_along_the_street_at_868_mhz_half_the_places_lose_24_db_and_a_tenth_29() -> None:
    loss = terrestrial_clutter_loss_db([1000.0, 1000.0], 868e6, [50.0, 90.0])
    assert loss == pytest.approx([24.3, 29.5], abs=0.05)


def test_at_street_level_the_surroundings_cost_18_to_25_db_at_868_mhz() -> None:
    losses = [float(height_gain_correction_db(1.5, 868e6, kind)) for kind in ("suburban", "urban", "dense_urban")]
    assert losses == sorted(losses)
    assert 17.5 < losses[0] < losses[-1] < 25.5


def test_above_its_surroundings_a_terminal_loses_nothing() -> None:
    for kind, top in CLUTTER_HEIGHT_M.items():
        assert height_gain_correction_db([top, 2 * top], 868e6, kind).tolist() == [0.0, 0.0]


def test_the_loss_along_streets_grows_to_two_kilometres_and_stays() -> None:
    loss = terrestrial_clutter_loss_db(np.array([250.0, 500.0, 1000.0, 2000.0, 20_000.0]), 3.5e9, 50.0)
    assert np.all(np.diff(loss[:4]) > 0.0)
    assert loss[3] == pytest.approx(loss[4], abs=1e-9)


def test_an_unknown_surrounding_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="swamp"):
        height_gain_correction_db(1.5, 868e6, "swamp")  # type: ignore[arg-type] # the misuse under test
