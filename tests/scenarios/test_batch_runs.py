"""The batch tier as the rollout uses it: every sensor, draw after draw, here or on a cluster."""

from __future__ import annotations

import csv
import json
import multiprocessing
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench.executors import executor
from bench.runner.batch import WorldResult, run_world
from bench.runner.batch_stage import month_of, summarise
from bench.runner.exact import ExactStage
from bench.runner.link import MemoryLink
from bench.runner.plan import StageWorld, stage_plan
from bench.runner.rollout import RunOptions, run_batch
from bench.runner.variants import variant_rows
from lorawan.trace import UplinkRecord
from scenarios.load import load, loads

LORABENCH = Path(sys.executable).parent / "lorabench"
COMPARE = "scenario compare tev --worlds 2 --days 1 --warmup-days 1 --json"
LOSE = ("--what-if", "lose vouvray-water-tower days 1-1")


def small(*, days: int = 3, extra: str = "") -> StageWorld:
    """Two communes' worth of Hata, so that no terrain is needed: a few hundred sensors near one gateway."""
    text = load("tev").path.read_text(encoding="utf-8")
    text = text.replace('model = "p1812" ', 'model = "okumura-hata" ') + extra
    world = StageWorld(loads(text), "2027", 1, 40, 1, days - 1)
    return replace(world, sensors_changed=world.population[:400])


@pytest.fixture(scope="module")
def zero() -> tuple[StageWorld, WorldResult]:
    stage = small()
    return stage, run_world(stage, 0)


def test_the_same_world_twice_is_the_same_and_another_is_not(zero: tuple[StageWorld, WorldResult]) -> None:
    stage, first = zero
    assert run_world(stage, 0).digest == first.digest
    assert run_world(stage, 1).digest != first.digest


def test_a_world_that_was_stopped_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    stage = small()
    whole = run_world(stage, 1)

    class Killed(BaseException):
        """A worker that dies."""

    def die(day: int) -> None:
        if day == 2:
            raise Killed

    with pytest.raises(Killed):
        run_world(stage, 1, checkpoints=tmp_path, told=die)
    assert list(tmp_path.glob("*.npz"))
    days: list[int] = []
    again = run_world(stage, 1, checkpoints=tmp_path, told=days.append)
    assert days == [3]
    assert again.digest == whole.digest
    np.testing.assert_array_equal(again.heard, whole.heard)


def test_uplinks_are_written_by_the_day_and_say_what_was_counted(tmp_path: Path) -> None:
    stage = small()
    result = run_world(stage, 0, parquet=tmp_path / "uplinks.parquet")
    table = pq.read_table(tmp_path / "uplinks.parquet")
    assert table.num_rows == sum(result.outcomes.values())
    assert pq.ParquetFile(tmp_path / "uplinks.parquet").num_row_groups == 3
    assert table.schema.field("best_rssi_dbm").metadata == {b"unit": b"dBm"}
    outcome = np.array(table["outcome"].to_pylist())
    assert (outcome == "delivered").sum() == result.outcomes["delivered"]
    assert result.seen is not None
    assert result.seen.outcomes.sum() == table.num_rows


def test_conservation_holds_at_every_gateway(zero: tuple[StageWorld, WorldResult]) -> None:
    _, result = zero
    total = sum(result.outcomes.values())
    assert {sum(row.values()) for row in result.by_gateway.values()} == {total}


def test_processes_give_what_one_process_gives(zero: tuple[StageWorld, WorldResult]) -> None:
    stage, first = zero
    with executor(2) as pool:
        assert pool.submit(run_world, stage, 0).result().digest == first.digest


@pytest.mark.slow
def test_a_dask_worker_killed_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="dask.distributed is an extra")
    stage = small(days=60)
    whole = run_world(stage, 1).digest
    with executor(2, "local") as pool:
        client = distributed.default_client()
        future = pool.submit(run_world, stage, 1, checkpoints=tmp_path)
        while not list(tmp_path.glob("*.npz")):
            with suppress(TimeoutError):
                future.result(timeout=0.01)
        (busy,) = (name for name, tasks in client.processing().items() if tasks)
        client.run(lambda: __import__("os")._exit(1), workers=[busy], on_error="ignore")
        assert future.result(timeout=100).digest == whole


def test_batch_and_exact_hear_the_same_sensors_of_one_world() -> None:
    """One physics, two fidelities: the same devices in the same draws, everybody byte by byte."""
    stage = small(days=4)
    stage = replace(stage, sensors_changed=stage.population[:60], sample_size=60)
    plan = stage_plan(stage)
    exact = ExactStage(plan, MemoryLink())
    for day in range(4):
        exact.run_day(day)
    heard = np.zeros((60, 4), bool)
    index = {sensor.id: i for i, sensor in enumerate(stage.population)}
    bounds = np.array(stage.bounds_us)
    for record in exact.recorder.records(plan.bounds_us[4]):
        if isinstance(record, UplinkRecord) and record.accepted:
            heard[index[record.device], np.searchsorted(bounds, record.t_us, side="right") - 1] = True
    batch = run_world(stage, 0).heard
    assert (batch == heard).mean() > 0.97
    assert abs(batch.mean() - heard.mean()) < 0.02


def test_a_stage_is_summed_up_over_its_worlds(zero: tuple[StageWorld, WorldResult]) -> None:
    stage, first = zero
    found = summarise(stage, [first, run_world(stage, 1), run_world(stage, 2)], 1.0)
    assert found["worlds"] == 3
    row = found["clauses"]["territory"][0]
    shares = [month_of(stage, run_world(stage, k)).matrix.scored.mean() for k in range(3)]
    assert row["value"] == pytest.approx(np.mean(shares))
    assert row["low"] is not None
    assert row["high"] is not None
    assert row["low"] <= min(shares)
    assert row["high"] >= max(shares) - 1e-12
    missed = int((~month_of(stage, first).matrix.scored).sum())
    assert sum(miss["missed_days"] for miss in found["misses"]) == missed


def test_variants_are_set_beside_the_stage_at_the_loss_it_measured(zero: tuple[StageWorld, WorldResult]) -> None:
    stage, first = zero
    found = summarise(stage, [first], 1.0)
    replaced = stage.loaded.scenario.variants[0].model_copy(update={"replace": {}, "path_loss": None})
    scenario = stage.loaded.scenario.model_copy(update={"variants": (replaced,)})
    same = replace(stage, loaded=replace(stage.loaded, scenario=scenario))
    planned, unchanged = variant_rows(same, found, 1)
    assert planned["expected"] == [row["expected"] for row in found["clauses"]["territory"]]
    assert unchanged["expected"] == planned["expected"]


def test_a_stopped_batch_keeps_the_worlds_under_way_and_begins_no_other(tmp_path: Path) -> None:
    stop = multiprocessing.get_context("spawn").Event()

    class StopAtOnce:
        """Ctrl-C after the first world."""

        def update(self, _stage: str, _day: int, _days: int, _note: str) -> None:
            stop.set()

    stage = small(days=2)
    options = RunOptions(
        sample_size=40, seed=1, warmup_days=1, scored_days=1, stages=None, link="memory", jobs=1, out=tmp_path,
        command="", tier="batch", worlds=8,
    )  # fmt: skip
    (found,), complete = run_batch([stage], options, tmp_path, StopAtOnce(), stop)
    assert not complete
    assert 2 <= found["worlds"] < 8
    assert {path.name for path in tmp_path.iterdir()} == {"2027"}


def test_what_if_actions_are_set_side_by_side(tmp_path: Path) -> None:
    done = subprocess.run(
        [LORABENCH, *COMPARE.split(), "--what-if", "lids worst 300 plastic", *LOSE, "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    comparison = json.loads(done.stdout)
    plan, lids, lost = comparison["rows"]
    assert plan["cells"][0]["change"] == 0
    assert lids["cells"][0]["change_low"] > 0
    assert lost["cells"][1]["change"] < 0
    silent = list(
        csv.DictReader(next(tmp_path.rglob("silent_sensors-plan.csv")).read_text(encoding="utf-8").splitlines())
    )
    assert len(silent) == sum(miss["sensors"] for miss in plan["misses"])
    assert sum(int(row["missed_days"]) for row in silent) == sum(miss["missed_days"] for miss in plan["misses"])
    page = next(tmp_path.rglob("comparison.html")).read_text(encoding="utf-8")
    assert "lids worst 300 plastic" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
