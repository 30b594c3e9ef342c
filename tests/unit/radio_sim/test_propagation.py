"""Path loss, building entry and placement against closed forms and published figures."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from radio_sim.propagation import free_space_db, log_distance_db, okumura_hata_db, okumura_hata_extrapolated
from radio_sim.propagation.path_loss import HataArea
from radio_sim.propagation.placement import PLACEMENTS, BuildingType, building_entry_loss_db

P2109 = Path(__file__).resolve().parents[4] / "shared" / "vectors" / "p2109" / "validation.csv"


@pytest.mark.parametrize(("distance_m", "freq_hz"), [(1_000.0, 868e6), (12_345.0, 868e6), (50.0, 433e6)])
def test_free_space_follows_its_closed_form(distance_m: float, freq_hz: float) -> None:
    expected = 32.45 + 20 * math.log10(freq_hz / 1e6) + 20 * math.log10(distance_m / 1e3)
    assert float(free_space_db(distance_m, freq_hz)) == pytest.approx(expected, abs=0.005)


def test_log_distance_gives_the_ns3_scenario_loss() -> None:
    loss = log_distance_db(3000.0, reference_loss_db=7.7, reference_m=1.0, exponent=3.76)
    assert float(loss) == pytest.approx(7.7 + 37.6 * math.log10(3000.0))


@pytest.mark.parametrize(
    ("area", "base_m", "mobile_m", "km", "expected_db"),
    [
        # The figures a planner knows by heart: 126.4 + 35.2·log10(d) at 900 MHz, 30 m and 1.5 m.
        ("urban", 30.0, 1.5, 1.0, 126.4),
        ("urban", 30.0, 1.5, 10.0, 126.4 + 35.2),
    ],
)
def test_okumura_hata_gives_the_textbook_loss(
    area: HataArea, base_m: float, mobile_m: float, km: float, expected_db: float
) -> None:
    loss = okumura_hata_db(1000 * km, 900e6, base_height_m=base_m, mobile_height_m=mobile_m, area=area)
    assert float(loss) == pytest.approx(expected_db, abs=0.06)


@pytest.mark.parametrize("freq_mhz", [150.0, 450.0, 868.0, 1500.0])
@pytest.mark.parametrize("base_m", [30.0, 70.0, 200.0])
@pytest.mark.parametrize("km", [1.0, 5.0, 20.0])
def test_okumura_hata_agrees_with_the_field_strength_form_of_itu_r_p529(
    freq_mhz: float, base_m: float, km: float
) -> None:
    # ITU-R P.529-3 annex 1: E for 1 kW e.r.p., urban; ITU-R P.1546-6 annex 5 §17: L = 139.3 − E + 20·log10(f).
    log_f, log_h = math.log10(freq_mhz), math.log10(base_m)
    mobile_gain = (1.1 * log_f - 0.7) * 1.5 - (1.56 * log_f - 0.8)
    field = 69.82 - 6.16 * log_f + 13.82 * log_h + mobile_gain - (44.9 - 6.55 * log_h) * math.log10(km)
    expected = 139.3 - field + 20 * log_f
    loss = okumura_hata_db(1000 * km, freq_mhz * 1e6, base_height_m=base_m, mobile_height_m=1.5, area="urban")
    assert float(loss) == pytest.approx(expected, abs=0.1)


def test_okumura_hata_areas_differ_by_the_known_corrections_at_900_mhz() -> None:
    def loss(area: HataArea) -> float:
        return float(okumura_hata_db(5000.0, 900e6, base_height_m=50, mobile_height_m=1.5, area=area))

    # Textbook differences at 900 MHz: suburban 9.9 dB, open 28.5 dB below urban; quasi-open 5 dB above open.
    assert loss("urban") - loss("suburban") == pytest.approx(9.9, abs=0.05)
    assert loss("urban") - loss("open") == pytest.approx(28.5, abs=0.05)
    assert loss("quasi_open") - loss("open") == pytest.approx(5.0)


def test_okumura_hata_is_never_below_free_space() -> None:
    distance = np.geomspace(1.0, 100_000.0, 300)[:, None]
    base = np.array([2.0, 10.0, 30.0, 300.0])
    loss = okumura_hata_db(distance, 868e6, base_height_m=base, mobile_height_m=10.0, area="open")
    assert (loss >= free_space_db(distance, 868e6)).all()
    assert np.isfinite(loss).all()


def test_links_outside_the_range_of_okumura_hata_are_marked() -> None:
    def marked(distance_m: float, base_m: float, mobile_m: float, freq_hz: float = 868e6) -> bool:
        return bool(okumura_hata_extrapolated(distance_m, freq_hz, base_height_m=base_m, mobile_height_m=mobile_m))

    assert not marked(1_000, 30, 1)
    assert not marked(20_000, 200, 10)
    assert marked(999, 30, 1)
    assert marked(20_001, 30, 1)
    assert marked(5_000, 29.9, 1)
    assert marked(5_000, 30, 0.9)
    assert marked(5_000, 30, 1.5, 2e9)


def test_building_entry_loss_reproduces_the_validation_table() -> None:
    if not P2109.exists():
        pytest.skip("../shared/vectors/p2109 is not beside this repository")
    kinds: dict[str, BuildingType] = {"1": "traditional", "2": "thermally_efficient"}
    with P2109.open() as file:
        rows = list(csv.reader(file))[1:]
    assert len(rows) > 100
    for freq_ghz, percent, kind, elevation, expected in rows:
        loss = building_entry_loss_db(float(percent) / 100, float(freq_ghz) * 1e9, kinds[kind], float(elevation))
        assert float(loss) == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize(
    ("placement", "median_db", "ninety_db"), [("indoor_traditional", 14.2, 25.0), ("indoor_efficient", 31.2, 46.6)]
)
def test_indoor_placements_have_the_p2109_figures_at_868_mhz(
    placement: str, median_db: float, ninety_db: float
) -> None:
    median, ninety = PLACEMENTS[placement].loss_db([0.5, 0.9], 868e6)
    assert median == pytest.approx(median_db, abs=0.05)
    assert ninety == pytest.approx(ninety_db, abs=0.06)


@pytest.mark.parametrize(
    ("placement", "mean_db", "sigma_db"), [("pit_plastic", 10, 4), ("pit_concrete", 15, 5), ("pit_cast_iron", 25, 7)]
)
def test_pit_placements_have_their_mean_and_spread(placement: str, mean_db: float, sigma_db: float) -> None:
    expected = stats.norm(mean_db, sigma_db).ppf([0.1, 0.5, 0.9])
    assert PLACEMENTS[placement].loss_db([0.1, 0.5, 0.9], 868e6) == pytest.approx(expected)
    assert float(PLACEMENTS[placement].loss_db(1e-9, 868e6)) == 0.0


def test_outdoors_nothing_is_lost() -> None:
    assert (PLACEMENTS["outdoor"].loss_db([0.01, 0.5, 0.99], 868e6) == 0).all()
