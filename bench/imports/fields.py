"""Values of cells and of JSON members, checked, with errors that name file, line, record and field."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.imports.measured import MeasurementError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Place:
    """A value and where it stands. absent: what the value is where nothing stands there, None where it must stand."""

    value: Any
    path: str
    line: int
    record: int
    field: str

    def wrong(self, message: str, hint: str = "") -> MeasurementError:
        """The error to raise about this value."""
        return MeasurementError(
            message, path=self.path, line=self.line, record=self.record, field=self.field, hint=hint
        )

    @property
    def absent(self) -> bool:
        """Nothing stands here: no member, null, or an empty cell."""
        return self.value is None or self.value == ""

    def member(self, name: str) -> Place:
        """A member of a JSON object; absent where the object is absent itself."""
        if self.value is None:
            return Place(None, self.path, self.line, self.record, f"{self.field}.{name}".removeprefix("."))
        if not isinstance(self.value, dict):
            raise self.wrong(f"an object is due, not {_kind(self.value)}")
        field = f"{self.field}.{name}".removeprefix(".")
        return Place(self.value.get(name), self.path, self.line, self.record, field)

    def items(self) -> list[Place]:
        """The elements of a JSON array; none where it is absent."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong(f"a list is due, not {_kind(self.value)}")
        return [
            Place(element, self.path, self.line, self.record, f"{self.field}[{number}]")
            for number, element in enumerate(self.value)
        ]

    def text(self) -> str:
        """A non-empty text."""
        if self.absent:
            raise self.wrong("missing")
        if not isinstance(self.value, str):
            raise self.wrong(f"text is due, not {_kind(self.value)}")
        return self.value

    def number(self, low: float, high: float, *, absent: float | None = None) -> float:
        """A finite number, also written as text, within low … high."""
        if self.absent:
            if absent is None:
                raise self.wrong("missing")
            return absent
        try:
            found = math.nan if isinstance(self.value, bool) else float(self.value)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        if not math.isfinite(found):
            raise self.wrong(f"{_shown(self.value)} is not a number")
        if not low <= found <= high:
            raise self.wrong(f"{found:g} is not within {low:g} … {high:g}")
        return found

    def integer(self, low: int, high: int, *, absent: int | None = None) -> int:
        """A whole number within low … high."""
        found = self.number(low, high, absent=absent)
        if found != int(found):
            raise self.wrong(f"{_shown(self.value)} is not a whole number")
        return int(found)

    def instant_us(self) -> int:
        """An RFC 3339 time with its offset from UTC, as µs since 1970."""
        text = self.text()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.wrong(f"{_shown(text)} is not a time", "such as 2026-10-01T06:30:00Z") from None
        if moment.tzinfo is None:
            raise self.wrong(f"{_shown(text)} has no offset from UTC", "end it with Z or +02:00")
        return (moment - _EPOCH) // timedelta(microseconds=1)


def table(text: str, path: str, *, needed: Sequence[str], optional: Sequence[str]) -> Iterator[dict[str, Place]]:
    """The rows of a CSV table with a header; lines that begin with # are passed over. Every known column is a key."""
    lines = ["" if line.startswith("#") else line for line in text.removeprefix("\ufeff").split("\n")]
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = _header([cell.strip() for cell in cells], path, start, needed, optional)
                continue
            if len(cells) != len(header):
                raise MeasurementError(
                    f"{len(cells)} cells", path=path, line=start, hint=f"the header names {len(header)}"
                )
            row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            yield {name: Place(row.get(name), path, start, 0, name) for name in (*needed, *optional)}
    except csv.Error as error:
        raise MeasurementError(f"not CSV: {error}", path=path, line=max(1, reader.line_num)) from None
    if not header:
        raise MeasurementError(
            "the table is empty", path=path, line=1, hint=f"columns: {', '.join(needed or optional)}"
        )


def records(text: str, path: str) -> Iterator[Place]:
    """The JSON objects of a file: one a line, one after another, or the elements of one list."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    text = text.removeprefix("\ufeff")
    at = _skip(text, 0)
    listed = text[at : at + 1] == "["
    at = _skip(text, at + 1) if listed else at
    line, counted = 1, 0
    number = 0
    while at < len(text) and not (listed and text[at] == "]"):
        line, counted, number = line + text.count("\n", counted, at), at, number + 1
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            message = getattr(error, "msg", "nested too deeply" if isinstance(error, RecursionError) else str(error))
            raise MeasurementError(f"not JSON: {message}", path=path, line=line, record=number) from None
        if not isinstance(value, dict):
            raise MeasurementError(f"an object is due, not {_kind(value)}", path=path, line=line, record=number)
        yield Place(value, path, line, number, "")
        at = _skip(text, at)
        if listed and text[at : at + 1] == ",":
            at = _skip(text, at + 1)
    if listed and at >= len(text):
        raise MeasurementError("not JSON: the list is not closed", path=path, line=line + text.count("\n", counted))
    if listed and _skip(text, at + 1) < len(text):
        raise MeasurementError(
            "not JSON: more text after the list", path=path, line=line + text.count("\n", counted, at)
        )


def _header(cells: list[str], path: str, line: int, needed: Sequence[str], optional: Sequence[str]) -> list[str]:
    known = (*needed, *optional)
    for name in cells:
        if name not in known:
            raise MeasurementError(
                "unknown column", path=path, line=line, field=name or "(empty)", hint=f"known: {', '.join(known)}"
            )
    if len(set(cells)) != len(cells):
        twice = next(name for name in cells if cells.count(name) > 1)
        raise MeasurementError("column named twice", path=path, line=line, field=twice)
    for name in needed:
        if name not in cells:
            raise MeasurementError(
                "column missing", path=path, line=line, field=name, hint=f"needed: {', '.join(needed)}"
            )
    return cells


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _shown(value: object) -> str:
    text = str(value)
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'
