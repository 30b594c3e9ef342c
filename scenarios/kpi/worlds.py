"""A clause over many worlds: what one more draw of the radio world, such as the real territory, would show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from scenarios.kpi.heard import HeardMatrix, lenient_scores
from scenarios.kpi.verdict import Verdict, scores_of, verdict_of
from scenarios.schema import Measure


@dataclass(frozen=True, slots=True)
class WorldsEstimate:
    """value: mean over the worlds. low, high: 95 % prediction interval for one more world. holds: its chance to reach

    the figure. verdict: PASS where low reaches the figure, FAIL where high stays below, else INSUFFICIENT.
    """

    value: float
    low: float
    high: float
    holds: float
    verdict: Verdict
    worlds: int


def share_of_world(matrix: HeardMatrix, measure: Measure, keep: NDArray[np.bool_] | None = None) -> tuple[float, float]:
    """The measure of a world that holds every sensor, and its mean over days. NaN where no sensor is kept."""
    part = matrix if keep is None else matrix.rows(keep)
    if not part.devices:
        return math.nan, math.nan
    shares = scores_of(part, measure).mean(axis=0)
    return float(shares.min()), float(shares.mean())


def lenient_of_world(matrix: HeardMatrix, keep: NDArray[np.bool_] | None = None) -> float:
    """Sensors heard at least once in the month ÷ sensors."""
    part = matrix if keep is None else matrix.rows(keep)
    return float(lenient_scores(part).mean()) if part.devices else math.nan


def over_worlds(values: Sequence[float], figure: float) -> WorldsEstimate:
    """From one value a world. One world alone decides nothing: its interval is 0 … 1.

    Worlds are independent draws, and what is wanted is not their mean but the next one: the interval is that of a
    further observation. Source: G. J. Hahn, W. Q. Meeker, Statistical Intervals (1991) §4.7, normal population.
    Raises ValueError without any.
    """
    n = len(values)
    if n == 0:
        raise ValueError("no world was run")
    mean = float(np.mean(values))
    if n == 1:
        return WorldsEstimate(mean, 0.0, 1.0, math.nan, Verdict.INSUFFICIENT, 1)
    spread = float(np.std(values, ddof=1)) * math.sqrt(1.0 + 1.0 / n)
    if spread == 0.0:
        holds = float(mean >= figure)
        return WorldsEstimate(mean, mean, mean, holds, verdict_of(mean, mean, figure), n)
    reach = float(student.ppf(0.975, n - 1)) * spread
    low, high = max(0.0, mean - reach), min(1.0, mean + reach)
    holds = float(student.sf((figure - mean) / spread, n - 1))
    return WorldsEstimate(mean, low, high, holds, verdict_of(low, high, figure), n)
