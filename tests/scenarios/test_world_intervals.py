"""The intervals over worlds: they must cover what they say they cover, counted on many small worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from bench.runner.batch import run_world
from bench.runner.batch_stage import month_of
from bench.runner.compare import paired
from bench.runner.plan import StageWorld
from scenarios.kpi.worlds import over_worlds, share_of_world
from scenarios.load import load, loads

SEEDS, WORLDS = 200, 10


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_intervals_hold_the_next_world_and_the_long_run_value_95_times_of_100() -> None:
    """200 times ten worlds and one more. Each sensor is drawn anew in each, so the worlds are independent."""
    text = load("tev").path.read_text(encoding="utf-8").replace('model = "p1812" ', 'model = "okumura-hata" ')
    stage = StageWorld(loads(text), "2026", 1, 40, 1, 3)
    stage = replace(stage, sensors_changed=stage.population[::170])
    shares = np.array(
        [
            share_of_world(month_of(stage, run_world(stage, number)).matrix, "monthly-connectivity")[0]
            for number in range(1, SEEDS * (WORLDS + 1) + 1)
        ]
    ).reshape(SEEDS, WORLDS + 1)
    long_run = shares.mean()
    next_inside = mean_inside = 0
    for row in shares:
        judged = over_worlds(row[:WORLDS].tolist(), 0.95)
        next_inside += judged.low <= row[WORLDS] <= judged.high
        low, _, high = paired(row[:WORLDS])
        mean_inside += low <= long_run <= high
    least, most = binom.interval(0.998, SEEDS, 0.95)
    assert least <= next_inside <= most
    assert least <= mean_inside <= most
