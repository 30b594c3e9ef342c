"""The verdicts of an acceptance: one line a property, with its threshold and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "fail", "not measured"]


@dataclass(frozen=True, slots=True)
class Line:
    """name: of the property. measured: None where it was not. threshold: in words. note: what limits the statement."""

    name: str
    verdict: Verdict
    measured: float | None
    unit: str
    threshold: str
    note: str = ""

    def __str__(self) -> str:
        value = "-" if self.measured is None else f"{self.measured:g} {self.unit}".rstrip()
        tail = f"  ({self.note})" if self.note else ""
        return f"{self.verdict:12}  {self.name:32}  {value:>14}  {self.threshold}{tail}"


def at_most(name: str, measured: float, limit: float, unit: str, note: str = "") -> Line:
    """Passes up to the limit."""
    return Line(
        name,
        "pass" if measured <= limit else "fail",
        round(measured, 3),
        unit,
        f"at most {limit:g} {unit}".rstrip(),
        note,
    )


def at_least(name: str, measured: float, limit: float, unit: str, note: str = "") -> Line:
    """Passes from the limit on."""
    verdict: Verdict = "pass" if measured >= limit else "fail"
    return Line(name, verdict, round(measured, 3), unit, f"at least {limit:g} {unit}", note)


def within(name: str, measured: float, low: float, high: float, unit: str) -> Line:
    """Passes inside a range."""
    verdict: Verdict = "pass" if low <= measured <= high else "fail"
    return Line(name, verdict, round(measured, 3), unit, f"{low:g} to {high:g} {unit}")


def not_measured(name: str, why: str) -> Line:
    """What this set-up cannot tell."""
    return Line(name, "not measured", None, "", "", why)


@dataclass(frozen=True, slots=True)
class ClockFit:
    """Two clocks that saw the same events: how far one gains on the other, and the worst event off the line."""

    drift_ppm: float
    worst_us: float


def fit_clocks(pairs: Sequence[tuple[int, int]]) -> ClockFit | None:
    """Least squares over (one clock, the other) in µs; None for fewer than three events, which any line fits."""
    if len(pairs) < 3:
        return None
    n = len(pairs)
    mean_x = sum(x for x, _ in pairs) / n
    mean_y = sum(y for _, y in pairs) / n
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    if not spread:
        return None
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread
    worst = max(abs((y - mean_y) - slope * (x - mean_x)) for x, y in pairs)
    return ClockFit((slope - 1) * 1e6, worst)


def accepted(lines: Sequence[Line]) -> bool:
    """Whether nothing failed."""
    return all(line.verdict != "fail" for line in lines)
