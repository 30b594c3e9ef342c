"""What every planner answers: the sites it chose, what they are worth, and how far from the best that can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Method = Literal["enumeration", "milp", "greedy"]
Sites = tuple[int, ...]

PROVED = 1e-9
"""A relative gap up to this is rounding, not doubt."""


@dataclass(frozen=True, slots=True)
class SiteGain:
    """What a site that is not fixed is worth, in the unit of the plan's value.

    alone: gain of adding it to the fixed sites and nothing else. last: for a chosen site what the plan loses without
    it, for another what the plan would gain with it.
    """

    site: int
    chosen: bool
    alone: float
    last: float


@dataclass(frozen=True, slots=True)
class SitePlan:
    """A choice of sites, by index into the candidates.

    fixed: in every plan; added: chosen beside them, ascending. value: weight that the plan covers; base_value: that the
    fixed sites cover alone. bound: no choice under the same limits covers more. guarantee: share of the best possible
    gain that the method promises beforehand; 1 for exact methods, 0 where it promises nothing. ranking: every other
    site, by `alone`, best first. runners_up: the next best choices with their values, where the method knows them.
    """

    method: Method
    fixed: Sites
    added: Sites
    value: float
    base_value: float
    bound: float
    guarantee: float
    ranking: tuple[SiteGain, ...] = ()
    runners_up: tuple[tuple[Sites, float], ...] = ()

    @property
    def chosen(self) -> Sites:
        """All sites of the plan, ascending."""
        return tuple(sorted((*self.fixed, *self.added)))

    @property
    def gap(self) -> float:
        """How much better another choice could be at most, as a share of the bound."""
        return max(0.0, self.bound - self.value) / self.bound if self.bound > 0 else 0.0

    @property
    def proved(self) -> bool:
        """No choice is better."""
        return self.gap <= PROVED


@dataclass(frozen=True, slots=True)
class Change:
    """What a change of every link does to the choice.

    offset_db: added to every link, negative is worse. plan: the best choice there. enters, leaves: against the nominal
    choice. nominal_value: what the nominal choice is worth there, so plan.value − nominal_value is the regret.
    """

    offset_db: float
    plan: SitePlan
    enters: Sites
    leaves: Sites
    nominal_value: float

    @property
    def regret(self) -> float:
        """What keeping the nominal choice costs there."""
        return self.plan.value - self.nominal_value


def change(nominal: SitePlan, offset_db: float, plan: SitePlan, nominal_value: float) -> Change:
    """Compare a plan made under other losses with the nominal one. A plan no better than it is no reason to swap."""
    if plan.value <= nominal_value:
        return Change(offset_db, plan, (), (), nominal_value)
    before, after = set(nominal.added), set(plan.added)
    return Change(
        offset_db, plan, tuple(sorted(after - before)), tuple(sorted(before - after)), nominal_value=nominal_value
    )


def ranked(gains: Sequence[SiteGain]) -> tuple[SiteGain, ...]:
    """Best first by the gain alone; ties in the order of the candidates."""
    return tuple(sorted(gains, key=lambda gain: (-gain.alone, gain.site)))
