"""What-if actions side by side: the same stage in the same draws, with one thing changed at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from bench.executors import cpus, executor, shared
from bench.report.summary import MissCause, Verdict
from bench.runner.batch import WorldResult, run_world
from bench.runner.batch_stage import month_of
from bench.runner.changes import Change
from bench.runner.misses import misses_of, write_silent_sensors
from bench.runner.rollout import Progress, RunOptions, world_for
from bench.runner.stage import MEASURES
from bench.runner.variants import ground_of, grounded
from scenarios.kpi.worlds import over_worlds, share_of_world
from scenarios.load import LoadedScenario
from scenarios.schema import Measure

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
    """One action. cost_eur: as the action says, a gateway at its flat amount; None where nobody gave one."""

    title: str
    cost_eur: float | None
    gateways: int
    cells: list[Cell]
    uplinks_sent: int
    uplinks_delivered: int
    misses: list[MissCause]


class Comparison(TypedDict):
    """The plan first, then each action. clauses: measure, kind and figure, in the order of the cells.

    answers: for each clause that the plan does not hold, who misses it, why, and what the cheapest action changes.
    """

    scenario: str
    title: str
    stage: str
    worlds: int
    seed: int
    days: int
    clauses: list[tuple[str, str, float]]
    rows: list[Row]
    answers: list[str]
    elapsed_s: float
    command: str


def compare(
    loaded: LoadedScenario,
    stage: str,
    changes: Sequence[Change],
    options: RunOptions,
    progress: Progress,
    folder: Path | None = None,
) -> Comparison:
    """Run the plan and each change; the sensors that miss days go into `folder`, a CSV an action.

    Raises UsageError for a change that cannot be made.
    """
    began = time.perf_counter()
    threads = options.jobs or cpus()
    plan = world_for(loaded, stage, options)
    ground = ground_of(
        plan, loaded.scenario.radio.path_loss, threads, lambda d, n: progress.update("terrain", d, n, "")
    )
    plan = replace(plan, ground=ground)
    worlds = [plan, *(grounded(change.apply(plan), threads) for change in changes)]
    titles = ["as planned", *(change.text for change in changes)]
    costs = [0.0, *(change.cost_eur for change in changes)]
    total = len(worlds) * options.worlds
    done = 0
    with executor(options.jobs, options.dask) as pool:
        futures: list[list[Future[WorldResult]]] = [
            [pool.submit(run_world, world, number) for number in range(options.worlds)]
            for world in [shared(pool, world) for world in worlds]
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
            cost_eur=cost,
            gateways=len(world.gateways),
            cells=[_cell(found[i], shares[0][i], clause.figure) for i, clause in enumerate(clauses)],
            uplinks_sent=sum(row[0].outcomes.values()),
            uplinks_delivered=row[0].outcomes["delivered"],
            misses=misses_of(world, row[0], month_of(world, row[0]).matrix),
        )
        for title, cost, world, row, found in zip(titles, costs, worlds, results, shares, strict=True)
    ]
    if folder is not None:
        for i, (world, found) in enumerate(zip(worlds, results, strict=True)):
            path = folder / ("silent_sensors-plan.csv" if i == 0 else f"silent_sensors-{i}.csv")
            write_silent_sensors(path, world, found[0], month_of(world, found[0]).matrix)
    names: list[tuple[str, str, float]] = [(MEASURES[c.measure], c.kind, c.figure) for c in clauses]
    return Comparison(
        scenario=loaded.scenario.name,
        title=loaded.scenario.title,
        stage=stage,
        worlds=options.worlds,
        seed=options.seed,
        days=options.scored_days,
        clauses=names,
        rows=rows,
        answers=[answer(rows, i, *name, clauses[i].measure) for i, name in enumerate(names) if not held(rows[0], i)],
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


def held(row: Row, clause: int) -> bool:
    """Whether an action holds a clause beyond doubt."""
    return row["cells"][clause]["verdict"] == "PASS"


def answer(rows: Sequence[Row], clause: int, name: str, kind: str, figure: float, measure: Measure) -> str:
    """A clause that the plan does not hold: which sensors miss it, why, and what the cheapest tried action changes.

    Actions without a cost are taken as dearer than those with one, in the order they were given.
    """
    plan = rows[0]
    causes = sorted(((_missing(m, measure), m) for m in plan["misses"]), key=lambda found: -found[0])
    total = sum(number for number, _ in causes)
    who = "; ".join(
        f"{number:,} by {m['cause']} ({m['placement']}, {m['commune']})" for number, m in causes[:3] if number
    )
    text = (
        f"{name}, {kind} {100 * figure:.0f} %: the plan shows {100 * plan['cells'][clause]['value']:.1f} % "
        f"({plan['cells'][clause]['verdict']}). {total:,} sensors miss it in the first draw: {who}."
    )
    tried = sorted(rows[1:], key=lambda row: math.inf if row["cost_eur"] is None else row["cost_eur"])
    helping = [row for row in tried if row["cells"][clause]["change_low"] > 0]
    holding = [row for row in helping if held(row, clause)]
    if holding:
        return f"{text} The cheapest tried action that holds it: {_effect(holding[0], clause)}."
    if not helping:
        return f"{text} No tried action changes it for the better beyond doubt."
    most = max(helping, key=lambda row: row["cells"][clause]["change"])
    best = "" if most is helping[0] else f"; the strongest: {_effect(most, clause)}"
    return f"{text} No tried action holds it; the cheapest that helps: {_effect(helping[0], clause)}{best}."


def _missing(miss: MissCause, measure: Measure) -> int:
    """How many sensors of a cause miss what a clause measures."""
    if measure == "monthly-connectivity":
        return miss["sensors"]
    return miss["silent_on_worst_day"] if measure == "daily-share" else miss["silent_in_worst_fortnight"]


def _effect(row: Row, clause: int) -> str:
    cell = row["cells"][clause]
    cost = "no cost given" if row["cost_eur"] is None else f"{row['cost_eur']:,.0f} EUR"
    return f"{row['title']} ({cost}), {100 * cell['change']:+.2f} points to {100 * cell['value']:.1f} %"
