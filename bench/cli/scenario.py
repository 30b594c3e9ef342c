"""`lorabench scenario`: the library, checks of a scenario file, and runs."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bench.cli.exits import INTERRUPTED, ErrorGroup
from bench.cli.progress import reporter
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.report.summary import Summary
    from bench.runner.rollout import RunOptions
    from scenarios.load import LoadedScenario

app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Scenarios: list, show, check and run them.")

Name = Annotated[str, typer.Argument(help="A name of the library, or a path to a TOML file.", metavar="NAME|PATH")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog="Example: lorabench scenario list")
def list_(as_json: AsJson = False) -> None:
    """The scenarios that come with lorabench."""
    from scenarios.load import list_library  # noqa: PLC0415 - brings pydantic

    entries = list_library()
    if as_json:
        typer.echo(json.dumps([{"name": e.name, "title": e.title, "path": str(e.path)} for e in entries]))
        return
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        typer.echo(f"{entry.name:<{width}}  {entry.title}")


@app.command(epilog="Example: lorabench scenario show tev --toml > mine.toml")
def show(
    name: Name,
    toml: Annotated[bool, typer.Option("--toml", help="Print the file itself.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a scenario says, in short."""
    from scenarios.load import load  # noqa: PLC0415 - brings pydantic

    loaded = load(name)
    if toml:
        typer.echo(loaded.path.read_text(encoding="utf-8"), nl=False)
        return
    facts = _facts(loaded)
    if as_json:
        typer.echo(json.dumps(facts))
        return
    width = max(map(len, facts))
    for label, value in facts.items():
        lines = [str(v) for v in value] if isinstance(value, list) else [str(value)]
        for i, line in enumerate(lines or ["–"]):
            typer.echo(f"{label if i == 0 else '':<{width}}  {line}")


@app.command(epilog="Example: lorabench scenario validate mine.toml")
def validate(names: Annotated[list[str], typer.Argument(metavar="NAME|PATH…")]) -> None:
    """Check scenario files. Every fault is named with its file, line and key; exit code 2 where there is one."""
    from scenarios.load import load  # noqa: PLC0415 - brings pydantic

    for name in names:
        loaded = load(name)
        typer.echo(f"{loaded.path}: ok, {len(loaded.scenario.stages)} stages, sha256 {loaded.sha256[:12]}")


@app.command(epilog="Example: lorabench scenario schema > scenario.schema.json")
def schema() -> None:
    """The JSON Schema of scenario files, for editors."""
    from scenarios.schema import json_schema  # noqa: PLC0415 - brings pydantic

    typer.echo(json.dumps(json_schema(), indent=2))


@app.command(epilog="Example: lorabench scenario run tev --sample 100 --stages 2026,2027")
def run(
    name: Name,
    sample: Annotated[int | None, typer.Option(min=1, help="Sensors followed frame by frame.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another draw of everything random.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Scored days.")] = None,
    warmup_days: Annotated[int | None, typer.Option(min=0, help="Simulated and unscored days before them.")] = None,
    stages: Annotated[str, typer.Option(help="Stages to run, separated by commas; all where left out.")] = "",
    out: Annotated[Path, typer.Option(help="Where run folders go.")] = Path("out"),
    link: Annotated[str, typer.Option(help="memory, or udp: Semtech UDP over the loopback interface.")] = "memory",
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a CPU. The result does not depend on it.")] = 0,
    tier: Annotated[
        str,
        typer.Option(
            help="batch: every sensor in many draws; exact: a sample, byte by byte; auto: batch for a population."
        ),
    ] = "auto",
    worlds: Annotated[int, typer.Option(min=1, help="Draws of the radio world in the batch tier.")] = 10,
    dask: Annotated[
        str,
        typer.Option(
            help='A dask scheduler, "tcp://…", or "local", in the place of processes. A world whose worker is lost '
            "goes on where it was with local, and starts again on a scheduler."
        ),
    ] = "",
    records: Annotated[
        bool, typer.Option("--records", help="Write every uplink of the first world to Parquet.")
    ] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress, verdict lines only.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Also the checks, one a line.")] = False,
) -> None:
    """Run a scenario, write its run folder and print the verdict.

    Exit code 0 where every clause of the last stage passes over the whole territory, 1 otherwise.
    """
    from bench.runner.rollout import RunOptions  # noqa: PLC0415 - brings numpy and the simulator
    from scenarios.load import load  # noqa: PLC0415

    loaded = load(name)
    scenario = loaded.scenario
    options = RunOptions(
        sample_size=scenario.sample_size if sample is None else sample,
        seed=scenario.seed if seed is None else seed,
        warmup_days=scenario.warmup_days if warmup_days is None else warmup_days,
        scored_days=scenario.scored_days if days is None else days,
        stages=stages_of(loaded, stages),
        link=link_of(link),
        jobs=jobs,
        out=out,
        command=shlex.join(["lorabench", *sys.argv[1:]]),
        tier=tier_of(tier, loaded),
        worlds=worlds,
        dask=dask,
        records=records,
    )
    summary = run_and_print(loaded, options, as_json=as_json, quiet=quiet, verbose=verbose)
    raise typer.Exit(summary["verdict"]["exit_code"] if summary["complete"] else INTERRUPTED)


@app.command(epilog='Example: lorabench scenario compare tev --what-if "raise vouvray-water-tower 10 m" --worlds 4')
def compare(
    name: Name,
    what_if: Annotated[
        list[str],
        typer.Option(
            "--what-if",
            help="An action: raise SITE 10 m; move SITE LAT,LON; swap SITE OTHER; add SITE; lose SITE [days 3-5]; "
            "lids worst 200 plastic; uplinks 24 to 4; payload 51 to 20; each with its cost, 'for 900 EUR'. Repeatable.",
        ),
    ],
    stage: Annotated[str, typer.Option(help="The stage that is changed; the last by default.")] = "",
    seed: Annotated[int | None, typer.Option(help="Another draw of everything random.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Scored days.")] = None,
    warmup_days: Annotated[int | None, typer.Option(min=0, help="Simulated and unscored days before them.")] = None,
    worlds: Annotated[int, typer.Option(min=1, help="Draws of the radio world, the same for every action.")] = 4,
    out: Annotated[Path, typer.Option(help="Where the comparison goes.")] = Path("out"),
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a CPU.")] = 0,
    dask: Annotated[str, typer.Option(help='A dask scheduler, "tcp://…", or "local", in the place of processes.')] = "",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Set what-if actions beside the plan, in the same draws of everything random, and draw them in one page."""
    from bench.report.compare import print_comparison, write_comparison  # noqa: PLC0415 - brings the simulator
    from bench.report.terminal import console_for  # noqa: PLC0415
    from bench.runner.changes import parse_change  # noqa: PLC0415
    from bench.runner.compare import compare as run_comparison  # noqa: PLC0415
    from bench.runner.rollout import RunOptions  # noqa: PLC0415
    from bench.store.run_folder import RunFolder, finite  # noqa: PLC0415
    from scenarios.load import load  # noqa: PLC0415

    loaded = load(name)
    scenario = loaded.scenario
    chosen = loaded.stage(stage).name if stage else scenario.stages[-1].name
    changes = [parse_change(text) for text in what_if]
    options = RunOptions(
        sample_size=scenario.sample_size,
        seed=scenario.seed if seed is None else seed,
        warmup_days=scenario.warmup_days if warmup_days is None else warmup_days,
        scored_days=scenario.scored_days if days is None else days,
        stages=(chosen,),
        link="memory",
        jobs=jobs,
        out=out,
        command=shlex.join(["lorabench", *sys.argv[1:]]),
        tier="batch",
        worlds=worlds,
        dask=dask,
    )
    with RunFolder.create(out, f"{scenario.name}-compare", options.seed) as folder:
        with reporter(quiet=quiet or as_json) as progress:
            comparison = run_comparison(loaded, chosen, changes, options, progress, folder.path)
        folder.write_json("comparison.json", comparison)
        write_comparison(comparison, folder.path / "comparison.html")
        folder.finish()
    if as_json:
        typer.echo(json.dumps(finite(comparison)))
        return
    print_comparison(comparison, console_for(sys.stdout.isatty()))
    typer.echo(f"page: {folder.final / 'comparison.html'}")


def run_and_print(loaded: LoadedScenario, options: RunOptions, *, as_json: bool, quiet: bool, verbose: bool) -> Summary:
    """Run with progress on stderr, and the result on stdout."""
    from bench.report.terminal import console_for, print_checks, print_summary, print_verdict  # noqa: PLC0415
    from bench.runner.rollout import run_rollout  # noqa: PLC0415
    from bench.store.run_folder import finite  # noqa: PLC0415

    with reporter(quiet=quiet or as_json) as progress:
        summary: Summary = run_rollout(loaded, options, progress)
    console = console_for(sys.stdout.isatty())
    if as_json:
        typer.echo(json.dumps(finite(summary)))
        return summary
    if quiet:
        print_verdict(summary, console)
        return summary
    if verbose:
        print_checks(summary, console)
    print_summary(summary, console)
    if "folder" in summary:
        typer.echo(f"report: {Path(summary['folder']) / 'report.html'}", err=True)
    return summary


def stages_of(loaded: LoadedScenario, text: str) -> tuple[str, ...] | None:
    """Stage names from a list with commas, in the scenario's order; None for all. Raises ScenarioError."""
    wanted = {loaded.stage(word.strip()).name for word in text.split(",") if word.strip()}
    return tuple(stage.name for stage in loaded.scenario.stages if stage.name in wanted) or None


def tier_of(text: str, loaded: LoadedScenario) -> Literal["exact", "batch"]:
    """The tier by its name. Raises UsageError."""
    if text == "auto":
        return "exact" if loaded.scenario.population is None else "batch"
    if text == "exact":
        return "exact"
    if text == "batch":
        return "batch"
    raise UsageError(f"--tier {text}: no such tier", hint="batch, exact or auto")


def link_of(text: str) -> Literal["memory", "udp"]:
    """The link by its name. Raises UsageError."""
    if text == "memory":
        return "memory"
    if text == "udp":
        return "udp"
    raise UsageError(f"--link {text}: no such link", hint="memory or udp")


def _facts(loaded: LoadedScenario) -> dict[str, Any]:
    scenario = loaded.scenario
    population = sum(commune.households for commune in loaded.communes) if scenario.population else 0
    return {
        "name": scenario.name,
        "title": scenario.title,
        "file": str(loaded.path),
        "sha256": loaded.sha256,
        "days": f"{scenario.warmup_days} of warm-up from {scenario.start}, {scenario.scored_days} scored"
        f" ({scenario.timezone})",
        "sensors": f"{population + len(scenario.devices)}, of which {scenario.sample_size} frame by frame"
        if population
        else str(len(scenario.devices)),
        "communes": [commune.name for commune in loaded.communes],
        "stages": [f"{stage.name}: {', '.join(stage.sites)}" for stage in scenario.stages],
        "clauses": [f"{c.clause}, {c.kind}: {c.text} ({100 * c.figure:g} %)" for c in scenario.clauses],
    }
