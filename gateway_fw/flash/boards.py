"""Boards and chips as data: what boards.toml says, and pages to addresses."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from gateway_fw.errors import UnknownBoardError


@dataclass(frozen=True, slots=True)
class Page:
    """What one erase takes: its number in the erase command, first address, and the address after its last byte."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Protected:
    """An area that only force overwrites."""

    start: int
    end: int
    what: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A row [[chip]] of boards.toml, which says what each field means."""

    id: str
    name: str
    chip_id: int
    flash: int
    pages: tuple[Page, ...]
    ram: tuple[int, int]
    size_register: int
    erase_page_ms: int
    align: int
    source: str

    @property
    def flash_end(self) -> int:
        """The address after the last page."""
        return self.pages[-1].end

    def pages_of(self, start: int, end: int) -> tuple[Page, ...]:
        """The pages that hold any byte from start to end."""
        return tuple(page for page in self.pages if page.start < end and start < page.end)


@dataclass(frozen=True, slots=True)
class Board:
    """A row [[board]] of boards.toml. chip: None where the board may carry any chip of the table."""

    id: str
    name: str
    chip: Chip | None
    method: str
    entry: str
    steps: str
    recover: str
    base: int
    flash_bytes: int | None
    protected: tuple[Protected, ...]
    source: str


@cache
def _tables() -> tuple[dict[str, Chip], dict[str, Board]]:
    rows = tomllib.loads((files("gateway_fw.flash") / "boards.toml").read_text(encoding="utf-8"))
    chips = {row["id"]: _chip(row) for row in rows["chip"]}
    return chips, {row["id"]: _board(row, chips) for row in rows["board"]}


def _chip(row: dict[str, Any]) -> Chip:
    pages: list[Page] = []
    at = row["flash"]
    for count, size in row["pages"]:
        for _ in range(count):
            pages.append(Page(len(pages), at, at + size))
            at += size
    ram_start, ram_bytes = row["ram"]
    return Chip(**{**row, "pages": tuple(pages), "ram": (ram_start, ram_start + ram_bytes)})


def _board(row: dict[str, Any], chips: dict[str, Chip]) -> Board:
    return Board(
        id=row["id"],
        name=row["name"],
        chip=chips[row["chip"]] if "chip" in row else None,
        method=row["method"],
        entry=row["entry"],
        steps=row["steps"],
        recover=row.get("recover", row["steps"]),
        base=row["base"],
        flash_bytes=row.get("flash_bytes"),
        protected=tuple(Protected(**area) for area in row.get("protected", ())),
        source=row["source"],
    )


def chips() -> tuple[Chip, ...]:
    """Every chip of the table."""
    return tuple(_tables()[0].values())


def boards() -> tuple[Board, ...]:
    """Every board of the table."""
    return tuple(_tables()[1].values())


def board(board_id: str) -> Board:
    """The board of that id. Raises UnknownBoardError, which names near ones."""
    known = _tables()[1]
    if board_id not in known:
        near = get_close_matches(board_id, known, n=3) or sorted(known)
        raise UnknownBoardError(f"no board '{board_id}' in the table; did you mean {', '.join(near)}?")
    return known[board_id]


def chip_by_id(chip_id: int) -> Chip | None:
    """The chip whose bootloader answers chip_id, or None."""
    return next((chip for chip in chips() if chip.chip_id == chip_id), None)
