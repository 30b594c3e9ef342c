"""Who misses days and why: missed days by hand, and whole small worlds with and without an outage."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.report.summary import MissCause
from bench.runner.batch import WorldResult, run_world
from bench.runner.batch_stage import month_of
from bench.runner.changes import parse_change
from bench.runner.misses import CAUSES, misses_of, write_silent_sensors
from bench.runner.plan import StageWorld
from bench.runner.seen import NOTHING, Seen
from lorawan.trace import Outcome
from radio_sim.batch import OUTCOME_NAMES
from radio_sim.batch.layout import UPLINK_RECORD, Array
from scenarios.load import load, loads

CODES = {name: code for code, name in enumerate(OUTCOME_NAMES.tolist())}
SENSORS, DAYS = 200, 4  # a day of warm-up, then three that count


def uplinks(*frames: tuple[int, Outcome]) -> Array:
    """Raw records of (sensor, outcome)."""
    records = np.zeros(len(frames), UPLINK_RECORD)
    for record, (sensor, outcome) in zip(records, frames, strict=True):
        record["device"], record["outcome"] = sensor, CODES[outcome]
        record["n_gateways"] = outcome is Outcome.DELIVERED
    return records


def test_a_day_is_put_down_to_what_took_most_of_its_lost_frames() -> None:
    seen, nobody = Seen.of(2, 4), np.zeros(0)
    down, weak, sent = Outcome.GATEWAY_DOWN, Outcome.BELOW_SENSITIVITY, Outcome.DELIVERED
    seen.take(uplinks(*[(0, weak)] * 9, (1, sent)), nobody)
    seen.end_day(0)
    seen.take(uplinks((0, down), (0, down), (0, weak), (1, sent), (1, sent), (1, weak)), nobody)
    seen.end_day(1)
    seen.take(uplinks((0, weak), (0, down)), nobody)
    seen.end_day(2)
    assert seen.daily.tolist() == [
        [CODES[weak], CODES[down], CODES[down], NOTHING],  # two days of outage in spite of ten weak frames before
        [CODES[sent], CODES[weak], NOTHING, NOTHING],
    ]
    assert seen.outcomes.sum() == 18


@pytest.fixture(scope="module")
def stage() -> StageWorld:
    """Some sensors of the rollout over Hata, so that no terrain is needed."""
    text = load("tev").path.read_text(encoding="utf-8").replace('model = "p1812" ', 'model = "okumura-hata" ')
    world = StageWorld(loads(text), "2027", 1, 40, 1, DAYS - 1)
    return replace(world, sensors_changed=world.population[:SENSORS])


@pytest.fixture(scope="module")
def watched(stage: StageWorld) -> WorldResult:
    return run_world(stage, 0)


def rows(stage: StageWorld, found: WorldResult) -> dict[str, MissCause]:
    return {miss["cause"]: miss for miss in misses_of(stage, found, month_of(stage, found).matrix)}


def by_hand(found: WorldResult, heard: list[list[int]], daily: list[list[str]], joined: list[bool]) -> WorldResult:
    """The world as if its first sensors had been heard on these days, and everybody else on all."""
    assert found.seen is not None
    all_heard, codes = np.ones((SENSORS, DAYS), bool), found.seen.daily.copy()
    all_heard[: len(heard)] = heard
    codes[: len(daily)] = [[CAUSES.index(cause) for cause in row] for row in daily]
    has_joined = np.ones(SENSORS, bool)
    has_joined[: len(joined)] = joined
    bits = np.packbits(all_heard, axis=1)
    return replace(found, heard_bits=bits, joined=has_joined, seen=replace(found.seen, daily=codes))


def test_days_count_under_their_own_cause_and_a_sensor_under_that_of_most_of_its_days(
    stage: StageWorld, watched: WorldResult, tmp_path: Path
) -> None:
    zero = by_hand(
        watched,
        [[0, 0, 0, 1], [0, 0, 0, 0], [1, 1, 0, 1], [0, 0, 0, 0]],
        [
            ["coverage", "outage", "outage", "coverage"],
            ["coverage", "coverage", "outage", "coverage"],
            ["coverage", "coverage", "outage", "coverage"],
            ["coverage"] * 4,
        ],
        [True, True, True, False],
    )
    found = rows(stage, zero)

    def figures(cause: str) -> tuple[int, ...]:
        miss = found[cause]
        return (
            miss["sensors"], miss["missed_days"], miss["silent_on_worst_day"], miss["silent_in_worst_fortnight"]
        )  # fmt: skip

    # The second scored day is the worst: four miss it. Silent in all days up to the first scored one: three.
    assert figures("outage") == (2, 4, 3, 1)
    assert figures("coverage") == (1, 2, 0, 1)
    assert figures("coverage (never joined)") == (1, 3, 1, 1)
    write_silent_sensors(tmp_path / "silent.csv", stage, zero, month_of(stage, zero).matrix)
    listed = list(csv.DictReader((tmp_path / "silent.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["sensor"]: (row["missed_days"], row["main_cause"]) for row in listed} == {
        stage.population[0].id: ("2", "outage"),
        stage.population[1].id: ("3", "coverage"),
        stage.population[2].id: ("1", "outage"),
        stage.population[3].id: ("3", "coverage (never joined)"),
    }


def test_only_an_outage_brings_days_lost_to_outages(stage: StageWorld, watched: WorldResult) -> None:
    assert watched.outcomes[Outcome.GATEWAY_DOWN] == 0
    assert "outage" not in rows(stage, watched)
    served = np.bincount(watched.best_gateway, minlength=len(stage.gateways))
    site = stage.gateways[int(served.argmax())].id
    lost = parse_change(f"lose {site} days 2-2").apply(stage)
    without = run_world(lost, 0)
    found = rows(lost, without)["outage"]
    missed = int((~month_of(lost, without).matrix.scored).sum())
    assert sum(miss["missed_days"] for miss in rows(lost, without).values()) == missed
    more = missed - int((~month_of(stage, watched).matrix.scored).sum())
    assert more > 20
    assert found["missed_days"] > 0.8 * more
    assert found["silent_on_worst_day"] == found["missed_days"]
    total = sum(without.outcomes.values())
    assert {sum(row.values()) for row in without.by_gateway.values()} == {total}
