"""What-if actions side by side: the same stage in the same draws, with one thing changed at a time."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from bench.executors import executor
from bench.report.summary import MissCause, Verdict
from bench.runner.batch import WorldResult, run_world
from bench.runner.batch_stage import misses_of, month_of
from bench.runner.changes import Change
from bench.runner.rollout import Progress, RunOptions, world_for
from bench.runner.stage import MEASURES
from bench.runner.variants import ground_of, grounded
from scenarios.kpi.worlds import over_worlds, share_of_world
from scenarios.load import LoadedScenario

Floats = NDArray[np.float64]


class Cell(TypedDict):
    """One clause of one action. value: mean over worlds; low … high: where one more world falls with 95 %.

    change, change_low, change_high: against the plan in the same draws, mean and its 95 % interval; 0 for the plan.
    """

    value: float
    low: float
    high: float
    verdict: Verdict
    holds: float | None
    change: float
    change_low: float
    change_high: float


class Row(TypedDict):
    """One action."""

    title: str
    gateways: int
    cells: list[Cell]
    uplinks_sent: int
    uplinks_delivered: int
    misses: list[MissCause]


class Comparison(TypedDict):
    """The plan first, then each action. clauses: measure, kind and figure, in the order of the cells."""

    scenario: str
    title: str
    stage: str
    worlds: int
    seed: int
    days: int
    clauses: list[tuple[str, str, float]]
    rows: list[Row]
    elapsed_s: float
    command: str


def compare(
    loaded: LoadedScenario, stage: str, changes: Sequence[Change], options: RunOptions, progress: Progress
) -> Comparison:
    """Run the plan and each change. Raises UsageError for a change that cannot be made."""
    began = time.perf_counter()
    threads = options.jobs or os.cpu_count() or 1
    plan = world_for(loaded, stage, options)
    ground = ground_of(
        plan, loaded.scenario.radio.path_loss, threads, lambda d, n: progress.update("terrain", d, n, "")
    )
    plan = replace(plan, ground=ground)
    worlds = [plan, *(grounded(change.apply(plan), threads) for change in changes)]
    titles = ["as planned", *(change.text for change in changes)]
    total = len(worlds) * options.worlds
    done = 0
    with executor(options.jobs, options.dask) as pool:
        futures: list[list[Future[WorldResult]]] = [
            [pool.submit(run_world, world, number) for number in range(options.worlds)] for world in worlds
        ]
        results: list[list[WorldResult]] = []
        for title, row in zip(titles, futures, strict=True):
            results.append([])
            for future in row:
                results[-1].append(future.result())
                done += 1
                progress.update("worlds", done, total, title)
    clauses = loaded.scenario.clauses
    shares = [
        np.array([[share_of_world(month_of(world, r).matrix, c.measure)[0] for r in row] for c in clauses])
        for world, row in zip(worlds, results, strict=True)
    ]
    rows = [
        Row(
            title=title,
            gateways=len(world.gateways),
            cells=[_cell(found[i], shares[0][i], clause.figure) for i, clause in enumerate(clauses)],
            uplinks_sent=sum(row[0].outcomes.values()),
            uplinks_delivered=row[0].outcomes["delivered"],
            misses=misses_of(world, row[0], month_of(world, row[0]).matrix),
        )
        for title, world, row, found in zip(titles, worlds, results, shares, strict=True)
    ]
    return Comparison(
        scenario=loaded.scenario.name,
        title=loaded.scenario.title,
        stage=stage,
        worlds=options.worlds,
        seed=options.seed,
        days=options.scored_days,
        clauses=[(MEASURES[c.measure], c.kind, c.figure) for c in clauses],
        rows=rows,
        elapsed_s=time.perf_counter() - began,
        command=options.command,
    )


def _cell(values: Floats, plan: Floats, figure: float) -> Cell:
    judged = over_worlds(values.tolist(), figure)
    low, mean, high = paired(values - plan)
    return Cell(
        value=judged.value,
        low=judged.low,
        high=judged.high,
        verdict=judged.verdict.value,
        holds=None if math.isnan(judged.holds) else judged.holds,
        change=mean,
        change_low=low,
        change_high=high,
    )


def paired(differences: Floats) -> tuple[float, float, float]:
    """Mean difference over common draws with its 95 % interval (Student's t): low, mean, high."""
    n, mean = len(differences), float(differences.mean())
    if n == 1:
        return -1.0, mean, 1.0
    reach = float(student.ppf(0.975, n - 1)) * float(differences.std(ddof=1)) / math.sqrt(n)
    return mean - reach, mean, mean + reach
