"""Which sensors miss days, by what cause, and on which of the clauses' days."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report.summary import MissCause
from bench.runner.batch import WorldResult
from bench.runner.plan import StageWorld
from bench.store.atomic import write_text
from lorawan.trace import Outcome
from radio_sim.batch import OUTCOME_NAMES
from scenarios.kpi.heard import HeardMatrix, daily_scores, fortnight_scores

CAUSES = {
    Outcome.BELOW_SENSITIVITY: "coverage",
    Outcome.COLLIDED: "collisions",
    Outcome.NO_DEMODULATOR: "blocking: no demodulator free",
    Outcome.GATEWAY_TRANSMITTING: "blocking: the gateway was sending",
    Outcome.GATEWAY_DOWN: "outage",
    Outcome.DUTY_LIMITED: "duty cycle",
}
COLUMNS = (
    "sensor",
    "commune",
    "placement",
    "lat",
    "lon",
    "sf",
    "margin_db",
    "missed_days",
    "silent_on_worst_day",
    "silent_in_worst_fortnight",
    "main_cause",
)


def main_causes(zero: WorldResult) -> NDArray[np.object_]:
    """[sensor]: what cost most of a sensor's frames; those that never joined apart. Needs a world that was watched."""
    assert zero.seen is not None
    lost = zero.seen.outcomes.copy()
    lost[:, OUTCOME_NAMES.tolist().index(Outcome.DELIVERED)] = 0
    cause = np.array([CAUSES.get(Outcome(name), name) for name in OUTCOME_NAMES[lost.argmax(axis=1)]], dtype=object)
    cause[lost.sum(axis=1) == 0] = "nothing was sent"
    cause[~zero.joined] = "coverage: never joined"
    return cause


def silent(matrix: HeardMatrix) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """[sensor]: missed scored days; not heard on the worst day; not heard in the worst window of 14 days."""
    days, windows = daily_scores(matrix), fortnight_scores(matrix)
    worst_day, worst_window = days.mean(axis=0).argmin(), windows.mean(axis=0).argmin()
    return (days == 0).sum(axis=1), days[:, worst_day] == 0, windows[:, worst_window] == 0


def misses_of(stage: StageWorld, zero: WorldResult, matrix: HeardMatrix) -> list[MissCause]:
    """Sensors that missed scored days, by cause, the costliest first."""
    missed, day, fortnight = silent(matrix)
    if zero.seen is None or not missed.any():
        return []
    cause = main_causes(zero)
    placements = np.array([sensor.placement for sensor in stage.population])
    communes = np.array([sensor.commune for sensor in stage.population])
    rows = []
    for name in sorted(set(cause[missed > 0].tolist())):
        chosen = (cause == name) & (missed > 0)
        rows.append(
            MissCause(
                cause=name,
                sensors=int(chosen.sum()),
                missed_days=int(missed[chosen].sum()),
                silent_on_worst_day=int((chosen & day).sum()),
                silent_in_worst_fortnight=int((chosen & fortnight).sum()),
                placement=_most(placements[chosen], missed[chosen]),
                commune=_most(communes[chosen], missed[chosen]),
            )
        )
    return sorted(rows, key=lambda row: -row["missed_days"])


def write_silent_sensors(path: Path, stage: StageWorld, zero: WorldResult, matrix: HeardMatrix) -> None:
    """Every sensor with a missed scored day as CSV, those that miss most first."""
    missed, day, fortnight = silent(matrix)
    cause = main_causes(zero)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for i in sorted(np.flatnonzero(missed).tolist(), key=lambda i: (-missed[i], i)):
        sensor = stage.population[i]
        margin = f"{zero.margin_db[i]:.1f}" if np.isfinite(zero.margin_db[i]) else ""
        where = (sensor.id, sensor.commune, sensor.placement, f"{sensor.lat:.5f}", f"{sensor.lon:.5f}")
        radio = (int(zero.sf[i]) if zero.joined[i] else "", margin)
        writer.writerow((*where, *radio, int(missed[i]), int(day[i]), int(fortnight[i]), cause[i]))
    write_text(path, text.getvalue())


def _most(labels: NDArray[np.str_], weight: NDArray[np.int64]) -> str:
    """The label with the largest share of the weight, as "pit-cast-iron 61 %"."""
    names, index = np.unique(labels, return_inverse=True)
    total = np.bincount(index, weight)
    return f"{names[total.argmax()]} {total.max() / total.sum():.0%}"
