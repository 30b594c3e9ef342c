"""The best set of sites for any value of a set: all are tried where they are few, else greedy, swaps and a bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np

from radio_sim.draws import Floats
from radio_sim.planning.plan import SiteGain, SitePlan, Sites, ranked

SetValues = Callable[[Sequence[Sites]], Floats]
"""The values of many sets of sites at once, [set]."""

EVERY_SET = 2_000
"""Up to so many sets are all tried."""
_RUNNERS_UP = 5
_MOST_SWAPS = 20


def sets_to_try(fixed: Sites, candidates: Sites, choose: int) -> list[Sites]:
    """Every choice of `choose` candidates beside the fixed sites."""
    return [tuple(sorted((*fixed, *extra))) for extra in combinations(candidates, choose)]


def best_sets(
    values: SetValues,
    *,
    fixed: Sites,
    candidates: Sites,
    choose: int,
    every_set: int = EVERY_SET,
    ceiling: SetValues | None = None,
    total: float = math.inf,
) -> SitePlan:
    """The set of `choose` candidates beside the fixed sites with the highest value.

    Exact by trying all where there are no more than `every_set`. Else greedy, then swaps of one site for another while
    they help; the bound then comes from `ceiling`, a monotone submodular function that is never below the value (as in
    `greedy`), or is `total`. Ties go to the set that stands first in the order of the candidates.
    """
    if not 0 <= choose <= len(candidates):
        raise ValueError(f"{choose} sites to choose from {len(candidates)}")
    if math.comb(len(candidates), choose) <= every_set:
        return _all(values, fixed, candidates, choose)
    added, bound = _greedy(values, fixed, candidates, choose, ceiling, total)
    added = _swapped(values, fixed, candidates, added)
    return _plan(values, "greedy", fixed, candidates, added, bound, ())


def questions(fixed: Sites, candidates: Sites, added: Sites) -> list[Sites]:
    """The sets whose values describe a plan: the fixed sites, the plan, and for every candidate alone and last."""
    asked: list[set[int]] = [set(fixed), {*fixed, *added}]
    for site in candidates:
        asked.append({*fixed, site})
        asked.append({*fixed, *({*added} ^ {site})})
    return [tuple(sorted(sites)) for sites in asked]


def _all(values: SetValues, fixed: Sites, candidates: Sites, choose: int) -> SitePlan:
    sets = sets_to_try(fixed, candidates, choose)
    found = values(sets)
    order = np.argsort(-found, kind="stable")
    extra = [tuple(site for site in sets[i] if site not in fixed) for i in order[: _RUNNERS_UP + 1].tolist()]
    runners = tuple((sites, float(found[i])) for sites, i in zip(extra[1:], order[1:].tolist(), strict=False))
    return _plan(values, "enumeration", fixed, candidates, extra[0], float(found[order[0]]), runners)


def _plan(
    values: SetValues,
    method: str,
    fixed: Sites,
    candidates: Sites,
    added: Sites,
    bound: float,
    runners_up: tuple[tuple[Sites, float], ...],
) -> SitePlan:
    chosen = set(added)
    base, value, *others = values(questions(fixed, candidates, added)).tolist()
    gains = [
        SiteGain(site, site in chosen, alone - base, value - other if site in chosen else other - value)
        for site, alone, other in zip(candidates, others[::2], others[1::2], strict=True)
    ]
    return SitePlan(
        method="enumeration" if method == "enumeration" else "greedy",
        fixed=tuple(sorted(fixed)),
        added=tuple(sorted(added)),
        value=value,
        base_value=base,
        bound=max(value, bound),
        guarantee=1.0 if method == "enumeration" else 0.0,
        ranking=ranked(gains),
        runners_up=runners_up,
    )


def _greedy(
    values: SetValues,
    fixed: Sites,
    candidates: Sites,
    choose: int,
    ceiling: SetValues | None,
    total: float,
) -> tuple[Sites, float]:
    added: Sites = ()
    bound = total
    while True:
        left = [site for site in candidates if site not in added]
        asked = [tuple(sorted((*fixed, *added, *extra))) for extra in ((), *((site,) for site in left))]
        if ceiling is not None:
            at, *above = ceiling(asked).tolist()
            bound = min(bound, at + sum(sorted((max(0.0, other - at) for other in above), reverse=True)[:choose]))
        if len(added) == choose:
            return added, bound
        added = (*added, left[int(np.argmax(values(asked)[1:]))])


def _swapped(values: SetValues, fixed: Sites, candidates: Sites, added: Sites) -> Sites:
    """Exchange one site for another while that helps."""
    for _ in range(_MOST_SWAPS):
        swaps = [
            tuple(sorted((set(added) - {out}) | {into})) for out in added for into in candidates if into not in added
        ]
        asked = [tuple(sorted((*fixed, *extra))) for extra in (added, *swaps)]
        found = values(asked)
        best = int(np.argmax(found))
        if best == 0:
            return added
        added = swaps[best - 1]
    return added
