"""`lorabench coverage plan`: where the next gateways should stand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.progress import reporter
from bench.errors import UsageError
from bench.executors import cpus

if TYPE_CHECKING:
    from bench.runner.plan import StageWorld
    from radio_sim.planning import Change, CoverageProblem, ExpectedConnectivity, SitePlan
    from scenarios.load import LoadedScenario
    from scenarios.schema import Site

_STAGE = "planned"


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan with what it was asked for. unit: of the values."""

    objective: str
    plan: SitePlan
    changes: tuple[Change, ...]
    total: float
    unit: str


def plan(
    candidates: Annotated[
        Path | None,
        typer.Option(help="Sites that stand and that could: a table as the scenario's; its own by default."),
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, help="So many firm sites stay: rows whose stage is a year; all by default.")
    ] = None,
    keep_ids: Annotated[str, typer.Option("--keep-ids", help="Instead: ids of the sites that stay, with commas.")] = "",
    add: Annotated[int, typer.Option(min=0, help="Sites to choose among the others.")] = 2,
    scenario: Annotated[str, typer.Option(help="Whose devices, radio and clauses: a name or a TOML file.")] = "tev",
    against: Annotated[
        str, typer.Option(help="Ids to compare with, with commas; rows of an optional stage by default.")
    ] = "",
    redundancy: Annotated[int, typer.Option(min=1, help="Gateways that a device needs to count as covered.")] = 1,
    margin: Annotated[
        float | None,
        typer.Option(help="Count devices whose mean margin above the SF12 floor reaches this, dB, not their days."),
    ] = None,
    worse: Annotated[float, typer.Option(min=0, help="Also with every link so many dB worse, and better.")] = 5.0,
    frame_loss: Annotated[
        float, typer.Option(min=0, max=1, help="Share of frames lost to interference, in the comparison.")
    ] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Another draw of everything random.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Choose gateway sites for a scenario's devices, and compare with the ones that were planned.

    The aim is the expected monthly connectivity of all devices, found by trying every choice where there are few. With
    --redundancy above 1 or --margin it is the number of devices covered, solved exactly as an integer programme.
    """
    from scenarios.load import load  # noqa: PLC0415 - brings pydantic and numpy

    loaded = with_sites(load(scenario), candidates)
    ids = [site.id for site in loaded.sites]
    kept = _known(keep_ids, ids) if keep_ids else firm_sites(loaded.sites, keep)
    printed = _known(against, ids) if against else tuple(s.id for s in loaded.sites if _is_optional(s))
    if len(kept) + add > len(ids):
        raise UsageError(f"--add {add}: {len(ids) - len(kept)} sites are left to choose from")
    with reporter(quiet=as_json) as progress:
        world = every_site(loaded, seed, lambda done, of: progress.update("terrain", done, of, "losses, site by site"))
    offsets = (-worse, worse) if worse else ()
    fixed = tuple(ids.index(name) for name in kept)
    if redundancy > 1 or margin is not None:
        answer = _by_coverage(world, fixed, add, redundancy, 0.0 if margin is None else margin, offsets)
    else:
        answer = _by_connectivity(world, fixed, add, offsets)
    variants = {"kept": kept}
    if printed:
        variants["as printed"] = (*kept, *(name for name in printed if name not in kept))
    variants["as chosen"] = (*kept, *(ids[site] for site in answer.plan.added))
    expected = compare(world, variants, frame_loss)
    report = _report(answer, ids, variants, expected)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _print(report)


def with_sites(loaded: LoadedScenario, path: Path | None) -> LoadedScenario:
    """The scenario with another table of sites. Raises ScenarioError for a row, UsageError for the file."""
    from scenarios.places import read_sites  # noqa: PLC0415

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
    firm = sorted((site for site in sites if site.stage.isdigit()), key=lambda site: int(site.stage))
    if keep is not None and keep > len(firm):
        raise UsageError(
            f"--keep {keep}: {len(firm)} rows have a year as their stage", hint="name others by --keep-ids"
        )
    return tuple(site.id for site in firm[:keep])


def every_site(loaded: LoadedScenario, seed: int | None, told: Callable[[int, int], None]) -> StageWorld:
    """The scenario's world with every site of its table open, over its terrain where it has one."""
    from bench.runner.plan import StageWorld  # noqa: PLC0415 - brings the simulator
    from bench.runner.variants import ground_of  # noqa: PLC0415

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
    from scenarios.schema import Stage  # noqa: PLC0415

    stages = (Stage(name=_STAGE, sites=tuple(sites)),)
    return replace(loaded, scenario=loaded.scenario.model_copy(update={"stages": stages, "variants": ()}))


def compare(
    world: StageWorld, variants: dict[str, tuple[str, ...]], frame_loss: float
) -> dict[str, dict[str, dict[str, float]]]:
    """The expected value of every measure, by variant, measure and link offset: the run's own closed form."""
    from bench.runner.expected import expectations  # noqa: PLC0415

    measures = list(dict.fromkeys(clause.measure for clause in world.loaded.scenario.clauses))
    out: dict[str, dict[str, dict[str, float]]] = {}
    for name, sites in variants.items():
        found = expectations(replace(world, loaded=_staged(world.loaded, sites)), frame_loss)
        out[name] = {
            measure: {offset: found[offset].measure(measure, slice(None)) for offset in found}
            for measure in measures or ["monthly-connectivity"]
        }
    return out


def _by_connectivity(world: StageWorld, fixed: tuple[int, ...], add: int, offsets: tuple[float, ...]) -> Answer:
    import numpy as np  # noqa: PLC0415

    from radio_sim.planning import ExpectedConnectivity, change  # noqa: PLC0415

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
    from radio_sim.planning import best_sets, sets_to_try  # noqa: PLC0415
    from radio_sim.planning.search import EVERY_SET, questions  # noqa: PLC0415

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
    import numpy as np  # noqa: PLC0415

    missing = list(dict.fromkeys(sites for sites in sets if sites not in known))
    if missing:
        known.update(zip(missing, value.values(missing, (offset,))[0].tolist(), strict=True))
    return np.array([known[sites] for sites in sets])


def _by_coverage(
    world: StageWorld, fixed: tuple[int, ...], add: int, redundancy: int, margin_db: float, offsets: tuple[float, ...]
) -> Answer:
    from radio_sim.expectation import margins_db  # noqa: PLC0415
    from radio_sim.planning import CoverageProblem, change, solve_exact  # noqa: PLC0415

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


def _known(text: str, ids: Sequence[str]) -> tuple[str, ...]:
    from scenarios.errors import did_you_mean  # noqa: PLC0415

    names = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    for name in names:
        if name not in ids:
            raise UsageError(f'no site "{name}" in the table', hint=did_you_mean(name, ids))
    return names


def _is_optional(site: Site) -> bool:
    return site.stage.endswith("option")


def _report(
    answer: Answer,
    ids: Sequence[str],
    variants: dict[str, tuple[str, ...]],
    expected: dict[str, dict[str, dict[str, float]]],
) -> dict[str, Any]:
    plan, total = answer.plan, answer.total

    def names(sites: Sequence[int]) -> list[str]:
        return [ids[site] for site in sites]

    return {
        "objective": answer.objective,
        "unit": answer.unit,
        "method": plan.method,
        "proved": plan.proved,
        "kept": names(plan.fixed),
        "added": names(plan.added),
        "total": total,
        "base_value": plan.base_value,
        "value": plan.value,
        "bound": plan.bound,
        "gap": plan.gap,
        "ranking": [
            {"site": ids[g.site], "chosen": g.chosen, "gain_alone": g.alone, "gain_last": g.last} for g in plan.ranking
        ],
        "runners_up": [{"added": names(sites), "value": value} for sites, value in plan.runners_up],
        "sensitivity": [
            {
                "offset_db": c.offset_db,
                "added": names(c.plan.added),
                "enters": names(c.enters),
                "leaves": names(c.leaves),
                "value": c.plan.value,
                "nominal_value": c.nominal_value,
                "regret": c.regret,
                "proved": c.plan.proved,
            }
            for c in answer.changes
        ],
        "variants": [
            {"name": name, "sites": list(sites), "expected": expected[name]} for name, sites in variants.items()
        ],
    }


def _print(report: dict[str, Any]) -> None:
    from rich.table import Table  # noqa: PLC0415 - keeps --help quick
    from rich.text import Text  # noqa: PLC0415

    from bench.report.terminal import console_for  # noqa: PLC0415

    console = console_for(typer.get_text_stream("stdout").isatty())
    total, kept = report["total"], set(report["kept"])

    def share(value: float) -> str:
        return f"{100 * value / total:.2f}"

    how = {
        "enumeration": "every choice was tried: none is better",
        "milp": "integer programme, solved to the end: none is better",
        "greedy": "greedy with swaps",
    }[report["method"]]
    if not report["proved"]:
        how = f"{report['method']}: another choice could be up to {100 * report['gap']:.2f} % better"
    console.print(Text(f"Aim: {report['objective']}, {total:,.0f} devices"))
    console.print(Text(f"Keep {len(kept)}, add: {', '.join(report['added']) or 'none'}", style="bold"))
    console.print(Text(f"{share(report['base_value'])} % → {share(report['value'])} % ({how})"))

    table = Table(
        box=None, pad_edge=False, header_style="bold", title="\nSites, by what each adds", title_justify="left"
    )
    for name in ("site", "", "alone", "in the plan"):
        table.add_column(name, justify="left" if name in ("site", "") else "right")
    for row in report["ranking"]:
        table.add_row(
            row["site"],
            "chosen" if row["chosen"] else "",
            f"+{share(row['gain_alone'])}",
            f"{100 * row['gain_last'] / total:+.2f}",
        )
    console.print(table)
    for runner in report["runners_up"]:
        console.print(Text(f"next best: {', '.join(runner['added'])}: {share(runner['value'])} %", "dim"))

    console.print(Text("\nIf every link were", style="bold"))
    for row in report["sensitivity"]:
        how = "worse" if row["offset_db"] < 0 else "better"
        swap = (
            f"{', '.join(row['enters'])} instead of {', '.join(row['leaves'])}" if row["enters"] else "the same choice"
        )
        cost = f", {share(row['regret'])} points better than the choice above" if row["enters"] else ""
        console.print(Text(f"  {abs(row['offset_db']):g} dB {how}: {swap}: {share(row['value'])} %{cost}"))

    table = Table(
        box=None, pad_edge=False, header_style="bold", title="\nExpected over all devices, in %", title_justify="left"
    )
    table.add_column("gateways")
    measures = list(report["variants"][0]["expected"])
    for measure in measures:
        table.add_column(f"{measure}\n−5  0  +5 dB", justify="right")
    for variant in report["variants"]:
        extra = [name for name in variant["sites"] if name not in kept]
        label = f"{len(variant['sites'])}, {variant['name']}" + (f": {', '.join(extra)}" if extra else "")
        cells = ["  ".join(f"{100 * variant['expected'][m][o]:.1f}" for o in ("-5", "0", "+5")) for m in measures]
        table.add_row(label, *cells)
    console.print(table)
