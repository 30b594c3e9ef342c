"""Where the next gateways should stand: the scenario's world with every site open, and the best choices in it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import UsageError
from bench.executors import cpus
from bench.runner.expected import expectations
from bench.runner.plan import StageWorld
from bench.runner.variants import ground_of
from radio_sim.expectation import margins_db
from radio_sim.planning import (
    Change,
    CoverageProblem,
    ExpectedConnectivity,
    SitePlan,
    best_sets,
    change,
    sets_to_try,
    solve_exact,
)
from radio_sim.planning.search import EVERY_SET, questions
from scenarios.load import LoadedScenario
from scenarios.places import read_sites
from scenarios.schema import Site, Stage

_STAGE = "planned"
_YEAR = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan with what it was asked for. unit: of the values."""

    objective: str
    plan: SitePlan
    changes: tuple[Change, ...]
    total: float
    unit: str


def with_sites(loaded: LoadedScenario, path: Path | None) -> LoadedScenario:
    """The scenario with another table of sites. Raises ScenarioError for a row, UsageError for the file."""

    if path is None:
        return loaded
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    sites = tuple(row.value for row in read_sites(text, str(path)))
    ids = [site.id for site in sites]
    if not sites or len(set(ids)) != len(ids):
        raise UsageError(f"{path}: {'a site stands there twice' if sites else 'no site'}")
    return replace(loaded, sites=sites)


def firm_sites(sites: Sequence[Site], keep: int | None) -> tuple[str, ...]:
    """The ids of the first `keep` sites whose stage is a plain year, by year, then by row. Raises UsageError."""
    firm = sorted((site for site in sites if _YEAR.fullmatch(site.stage)), key=lambda site: int(site.stage))
    if keep is not None and keep > len(firm):
        raise UsageError(
            f"--keep {keep}: {len(firm)} rows have a year as their stage", hint="name others by --keep-ids"
        )
    return tuple(site.id for site in firm[:keep])


def every_site(loaded: LoadedScenario, seed: int | None, told: Callable[[int, int], None]) -> StageWorld:
    """The scenario's world with every site of its table open, over its terrain where it has one."""

    scenario = loaded.scenario
    world = StageWorld(
        loaded=_staged(loaded, [site.id for site in loaded.sites]),
        stage=_STAGE,
        seed=scenario.seed if seed is None else seed,
        sample_size=scenario.sample_size,
        warmup_days=scenario.warmup_days,
        scored_days=scenario.scored_days,
    )
    return replace(world, ground=ground_of(world, scenario.radio.path_loss, cpus(), told))


def _staged(loaded: LoadedScenario, sites: Sequence[str]) -> LoadedScenario:
    """The scenario with one stage that opens these sites, and no variants."""

    stages = (Stage(name=_STAGE, sites=tuple(sites)),)
    return replace(loaded, scenario=loaded.scenario.model_copy(update={"stages": stages, "variants": ()}))


def compare(
    world: StageWorld, variants: dict[str, tuple[str, ...]], frame_loss: float
) -> dict[str, dict[str, dict[str, float]]]:
    """The expected value of every measure, by variant, measure and link offset: the run's own closed form."""

    measures = list(dict.fromkeys(clause.measure for clause in world.loaded.scenario.clauses))
    out: dict[str, dict[str, dict[str, float]]] = {}
    for name, sites in variants.items():
        found = expectations(replace(world, loaded=_staged(world.loaded, sites)), frame_loss)
        out[name] = {
            measure: {offset: found[offset].measure(measure, slice(None)) for offset in found}
            for measure in measures or ["monthly-connectivity"]
        }
    return out


def best_by_connectivity(world: StageWorld, fixed: tuple[int, ...], add: int, offsets: tuple[float, ...]) -> Answer:
    value = ExpectedConnectivity(
        links=world.links,
        model=world.model,
        uplinks_per_day=np.array([sensor.uplinks_per_day for sensor in world.population], dtype=float),
        tx_power_dbm=world.tx_power_dbm,
        days=world.scored_days,
        first_day=world.warmup_days,
        adr_margin_db=world.loaded.scenario.network.adr_margin_db,
    )
    plans = _best_at(value, fixed, add, (0.0, *offsets))
    nominal = plans[0.0]
    kept = value.values([nominal.chosen], offsets)[:, 0].tolist()
    changes = tuple(change(nominal, o, plans[o], at) for o, at in zip(offsets, kept, strict=True))
    return Answer("expected monthly connectivity", nominal, changes, value.total, "devices heard on a day")


def _best_at(
    value: ExpectedConnectivity, fixed: tuple[int, ...], add: int, offsets: tuple[float, ...]
) -> dict[float, SitePlan]:
    """The best plan at each offset. Where every choice is tried, all offsets share one pass."""

    free = tuple(site for site in range(len(value.links.gateway_ids)) if site not in fixed)
    known: dict[float, dict[tuple[int, ...], float]] = {offset: {} for offset in offsets}
    if math.comb(len(free), add) <= EVERY_SET:
        asked = list(dict.fromkeys([*sets_to_try(fixed, free, add), *questions(fixed, free, ())]))
        for offset, row in zip(offsets, value.values(asked, offsets), strict=True):
            known[offset] = dict(zip(asked, row.tolist(), strict=True))
    ceiling = replace(value, adr_margin_db=None)

    def plan_at(offset: float) -> SitePlan:
        def values(sets: Sequence[tuple[int, ...]]) -> Any:
            return _looked_up(value, sets, offset, known[offset])

        def most(sets: Sequence[tuple[int, ...]]) -> Any:
            return ceiling.values(sets, (offset,))[0]

        return best_sets(
            values,
            fixed=fixed,
            candidates=free,
            choose=add,
            ceiling=most,
            total=value.total,
        )

    return {offset: plan_at(offset) for offset in offsets}


def _looked_up(
    value: ExpectedConnectivity,
    sets: Sequence[tuple[int, ...]],
    offset: float,
    known: dict[tuple[int, ...], float],
) -> Any:
    missing = list(dict.fromkeys(sites for sites in sets if sites not in known))
    if missing:
        known.update(zip(missing, value.values(missing, (offset,))[0].tolist(), strict=True))
    return np.array([known[sites] for sites in sets])


def best_by_coverage(
    world: StageWorld, fixed: tuple[int, ...], add: int, redundancy: int, margin_db: float, offsets: tuple[float, ...]
) -> Answer:
    margins = margins_db(world.links, tx_power_dbm=world.tx_power_dbm)

    def problem(offset_db: float) -> CoverageProblem:
        return CoverageProblem.from_margins(
            margins + offset_db, margin_db, fixed=fixed, choose=add, redundancy=redundancy
        )

    nominal = solve_exact(problem(0.0))
    changes = tuple(
        change(nominal, offset, solve_exact(problem(offset)), problem(offset).value(nominal.chosen))
        for offset in offsets
    )
    gateways = "a gateway" if redundancy == 1 else f"{redundancy} gateways"
    return Answer(
        f"devices with {margin_db:g} dB or more above the SF12 floor at {gateways}",
        nominal,
        changes,
        float(len(margins)),
        "devices covered",
    )
