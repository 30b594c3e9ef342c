"""The error family of `scenarios`: what is wrong in a user's file, where, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


class ScenarioError(ValueError):
    """A scenario file, or a table it names, says something that cannot be.

    path: the file as the user named it; line and column: 1-based, 0 where unknown (column counts characters in TOML
    and cells in CSV); key: the key path or the CSV column; hint: what would be right; others: further faults found in
    the same reading, in file order.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str,
        line: int = 0,
        column: int = 0,
        key: str = "",
        hint: str = "",
        others: Sequence[ScenarioError] = (),
    ) -> None:
        self.message, self.path, self.line, self.column = message, path, line, column
        self.key, self.hint, self.others = key, hint, tuple(others)
        where = f"{path}:{line}" if line else path
        parts = [where, *([key] if key else []), message]
        super().__init__(": ".join(parts) + (f"; {hint}" if hint else ""))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint that names the nearest of the known words, or all of them where none is near."""
    near = get_close_matches(word.casefold(), [k.casefold() for k in known], n=1, cutoff=0.6)
    if near:
        return f'did you mean "{next(k for k in known if k.casefold() == near[0])}"?'
    return "known: " + ", ".join(sorted(known)) if known else ""
