"""The trace checks against runs made to keep a rule or to break it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lorawan.regions.eu868 import EU868
from scenarios.checks import (
    check_accepted_payloads,
    check_conservation,
    check_counters,
    check_duty_cycle,
    run_all,
)

HOUR_US = 3_600_000_000
G1_HZ, G_HZ, G3_HZ = 868_100_000, 867_100_000, 869_525_000


def _uplinks(**columns: list[Any]) -> dict[str, NDArray[Any]]:
    n = len(next(iter(columns.values())))
    usual: dict[str, list[Any]] = {
        "device": ["a"] * n,
        "dev_addr": [1] * n,
        "kind": ["data"] * n,
        "f_port": [1] * n,
        "f_cnt": list(range(n)),
        "t_us": [i * HOUR_US for i in range(n)],
        "airtime_us": [1000] * n,
        "freq_hz": [G1_HZ] * n,
        "outcome": ["delivered"] * n,
        "n_gateways": [1] * n,
        "accepted": [True] * n,
        "payload_ok": [True] * n,
    }
    return {
        key: np.array(column, dtype=object if isinstance(column[0], str) else None)
        for key, column in {**usual, **columns}.items()
    }


@pytest.mark.parametrize(
    ("t_us", "airtime_us", "passed"),
    [
        ([0, HOUR_US], [36_000_000] * 2, True),  # 36 s is 1 % of an hour
        ([0, HOUR_US - 1], [36_000_000] * 2, False),
        ([0], [36_000_001], False),
        ([0, 100_000_000], [18_000_000, 18_000_001], False),
        ([0, HOUR_US - 1_000_000], [35_000_000, 2_000_000], True),  # 35 s + 1 s, then 34 s + 2 s
        (
            [0, HOUR_US - 1_000_001],
            [35_000_000, 2_000_000],
            False,
        ),  # 36.000001 s
    ],
)
def test_the_duty_cycle_holds_in_every_sliding_hour(t_us: list[int], airtime_us: list[int], passed: bool) -> None:
    assert check_duty_cycle(_uplinks(t_us=t_us, airtime_us=airtime_us), EU868).passed is passed


def test_each_sub_band_and_each_transmitter_has_its_own_hour() -> None:
    apart = _uplinks(device=["a", "a", "b"], t_us=[0, 0, 0], airtime_us=[36_000_000] * 3, freq_hz=[G1_HZ, G_HZ, G1_HZ])
    assert check_duty_cycle(apart, EU868).passed
    together = _uplinks(t_us=[0, 60_000_000], airtime_us=[36_000_000] * 2, freq_hz=[867_100_000, 867_900_000])
    found = check_duty_cycle(together, EU868)
    assert not found.passed
    assert "200.0 %" in found.detail


def test_a_gateway_has_ten_per_cent_in_g3() -> None:
    downlinks = {
        "gateway": np.array(["g", "g"], dtype=object),
        "t_us": np.array([0, 400_000_000]),
        "airtime_us": np.array([180_000_000, 180_000_000]),
        "freq_hz": np.array([G3_HZ, G3_HZ]),
    }
    assert check_duty_cycle(downlinks, EU868, transmitter="gateway").passed
    downlinks["airtime_us"][1] += 1
    assert not check_duty_cycle(downlinks, EU868, transmitter="gateway").passed


def test_a_frequency_in_a_gap_is_a_breach_and_a_frame_held_back_is_none() -> None:
    assert "no sub-band" in check_duty_cycle(_uplinks(freq_hz=[868_650_000]), EU868).detail
    held = _uplinks(t_us=[0, 1], airtime_us=[36_000_000] * 2, outcome=["delivered", "duty limited"])
    assert check_duty_cycle(held, EU868).passed


def test_a_brute_force_count_agrees_on_the_busiest_hour() -> None:
    rng = np.random.default_rng(4)
    start = np.cumsum(rng.integers(2_000_000, 300_000_000, 200))
    length = rng.integers(100_000, 2_000_000, 200)
    edges = np.concatenate((start, start + length - HOUR_US))
    inside = [np.clip(np.minimum(start + length, e + HOUR_US) - np.maximum(start, e), 0, None).sum() for e in edges]
    found = check_duty_cycle(_uplinks(t_us=start.tolist(), airtime_us=length.tolist()), EU868)
    assert f"{100 * max(inside) / 36_000_000:.1f} %" in found.detail


def test_a_counter_accepted_twice_is_found() -> None:
    assert check_counters(_uplinks(f_cnt=[0, 1, 5])).passed
    found = check_counters(_uplinks(f_cnt=[0, 1, 1]))
    assert not found.passed
    assert "a: FCnt 1 again" in found.detail


def test_counters_start_again_with_a_session_and_unaccepted_rows_do_not_count() -> None:
    assert check_counters(_uplinks(f_cnt=[5, 0, 1], dev_addr=[1, 2, 2])).passed
    assert check_counters(_uplinks(f_cnt=[5, 5, 6], accepted=[True, False, True])).passed
    assert check_counters(_uplinks(f_cnt=[1, 0], t_us=[10, 0])).passed, "rows may come in any order"


def test_a_payload_that_differs_is_found_where_it_was_accepted() -> None:
    assert not check_accepted_payloads(_uplinks(payload_ok=[True, False])).passed
    assert check_accepted_payloads(_uplinks(payload_ok=[True, False], accepted=[True, False])).passed


@pytest.mark.parametrize(
    ("outcome", "n_gateways", "accepted", "passed"),
    [
        ("delivered", 1, True, True),
        ("collided", 0, False, True),
        ("delivered", 0, False, False),
        ("collided", 1, False, False),
        ("collided", 0, True, False),
        ("vanished", 0, False, False),
    ],
)
def test_each_uplink_is_accounted_for_once(outcome: str, n_gateways: int, accepted: bool, passed: bool) -> None:
    columns = _uplinks(outcome=[outcome], n_gateways=[n_gateways], accepted=[accepted])
    assert check_conservation(columns).passed is passed


def test_a_run_without_frames_breaks_no_rule() -> None:
    empty = {key: column[:0] for key, column in _uplinks(t_us=[0]).items()}
    downlinks = {**empty, "gateway": empty["device"]}
    results = run_all(empty, downlinks, EU868)
    assert [result.passed for result in results] == [True] * 5
    assert len({result.name for result in results}) == 5
