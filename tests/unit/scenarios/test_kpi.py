"""The convention's measures on months small enough to compute by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lorawan.draws import Draws
from scenarios.kpi import HeardMatrix, Verdict, evaluate, wilson
from scenarios.kpi.interval import Estimate
from scenarios.kpi.summary import group_rows, last_spreading_factor, spreading_factor_shares, traffic
from scenarios.kpi.verdict import sensors_to_decide
from scenarios.load import load

CLAUSES = load("tev").scenario.clauses
ROOT = Draws.of_seed(1)


def _month(rows: list[str], warmup_days: int) -> HeardMatrix:
    heard = np.array([[mark == "x" for mark in row] for row in rows], dtype=np.bool_)
    return HeardMatrix(tuple(f"d{n}" for n in range(len(rows))), heard, warmup_days)


def _judge(matrix: HeardMatrix, **more: Any) -> tuple[Any, ...]:
    n = len(matrix.devices)
    return evaluate(matrix, np.ones(n), [f"c{i % 2}/pit" for i in range(n)], CLAUSES, ROOT, replicates=200, **more)


def test_four_sensors_over_three_days_by_hand() -> None:
    """Warm-up 2 days, scored 3. Heard days 3 + 2 + 1 + 0 of 12; days 2, 3 and 1 of 4; d3 was heard in the warm-up only,
    13 days back at most, so every fortnight holds it."""
    month = _month(["..xxx", ".xxx.", "...x.", "x...."], 2)
    connectivity, daily, fortnight = _judge(month)
    assert connectivity.value == connectivity.mean_value == pytest.approx(6 / 12)
    assert connectivity.lenient_value == pytest.approx(3 / 4)
    assert daily.value == pytest.approx(1 / 4)
    assert daily.mean_value == pytest.approx(6 / 12)
    assert fortnight.value == pytest.approx(3 / 4)
    assert fortnight.mean_value == pytest.approx((3 / 4 + 1 + 1) / 3)
    assert daily.lenient_value is None


def test_a_window_of_14_days_reaches_back_13_and_no_further() -> None:
    """Days 0–13 are warm-up, 14 and 15 scored: day 0 is too far back for both, day 1 for the last alone."""
    month = _month(["x" + "." * 15, ".x" + "." * 14, "x" * 16, "x" * 16], 14)
    _, _, fortnight = _judge(month)
    assert fortnight.value == pytest.approx(2 / 4)
    assert fortnight.mean_value == pytest.approx((3 / 4 + 2 / 4) / 2)


def test_weights_count_the_sensors_each_stands_for() -> None:
    month = _month(["xx", ".."], 0)
    results = evaluate(month, np.array([3.0, 1.0]), ["a/pit", "b/pit"], CLAUSES, ROOT, replicates=50)
    assert [result.value for result in results] == [0.75, 0.75, 0.75]


def test_a_part_of_the_population_is_judged_alone() -> None:
    month = _month(["xx", "xx", "..", ".."], 0)
    opened = _judge(month, keep=np.array([True, True, False, False]))
    assert [result.value for result in opened] == [1, 1, 1]
    assert [result.sensors for result in opened] == [2, 2, 2]
    with pytest.raises(ValueError, match="0 sensors"):
        _judge(month, keep=np.zeros(4, dtype=np.bool_))


def test_where_none_fails_the_interval_is_wilsons_over_sensors() -> None:
    """Lower bound n / (n + z²): 0.9495 at 72 and 0.9501 at 73 for z = 1.96; 90 % is reached at 35."""
    assert wilson(1.0, 72)[0] < 0.95 <= wilson(1.0, 73)[0]
    assert wilson(1.0, 34)[0] < 0.90 <= wilson(1.0, 35)[0]
    for n, verdicts in (
        (34, [Verdict.INSUFFICIENT, Verdict.INSUFFICIENT, Verdict.INSUFFICIENT]),
        (35, [Verdict.INSUFFICIENT, Verdict.PASS, Verdict.INSUFFICIENT]),
        (73, [Verdict.PASS, Verdict.PASS, Verdict.PASS]),
    ):
        results = _judge(_month(["x" * 30] * n, 0))
        assert [result.verdict for result in results] == verdicts
        assert all(result.high == 1 and result.low == pytest.approx(n / (n + 1.959964**2)) for result in results)


def test_the_number_of_sensors_that_would_decide_decides() -> None:
    """Where none fails it is exact: 73 for 95 %, 35 for 90 %."""
    results = _judge(_month(["x" * 30] * 20, 0))
    assert [result.sensors_needed for result in results] == [73, 35, 73]


def test_the_number_of_sensors_follows_the_square_of_the_gap() -> None:
    """A share of 93 % on independent sensors against 95 %: z² · 0.95 · 0.05 / 0.02² = 456.2."""
    found = Estimate(0.93, 0.93, 0.89, 0.96, 0.93, effective_sensors=150)
    assert sensors_to_decide(0.95, found, 150) == 457
    assert sensors_to_decide(0.93, found, 150) is None


def test_a_month_in_which_nobody_is_heard_fails_every_clause() -> None:
    results = _judge(_month(["." * 30] * 30, 0))
    assert {result.verdict for result in results} == {Verdict.FAIL}
    assert all(result.value == result.low == 0 for result in results)


def test_the_lowest_day_is_judged_and_its_bias_taken_out() -> None:
    """200 sensors independently heard with 0.95 each day: the least of 30 days lies below 0.95, the estimate nearer."""
    heard = np.random.default_rng(8).random((200, 30)) < 0.95
    daily = _judge(HeardMatrix(tuple(map(str, range(200))), heard, 0))[1]
    assert daily.value < daily.estimate
    assert daily.low <= 0.95 <= daily.high
    assert abs(daily.estimate - 0.95) < abs(daily.value - 0.95)


def test_a_single_sensor_says_little() -> None:
    results = evaluate(_month(["xxx"], 0), np.ones(1), ["a/pit"], CLAUSES, ROOT, replicates=50)
    assert {result.verdict for result in results} == {Verdict.INSUFFICIENT}


def test_groups_are_told_apart() -> None:
    rows = group_rows(_month(["xx", "x.", ".."], 0), np.array([1.0, 1.0, 2.0]), ["A", "A", "B"])
    assert [(row.name, row.sensors, row.connectivity, row.lenient, row.lowest_daily) for row in rows] == [
        ("A", 2, 0.75, 1.0, 0.5),
        ("B", 1, 0.0, 0.0, 0.0),
    ]
    assert (rows[0].mean_daily, rows[0].lowest_fortnight, rows[0].mean_fortnight) == (0.75, 1.0, 1.0)


def _trace() -> dict[str, NDArray[Any]]:
    nan = float("nan")
    return {
        "t_us": np.array([0, 30, 10, 40]),
        "device": np.array(["a", "a", "b", "b"], dtype=object),
        "kind": np.array(["join", "data", "data", "data"], dtype=object),
        "repeat": np.array([0, 0, 0, 1]),
        "f_port": np.array([-1, 1, 1, 1]),
        "accepted": np.array([False, True, True, False]),
        "outcome": np.array(["delivered", "delivered", "delivered", "collided"], dtype=object),
        "n_gateways": np.array([1, 2, 3, 0]),
        "best_rssi_dbm": np.array([-100.0, -110.0, -120.0, nan]),
        "best_snr_db": np.array([5.0, 0.0, -5.0, nan]),
        "airtime_us": np.array([250_000, 250_000, 250_000, 250_000]),
        "sf": np.array([12, 9, 7, 8]),
    }


def test_traffic_is_counted_by_outcome() -> None:
    found = traffic(_trace())
    assert (found.sent, found.delivered, found.accepted) == (4, 3, 2)
    assert found.outcomes["collided"] == 1
    assert sum(found.outcomes.values()) == found.sent
    assert (found.median_rssi_dbm, found.median_snr_db, found.mean_gateways, found.airtime_s) == (-110, 0, 2, 1)


def test_the_spreading_factor_is_that_of_the_last_data_frame() -> None:
    columns = _trace()
    assert last_spreading_factor(columns, 0, ["a", "b"]) == {"a": 9, "b": 8}
    assert last_spreading_factor(columns, 35, ["a", "b"]) == {"b": 8}
    shares = spreading_factor_shares(columns, 0, ["a", "b", "c"], np.array([3.0, 1.0, 9.0]))
    assert shares == {7: 0, 8: 0.25, 9: 0.75, 10: 0, 11: 0, 12: 0}
