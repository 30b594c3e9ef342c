"""The report as one HTML file that needs no network: styles, scripts and figures are all inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from bench.report.figures import run_figures, stage_figures
from bench.report.summary import POPULATIONS, Group, Summary
from bench.report.words import NONE, SYMBOLS, five_db, interval, is_number, number, percent
from bench.store.atomic import write_text
from bench.store.run_folder import finite


def write_report(summary: Summary, path: Path) -> None:
    """Write the report of a run to `path`, whole or not at all. Raises StoreError where it cannot be written."""
    write_text(path, render(summary))


def render(summary: Summary) -> str:
    """The report of a run as HTML text."""
    summary = finite(summary)
    environment = Environment(
        loader=PackageLoader("bench.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, number=number, interval=interval, five_db=five_db)
    figures = {
        "run": run_figures(summary),
        "stages": [stage_figures(summary, stage) for stage in summary["stages"]],
    }
    return environment.get_template("report.html.j2").render(
        summary=summary,
        headline=headline(summary),
        populations=POPULATIONS,
        symbols=SYMBOLS,
        none=NONE,
        worst_first=worst_first,
        figures=_embedded_json(figures),
        plotly=Markup(get_plotlyjs()),
    )


def headline(summary: Summary) -> str:
    """The verdict in one sentence: the last stage, over the whole territory."""
    if not summary["stages"]:
        return "No stage was finished: there is no verdict."
    last = summary["stages"][-1]
    rows = last["clauses"]["territory"]
    if not rows:
        return f"Stage {last['name']} is held against no clause."
    passed = sum(row["verdict"] == "PASS" for row in rows)
    what = "With every gateway of stage" if summary["complete"] else "As far as it was run, with the gateways of stage"
    if passed == len(rows):
        return f"{what} {last['name']}, the rollout holds all {len(rows)} rates over the whole territory."
    failed = sum(row["verdict"] == "FAIL" for row in rows)
    undecided = len(rows) - passed - failed
    parts = [f"holds {passed} of {len(rows)} rates"]
    parts += [f"misses {failed}"] if failed else []
    parts += [f"leaves {undecided} undecided"] if undecided else []
    return f"{what} {last['name']}, the rollout {_join(parts)} over the whole territory."


def worst_first(groups: list[Group]) -> list[Group]:
    """Groups by their sampled connectivity, the expected one deciding ties; those without a value come last."""

    def key(group: Group) -> tuple[float, float]:
        value, expected = group["connectivity"], group["expected"]
        return (value if is_number(value) else 2.0, expected if is_number(expected) else 2.0)

    return sorted(groups, key=key)


def _join(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _embedded_json(obj: Any) -> Markup:
    # "<" is escaped so that no text inside can close the script element it stands in.
    return Markup(json.dumps(finite(obj), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"))
