"""The bundled scenarios against the agreement, INSEE's totals and the shared tables."""

from __future__ import annotations

import csv
import itertools
import json
import math
import re
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lorawan.draws import Draws
from lorawan.regions.eu868 import EU868
from lorawan.version import Version
from scenarios.calendar import civil_day_bounds_us, origin_utc
from scenarios.load import LIBRARY, list_library, load
from scenarios.population import build_population
from scenarios.sampling import stratified_sample, weights
from scenarios.schema import json_schema

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "tev"
HOUR_US = 3_600_000_000

TEV = load("tev")
SENSORS = build_population(TEV.scenario, TEV.communes, Draws.of_seed(TEV.scenario.seed))


def test_the_library_holds_what_demos_need() -> None:
    assert [entry.name for entry in list_library()] == ["four-versions", "lab-one-device", "tev"]
    for entry in list_library():
        assert load(entry.name).scenario.name == entry.name
        assert entry.title


def test_the_ten_members_have_17000_households_and_41489_inhabitants() -> None:
    assert len(TEV.communes) == 10
    assert sum(commune.households for commune in TEV.communes) == 17_000
    assert sum(commune.population for commune in TEV.communes) == 41_489
    assert sum(commune.area_km2 for commune in TEV.communes) == pytest.approx(213.5, abs=0.05)


@pytest.mark.parametrize("name", ["communes.csv", "sites.csv"])
def test_the_tables_are_the_shared_ones(name: str) -> None:
    if not SHARED.is_dir():
        pytest.skip(f"no reference tables at {SHARED}")
    ours, theirs = (
        list(csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines()))
        for folder in (LIBRARY.parent / "tev", SHARED)
    )
    assert ours == [row for row in theirs if name != "communes.csv" or row["member"] == "TEV"]


def test_the_stages_open_the_gateways_of_annexe_1() -> None:
    """Annexe 1: 1, then 8 more in eight communes, then 2 on the row of Azay-sur-Cher; none in Véretz."""
    assert [stage.name for stage in TEV.scenario.stages] == ["2025", "2026", "2027"]
    per_commune = {name: Counter(s.commune for s in TEV.open_sites(name)) for name in ("2025", "2026", "2027")}
    assert per_commune["2025"] == {"Montlouis-sur-Loire": 1}
    nine = {commune.name for commune in TEV.communes} - {"Véretz"}
    assert per_commune["2026"] == dict.fromkeys(nine, 1)
    assert per_commune["2027"] == {**dict.fromkeys(nine, 1), "Azay-sur-Cher": 3}
    assert TEV.open_communes("2027") == nine


def test_the_clauses_carry_the_figures_of_annexe_4() -> None:
    found = [(clause.clause, clause.kind, clause.measure, clause.figure) for clause in TEV.scenario.clauses]
    assert found == [
        ("Annexe 4 §2.1", "target", "monthly-connectivity", 0.95),
        ("Annexe 4 §2.4", "guarantee", "daily-share", 0.90),
        ("Annexe 4 §2.4", "guarantee", "fortnight-share", 0.95),
    ]
    assert (TEV.scenario.warmup_days, TEV.scenario.scored_days, TEV.scenario.timezone) == (14, 30, "Europe/Paris")


def test_the_network_speaks_eu868_as_published() -> None:
    """RP002-1.0.4 §2.4 and the usual five channels beside the three default ones: eight, none in a gap."""
    network = TEV.scenario.network
    channels = {channel.freq_hz for channel in EU868.default_channels} | set(network.extra_channels_hz)
    assert len(channels) == 8
    assert all(EU868.frequency_ok(freq_hz) for freq_hz in channels)
    assert (network.rx2_dr, network.rx_delay_us) == (0, 1_000_000)
    assert (network.adr_margin_db, network.dedup_window_us) == (10, 200_000)
    assert TEV.scenario.radio.device_power_dbm == pytest.approx(16.0 - 2.15)


def test_every_figure_of_the_tev_scenario_has_its_source_beside_it() -> None:
    """Each line of a measured kind says where it comes from or that it is an assumption, or its section says so."""
    text = (LIBRARY / "tev.toml").read_text(encoding="utf-8")
    radio = text[text.index("[network]") : text.index("[territory]")]
    bare = [
        line
        for line in radio.splitlines()
        if re.match(r'\w+ = (".*\d.*"|\d|\[)', line) and "#" not in line and "8.4 dB" not in line and "0 m" not in line
    ]
    assert bare == []


def test_each_household_has_a_sensor_with_its_own_deveui() -> None:
    counted = Counter(sensor.commune for sensor in SENSORS)
    assert counted == {commune.name: commune.households for commune in TEV.communes}
    assert len({sensor.dev_eui for sensor in SENSORS}) == len({sensor.id for sensor in SENSORS}) == 17_000
    assert all(sensor.dev_eui >> 57 & 1 for sensor in SENSORS), "locally administered: the U/L bit of IEEE 802"


@pytest.mark.parametrize(
    ("what", "share"),
    [
        (lambda s: s.placement.startswith("pit-"), 0.65),
        (lambda s: s.placement == "pit-plastic", 0.325),
        (lambda s: s.placement == "indoor", 0.34),
        (lambda s: s.placement == "municipal-indoor", 0.01),
        (lambda s: s.uplinks_per_day == 1, 0.25),
        (lambda s: s.uplinks_per_day == 2, 0.45),
        (lambda s: s.uplinks_per_day == 24, 0.05),
        (lambda s: s.payload_bytes == 51, 0.25),
        (lambda s: s.version is Version.V1_0_3, 0.50),
        (lambda s: s.activation == "abp", 0.05),
        (lambda s: s.phase < 0.25, 0.25),
    ],
)
def test_the_mixes_are_drawn_as_asked(what: Any, share: float) -> None:
    """Within 4 standard errors of a binomial of 17,000."""
    found = sum(map(what, SENSORS)) / len(SENSORS)
    assert found == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / len(SENSORS)))


def test_57000_uplinks_a_day_are_planned() -> None:
    assert sum(sensor.uplinks_per_day for sensor in SENSORS) == pytest.approx(57_000, rel=0.02)
    assert all(9 <= sensor.payload_bytes <= 51 for sensor in SENSORS)


def _distance_m(lat: float, lon: float, other: tuple[float, float]) -> float:
    """Haversine."""
    a, b = math.radians(lat), math.radians(other[0])
    h = math.sin((a - b) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon - other[1]) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


def test_scattered_sensors_are_uniform_in_the_disc_of_the_communes_area() -> None:
    """Half of a uniform disc lies within radius / √2 of its centre, all within the radius."""
    assert TEV.scenario.population is not None
    mix = TEV.scenario.population.model_copy(update={"town_share": 0.0})
    commune = TEV.communes[0]
    scenario = TEV.scenario.model_copy(update={"population": mix})
    centre = (commune.lat_centre, commune.lon_centre)
    far = sorted(_distance_m(s.lat, s.lon, centre) for s in build_population(scenario, [commune], Draws.of_seed(1)))
    radius_m = math.sqrt(commune.area_km2 * 1e6 / math.pi)
    assert far[-1] <= radius_m * 1.002
    assert far[len(far) // 2] == pytest.approx(radius_m / math.sqrt(2), rel=0.05)


def test_town_sensors_are_gaussian_about_the_town() -> None:
    """The median distance of a Gaussian of σ per axis is σ √(2 ln 2); σ is 500 m at 1,000 households."""
    assert TEV.scenario.population is not None
    mix = TEV.scenario.population.model_copy(update={"town_share": 1.0})
    commune = TEV.communes[3].model_copy(update={"households": 4_000})
    scenario = TEV.scenario.model_copy(update={"population": mix})
    town = (commune.lat_town or 0.0, commune.lon_town or 0.0)
    far = sorted(_distance_m(s.lat, s.lon, town) for s in build_population(scenario, [commune], Draws.of_seed(1)))
    assert far[2_000] == pytest.approx(1_000 * math.sqrt(2 * math.log(2)), rel=0.05)


def test_a_sample_of_300_touches_every_stratum_and_stands_for_all() -> None:
    sample = stratified_sample(SENSORS, 300, Draws.of_seed(1))
    assert len(sample) == len(set(sample)) == 300
    assert {SENSORS[index].stratum for index in sample} == {sensor.stratum for sensor in SENSORS}
    assert weights(SENSORS, sample).sum() == pytest.approx(17_000)
    assert stratified_sample(SENSORS, 20_000, Draws.of_seed(1)) == tuple(range(17_000))


def test_explicit_devices_become_sensors_with_their_own_words() -> None:
    loaded = load("four-versions")
    sensors = build_population(loaded.scenario, loaded.communes, Draws.of_seed(1))
    assert {sensor.version for sensor in sensors} == set(Version)
    assert Counter(sensor.activation for sensor in sensors) == {"otaa": 4, "abp": 2}
    assert [sensor.id for sensor in sensors if sensor.confirmed] == ["otaa-1.0.4"]
    assert len(loaded.open_sites("lab")) == 1


def test_the_scored_month_holds_the_day_of_25_hours() -> None:
    """Summer time ends in France on the last Sunday of October: 25 October 2026."""
    bounds = civil_day_bounds_us(TEV.scenario.start, TEV.scenario.days, "Europe/Paris")
    lengths = [(high - low) // HOUR_US for low, high in itertools.pairwise(bounds)]
    assert lengths.index(25) == (date(2026, 10, 25) - TEV.scenario.start).days
    assert Counter(lengths) == {24: 43, 25: 1}
    assert origin_utc(TEV.scenario.start, "Europe/Paris").isoformat() == "2026-09-30T22:00:00+00:00"


def test_the_day_that_summer_time_begins_has_23_hours() -> None:
    low, high = civil_day_bounds_us(date(2026, 3, 29), 1, "Europe/Paris")
    assert high - low == 23 * HOUR_US


def test_the_json_schema_describes_the_file() -> None:
    schema = json_schema()
    json.dumps(schema)
    assert {"stage", "device", "site", "clause", "start"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False
    shadowing = schema["$defs"]["Radio"]["properties"]["shadowing_sigma"]
    assert re.search(shadowing["pattern"], "7 dB")
    assert not re.search(shadowing["pattern"], "7")
