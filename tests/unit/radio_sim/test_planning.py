"""Site choice: textbook cases, the exhaustive answer, and the expectation that an independent module computes."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from lorawan.draws import Draws
from radio_sim.background import adr_spreading_factor
from radio_sim.expectation import daily_heard_probability
from radio_sim.links import Links, build_links
from radio_sim.model import DeviceSite, GatewaySite, RadioModel
from radio_sim.planning import (
    CoverageProblem,
    ExpectedConnectivity,
    best_sets,
    change,
    coverage_curve,
    of_gateways,
    solve_exact,
    solve_greedy,
)


def covers(points: int, *sites: set[int]) -> np.ndarray:
    return np.array([[point in site for site in sites] for point in range(points)])


TRAP = covers(6, {0, 1, 2, 3}, {0, 1, 4}, {2, 3, 5})
"""The largest site first leaves the best pair out of reach."""


def test_the_exact_plan_escapes_the_trap_that_greedy_falls_into() -> None:
    problem = CoverageProblem(TRAP, choose=2)
    exact, greedy = solve_exact(problem), solve_greedy(problem)
    assert (exact.added, exact.value, exact.proved) == ((1, 2), 6.0, True)
    assert (greedy.value, greedy.proved) == (5.0, False)
    assert greedy.bound >= 6.0
    assert greedy.gap == pytest.approx((greedy.bound - 5.0) / greedy.bound)


def test_redundancy_asks_for_two_sites_a_point() -> None:
    twice = covers(5, {0, 1, 2}, {0, 1}, {2, 3}, {3, 4}, {4})
    plan = solve_exact(CoverageProblem(twice, choose=2, redundancy=2))
    assert (plan.added, plan.value) == ((0, 1), 2.0)


def test_fixed_sites_cost_nothing_and_their_points_bring_no_gain() -> None:
    problem = CoverageProblem(
        TRAP, weights=np.array([9.0, 9.0, 1.0, 1.0, 1.0, 2.0]), fixed=(1,), budget=5.0, costs=np.array([4.0, 99.0, 5.0])
    )
    plan = solve_exact(problem)
    assert (plan.fixed, plan.added, plan.base_value, plan.value) == ((1,), (2,), 19.0, 23.0)
    gains = {gain.site: gain for gain in plan.ranking}
    assert gains[2].alone == gains[2].last == 4.0
    assert gains[0].alone == 2.0
    assert gains[0].last == 0.0


def test_a_budget_is_never_exceeded_and_is_spent_on_the_best() -> None:
    costs = np.array([3.0, 2.0, 2.0])
    assert solve_exact(CoverageProblem(TRAP, budget=4.0, costs=costs)).added == (1, 2)
    assert solve_exact(CoverageProblem(TRAP, budget=3.0, costs=costs)).added == (0,)
    assert solve_greedy(CoverageProblem(TRAP, budget=1.0, costs=costs)).added == ()


def test_the_curve_ends_with_the_fewest_sites_that_reach_the_share() -> None:
    plans = coverage_curve(CoverageProblem(TRAP, choose=3), share=0.9)
    assert [plan.value for plan in plans] == [0.0, 4.0, 6.0]
    assert all(plan.proved for plan in plans)


def test_where_everything_is_out_of_reach_the_plan_says_so() -> None:
    nothing = CoverageProblem(np.zeros((4, 3), dtype=bool), choose=2)
    for plan in (solve_exact(nothing), solve_greedy(nothing)):
        assert (plan.value, plan.gap, len(plan.added)) == (0.0, 0.0, 2)


def test_margins_that_no_model_gives_cover_nothing() -> None:
    problem = CoverageProblem.from_margins(np.array([[3.0, np.nan], [-np.inf, 2.9]]), 3.0, choose=1)
    assert problem.covers.tolist() == [[True, False], [False, False]]


def test_losses_that_change_the_choice_show_as_a_swap() -> None:
    # One site serves two devices narrowly, the other one device by far.
    margins = np.array([[2.0, -20.0], [2.0, -20.0], [-20.0, 30.0]])

    def at(offset: float) -> CoverageProblem:
        return CoverageProblem.from_margins(margins + offset, 0.0, choose=1)

    nominal = solve_exact(at(0.0))
    worse = change(nominal, -5.0, solve_exact(at(-5.0)), at(-5.0).value(nominal.chosen))
    better = change(nominal, 5.0, solve_exact(at(5.0)), at(5.0).value(nominal.chosen))
    assert (worse.leaves, worse.enters, worse.regret) == ((0,), (1,), 1.0)
    assert (better.leaves, better.enters, better.regret) == ((), (), 0.0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"choose": None},
        {"choose": 1, "budget": 2.0},
        {"choose": 4},
        {"choose": 3, "fixed": (0,)},
        {"choose": 1, "fixed": (7,)},
        {"choose": 1, "redundancy": 0},
        {"budget": 1.0},
        {"budget": 1.0, "costs": np.array([1.0, 0.0, 1.0])},
        {"choose": 1, "weights": np.array([1.0, 1.0, -1.0, 1.0, 1.0, 1.0])},
    ],
)
def test_problems_that_make_no_sense_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        CoverageProblem(TRAP, **arguments)  # type: ignore[arg-type]  # wrong on purpose


def world(model: RadioModel, seed: int = 3, devices: int = 60, gateways: int = 6) -> Links:
    rng = np.random.default_rng(seed)
    classes = ("outdoor", "pit_plastic", "pit_cast_iron")
    return build_links(
        Draws.of_seed(seed),
        [
            GatewaySite(f"g{i}", 47.4 + rng.uniform(-0.06, 0.06), 0.8 + rng.uniform(-0.09, 0.09), 25.0)
            for i in range(gateways)
        ],
        [
            DeviceSite(
                f"d{i}",
                47.4 + rng.uniform(-0.06, 0.06),
                0.8 + rng.uniform(-0.09, 0.09),
                placement=classes[i % 3],
            )
            for i in range(devices)
        ],
        model,
    )


SMOOTH = RadioModel(path_loss="okumura_hata_suburban")
MODELS = [
    SMOOTH,
    RadioModel(slow_fading_sigma_db=0.0, frame_fading_law="none"),
    RadioModel(frame_fading_law="rice", frame_fading_k_db=6.0, slow_fading_block_s=10_000.0),
]


@pytest.mark.parametrize("model", MODELS, ids=["lognormal", "no fading", "rice"])
@pytest.mark.parametrize("adr_margin_db", [None, 10.0])
@pytest.mark.parametrize("offset_db", [-5.0, 0.0, 5.0])
def test_the_value_of_a_set_is_the_expectation_of_its_network(
    model: RadioModel, adr_margin_db: float | None, offset_db: float
) -> None:
    links = world(model)
    uplinks = np.where(np.arange(60) % 2, 1.0, 4.0)
    value = ExpectedConnectivity(links, model, uplinks, 13.85, days=5, first_day=3, adr_margin_db=adr_margin_db)
    sets = [(0, 1), (0, 1, 4), (0, 1, 2, 5), (0, 1, 2, 3, 4, 5)]
    found = value.values(sets, (offset_db, 1.0))
    for sites, got in zip(sets, found[0], strict=True):
        network = of_gateways(links, sites)
        sf = (
            12
            if adr_margin_db is None
            else adr_spreading_factor(network.gain_db + offset_db, network.noise_dbm, 13.85, adr_margin_db)
        )
        daily = daily_heard_probability(
            network,
            model,
            days=5,
            first_day=3,
            uplinks_per_day=uplinks,
            tx_power_dbm=13.85,
            sf=sf,
            link_offset_db=offset_db,
        )
        assert got == pytest.approx(float(daily.mean(axis=1).sum()), abs=2e-4)
    assert value.values([(), (2,)])[0, 0] == 0.0


def test_weights_count_a_device_for_as_many_households() -> None:
    links = world(SMOOTH)
    twice = np.full(60, 2.0)
    plain = ExpectedConnectivity(links, SMOOTH, np.ones(60), 13.85, days=2)
    doubled = ExpectedConnectivity(links, SMOOTH, np.ones(60), 13.85, days=2, weights=twice)
    assert doubled.total == 120.0
    assert doubled.values([(1, 2)])[0, 0] == pytest.approx(2 * plain.values([(1, 2)])[0, 0])


def test_trying_all_finds_the_best_pair_and_greedy_is_held_by_its_bound() -> None:
    links = world(SMOOTH, seed=8, devices=120, gateways=8)
    value = ExpectedConnectivity(links, SMOOTH, np.ones(120), 13.85, days=3)
    ceiling = ExpectedConnectivity(links, SMOOTH, np.ones(120), 13.85, days=3, adr_margin_db=None)
    every = {pair: value.values([(0, *pair)])[0, 0] for pair in combinations(range(1, 8), 2)}
    best = max(every, key=every.__getitem__)

    plan = best_sets(lambda sets: value.values(sets)[0], fixed=(0,), candidates=tuple(range(1, 8)), choose=2)
    assert (plan.added, plan.proved, plan.method) == (best, True, "enumeration")
    assert plan.value == pytest.approx(every[best])
    ordered = sorted(every.values(), reverse=True)
    assert [worth for _, worth in plan.runners_up] == pytest.approx(ordered[1:6])

    climbed = best_sets(
        lambda sets: value.values(sets)[0],
        fixed=(0,),
        candidates=tuple(range(1, 8)),
        choose=2,
        every_set=0,
        ceiling=lambda sets: ceiling.values(sets)[0],
    )
    assert climbed.method == "greedy"
    assert climbed.value <= every[best] + 1e-9 <= climbed.bound + 2e-9
    assert climbed.value >= 0.95 * every[best]
