"""Which sensors miss days, by what cause, and on which of the clauses' days."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.report.summary import MissCause
from bench.runner.batch import WorldResult
from bench.runner.plan import StageWorld
from bench.store.atomic import write_text
from lorawan.trace import Outcome
from radio_sim.batch import OUTCOME_NAMES
from scenarios.kpi.heard import WINDOW_DAYS, HeardMatrix, daily_scores, fortnight_scores

_CAUSES = {
    Outcome.DELIVERED: "received without a reading",
    Outcome.BELOW_SENSITIVITY: "coverage",
    Outcome.COLLIDED: "collisions",
    Outcome.NO_DEMODULATOR: "blocking: no demodulator free",
    Outcome.GATEWAY_TRANSMITTING: "blocking: the gateway was sending",
    Outcome.GATEWAY_DOWN: "outage",
    Outcome.DUTY_LIMITED: "duty cycle",
}
CAUSES = (*(_CAUSES[Outcome(name)] for name in OUTCOME_NAMES), "nothing was sent")
"""What a missed day is put down to, by the code in `Seen.daily`."""
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


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """Who was not heard when, in one world that was watched.

    missed [sensor, scored day]; daily [sensor, scored day]: the cause of that day, should it be missed, by its place in
    `CAUSES`; worst_day [sensor], worst_window [sensor]: not heard on the worst scored day, in the worst 14 days;
    window [scored day]: days of those 14.
    """

    missed: NDArray[np.bool_]
    daily: NDArray[np.uint8]
    day: int
    worst_day: NDArray[np.bool_]
    window: NDArray[np.bool_]
    worst_window: NDArray[np.bool_]

    @classmethod
    def of(cls, zero: WorldResult, matrix: HeardMatrix) -> Misses:
        """Of the first world and its matrix."""
        assert zero.seen is not None
        days, windows = daily_scores(matrix), fortnight_scores(matrix)
        day, last = int(days.mean(axis=0).argmin()), int(windows.mean(axis=0).argmin())
        scored = np.arange(days.shape[1])
        return cls(
            missed=~matrix.scored,
            daily=zero.seen.daily[:, matrix.warmup_days :],
            day=day,
            worst_day=days[:, day] == 0,
            window=(scored <= last) & (scored > last - WINDOW_DAYS),
            worst_window=windows[:, last] == 0,
        )

    def main_causes(self, days: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """[sensor]: the cause of most of its missed days, the first in a tie; only of days in `days` [scored day]."""
        missed = self.missed if days is None else self.missed & days
        per_cause = [(missed & (self.daily == code)).sum(axis=1) for code in range(len(CAUSES))]
        return np.asarray(np.argmax(per_cause, axis=0), dtype=np.int64)


def misses_of(stage: StageWorld, zero: WorldResult, matrix: HeardMatrix) -> list[MissCause]:
    """Sensors that missed scored days, by cause, the costliest first."""
    if zero.seen is None:
        return []
    misses = Misses.of(zero, matrix)
    anywhen, in_window = misses.main_causes(), misses.main_causes(misses.window)
    some = misses.missed.any(axis=1)
    placements = np.array([sensor.placement for sensor in stage.population])
    communes = np.array([sensor.commune for sensor in stage.population])
    rows = []
    for joined in (True, False):
        of = zero.joined == joined
        for code in range(len(CAUSES)):
            days = (misses.missed & (misses.daily == code) & of[:, None]).sum(axis=1)
            if not days.any():
                continue
            rows.append(
                MissCause(
                    cause=_title(code, joined=joined),
                    sensors=int((some & of & (anywhen == code)).sum()),
                    missed_days=int(days.sum()),
                    silent_on_worst_day=int((misses.worst_day & of & (misses.daily[:, misses.day] == code)).sum()),
                    silent_in_worst_fortnight=int((misses.worst_window & of & (in_window == code)).sum()),
                    placement=_most(placements, days),
                    commune=_most(communes, days),
                )
            )
    return sorted(rows, key=lambda row: -row["missed_days"])


def write_silent_sensors(path: Path, stage: StageWorld, zero: WorldResult, matrix: HeardMatrix) -> None:
    """Every sensor with a missed scored day as CSV, those that miss most first."""
    misses = Misses.of(zero, matrix)
    missed, cause = misses.missed.sum(axis=1), misses.main_causes()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for i in sorted(np.flatnonzero(missed).tolist(), key=lambda i: (-missed[i], i)):
        sensor, joined = stage.population[i], bool(zero.joined[i])
        margin = f"{zero.margin_db[i]:.1f}" if np.isfinite(zero.margin_db[i]) else ""
        where = (sensor.id, sensor.commune, sensor.placement, f"{sensor.lat:.5f}", f"{sensor.lon:.5f}")
        radio = (int(zero.sf[i]) if joined else "", margin)
        silent = (int(missed[i]), int(misses.worst_day[i]), int(misses.worst_window[i]))
        writer.writerow((*where, *radio, *silent, _title(int(cause[i]), joined=joined)))
    write_text(path, text.getvalue())


def _title(code: int, *, joined: bool) -> str:
    """A cause in words; sensors that never joined stand apart."""
    return CAUSES[code] if joined else f"{CAUSES[code]} (never joined)"


def _most(labels: NDArray[np.str_], weight: NDArray[np.int64]) -> str:
    """The label with the largest share of the weight, as "pit-cast-iron 61 %"."""
    names, index = np.unique(labels, return_inverse=True)
    total = np.bincount(index, weight)
    return f"{names[total.argmax()]} {total.max() / total.sum():.0%}"
