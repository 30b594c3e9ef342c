"""What-if actions: each changes what it names, and no draw of anything else."""

from __future__ import annotations

import numpy as np
import pytest

from bench.errors import UsageError
from bench.report.summary import MissCause, Verdict
from bench.runner.batch import world_draws, world_links
from bench.runner.changes import parse_change
from bench.runner.compare import Cell, Row, answer
from bench.runner.plan import StageWorld
from scenarios.load import load, loads


@pytest.fixture(scope="module")
def world() -> StageWorld:
    text = load("tev").path.read_text(encoding="utf-8")
    flat = text.replace('model = "p1812" ', 'model = "okumura-hata" ')
    return StageWorld(loads(flat), "2027", 1, 50, 2, 5)


def test_a_raised_antenna_hears_more_and_the_others_as_before(world: StageWorld) -> None:
    raised = parse_change("raise vouvray-water-tower 20 m").apply(world)
    index = world.links.gateway_ids.index("vouvray-water-tower")
    gain = raised.links.gain_db - world.links.gain_db
    assert gain[:, index].min() > 0
    others = [i for i in range(gain.shape[1]) if i != index]
    assert not gain[:, others].any()


def test_a_lost_site_takes_its_column_and_nothing_else(world: StageWorld) -> None:
    lost = parse_change("lose monnaie-plateau").apply(world)
    index = world.links.gateway_ids.index("monnaie-plateau")
    np.testing.assert_array_equal(lost.links.gain_db, np.delete(world.links.gain_db, index, axis=1))


def test_an_added_site_adds_one_column(world: StageWorld) -> None:
    more = parse_change("add veretz-town").apply(world)
    assert more.links.gateway_ids == (*world.links.gateway_ids, "veretz-town")
    np.testing.assert_array_equal(more.links.gain_db[:, :-1], world.links.gain_db)


def test_a_swap_puts_one_site_in_the_place_of_another(world: StageWorld) -> None:
    swapped = parse_change("swap reugny-mast reugny-town").apply(world)
    assert "reugny-mast" not in swapped.links.gateway_ids
    assert "reugny-town" in swapped.links.gateway_ids


def test_better_lids_go_to_the_worst_pits_of_each_draw(world: StageWorld) -> None:
    changed = parse_change("lids worst 200 plastic").apply(world)
    could = np.array([s.placement in ("pit-concrete", "pit-cast-iron") for s in world.population])
    draws_touched: list[set[int]] = []
    for number in (0, 1):
        draws = world_draws(world, number)
        before, after = world_links(world, draws), world_links(changed, draws)
        best = (before.gain_db - before.noise_dbm).max(axis=1)
        gain = (after.gain_db - before.gain_db).max(axis=1)
        touched = gain != 0
        assert 0 < touched.sum() <= 200
        assert could[touched].all()
        assert best[could & ~touched].min() >= best[touched].max()
        assert gain.min() >= 0
        assert gain[touched].mean() > 5
        draws_touched.append(set(np.flatnonzero(touched).tolist()))
    assert draws_touched[0] != draws_touched[1]


def test_reporting_less_often_touches_those_alone(world: StageWorld) -> None:
    changed = parse_change("uplinks 24 to 4").apply(world)
    assert not any(sensor.uplinks_per_day == 24 for sensor in changed.population)
    before = sum(sensor.uplinks_per_day == 24 for sensor in world.population)
    assert sum(a != b for a, b in zip(world.population, changed.population, strict=True)) == before


def test_an_outage_is_counted_in_scored_days(world: StageWorld) -> None:
    assert parse_change("lose vouvray-water-tower days 2-4").apply(world).outages == (("vouvray-water-tower", 3, 6),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise vouvray 10 m", 'no site is called "vouvray"'),
        ("raise veretz-town 10 m", "not open at stage 2027"),
        ("raise vouvray-water-tower ten m", '"ten" is not a number'),
        ("lids worst 20 wood", 'no lid is called "wood"'),
        ("uplinks 3 to 1", "no sensor has 3"),
        ("repeater at vouvray", "not modelled yet"),
        ("lose vouvray-water-tower days 2-9", "scored days 1-5"),
        ("paint it red", "not understood"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(world: StageWorld, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says.replace("(", "\\(")):
        parse_change(text).apply(world)


def test_an_action_says_its_cost_and_a_gateway_has_that_of_the_agreement() -> None:
    assert parse_change("lids worst 200 plastic for 9000 EUR").cost_eur == 9000
    assert parse_change("add veretz-town").cost_eur == 5118.15  # article 4.2.1
    assert parse_change("add veretz-town for 7000 EUR").cost_eur == 7000
    assert parse_change("lose monnaie-plateau").cost_eur is None
    with pytest.raises(UsageError, match="not a number"):
        parse_change("lose monnaie-plateau for nothing EUR")


def row(title: str, cost: float | None, share: float, change: float) -> Row:
    verdict: Verdict = "PASS" if share >= 0.95 else "FAIL"
    cell = Cell(
        value=share,
        low=share,
        high=share,
        verdict=verdict,
        holds=None,
        change=change,
        change_low=change - 0.001,
        change_high=change + 0.001,
    )
    miss = MissCause(
        cause="coverage",
        sensors=70,
        missed_days=300,
        silent_on_worst_day=20,
        silent_in_worst_fortnight=4,
        placement="pit-cast-iron 90 %",
        commune="Reugny 50 %",
    )
    return Row(title=title, cost_eur=cost, gateways=9, cells=[cell], uplinks_sent=9, uplinks_delivered=8, misses=[miss])


def test_the_answer_names_who_misses_a_clause_and_the_cheapest_action_that_holds_it() -> None:
    plan = row("as planned", 0, 0.93, 0)
    dear, cheap, unpriced = (
        row("dear", 9000, 0.97, 0.04),
        row("cheap", 400, 0.952, 0.022),
        row("gift", None, 0.99, 0.06),
    )
    said = answer([plan, unpriced, dear, cheap], 0, "month", "target", 0.95, "monthly-connectivity")
    assert "70 sensors miss it" in said
    assert "cheapest tried action that holds it: cheap (400 EUR), +2.20 points to 95.2 %" in said
    assert "4 sensors miss it" in answer([plan, cheap], 0, "14 days", "guarantee", 0.95, "fortnight-share")
    weak, strong = row("weak", 100, 0.931, 0.004), row("strong", 200, 0.94, 0.01)
    said = answer([plan, strong, weak], 0, "month", "target", 0.95, "monthly-connectivity")
    assert "No tried action holds it; the cheapest that helps: weak" in said
    assert "the strongest: strong" in said
    nothing = answer([plan, row("vain", 1, 0.93, 0.0)], 0, "month", "target", 0.95, "monthly-connectivity")
    assert "No tried action changes it for the better" in nothing
