"""Laws of site choice, against trying every choice."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from radio_sim.planning import CoverageProblem, solve_exact, solve_greedy

MOST = 6


@st.composite
def problems(draw: st.DrawFn) -> CoverageProblem:
    """Small problems of every kind: numbers and budgets, fixed sites, redundancy, weights of 0."""
    points, sites = draw(st.integers(1, 14)), draw(st.integers(1, MOST))
    bits = draw(st.lists(st.booleans(), min_size=points * sites, max_size=points * sites))
    weights = draw(st.lists(st.integers(0, 9), min_size=points, max_size=points))
    fixed = tuple(draw(st.sets(st.integers(0, sites - 1), max_size=2)))
    redundancy = draw(st.integers(1, 3))
    covers = np.array(bits, dtype=bool).reshape(points, sites)
    common = {"covers": covers, "weights": np.array(weights, float), "fixed": fixed, "redundancy": redundancy}
    if draw(st.booleans()):
        return CoverageProblem(choose=draw(st.integers(0, sites - len(fixed))), **common)  # type: ignore[arg-type]  # mixed
    costs = np.array(draw(st.lists(st.integers(1, 5), min_size=sites, max_size=sites)), float)
    return CoverageProblem(budget=float(draw(st.integers(0, 12))), costs=costs, **common)  # type: ignore[arg-type]  # mixed


def best(problem: CoverageProblem) -> float:
    """The most that any allowed choice covers, by trying them all."""
    worth = []
    for number in range(len(problem.free) + 1):
        if problem.choose not in (None, number):
            continue
        for sites in combinations(problem.free, number):
            if problem.budget is not None and problem.costs[list(sites)].sum() > problem.budget:
                continue
            chosen = [*problem.fixed, *sites]
            counted = problem.covers[:, chosen].sum(axis=1) >= problem.redundancy
            worth.append(float(problem.weights[counted].sum()))
    return max(worth)


def keeps_the_limits(problem: CoverageProblem, added: tuple[int, ...]) -> bool:
    if set(added) - set(problem.free):
        return False
    if problem.choose is not None:
        return len(added) == problem.choose
    assert problem.budget is not None
    return bool(problem.costs[list(added)].sum() <= problem.budget + 1e-9)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_the_exact_plan_is_the_best_of_all_choices_and_proves_it(problem: CoverageProblem) -> None:
    plan = solve_exact(problem)
    assert keeps_the_limits(problem, plan.added)
    assert plan.value == best(problem)
    assert plan.proved


@settings(max_examples=150, deadline=None)
@given(problems())
def test_greedy_holds_its_promise_and_its_bound(problem: CoverageProblem) -> None:
    plan = solve_greedy(problem)
    most = best(problem)
    assert keeps_the_limits(problem, plan.added)
    assert plan.value <= most <= plan.bound + 1e-9
    assert plan.value - plan.base_value >= plan.guarantee * (most - plan.base_value) - 1e-9
    if problem.redundancy == 1:
        assert math.isclose(plan.guarantee, (1 - 1 / math.e) * (1.0 if problem.choose is not None else 0.5))


@settings(max_examples=60, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_the_order_of_points_and_merging_them_change_no_value(problem: CoverageProblem, shuffle: object) -> None:
    order = list(range(len(problem.covers)))
    shuffle.shuffle(order)  # type: ignore[attr-defined]  # a random.Random
    shuffled = CoverageProblem(
        problem.covers[order],
        problem.weights[order],
        problem.fixed,
        problem.choose,
        problem.budget,
        problem.costs,
        problem.redundancy,
    )
    merged = problem.merged()
    assert len(merged.covers) <= len(problem.covers)
    for sites in combinations(range(problem.n_sites), min(2, problem.n_sites)):
        assert problem.value(sites) == shuffled.value(sites) == merged.value(sites)
    assert solve_exact(shuffled).value == solve_exact(problem).value


@settings(max_examples=60, deadline=None)
@given(problems())
def test_one_more_site_never_covers_less_and_one_more_wanted_never_more(problem: CoverageProblem) -> None:
    if problem.choose is None or problem.choose == len(problem.free):
        return
    more = CoverageProblem(
        problem.covers, problem.weights, problem.fixed, problem.choose + 1, redundancy=problem.redundancy
    )
    stricter = CoverageProblem(
        problem.covers, problem.weights, problem.fixed, problem.choose, redundancy=problem.redundancy + 1
    )
    value = solve_exact(problem).value
    assert solve_exact(more).value >= value >= solve_exact(stricter).value
