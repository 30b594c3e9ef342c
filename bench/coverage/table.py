"""Tables people bring: CSV with commas, semicolons or tabs, and Excel workbooks. Every fault names its cell."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UsageError

_MOST_BYTES = 256_000_000
_EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


class TableError(UsageError):
    """A table that cannot be used. others: further faults of the same table, in its order."""

    def __init__(self, message: str, *, hint: str = "", others: Sequence[TableError] = ()) -> None:
        self.others = tuple(others)
        super().__init__(message, hint=hint)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: cells by column name, as text without outer spaces; where: its place for messages."""

    table: Table
    number: int
    cells: Mapping[str, str]

    def fault(self, column: str, message: str, hint: str = "") -> TableError:
        """The error for a cell of this row."""
        return TableError(f"{self.table.place(self.number, column)}: {column}: {message}", hint=hint)

    def text(self, column: str, default: str = "") -> str:
        """The cell, or the default where it is empty or there is no such column."""
        return self.cells.get(column, "") or default

    def number_of(
        self, column: str, low: float = -math.inf, high: float = math.inf, default: float | None = None
    ) -> float:
        """The cell as a number within low … high. Raises TableError for the cell."""
        cell = self.cells.get(column, "")
        if not cell and default is not None:
            return default
        if not cell:
            raise self.fault(column, "the cell is empty", "a number is due")
        text = cell.replace(",", ".") if self.table.decimal_comma else cell
        try:
            value = float(text)
        except ValueError:
            hint = "write a point for decimals" if "," in cell else ""
            raise self.fault(column, f'"{cell}" is not a number', hint) from None
        if not low <= value <= high:
            raise self.fault(column, f"{cell} is not within {low:g} … {high:g}")
        return value


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a header. sheet: of a workbook, "" for CSV; decimal_comma: numbers may have one."""

    path: Path
    sheet: str
    header: tuple[str, ...]
    header_row: int
    lines: tuple[tuple[int, tuple[str, ...]], ...]
    decimal_comma: bool = False

    def place(self, row: int, column: str) -> str:
        """Where a cell is: `file:row:column` in CSV, `file, sheet "name", cell B7` in a workbook."""
        index = self.header.index(column) if column in self.header else 0
        if self.sheet:
            return f'{self.path}, sheet "{self.sheet}", cell {_letters(index)}{row}'
        return f"{self.path}:{row}:{index + 1}"

    @property
    def rows(self) -> list[Row]:
        """Every row that is not empty."""
        return [Row(self, number, dict(zip(self.header, cells, strict=False))) for number, cells in self.lines]

    def renamed(self, synonyms: Mapping[str, Sequence[str]], needed: Sequence[str]) -> Table:
        """The same table with known columns under their one name. Raises TableError where a needed one is missing."""
        names = list(self.header)
        for name, others in synonyms.items():
            if name not in names:
                found = next((i for i, word in enumerate(names) if word in others), None)
                if found is not None:
                    names[found] = name
        missing = [name for name in needed if name not in names]
        if missing:
            others = [word for word in (synonyms.get(missing[0]) or ()) if word]
            raise TableError(
                f"{self.place(self.header_row, '')}: no column {missing[0]!r}",
                hint=f"needed: {', '.join(needed)}"
                + (f"; {missing[0]} may be called {', '.join(others)}" if others else ""),
            )
        return Table(self.path, self.sheet, tuple(names), self.header_row, self.lines, self.decimal_comma)


def _letters(index: int) -> str:
    """Column name of a spreadsheet: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def read_table(path: Path, sheet: str | None = None) -> Table:
    """Read a CSV file or a sheet of a workbook (the first by default). Raises TableError for anything it cannot use."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise TableError(f"{path}: larger than {_MOST_BYTES // 1_000_000} MB")
        if path.suffix.lower() in _EXCEL:
            return _read_workbook(path, sheet)
        return _read_csv(path, path.read_bytes())
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror or error}") from None


def _read_csv(path: Path, data: bytes) -> Table:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(f"{path}:{line}: not UTF-8", hint="save the file as CSV UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[tuple[int, tuple[str, ...]]] = []
    at = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((at, tuple(cell.strip() for cell in cells)))
            at = reader.line_num + 1
    except csv.Error as error:
        raise TableError(f"{path}:{reader.line_num}: not CSV: {error}") from None
    return _with_header(path, "", lines, decimal_comma=delimiter != ",")


def _read_workbook(path: Path, sheet: str | None) -> Table:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - only where a workbook is read

    try:
        with CalamineWorkbook.from_path(str(path)) as book:
            if sheet is not None and sheet not in book.sheet_names:
                raise TableError(f'{path}: no sheet "{sheet}"', hint=f"there are {', '.join(book.sheet_names)}")
            name = sheet if sheet is not None else book.sheet_names[0]
            values = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise TableError(f"{path}: cannot be read as a workbook: {error}") from None
    lines = [
        (number, cells)
        for number, row in enumerate(values, 1)
        if any(cells := tuple("" if v is None else _plain(v) for v in row))
    ]
    return _with_header(path, name, lines)


def _plain(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _with_header(
    path: Path, sheet: str, lines: Sequence[tuple[int, tuple[str, ...]]], *, decimal_comma: bool = False
) -> Table:
    if not lines:
        where = f'{path}, sheet "{sheet}"' if sheet else str(path)
        raise TableError(f"{where}: the table is empty", hint="the first row names the columns")
    number, cells = lines[0]
    header = tuple(cell.strip().casefold().replace(" ", "_") for cell in cells)
    table = Table(path, sheet, header, number, tuple(lines[1:]), decimal_comma)
    for index, name in enumerate(header):
        if name and name in header[:index]:
            where = (
                f'{path}, sheet "{sheet}", cell {_letters(index)}{number}' if sheet else f"{path}:{number}:{index + 1}"
            )
            raise TableError(f"{where}: {name}: column named twice")
    for row, values in table.lines:
        if len(values) > len(header) and any(values[len(header) :]):
            where = f'{path}, sheet "{sheet}", row {row}' if sheet else f"{path}:{row}:{len(header) + 1}"
            raise TableError(f"{where}: {len(values)} cells", hint=f"the header names {len(header)}")
    return table


def all_or_faults(faults: Sequence[TableError]) -> None:
    """Raise the first of the faults with the others behind it; nothing happens where there are none."""
    if faults:
        first, *others = faults
        first.others = tuple(others)
        raise first
