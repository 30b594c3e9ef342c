"""An interval for the lowest of several shares, from bootstrap replicates over whole sensors.

The lowest daily share of a sample lies below the long-run one: the least of thirty noisy numbers. Its bias depends on
how far the days truly differ, which the sample shows only through noise. Two readings bracket it:

- *as seen*: the days differ as the sample shows; the bias is small. Right when one day stands out (a gateway was down);
- *shrunk*: the days' shares drawn together by the part of their variance that sampling may explain (James–Stein, with
  the 95 % point of the sampling variance); the bias is large. Right when days differ by sampling alone.

In each reading the replicates' deviations are laid upon the days' shares and the minimum is recomputed: its mean gives
the bias, its variance an effective number of sensors, and Wilson's score interval with that number the bounds. The
interval reaches from the lower of the two lower bounds to the higher of the two upper ones. The variance is blended
with the binomial one at the weight of one failing sensor: a sample with two or three of them knows little of it.

Why this variant: measured over 200 simulated worlds of each kind (six strata of 2 to 45 %, 100 and 300 sensors, latent
AR(1) days of correlation 0.9, true lowest shares 0.78–0.98) the 95 % interval covered the long-run value in 93–99 % of
worlds, for the lowest day, the lowest fortnight and the mean, with days alike or varied; with one bad day that stands
out by about two standard errors, the hardest case, in 87–96 %. On such worlds the alternatives covered: percentile
14–97 % (the minimum's bias), basic 82–99 % and 80–96 % for means near 1 (skewed the wrong way), percentile and basic
shifted by the shrunk bias 63–97 % (one bad day is taken for noise). Wilson rather than a normal law because shares near
1 are skewed, and because it goes over into Wilson over sensors where none fails.

Sources: E. B. Wilson, JASA 22 (1927) 209–212; W. James, C. Stein, Proc. 4th Berkeley Symposium 1 (1961) 361–379;
effective size as in E. L. Korn, B. I. Graubard, Survey Methodology 24 (1998) 193–201.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Z95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A lowest share with its 95 % interval.

    value: as observed in the sample; estimate: with the bias of the minimum taken out; mean: over the columns;
    effective_sensors: the number of independent sensors that would give an interval as wide.
    """

    value: float
    estimate: float
    low: float
    high: float
    mean: float
    effective_sensors: float


def wilson(share: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of a share observed on n (not necessarily whole) independent sensors."""
    if n <= 0:
        return 0.0, 1.0
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(share * (1 - share), 0.0) / n + z * z / (4 * n * n))
    return (0.0 if share <= 0 else max(0.0, centre - half)), (1.0 if share >= 1 else min(1.0, centre + half))


def kish_size(weights: NDArray[np.float64]) -> float:
    """Kish's effective number of sensors of unequal weights. Source: L. Kish, Survey Sampling (1965) §11.7."""
    total = float(weights.sum())
    return total * total / float((weights * weights).sum())


def lowest_share(scores: NDArray[np.float64], weights: NDArray[np.float64], replicate: NDArray[np.float64]) -> Estimate:
    """The lowest weighted column mean of scores [sensor, column] and its interval.

    replicate: [replicate, column] from `replicate_shares` of the same scores. One column is a plain mean.
    """
    shares = weights @ scores / weights.sum()
    value, mean, sensors = float(shares.min()), float(shares.mean()), kish_size(weights)
    noise = replicate - shares
    seen = _reading(shares, shares, noise, sensors)
    if seen is None:
        low, high = wilson(value, sensors)
        return Estimate(value, value, low, high, mean, sensors)
    drawn = _reading(shares, _shrunk(shares, noise), noise, sensors) or seen
    bounds = [wilson(*seen), wilson(*drawn)]
    low, high = min(low for low, _ in bounds), max(high for _, high in bounds)
    return Estimate(value, (seen[0] + drawn[0]) / 2, low, high, mean, min(seen[1], drawn[1]))


def _reading(
    shares: NDArray[np.float64], days: NDArray[np.float64], noise: NDArray[np.float64], sensors: float
) -> tuple[float, float] | None:
    """Bias-corrected lowest share and effective sensors, if `days` were true; None where replicates never differ."""
    lowest = (days + noise).min(axis=1)
    typical, variance = float(lowest.mean()), float(lowest.var())
    if variance <= 1e-18:
        return None
    corrected = min(max(float(shares.min()) + float(days.min()) - typical, 0.0), 1.0)
    level = min(max(typical, 0.0), 1.0)
    binomial = level * (1 - level) / sensors
    failing = sensors * (1 - level)
    smoothed = (failing * variance + binomial) / (failing + 1)
    return corrected, level * (1 - level) / smoothed if level < 1 else sensors


def _shrunk(shares: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares drawn towards their mean until only the variance that sampling does not explain is left."""
    if len(shares) < 2:
        return shares
    spread = float(shares.var(ddof=1))
    by_sampling = float(np.quantile(noise.var(axis=1, ddof=1), 0.95))
    kept = max(0.0, 1.0 - by_sampling / spread) if spread > 0 else 0.0
    mean = float(shares.mean())
    return np.asarray(mean + kept * (shares - mean))
