"""`lorabench coverage plan`: where the next gateways should stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.progress import reporter
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.runner.siting import Answer
    from scenarios.schema import Site


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
    from bench.runner.siting import (  # noqa: PLC0415 - brings the simulator
        best_by_connectivity,
        best_by_coverage,
        compare,
        every_site,
        firm_sites,
        with_sites,
    )
    from scenarios.load import load  # noqa: PLC0415

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
        answer = best_by_coverage(world, fixed, add, redundancy, 0.0 if margin is None else margin, offsets)
    else:
        answer = best_by_connectivity(world, fixed, add, offsets)
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
