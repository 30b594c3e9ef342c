"""The site check as a table: on the terminal, as CSV, as a workbook."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.coverage.link_text import sf_words
from bench.store.atomic import aside, write_text
from radio_sim.coverage.study import Checked
from radio_sim.model import DeviceSite

_STYLES = {"ok": "green", "marginal": "yellow", "no": "bold red"}
_WORDS = {"ok": "ok", "marginal": "marginal", "no": "no"}
Cell = str | float | int


def columns(checked: Sequence[Checked]) -> tuple[str, ...]:
    """The header of the table: a probability for every placement class stands at its end."""
    classes = list(checked[0].probabilities) if checked else []
    return (
        "id",
        "lat",
        "lon",
        "placement",
        "verdict",
        "best_gateway",
        "distance_m",
        "rssi_dbm",
        "snr_db",
        "sf",
        "margin_sf12_db",
        "gateways",
        "rx2_margin_db",
        "probability",
        *(f"probability_{name}" for name in classes),
    )


def rows(checked: Sequence[Checked], places: Sequence[DeviceSite]) -> list[list[Cell]]:
    """A row a place; unknown figures are empty."""
    return [
        [
            found.id,
            place.lat,
            place.lon,
            found.placement,
            found.verdict,
            found.best_gateway,
            _round(found.distance_m, 0),
            _round(found.rssi_dbm, 1),
            _round(found.snr_db, 1),
            found.sf or "",
            _round(found.margin_db, 1),
            found.gateways,
            _round(found.rx2_margin_db, 1),
            _round(found.probability, 4),
            *(_round(value, 4) for value in found.probabilities.values()),
        ]
        for found, place in zip(checked, places, strict=True)
    ]


def _round(value: float, decimals: int) -> Cell:
    return round(value, decimals) if math.isfinite(value) else ""


def write_checks(
    checked: Sequence[Checked], places: Sequence[DeviceSite], model: str, notes: Sequence[str], path: Path
) -> None:
    """Write .xlsx or CSV, by the name. Raises StoreError."""
    if path.suffix.lower() == ".xlsx":
        with aside(path) as partial:
            _write_workbook(checked, places, model, notes, partial)
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns(checked))
    writer.writerows(rows(checked, places))
    write_text(path, text.getvalue())


def _write_workbook(
    checked: Sequence[Checked], places: Sequence[DeviceSite], model: str, notes: Sequence[str], path: Path
) -> None:
    import xlsxwriter  # noqa: PLC0415 - only where a workbook is written

    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        sheet = book.add_worksheet("site check")
        bold = book.add_format({"bold": True, "bottom": 1})
        formats = {
            "ok": book.add_format({"bg_color": "#dff2ea"}),
            "marginal": book.add_format({"bg_color": "#fbefcf"}),
            "no": book.add_format({"bg_color": "#fbe4da", "bold": True}),
        }
        percent = book.add_format({"num_format": "0.0 %"})
        header = columns(checked)
        sheet.write_row(0, 0, header, bold)
        for i, cells in enumerate(rows(checked, places), 1):
            for j, cell in enumerate(cells):
                style = formats[str(cell)] if header[j] == "verdict" else None
                if header[j].startswith("probability") and cell != "":
                    style = percent
                if isinstance(cell, str):
                    # Text stays text: an identifier that begins with = is no formula.
                    sheet.write_string(i, j, cell, style)
                else:
                    sheet.write_number(i, j, cell, style)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(1, len(checked)), len(header) - 1)
        sheet.autofit()
        about = book.add_worksheet("about")
        for i, line in enumerate((f"model: {model}", *notes)):
            about.write_string(i, 0, line)


def print_checks(
    checked: Sequence[Checked], model: str, notes: Sequence[str], console: Console, *, quiet: bool
) -> None:
    """The table, and how many places there are of each verdict."""
    counts = Counter(row.verdict for row in checked)
    told = ", ".join(f"{counts[verdict]} {_WORDS[verdict]}" for verdict in _WORDS)  # type: ignore[index]  # its keys are the verdicts
    if not quiet:
        for note in notes:
            console.print(note, highlight=False)
        console.print(f"model: {model}", highlight=False)
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        left = ("device", "placement", "best gateway", "SF", "verdict")
        for name in (
            "device", "placement", "best gateway", "km", "RSSI (dBm)", "SNR (dB)", "SF", "margin (dB)", "gateways",
            "probability (%)", "verdict",
        ):  # fmt: skip
            table.add_column(name, justify="left" if name in left else "right")
        for row in checked:
            table.add_row(
                row.id,
                row.placement,
                row.best_gateway or "unknown",
                _text(row.distance_m / 1000, 2),
                _text(row.rssi_dbm, 1),
                _text(row.snr_db, 1),
                sf_words(row.sf) if row.sf else "none",
                _text(row.margin_db, 1),
                str(row.gateways),
                _text(100 * row.probability, 1),
                f"[{_STYLES[row.verdict]}]{row.verdict}[/]",
            )
        console.print(table)
    console.print(f"{len(checked)} devices: {told}", highlight=False)


def _text(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if math.isfinite(value) else "–"
