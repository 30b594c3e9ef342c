"""Reading single values of Basics Station's JSON: what is wrong with one becomes a StationError that says where."""

from __future__ import annotations

from binascii import a2b_hex
from dataclasses import dataclass
from math import isfinite
from typing import Any

from msgspec import DecodeError
from msgspec.json import decode, encode

from gateway_fw.errors import StationError
from gateway_fw.station.identifiers import eui_of
from lorawan.ids import Eui64

CLAUSE = 'Basics Station 2.0.6, "The LNS Protocol"'
MAX_TEXT_CHARS = 1 << 18  # [assumption] far above the 40 KB that Station itself takes in (s2conf.h, TC_RECV_BUFSZ)
MAX_PHY_PAYLOAD = 255  # s2conf.h, MAX_TXFRAME_LEN
INT64 = (-(1 << 63), (1 << 63) - 1)


def json_object(text: str | bytes) -> Fields:
    """The one JSON object a record holds. Raises StationError."""
    if len(text) > MAX_TEXT_CHARS:
        raise StationError(f"{len(text)} characters", field="message", clause=CLAUSE, hint=f"at most {MAX_TEXT_CHARS}")
    try:
        value = decode(text)
    except (DecodeError, UnicodeError) as error:
        raise StationError(str(error), field="message", clause=CLAUSE, hint="a JSON object") from error
    except RecursionError:
        raise StationError("nested too deeply", field="message", clause=CLAUSE) from None
    return Fields(as_object(value, "message"), "")


def json_text(value: dict[str, Any]) -> str:
    """The compact text of an object; keys keep their order."""
    return encode(value).decode("utf-8")


def as_object(value: object, field: str) -> dict[str, Any]:
    """A JSON object. Raises StationError."""
    if not isinstance(value, dict):
        raise StationError(f"a {type(value).__name__}", field=field, clause=CLAUSE, hint="a JSON object")
    return value


def as_list(value: object, field: str) -> list[Any]:
    """A JSON array. Raises StationError."""
    if not isinstance(value, list):
        raise StationError(f"a {type(value).__name__}", field=field, clause=CLAUSE, hint="a JSON array")
    return value


def as_int(value: object, field: str, low: int, high: int) -> int:
    """A whole number (also written "1.0") within low … high. Raises StationError."""
    if type(value) is float and isfinite(value) and value == int(value):
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise StationError(
            f"{str(value)[:40]}", field=field, clause=CLAUSE, hint=f"a whole number from {low} to {high}"
        )
    return value


def as_number(value: object, field: str) -> float:
    """A finite number. Raises StationError."""
    if type(value) not in (int, float) or not isinstance(value, int | float) or abs(value) > 1e18:
        raise StationError(f"{str(value)[:40]}", field=field, clause=CLAUSE, hint="a number")
    return float(value)


def as_flag(value: object, field: str) -> bool:
    """true or false, also written 1 and 0. Raises StationError."""
    return value if isinstance(value, bool) else as_int(value, field, 0, 1) == 1


def plain(number: float) -> int | float:
    """A number as it is written: without ".0" where it is whole."""
    return int(number) if number == int(number) else number


@dataclass(frozen=True, slots=True)
class Fields:
    """An object's fields. path: what stands before a field's name in errors, such as "upinfo."."""

    values: dict[str, Any]
    path: str

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self.values.get(name) is not None

    def raw(self, name: str) -> Any:
        """A field as it is. Raises StationError where it is missing or null."""
        value = self.values.get(name)
        if value is None:
            raise StationError("missing", field=self.path + name, clause=CLAUSE)
        return value

    def either(self, *names: str) -> str:
        """The first of several spellings that is there, or the first of all."""
        return next((name for name in names if self.has(name)), names[0])

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number."""
        return as_int(self.raw(name), self.path + name, low, high)

    def whole_or_none(self, name: str, low: int, high: int) -> int | None:
        """A whole number, or None where there is none."""
        return self.whole(name, low, high) if self.has(name) else None

    def u32(self, name: str) -> int:
        """Four bytes, written signed by Station and unsigned by others."""
        return self.whole(name, -(1 << 31), (1 << 32) - 1) & 0xFFFFFFFF

    def number(self, name: str) -> float:
        """A number."""
        return as_number(self.raw(name), self.path + name)

    def number_or_none(self, name: str) -> float | None:
        """A number, or None."""
        return self.number(name) if self.has(name) else None

    def flag_or_none(self, name: str) -> bool | None:
        """true or false (or 1 and 0), or None."""
        return as_flag(self.values[name], self.path + name) if self.has(name) else None

    def text(self, name: str) -> str:
        """A string."""
        value = self.raw(name)
        if not isinstance(value, str):
            raise StationError(f"a {type(value).__name__}", field=self.path + name, clause=CLAUSE, hint="a string")
        return value

    def text_or(self, name: str, default: str) -> str:
        """A string, or the default where there is none."""
        return self.text(name) if self.has(name) else default

    def hex(self, name: str) -> bytes:
        """Hex digits, at most 255 bytes; null stands for none at all, as Station's encoder has it."""
        if name in self.values and self.values[name] is None:
            return b""
        text = self.text(name)
        if len(text) > 2 * MAX_PHY_PAYLOAD:
            hint = f"at most {MAX_PHY_PAYLOAD} bytes"
            raise StationError(f"{len(text)} digits", field=self.path + name, clause=CLAUSE, hint=hint)
        try:
            return a2b_hex(text)
        except ValueError as error:
            raise StationError(
                str(error), field=self.path + name, clause=CLAUSE, hint="hex digits, in pairs"
            ) from error

    def eui(self, name: str) -> Eui64:
        """An EUI in any form."""
        return eui_of(self.raw(name), self.path + name)

    def nested(self, name: str) -> Fields:
        """An object within."""
        return Fields(as_object(self.raw(name), self.path + name), f"{self.path}{name}.")

    def array(self, name: str) -> list[Any]:
        """An array within."""
        return as_list(self.raw(name), self.path + name)
