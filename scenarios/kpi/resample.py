"""Bootstrap replicates over whole sensors, stratified.

Rao–Wu rescaling: from a stratum of k sensors k − 1 are drawn with replacement and weigh k / (k − 1) each, which makes
the variance of small strata right, where drawing k would make it (k − 1) / k of it. A stratum of one sensor says
nothing about its variance: it is collapsed with the other single ones of its placement class, else with the largest
stratum of that class, else with the largest of all.

Source: J. N. K. Rao, C. F. J. Wu, "Resampling inference with complex survey data", JASA 83 (1988) 231–241, §4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lorawan.draws import GOLDEN64, Draws

_BLOCK_DRAWS = 4_000_000


def uniforms(draws: Draws, first: int, count: int) -> NDArray[np.float64]:
    """`draws.uniform(i)` for i in first … first + count − 1, as an array."""
    index = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    x = np.uint64(draws.key) + index * np.uint64(GOLDEN64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return np.asarray((x >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def collapse(strata: Sequence[str]) -> list[str]:
    """The strata with single sensors joined to others. A stratum is "commune/class"."""
    count = Counter(strata)
    if all(size > 1 for size in count.values()) or len(strata) < 2:
        return list(strata)
    singles = {name for name, size in count.items() if size == 1}
    by_class = Counter(_class(name) for name in singles)
    target: dict[str, str] = {}
    for name in sorted(singles):
        kind = _class(name)
        same = [other for other, size in count.items() if size > 1 and _class(other) == kind]
        anyone = same or [other for other, size in count.items() if size > 1]
        if by_class[kind] > 1 or not anyone:
            target[name] = f"*/{kind}" if by_class[kind] > 1 else "*/*"
        else:
            target[name] = max(anyone, key=lambda other: (count[other], other))
    joined = [target.get(name, name) for name in strata]
    return ["*/*"] * len(strata) if 1 in Counter(joined).values() else joined


def _class(stratum: str) -> str:
    return stratum.rpartition("/")[2]


def replicate_shares(
    scores: NDArray[np.float64],
    weights: NDArray[np.float64],
    strata: Sequence[str],
    draws: Draws,
    replicates: int,
) -> NDArray[np.float64]:
    """[replicate, column]: the weighted mean of each column of scores [sensor, column] in each replicate."""
    labels = np.asarray(collapse(strata))
    groups = [(draws.at("bootstrap", str(name)), np.flatnonzero(labels == name)) for name in np.unique(labels)]
    block = max(1, _BLOCK_DRAWS // max(1, len(strata)))
    weighted = scores * weights[:, None]
    shares = np.empty((replicates, scores.shape[1]))
    for first in range(0, replicates, block):
        size = min(block, replicates - first)
        factor = np.ones((size, len(strata)))
        for place, members in groups:
            k = len(members)
            if k > 1:
                pick = (uniforms(place, first * (k - 1), size * (k - 1)) * k).astype(np.int64).reshape(size, k - 1)
                cell = pick + np.arange(size, dtype=np.int64)[:, None] * k
                factor[:, members] = np.bincount(cell.ravel(), minlength=size * k).reshape(size, k) * (k / (k - 1))
        total = factor @ weights
        shares[first : first + size] = factor @ weighted / total[:, None]
    return shares
