"""How numbers read in a report."""

from __future__ import annotations

from typing import TypeGuard

from bench.report.summary import ClauseRow, Expected, Verdict

NONE = "–"
UNIT = "\u00a0%"  # a no-break space: the unit stays with its number
SYMBOLS: dict[Verdict, str] = {"PASS": "✓", "FAIL": "✗", "INSUFFICIENT": "?"}


def percent(share: float | None, digits: int = 1) -> str:
    """A share as "93.1 %". It never rounds up to 100 % nor down to 0 %: 99.96 % is not "100.0 %"."""
    if not is_number(share):
        return NONE
    shown = round(100 * share, digits)
    step = 10.0**-digits
    if share < 1:
        shown = min(shown, 100 - step)
    if share > 0:
        shown = max(shown, step)
    return f"{shown:.{digits}f}{UNIT}"


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A number with a true minus and thin spaces between thousands."""
    if not is_number(value):
        return NONE
    text = f"{value:,.{digits}f}".replace(",", "\u202f").replace("-", "\u2212")
    return f"{text} {unit}" if unit else text


def interval(row: ClauseRow) -> str:
    """The clause's interval, as "91.2–94.0 %"."""
    if not is_number(row["low"]) or not is_number(row["high"]):
        return NONE
    return f"{percent(row['low']).removesuffix(UNIT)}–{percent(row['high'])}"


def five_db(expected: Expected | None) -> str:
    """The expectation with every link 5 dB worse and better, as "88.0 … 97.1 %"."""
    if expected is None or not is_number(expected["-5"]) or not is_number(expected["+5"]):
        return NONE
    return f"{percent(expected['-5']).removesuffix(UNIT)} … {percent(expected['+5'])}"


def is_number(value: float | None) -> TypeGuard[float]:
    """Whether there is a value: neither None nor NaN."""
    return value is not None and value == value  # noqa: PLR0124 - NaN differs from itself
