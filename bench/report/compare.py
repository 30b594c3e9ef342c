"""A comparison of what-if actions as one self-contained page and on a terminal."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.report.words import SYMBOLS, UNIT, number, percent
from bench.runner.compare import Cell, Comparison
from bench.store.atomic import write_text

WIDTH = 260.0


def write_comparison(comparison: Comparison, path: Path) -> None:
    """The page, whole or not at all."""
    environment = Environment(
        loader=PackageLoader("bench.report"), undefined=StrictUndefined, autoescape=select_autoescape(["j2", "html"])
    )
    environment.filters.update(percent=percent, number=number)
    axes = [_axis([row["cells"][i] for row in comparison["rows"]], c[2]) for i, c in enumerate(comparison["clauses"])]
    page = environment.get_template("compare.html.j2").render(
        c=comparison,
        axes=axes,
        symbols=SYMBOLS,
        euros=euros,
        x=_x,
        w=lambda low, high, axis: f"{_at(high, axis) - _at(low, axis):.1f}",
    )
    write_text(path, page)


def _axis(cells: list[Cell], figure: float) -> tuple[float, float]:
    """Low and high end of a clause's strip, with room on both sides."""
    ends = [figure, *(end for cell in cells for end in (cell["low"], cell["high"], cell["value"]))]
    room = max(0.005, 0.08 * (max(ends) - min(ends)))
    return max(0.0, min(ends) - room), min(1.0, max(ends) + room)


def _at(share: float, axis: tuple[float, float]) -> float:
    return WIDTH * (share - axis[0]) / (axis[1] - axis[0])


def _x(share: float, axis: tuple[float, float]) -> str:
    return f"{_at(share, axis):.1f}"


def print_comparison(comparison: Comparison, console: Console) -> None:
    """One row an action: value, change against the plan in the same draws, verdict."""
    title = f"{comparison['title']}: stage {comparison['stage']}, {comparison['worlds']} draws, every sensor"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left", title_style="bold")
    table.add_column("action")
    table.add_column("EUR", justify="right", no_wrap=True)
    table.add_column("gateways", justify="right", no_wrap=True)
    for measure, kind, figure in comparison["clauses"]:
        table.add_column(f"{measure}\n{kind} {percent(figure, 0)}", justify="right", no_wrap=True)
    for i, row in enumerate(comparison["rows"]):
        cells = (_words(cell, plan=i == 0) for cell in row["cells"])
        table.add_row(row["title"], euros(row["cost_eur"]), str(row["gateways"]), *cells)
    console.print(table)
    console.print(
        Text(
            "In brackets the change in points against the plan in the same draws, and half of its 95 % interval.", "dim"
        )
    )
    for line in comparison["answers"] or ["The plan holds every clause."]:
        console.print(Text(line))


def euros(cost: float | None) -> str:
    """A cost, or a dash where nobody gave one."""
    return "–" if cost is None else number(cost, 0)


def _words(cell: Cell, *, plan: bool) -> str:
    shown = f"{percent(cell['value']).removesuffix(UNIT)} {SYMBOLS[cell['verdict']]}"
    if plan:
        return shown
    return f"{shown} ({100 * cell['change']:+.2f} ± {50 * (cell['change_high'] - cell['change_low']):.2f})"
