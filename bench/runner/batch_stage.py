"""The worlds of a stage as one summary: what the month shows on every sensor, draw after draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bench.report.summary import Check, ClauseRow, Daily, Group, Sensor, Stage
from bench.runner.batch import WorldResult
from bench.runner.expected import expectations, interference_loss
from bench.runner.misses import misses_of
from bench.runner.plan import StageWorld
from bench.runner.seen import RSSI_EDGES, SNR_EDGES, Seen, middle
from bench.runner.stage import MEASURES, stage_gateways
from bench.store.atomic import aside
from lorawan.trace import Outcome
from radio_sim.batch import OUTCOME_NAMES
from scenarios.kpi.heard import HeardMatrix, connectivity_scores, daily_scores, fortnight_scores
from scenarios.kpi.worlds import lenient_of_world, over_worlds, share_of_world

MAP_SENSORS = 300


@dataclass(frozen=True, slots=True, eq=False)
class Month:
    """One world's heard matrix, and which sensors belong to the communes whose gateways have opened."""

    matrix: HeardMatrix
    opened: NDArray[np.bool_]


def month_of(stage: StageWorld, world: WorldResult) -> Month:
    """The matrix of a world."""
    ids = tuple(sensor.id for sensor in stage.population)
    open_communes = stage.loaded.open_communes(stage.stage)
    opened = np.array([sensor.commune in open_communes for sensor in stage.population])
    return Month(HeardMatrix(ids, world.heard, stage.warmup_days), opened)


def summarise(stage: StageWorld, worlds: Sequence[WorldResult], elapsed_s: float) -> Stage:
    """From the worlds in order, world 0 first. Counts, histograms and daily rates are of world 0."""
    zero = worlds[0]
    seen = zero.seen or Seen.of(len(stage.population), zero.days)
    months = [month_of(stage, world) for world in worlds]
    loss = frame_loss(zero)
    expected = expectations(stage, loss)
    first = months[0].matrix
    days = len(stage.bounds_us) - 1
    sf_share = {
        str(sf): float((zero.sf[zero.joined] == sf).mean()) if zero.joined.any() else 0.0 for sf in range(7, 13)
    }
    everyone = np.ones(len(stage.population), dtype=bool)

    def rows(population: str) -> list[ClauseRow]:
        keep = everyone if population == "territory" else months[0].opened
        out = []
        for clause in stage.loaded.scenario.clauses:
            found = [share_of_world(month.matrix, clause.measure, keep) for month in months] if keep.any() else []
            judged = over_worlds([value for value, _ in found], clause.figure) if found else None
            lenient = [lenient_of_world(month.matrix, keep) for month in months] if found else []
            is_target = clause.measure == "monthly-connectivity"
            foreseen = {name: e.measure(clause.measure, keep) if keep.any() else None for name, e in expected.items()}
            out.append(
                ClauseRow(
                    clause=clause.clause,
                    measure=MEASURES[clause.measure],
                    kind=clause.kind,
                    text=clause.text,
                    value=judged.value if judged else None,
                    low=judged.low if judged else None,
                    high=judged.high if judged else None,
                    figure=clause.figure,
                    verdict=judged.verdict.value if judged else "INSUFFICIENT",
                    sensors_needed=None,
                    mean=float(np.mean([mean for _, mean in found])) if found else None,
                    lenient=float(np.mean(lenient)) if lenient and is_target else None,
                    expected={"0": foreseen["0"], "+5": foreseen["+5"], "-5": foreseen["-5"]},
                    expected_sample=None,
                    holds=judged.holds if judged else None,
                )
            )
        return out

    return Stage(
        name=stage.stage,
        gateways=stage_gateways(stage),
        open_communes=sorted(stage.loaded.open_communes(stage.stage)),
        n_sensors=len(stage.population),
        n_population=len(stage.population),
        uplinks_sent=sum(zero.outcomes.values()),
        uplinks_delivered=zero.outcomes[Outcome.DELIVERED],
        uplinks_accepted=zero.totals["accepted"],
        joins_sent=zero.totals["joins_sent"],
        n_joined=int(zero.joined.sum()),
        downlinks_sent=zero.totals["downlinks_rx1"] + zero.totals["downlinks_rx2"],
        downlinks_delivered=zero.totals["downlinks_delivered"],
        outcomes={name: count for name, count in zero.outcomes.items() if count},
        sf_share=sf_share,
        median_rssi_dbm=middle(seen.rssi, RSSI_EDGES),
        median_snr_db=middle(seen.snr, SNR_EDGES),
        gateways_per_uplink=seen.gateways / seen.received if seen.received else None,
        load={
            "sampled_uplinks_per_day": sum(zero.outcomes.values()) / days,
            "background_uplinks_per_day": 0.0,
            "airtime_s_per_hour": seen.airtime_us / 1e6 / days / 24,
        },
        clauses={"territory": rows("territory"), "open": rows("open")},
        daily=_daily(stage, first, expected["0"].daily.mean(axis=0)),
        sensors=_sensors(stage, zero, first),
        rssi_hist={"edges": RSSI_EDGES.tolist(), "counts": seen.rssi.tolist()},
        snr_hist={"edges": SNR_EDGES.tolist(), "counts": seen.snr.tolist()},
        by_commune=_groups(months, [s.commune for s in stage.population], expected["0"].daily),
        by_placement=_groups(months, [s.placement for s in stage.population], expected["0"].daily),
        checks=[_conservation(zero)],
        trace_sha256=zero.digest,
        elapsed_s=elapsed_s,
        frame_loss=loss,
        worlds=len(worlds),
        misses=misses_of(stage, zero, first),
    )


def write_sensor_days(path: Path, stage: StageWorld, worlds: Sequence[WorldResult]) -> None:
    """One row a world and sensor: on which days it was heard, as a bit string, warm-up days first; never per link."""
    ids = pa.array([sensor.id for sensor in stage.population]).dictionary_encode()
    schema = pa.schema(
        [
            pa.field("world", pa.int16()),
            pa.field("device", ids.type),
            pa.field("heard_days", pa.string(), metadata={"unit": "one 0 or 1 a civil day"}),
            pa.field("sf", pa.int8()),
            pa.field("joined", pa.bool_()),
        ]
    )
    with aside(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as writer:
        for world in worlds:
            bits = ["".join(row) for row in np.where(world.heard, "1", "0").tolist()]
            columns = [np.full(len(bits), world.world, np.int16), ids, pa.array(bits), world.sf, world.joined]
            writer.write_table(pa.table(columns, schema=schema))


def frame_loss(zero: WorldResult) -> float:
    """Share of the joined sensors' frames that interference took: others shout for a session at all hours."""
    if zero.seen is None:
        return 0.0
    counts = zero.seen.outcomes[zero.joined].sum(axis=0)
    return interference_loss(dict(zip(OUTCOME_NAMES.tolist(), counts.tolist(), strict=True)))


def _daily(stage: StageWorld, matrix: HeardMatrix, expected: NDArray[np.float64]) -> Daily:
    first = stage.loaded.scenario.start + timedelta(days=stage.warmup_days)
    share = daily_scores(matrix).mean(axis=0).tolist()
    return Daily(
        days=[(first + timedelta(days=d)).isoformat() for d in range(len(share))],
        share=share,
        share_14d=fortnight_scores(matrix).mean(axis=0).tolist(),
        expected_share=expected[: len(share)].tolist(),
    )


def _sensors(stage: StageWorld, zero: WorldResult, matrix: HeardMatrix) -> list[Sensor]:
    """Some sensors for the map: the sample of the exact tier."""
    heard = matrix.scored.sum(axis=1)
    sites = [site.id for site in stage.gateways]
    return [
        Sensor(
            id=stage.population[i].id,
            commune=stage.population[i].commune,
            placement=stage.population[i].placement,
            lat=stage.population[i].lat,
            lon=stage.population[i].lon,
            margin_db=float(zero.margin_db[i]) if np.isfinite(zero.margin_db[i]) else None,
            sf=int(zero.sf[i]) if zero.joined[i] else 0,
            heard_days=int(heard[i]),
            days=matrix.scored.shape[1],
            best_gateway=sites[int(zero.best_gateway[i])],
            joined=bool(zero.joined[i]),
        )
        for i in stage.sample[:MAP_SENSORS]
    ]


def _groups(months: Sequence[Month], labels: Sequence[str], expected: NDArray[np.float32]) -> list[Group]:
    names = np.array(labels)
    per_sensor = np.mean([connectivity_scores(month.matrix)[:, 0] for month in months], axis=0)
    return [
        Group(
            name=str(name),
            n=int((names == name).sum()),
            connectivity=float(per_sensor[names == name].mean()),
            expected=float(expected[names == name].mean()),
        )
        for name in sorted(set(labels))
    ]


def _conservation(zero: WorldResult) -> Check:
    """Every uplink is in exactly one class, at each gateway as in total."""
    total = sum(zero.outcomes.values())
    off = [name for name, row in zero.by_gateway.items() if sum(row.values()) != total]
    return Check(
        name="conservation",
        clause="sent = delivered + lost, by cause, at each gateway and in total",
        passed=not off,
        detail=f"{total:,} uplinks" if not off else f"the sums differ at {', '.join(off)}",
    )
