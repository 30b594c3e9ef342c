"""One stage from plan to summary: simulate its days, write its trace, judge its month."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report.summary import Check, ClauseRow, Clauses, Daily, Gateway, Group, Histogram, Sensor, Stage
from bench.runner.exact import ExactStage
from bench.runner.expected import Expectation, best_margins_db, expectations, interference_loss
from bench.runner.link import LinkKind, make_link
from bench.runner.plan import StageWorld, stage_plan
from bench.runner.seen import RSSI_EDGES, SNR_EDGES
from bench.store import Columns, columns, trace_sha256, write_stage
from lorawan.regions import EU868
from lorawan.trace import FrameKind
from radio_sim.background import airtimes_us
from scenarios.checks.trace_checks import run_all
from scenarios.kpi.heard import HeardMatrix, daily_scores, fortnight_scores, heard_matrix
from scenarios.kpi.summary import group_rows, last_spreading_factor, spreading_factor_shares, traffic
from scenarios.kpi.verdict import ClauseResult, evaluate
from scenarios.schema import Measure

MEASURES: dict[Measure, str] = {
    "monthly-connectivity": "month",
    "daily-share": "each day",
    "fortnight-share": "14 days",
}


@dataclass(frozen=True, slots=True)
class StageRun:
    """What is simulated of a stage, and where its trace goes. day_done(days done, note) stops it by returning False."""

    world: StageWorld
    link: LinkKind
    folder: Path
    day_done: Callable[[int, str], bool]


def run_stage(run: StageRun) -> Stage:
    """Simulate, write `<folder>/<stage>/`, and judge. A stopped run is judged on the days that were done.

    With no scored day done yet, the month's shares are None and every clause INSUFFICIENT.
    """
    began = time.perf_counter()
    world = run.world
    plan = stage_plan(world)
    link = make_link(run.link, len(plan.gateways))
    days = world.warmup_days + world.scored_days
    done = 0
    try:
        stage = ExactStage(plan, link)
        for day in range(days):
            stage.run_day(day)
            done = day + 1
            if not run.day_done(done, ""):
                break
    finally:
        link.close()
    records = stage.recorder.records(plan.bounds_us[done])
    run.day_done(done, "writing the trace")
    write_stage(run.folder, world.stage, records, origin_utc_us=world.origin_unix_us)
    tables = columns(records)
    run.day_done(done, "judging the month")
    summary = _summary(world, tables, done)
    summary["trace_sha256"] = trace_sha256(records)
    summary["elapsed_s"] = time.perf_counter() - began
    return summary


def _summary(world: StageWorld, tables: Columns, days_done: int) -> Stage:
    uplinks, downlinks = tables["uplinks"], tables["downlinks"]
    sensors, weights = world.sensors, world.sample_weights
    names = [sensor.id for sensor in sensors]
    seen = traffic(uplinks)
    loss = interference_loss(seen.outcomes)
    expected = expectations(world, loss)
    scored = days_done > world.warmup_days
    matrix = heard_matrix(uplinks, names, world.bounds_us[: days_done + 1], world.warmup_days) if scored else None
    scored_from = world.bounds_us[world.warmup_days]
    delivered_down = downlinks["outcome"] == "delivered"
    is_join = uplinks["kind"] == str(FrameKind.JOIN)
    shares = spreading_factor_shares(uplinks, scored_from, names, weights)
    background, _ = world.background
    background_per_day = float(background.uplinks_per_day.sum())
    span_days = max(1, days_done)
    return Stage(
        name=world.stage,
        gateways=stage_gateways(world),
        open_communes=sorted(world.loaded.open_communes(world.stage)),
        n_sensors=len(sensors),
        n_population=len(world.population),
        uplinks_sent=seen.sent,
        uplinks_delivered=seen.delivered,
        uplinks_accepted=seen.accepted,
        joins_sent=int(is_join.sum()),
        n_joined=len(set(tables["joined"]["device"].tolist())),
        downlinks_sent=len(downlinks["outcome"]),
        downlinks_delivered=int(delivered_down.sum()),
        outcomes={str(name): count for name, count in seen.outcomes.items() if count},
        sf_share={str(sf): share for sf, share in shares.items()},
        median_rssi_dbm=_number(seen.median_rssi_dbm),
        median_snr_db=_number(seen.median_snr_db),
        gateways_per_uplink=_number(seen.mean_gateways),
        load={
            "sampled_uplinks_per_day": seen.sent / span_days,
            "background_uplinks_per_day": background_per_day,
            "airtime_s_per_hour": (seen.airtime_s / span_days + _background_airtime_s(world)) / 24,
        },
        clauses=_clauses(world, matrix, expected),
        daily=_daily(world, matrix, expected["0"]),
        sensors=_sensors(world, uplinks, tables, matrix, scored_from),
        rssi_hist=_histogram(uplinks["best_rssi_dbm"], RSSI_EDGES),
        snr_hist=_histogram(uplinks["best_snr_db"], SNR_EDGES),
        by_commune=_groups(
            matrix, world, [s.commune for s in sensors], [s.commune for s in world.population], expected
        ),
        by_placement=_groups(
            matrix, world, [s.placement for s in sensors], [s.placement for s in world.population], expected
        ),
        checks=[
            Check(name=check.name, clause=check.clause, passed=check.passed, detail=check.detail)
            for check in run_all(uplinks, downlinks, EU868)
        ],
        trace_sha256="",
        elapsed_s=0.0,
        frame_loss=loss,
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def stage_gateways(world: StageWorld) -> list[Gateway]:
    """The open sites, for reports."""
    return [
        Gateway(
            id=site.id,
            commune=site.commune,
            kind=site.kind,
            lat=site.lat,
            lon=site.lon,
            antenna_height_m=site.antenna_height_m,
            position_status=site.position_status,
        )
        for site in world.open_sites
    ]


def _background_airtime_s(world: StageWorld) -> float:
    """Seconds of background airtime a day."""
    population, _ = world.background
    return float((airtimes_us(population) * population.uplinks_per_day).sum()) / 1e6


def _clauses(world: StageWorld, matrix: HeardMatrix | None, expected: dict[str, Expectation]) -> Clauses:
    open_communes = world.loaded.open_communes(world.stage)
    everyone = np.ones(len(world.population), dtype=bool)
    opened = np.array([sensor.commune in open_communes for sensor in world.population], dtype=bool)
    return {
        "territory": _clause_rows(world, matrix, expected, everyone, "territory"),
        "open": _clause_rows(world, matrix, expected, opened, "open"),
    }


def _clause_rows(
    world: StageWorld,
    matrix: HeardMatrix | None,
    expected: dict[str, Expectation],
    keep: NDArray[np.bool_],
    population: str,
) -> list[ClauseRow]:
    clauses = world.loaded.scenario.clauses
    sampled = np.array([index for index in world.sample if keep[index]], dtype=int)
    keep_sample = keep[np.asarray(world.sample, dtype=int)]
    results: tuple[ClauseResult | None, ...] = (None,) * len(clauses)
    if matrix is not None and keep_sample.any():
        results = evaluate(
            matrix,
            world.sample_weights,
            [sensor.stratum for sensor in world.sensors],
            clauses,
            world.draws.at("interval", world.stage, population),
            keep=keep_sample,
        )
    rows = []
    for clause, found in zip(clauses, results, strict=True):
        foreseen = {name: e.measure(clause.measure, keep) if keep.any() else None for name, e in expected.items()}
        rows.append(
            ClauseRow(
                clause=clause.clause,
                measure=MEASURES[clause.measure],
                kind=clause.kind,
                text=clause.text,
                value=found.value if found else None,
                low=found.low if found else None,
                high=found.high if found else None,
                figure=clause.figure,
                verdict=found.verdict.value if found else "INSUFFICIENT",
                sensors_needed=found.sensors_needed if found else None,
                mean=found.mean_value if found else None,
                lenient=found.lenient_value if found else None,
                expected={"0": foreseen["0"], "+5": foreseen["+5"], "-5": foreseen["-5"]},
                expected_sample=expected["0"].measure(clause.measure, sampled) if len(sampled) else None,
            )
        )
    return rows


def _daily(world: StageWorld, matrix: HeardMatrix | None, expected: Expectation) -> Daily:
    first = world.loaded.scenario.start + timedelta(days=world.warmup_days)
    weights = world.sample_weights / world.sample_weights.sum()
    share = (weights @ daily_scores(matrix)).tolist() if matrix is not None else []
    fortnight = (weights @ fortnight_scores(matrix)).tolist() if matrix is not None else []
    return {
        "days": [(first + timedelta(days=d)).isoformat() for d in range(len(share))],
        "share": share,
        "share_14d": fortnight,
        "expected_share": expected.daily.mean(axis=0)[: len(share)].tolist(),
    }


def _sensors(
    world: StageWorld, uplinks: dict[str, NDArray[Any]], tables: Columns, matrix: HeardMatrix | None, scored_from: int
) -> list[Sensor]:
    names = [sensor.id for sensor in world.sensors]
    last = last_spreading_factor(uplinks, scored_from, names)
    joined = set(tables["joined"]["device"].tolist())
    best: dict[str, Counter[str]] = {}
    for name, gateway in zip(uplinks["device"].tolist(), uplinks["best_gateway"].tolist(), strict=True):
        if gateway:
            best.setdefault(name, Counter())[gateway] += 1
    margins = best_margins_db(world)
    heard = matrix.scored.sum(axis=1) if matrix is not None else np.zeros(len(names), dtype=int)
    days = matrix.scored.shape[1] if matrix is not None else 0
    return [
        Sensor(
            id=sensor.id,
            commune=sensor.commune,
            placement=sensor.placement,
            lat=sensor.lat,
            lon=sensor.lon,
            margin_db=float(margins[i]),
            sf=last.get(sensor.id, 0),
            heard_days=int(heard[i]),
            days=days,
            best_gateway=best[sensor.id].most_common(1)[0][0] if sensor.id in best else "",
            joined=sensor.activation == "abp" or sensor.id in joined,
        )
        for i, sensor in enumerate(world.sensors)
    ]


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> Histogram:
    counts, _ = np.histogram(values[~np.isnan(values)], edges)
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _groups(
    matrix: HeardMatrix | None,
    world: StageWorld,
    labels: list[str],
    population_labels: list[str],
    expected: dict[str, Expectation],
) -> list[Group]:
    if matrix is None:
        return []
    names = np.array(population_labels)
    return [
        Group(
            name=row.name,
            n=row.sensors,
            connectivity=row.connectivity,
            expected=expected["0"].measure("monthly-connectivity", names == row.name),
        )
        for row in group_rows(matrix, world.sample_weights, labels)
    ]
