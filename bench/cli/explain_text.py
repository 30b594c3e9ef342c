"""An explanation for a reader: a table where a terminal is, aligned plain text where none is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import typer

if TYPE_CHECKING:
    from bench.explain import Explanation, Field

_INDENT = "  "
_RAW_SHOWN = 24  # hex digits; the rest stands in --json


class _Row(NamedTuple):
    place: str
    name: str
    raw: str
    value: str
    clause: str


_HEADINGS = _Row("bytes [bits]", "field", "raw", "value", "clause")


def print_explanation(explanation: Explanation) -> None:
    """One line for each field, the verdict last."""
    facts = explanation.facts
    title = f"{facts['type']}, {facts['size_bytes']} bytes, LoRaWAN {facts['version']}"
    rows = list(_rows(explanation.fields, 0))
    if sys.stdout.isatty():
        _print_table(title, rows)
    else:
        _print_plain(title, rows)
    typer.echo(f"MIC: {explanation.mic}")


def _rows(fields: Iterable[Field], depth: int) -> Iterator[_Row]:
    for field in fields:
        raw = field.raw if len(field.raw) <= _RAW_SHOWN else field.raw[: _RAW_SHOWN - 1] + "…"
        yield _Row(field.place, _INDENT * depth + field.name, raw, _value(field), field.clause)
        yield from _rows(field.inner, depth + 1)


def _value(field: Field) -> str:
    value = field.value
    shown = "" if value is None else ("yes" if value else "no") if isinstance(value, bool) else str(value)
    if field.unit:
        shown += f" {field.unit}"
    return ": ".join(part for part in (shown, field.meaning) if part)


def _print_plain(title: str, rows: list[_Row]) -> None:
    widths = [max(len(row[column]) for row in (_HEADINGS, *rows)) for column in range(3)]
    typer.echo(title)
    for row in (_HEADINGS, *rows):
        cells = [f"{cell:<{width}}" for cell, width in zip(row[:3], widths, strict=True)]
        typer.echo("  ".join([*cells, f"{row.value}  [{row.clause}]" if row.value else f"[{row.clause}]"]))


def _print_table(title: str, rows: list[_Row]) -> None:
    from rich.console import Console  # noqa: PLC0415 - keeps --help quick
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold", no_wrap=heading in ("bytes [bits]", "field", "clause"))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
