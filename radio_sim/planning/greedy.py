"""Greedy covering: fast for any size, with what it guarantees and an upper bound found on the way.

The weight that r sites cover is not submodular for r ≥ 2: the first of two sites covers nothing. So the greedy climbs
Σ w·min(1, sites / r), which is monotone and submodular, never below the value sought, and the same for r = 1.

Bound: for any set S, no choice exceeds g(S) + the k largest gains of further sites at S (with costs: the fractional
knapsack of gains); the least over the sets passed on the way is taken.

Sources: G. L. Nemhauser, L. A. Wolsey, M. L. Fisher, Mathematical Programming 14 (1978) 265–294: 1 − 1/e for a number
of sites; J. Leskovec et al., "Cost-effective outbreak detection in networks", KDD 2007, §3.1: (1 − 1/e) / 2 for the
better of the greedy by gain over cost and by gain under a budget, and the bound.
"""

from __future__ import annotations

import math

import numpy as np

from radio_sim.draws import Floats
from radio_sim.planning.coverage import CoverageProblem, Ints
from radio_sim.planning.plan import SitePlan

_NUMBER_GUARANTEE = 1.0 - 1.0 / math.e
_BUDGET_GUARANTEE = _NUMBER_GUARANTEE / 2.0


def solve_greedy(problem: CoverageProblem) -> SitePlan:
    """A good plan in points × sites × chosen steps. Its guarantee holds for r = 1; its bound always."""
    small = problem.merged()
    if small.choose is not None:
        added, bound = _climb(small, by_ratio=False)
        return problem.plan("greedy", added, bound, _NUMBER_GUARANTEE if small.redundancy == 1 else 0.0)
    (by_ratio, bound), (by_gain, other) = _climb(small, by_ratio=True), _climb(small, by_ratio=False)
    added = max(by_ratio, by_gain, key=lambda sites: small.value((*small.fixed, *sites)))
    return problem.plan("greedy", added, min(bound, other), _BUDGET_GUARANTEE if small.redundancy == 1 else 0.0)


def _climb(problem: CoverageProblem, *, by_ratio: bool) -> tuple[list[int], float]:
    """Sites in the order taken, and the bound."""
    taken = np.zeros(problem.n_sites, dtype=bool)
    taken[list(problem.fixed)] = True
    counts = problem.counts(problem.fixed)
    covers = problem.covers.astype(np.float64)
    left = math.inf if problem.budget is None else problem.budget
    costs = np.zeros(problem.n_sites) if problem.budget is None else problem.costs
    added: list[int] = []
    bound = float(problem.weights.sum())
    while True:
        gains = (problem.weights * (counts < problem.redundancy)) @ covers / problem.redundancy
        gains[taken] = -1.0
        bound = min(bound, _relaxed(problem, counts) + _most(problem, gains))
        open_sites = ~taken & (costs <= left)
        if problem.choose is not None and len(added) == problem.choose:
            return added, bound
        if not open_sites.any():
            return added, bound
        score = gains / costs if by_ratio else gains
        site = int(np.argmax(np.where(open_sites, score, -np.inf)))
        if problem.choose is None and gains[site] <= 0:
            return added, bound
        added.append(site)
        taken[site] = True
        left -= float(costs[site])
        counts = counts + problem.covers[:, site]


def _relaxed(problem: CoverageProblem, counts: Ints) -> float:
    """Σ w·min(1, sites / r)."""
    return float(problem.weights @ np.minimum(counts, problem.redundancy)) / problem.redundancy


def _most(problem: CoverageProblem, gains: Floats) -> float:
    """The most that any allowed choice of further sites could gain, did gains add up."""
    gains = np.maximum(gains, 0.0)
    if problem.choose is not None:
        return float(np.sort(gains)[::-1][: problem.choose].sum())
    assert problem.budget is not None
    order = np.argsort(-gains / problem.costs)
    spent = np.cumsum(problem.costs[order])
    share = np.clip((problem.budget - (spent - problem.costs[order])) / problem.costs[order], 0.0, 1.0)
    return float(gains[order] @ share)
