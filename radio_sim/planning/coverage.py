"""The covering problem: points with weights, sites that cover them, and what may be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from radio_sim.draws import Floats
from radio_sim.planning.plan import Method, SiteGain, SitePlan, Sites, ranked

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class CoverageProblem:
    """Choose sites so that the most weight is covered.

    covers [point, site]: the site serves the point. weights [point] ≥ 0: households or devices; one each by default.
    fixed: sites that stand already; they cost nothing. choose: exactly so many others, or budget: others whose costs
    [site] sum to no more. redundancy r: a point counts when at least r sites of the plan cover it.
    """

    covers: Bools
    weights: Floats = field(default_factory=lambda: np.zeros(0))
    fixed: Sites = ()
    choose: int | None = None
    budget: float | None = None
    costs: Floats = field(default_factory=lambda: np.zeros(0))
    redundancy: int = 1

    def __post_init__(self) -> None:
        if self.covers.ndim != 2 or self.covers.dtype != np.bool_:
            raise ValueError("covers is not a boolean matrix [point, site]")
        points, sites = self.covers.shape
        if not self.weights.size and points:
            object.__setattr__(self, "weights", np.ones(points))
        if self.weights.shape != (points,) or not np.isfinite(self.weights).all() or (self.weights < 0).any():
            raise ValueError(f"weights are not {points} finite numbers of at least 0")
        if (self.choose is None) == (self.budget is None):
            raise ValueError("give a number of sites to choose or a budget, and only one of them")
        if self.redundancy < 1:
            raise ValueError(f"redundancy {self.redundancy}: at least 1")
        if len(set(self.fixed)) != len(self.fixed) or not all(0 <= site < sites for site in self.fixed):
            raise ValueError("fixed sites are named twice or do not exist")
        if self.choose is not None and not 0 <= self.choose <= sites - len(self.fixed):
            raise ValueError(f"{self.choose} sites to choose from {sites - len(self.fixed)}")
        if self.budget is not None and (
            self.costs.shape != (sites,) or not np.isfinite(self.costs).all() or (self.costs <= 0).any()
        ):
            raise ValueError(f"a budget needs {sites} costs above 0")

    @classmethod
    def from_margins(
        cls,
        margin_db: Floats,
        required_db: float,
        *,
        weights: Floats | None = None,
        fixed: Sites = (),
        choose: int | None = None,
        budget: float | None = None,
        costs: Floats | None = None,
        redundancy: int = 1,
    ) -> CoverageProblem:
        """A site covers a point where its margin [point, site] reaches the required one; NaN covers nothing.

        A matrix of reception probabilities and a required probability serve as well.
        """
        empty = np.zeros(0)
        return cls(
            covers=np.greater_equal(margin_db, required_db),
            weights=empty if weights is None else weights,
            fixed=fixed,
            choose=choose,
            budget=budget,
            costs=empty if costs is None else costs,
            redundancy=redundancy,
        )

    @property
    def n_sites(self) -> int:
        """Candidates, fixed ones included."""
        return int(self.covers.shape[1])

    @property
    def free(self) -> Sites:
        """The sites that may be chosen."""
        taken = set(self.fixed)
        return tuple(site for site in range(self.n_sites) if site not in taken)

    def counts(self, sites: Sequence[int]) -> Ints:
        """By how many of these sites each point is covered."""
        counted: Ints = self.covers[:, list(sites)].sum(axis=1, dtype=np.int64)
        return counted

    def value(self, sites: Sequence[int]) -> float:
        """The weight that these sites cover as often as wanted."""
        return float(self.weights[self.counts(sites) >= self.redundancy].sum())

    def merged(self) -> CoverageProblem:
        """The same problem with points that the same sites cover made one: as many points as patterns."""
        if not len(self.covers):
            return self
        packed = np.packbits(self.covers, axis=1)
        _, first, group = np.unique(packed, axis=0, return_index=True, return_inverse=True)
        weights: Floats = np.bincount(group.reshape(-1), weights=self.weights, minlength=len(first)).astype(np.float64)
        return replace(self, covers=self.covers[first], weights=weights)

    def plan(self, method: Method, added: Sequence[int], bound: float, guarantee: float) -> SitePlan:
        """The answer with its values and every site's gains."""
        chosen = set(added)
        base, counts = self.counts(self.fixed), self.counts((*self.fixed, *added))
        base_value, value = (float(self.weights[c >= self.redundancy].sum()) for c in (base, counts))
        gains = []
        for site in self.free:
            column = self.covers[:, site]
            alone = float(self.weights[base + column >= self.redundancy].sum()) - base_value
            step = -1 if site in chosen else 1
            other = float(self.weights[counts + step * column >= self.redundancy].sum())
            gains.append(SiteGain(site, site in chosen, alone, step * (other - value)))
        return SitePlan(
            method=method,
            fixed=self.fixed,
            added=tuple(sorted(added)),
            value=value,
            base_value=base_value,
            bound=max(value, bound),
            guarantee=guarantee,
            ranking=ranked(gains),
        )
