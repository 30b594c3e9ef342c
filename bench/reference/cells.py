"""What a cell of the reference may hold: text, never nothing; and the words that links and docstrings become."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

from bench.errors import BenchError


class MissingCell(BenchError):
    """A row of the reference has nothing to say: the message tells what to add, and where."""


def first_sentence(docstring: str | None) -> str:
    """The first sentence of a docstring, on one line and without its mark; empty where there is none."""
    paragraph = " ".join(inspect.cleandoc(docstring or "").split("\n\n", maxsplit=1)[0].split())
    for mark in (" Source:", ". "):
        paragraph = paragraph.split(mark, maxsplit=1)[0]
    return paragraph.rstrip(".")


def file_link(path: str, text: str = "") -> str:
    """A link to a file of the repository from docs/."""
    return f"[{text or path.rsplit('/', maxsplit=1)[-1]}](../{path})"


def link_to_test(test_id: str) -> str:
    """A link to the file of a test, by its name. test_id: path from tests/ on, "::", class and name."""
    path, _, name = test_id.partition("::")
    return file_link(f"tests/{path}", f"`{name.rsplit('::', maxsplit=1)[-1]}`")


def links_to_tests(test_ids: Iterable[str]) -> str:
    """Several of them."""
    return ", ".join(link_to_test(test_id) for test_id in test_ids)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table. Raises MissingCell for an empty cell."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        if len(row) != len(head) or not all(cell.strip() for cell in row):
            raise MissingCell(f"an empty cell in the row of {row[0]!r}: {row}")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return lines
