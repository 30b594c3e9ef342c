"""One line of an explanation, and a whole one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from lorawan.crypto import SessionKeys

Value: TypeAlias = int | str | bool | None

OK = "ok"
WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the specification names it.

    offset, size: its bytes in the PHYPayload; offset None: it is not on the wire but follows from it. bits: highest and
    lowest bit within those bytes as one little-endian number; None: all of them. raw: what stands there, hex for whole
    bytes and binary for bits; of enciphered bytes, what was deciphered. value: for programs, with the unit in `unit`.
    inner: what the field consists of.
    """

    name: str
    clause: str
    value: Value = None
    meaning: str = ""
    unit: str = ""
    offset: int | None = None
    size: int = 0
    bits: tuple[int, int] | None = None
    raw: str = ""
    inner: tuple[Field, ...] = ()

    @property
    def place(self) -> str:
        """Bytes and bits for a reader: "5", "1–4", "5 [7]", "0 [7:5]"."""
        if self.offset is None or self.size == 0:
            return ""
        last = self.offset + self.size - 1
        where = str(self.offset) if last == self.offset else f"{self.offset}–{last}"
        if self.bits is None:
            return where
        high, low = self.bits
        return f"{where} [{high}]" if high == low else f"{where} [{high}:{low}]"

    def leaves(self) -> Iterator[Field]:
        """The innermost fields, in order."""
        if not self.inner:
            yield self
        for field in self.inner:
            yield from field.leaves()

    def as_dict(self) -> dict[str, Any]:
        """For JSON. What does not apply is left out; clause and name never are."""
        view: dict[str, Any] = {"name": self.name}
        if self.offset is not None:
            view |= {"offset": self.offset, "size": self.size}
        if self.bits is not None:
            view["bits"] = list(self.bits)
        if self.raw:
            view["raw"] = self.raw
        if self.value is not None:
            view["value"] = self.value
        if self.unit:
            view["unit"] = self.unit
        if self.meaning:
            view["meaning"] = self.meaning
        view["clause"] = self.clause
        if self.inner:
            view["fields"] = [field.as_dict() for field in self.inner]
        return view


@dataclass(frozen=True, slots=True)
class Explanation:
    """A frame explained. facts: what a program asks for first, by name; facts["mic"] is the verdict.

    The verdict is "ok", "wrong", or why the MIC was not checked. keys: of the session that a Join-Accept begins.
    """

    facts: dict[str, Any]
    fields: tuple[Field, ...]
    keys: SessionKeys | None = None

    @property
    def mic(self) -> str:
        """The verdict."""
        return str(self.facts["mic"])

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the facts, and the fields under "fields"."""
        return self.facts | {"fields": [field.as_dict() for field in self.fields]}


def of_bytes(
    name: str,
    clause: str,
    data: bytes,
    offset: int | None,
    value: Value = None,
    meaning: str = "",
    *,
    unit: str = "",
    inner: tuple[Field, ...] = (),
) -> Field:
    """A field of whole bytes."""
    return Field(name, clause, value, meaning, unit, offset, len(data), None, data.hex(), inner)


def of_bits(
    name: str,
    clause: str,
    byte: int,
    offset: int,
    bits: tuple[int, int],
    value: Value = None,
    meaning: str = "",
    *,
    unit: str = "",
) -> Field:
    """A field within one byte; value None: the number that the bits are."""
    high, low = bits
    number = byte >> low & (1 << high - low + 1) - 1
    shown = number if value is None else value
    return Field(name, clause, shown, meaning, unit, offset, 1, bits, f"{number:0{high - low + 1}b}")
