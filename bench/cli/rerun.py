"""`lorabench rerun`: run a run folder again and compare."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.exits import INTERRUPTED, NOT_HELD
from bench.cli.scenario import link_of, run_and_print
from bench.errors import UsageError


def rerun(
    folder: Annotated[Path, typer.Argument(help="A run folder, such as out/tev/latest.")],
    out: Annotated[Path | None, typer.Option(help="Where the new run folder goes; beside the old one.")] = None,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one a CPU. The result does not depend on it.")] = 0,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no tables.")] = False,
) -> None:
    """Run a run folder again with the options of its manifest, and compare the hashes of the traces.

    Exit code 0 where every stage has the same trace, 1 where one differs.
    """
    from bench.store.manifest import read_manifest  # noqa: PLC0415 - keeps --help quick
    from scenarios.load import load  # noqa: PLC0415

    folder = folder.resolve()
    manifest = read_manifest(folder)
    before = _hashes(folder)

    from bench.runner.rollout import RunOptions  # noqa: PLC0415 - brings numpy and the simulator

    loaded = load(manifest["scenario"]["name"])
    if loaded.sha256 != manifest["scenario"]["sha256"]:
        raise UsageError(
            f"{loaded.path}: the scenario has changed since {folder.name}",
            hint=f"sha256 is {loaded.sha256[:12]} and was {manifest['scenario']['sha256'][:12]}",
        )
    options = manifest["options"]
    missing = {"sample_size", "warmup_days", "scored_days", "stages", "link"} - options.keys()
    if missing:
        raise UsageError(f"{folder / 'manifest.json'}: options without {', '.join(sorted(missing))}")
    stages = options["stages"]
    summary = run_and_print(
        loaded,
        RunOptions(
            sample_size=options["sample_size"],
            seed=manifest["seed"],
            warmup_days=options["warmup_days"],
            scored_days=options["scored_days"],
            stages=None if stages is None else tuple(stages),
            link=link_of(options["link"]),
            jobs=jobs,
            out=folder.parent.parent if out is None else out,
            command=shlex.join(["lorabench", *sys.argv[1:]]),
            tier="batch" if options.get("tier") == "batch" else "exact",
            worlds=options.get("worlds", 10),
        ),
        as_json=False,
        quiet=quiet,
        verbose=False,
    )
    if not summary["complete"]:
        raise typer.Exit(INTERRUPTED)
    same = True
    for stage in summary["stages"]:
        was = before.get(stage["name"])
        match = was == stage["trace_sha256"]
        same = same and match
        told = (
            "the same trace" if match else f"another trace ({stage['trace_sha256'][:12]}, was {(was or 'none')[:12]})"
        )
        typer.echo(f"{stage['name']}: {told}")
    raise typer.Exit(0 if same else NOT_HELD)


def _hashes(folder: Path) -> dict[str, str]:
    path = folder / "summary.json"
    try:
        stages = json.loads(path.read_text(encoding="utf-8"))["stages"]
        return {stage["name"]: stage["trace_sha256"] for stage in stages}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: not the summary of a run ({error})") from error
