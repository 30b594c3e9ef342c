"""The clauses held against a month: value, interval, verdict, and how many sensors would decide it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lorawan.draws import Draws
from scenarios.kpi.heard import HeardMatrix, connectivity_scores, daily_scores, fortnight_scores, lenient_scores
from scenarios.kpi.interval import Z95, Estimate, lowest_share
from scenarios.kpi.resample import replicate_shares
from scenarios.schema import Clause, ClauseKind, Measure

REPLICATES = 1_000

READINGS: dict[Measure, str] = {
    "monthly-connectivity": "heard sensor-days ÷ (sensors × days of the month)",
    "daily-share": "the lowest daily share heard in the month",
    "fortnight-share": "the lowest share, over the days d of the month, heard in days d−13 … d",
}
"""How each measure is computed: our reading of the convention, printed in every report."""


class Verdict(StrEnum):
    """PASS: the interval's lower bound reaches the figure. FAIL: its upper bound stays below. Else INSUFFICIENT."""

    PASS = "PASS"
    FAIL = "FAIL"
    INSUFFICIENT = "INSUFFICIENT"


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A clause and what the month says of it; shares in 0 … 1.

    value: as observed in the sample; estimate: without the bias of the minimum; low, high: 95 % interval. mean_value:
    over the days (equal to value for a mean). lenient_value: sensors heard at least once in the month ÷ sensors, of
    the connectivity target alone. sensors_needed: about how many would decide an INSUFFICIENT clause; None where it is
    decided or no number would do.
    """

    id: str
    clause: str
    kind: ClauseKind
    measure: Measure
    text: str
    reading: str
    figure: float
    value: float
    estimate: float
    low: float
    high: float
    mean_value: float
    lenient_value: float | None
    verdict: Verdict
    sensors: int
    sensors_needed: int | None


def evaluate(
    matrix: HeardMatrix,
    weights: NDArray[np.float64],
    strata: Sequence[str],
    clauses: Sequence[Clause],
    draws: Draws,
    *,
    keep: NDArray[np.bool_] | None = None,
    replicates: int = REPLICATES,
) -> tuple[ClauseResult, ...]:
    """Hold a month against the clauses, in their order.

    weights and strata ("commune/class"): one for each row of the matrix. keep: the rows of a part of the population,
    such as the communes whose gateways have opened; all by default. Raises ValueError where no sensor is left or the
    lengths differ.
    """
    if keep is not None:
        matrix, weights = matrix.rows(keep), weights[keep]
        strata = [name for name, kept in zip(strata, keep, strict=True) if kept]
    n = len(matrix.devices)
    if n == 0 or len(weights) != n or len(strata) != n:
        raise ValueError(f"{n} sensors with {len(weights)} weights and {len(strata)} strata")
    if not clauses:
        return ()
    scores = [scores_of(matrix, clause.measure) for clause in clauses]
    replicate = replicate_shares(np.hstack(scores), weights, strata, draws, replicates)
    edges = np.cumsum([block.shape[1] for block in scores])[:-1]
    lenient = float(weights @ lenient_scores(matrix)[:, 0] / weights.sum())
    return tuple(
        _judge(clause, lowest_share(block, weights, part), n, lenient)
        for clause, block, part in zip(clauses, scores, np.split(replicate, edges, axis=1), strict=True)
    )


def scores_of(matrix: HeardMatrix, measure: Measure) -> NDArray[np.float64]:
    """What a measure takes the lowest mean of, [sensor, column]: one column, or one a day."""
    if measure == "monthly-connectivity":
        return connectivity_scores(matrix)
    return daily_scores(matrix) if measure == "daily-share" else fortnight_scores(matrix)


def verdict_of(low: float, high: float, figure: float) -> Verdict:
    """The verdict of an interval; see `Verdict`."""
    if low >= figure:
        return Verdict.PASS
    return Verdict.FAIL if high < figure else Verdict.INSUFFICIENT


def _judge(clause: Clause, found: Estimate, sensors: int, lenient: float) -> ClauseResult:
    verdict = verdict_of(found.low, found.high, clause.figure)
    return ClauseResult(
        id=clause.id,
        clause=clause.clause,
        kind=clause.kind,
        measure=clause.measure,
        text=clause.text,
        reading=READINGS[clause.measure],
        figure=clause.figure,
        value=found.value,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        mean_value=found.mean,
        lenient_value=lenient if clause.measure == "monthly-connectivity" else None,
        verdict=verdict,
        sensors=sensors,
        sensors_needed=sensors_to_decide(clause.figure, found, sensors) if verdict is Verdict.INSUFFICIENT else None,
    )


def sensors_to_decide(figure: float, found: Estimate, sensors: int) -> int | None:
    """About how many sensors would bring the figure out of the interval, were the estimate right.

    Wilson's bound meets the figure f at n = z² f (1 − f) / (estimate − f)² independent sensors; the sample's ratio of
    sensors to independent ones carries over. None where the estimate is the figure itself.
    """
    gap = found.estimate - figure
    if abs(gap) < 1e-9:
        return None
    independent = Z95 * Z95 * figure * (1 - figure) / (gap * gap)
    return max(sensors + 1, math.ceil(independent * sensors / found.effective_sensors))
