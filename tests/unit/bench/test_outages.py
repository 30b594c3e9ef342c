"""Outages: named days and Poisson outages, in both tiers from one function."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.runner.batch import batch_world, world_draws, world_links
from bench.runner.changes import parse_change
from bench.runner.outages import gateway_down, poisson_outages
from bench.runner.plan import StageWorld, stage_plan
from lorawan.draws import Draws
from lorawan.units import US_PER_DAY, US_PER_HOUR
from scenarios.errors import ScenarioError
from scenarios.load import load, loads
from scenarios.schema import Outages

EVERY_TEN_DAYS = Outages.model_validate({"mean_between": "10 day", "mean_length": "12 h"})


def test_time_up_and_time_out_have_their_means_and_are_exponential() -> None:
    spans = list(poisson_outages(Draws.of_seed(3), EVERY_TEN_DAYS, 40_000 * US_PER_DAY))
    begin, end = np.array(spans).T
    up = np.diff(np.concatenate([[0], np.stack([begin, end], axis=1).ravel()]))[::2] / US_PER_DAY
    out = (end - begin) / US_PER_HOUR
    n = len(spans)
    for times, mean in ((up, 10.0), (out, 12.0)):
        assert abs(times.mean() - mean) < 4 * mean / math.sqrt(n)  # an exponential's deviation is its mean
        assert abs((times > mean).mean() - math.exp(-1)) < 4 * math.sqrt(0.24 / n)
    assert abs((end - begin).sum() / (40_000 * US_PER_DAY) - 0.5 / 10.5) < 0.004  # of renewal theory


def test_a_gateways_outages_do_not_hang_on_the_others() -> None:
    draws, until = Draws.of_seed(5), 100 * US_PER_DAY
    alone = gateway_down(["b"], [], EVERY_TEN_DAYS, draws, until)
    both = gateway_down(["a", "b"], [], EVERY_TEN_DAYS, draws, until)
    assert [span[1:] for span in both if span[0] == 1] == [span[1:] for span in alone]
    assert {span[1:] for span in both if span[0] == 0}.isdisjoint(span[1:] for span in alone)


def test_named_days_and_drawn_outages_join_where_they_overlap() -> None:
    draws, until = Draws.of_seed(5), 100 * US_PER_DAY
    drawn = gateway_down(["a"], [], EVERY_TEN_DAYS, draws, until)
    _, begin, end = drawn[1]
    joined = gateway_down(["a"], [("a", begin - 5, begin + 1), ("other", 0, until)], EVERY_TEN_DAYS, draws, until)
    assert joined == (drawn[0], (0, begin - 5, end), *drawn[2:])


@pytest.fixture(scope="module")
def world() -> StageWorld:
    text = load("tev").path.read_text(encoding="utf-8").replace('model = "p1812" ', 'model = "okumura-hata" ')
    outages = '[outages]\nmean_between = "10 days"\nmean_length = "12 h"\n\n[network]'
    return StageWorld(loads(text.replace("[network]", outages)), "2027", 1, 10, 2, 5)


def test_both_tiers_have_a_scenarios_outages(world: StageWorld) -> None:
    batch = batch_world(world, world_draws(world, 0), world_links(world, world_draws(world, 0))).gateways.down
    assert batch
    assert batch == world.gateway_down(world.draws)
    medium = stage_plan(world).medium
    assert tuple(medium.receivers.down) == batch


def test_every_world_has_other_outages(world: StageWorld) -> None:
    assert world.gateway_down(world_draws(world, 1)) != world.gateway_down(world_draws(world, 2))


def test_a_change_puts_its_outages_in_place_of_the_scenarios(world: StageWorld) -> None:
    changed = parse_change("outages every 1 days for 24 h").apply(world)
    down = sum(end - begin for _, begin, end in changed.gateway_down(world.draws))
    before = sum(end - begin for _, begin, end in world.gateway_down(world.draws))
    assert down > 4 * before


def test_an_outage_of_no_length_is_refused_with_its_line() -> None:
    text = load("tev").path.read_text(encoding="utf-8")
    wrong = text.replace("[network]", '[outages]\nmean_between = "0 s"\nmean_length = "12 h"\n\n[network]')
    line = wrong.split("\n").index('mean_between = "0 s"') + 1
    with pytest.raises(ScenarioError, match=rf":{line}.*too low"):
        loads(wrong)
