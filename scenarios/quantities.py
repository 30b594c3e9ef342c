"""Values with units, written as text: "14 dBm", "15 min", "868.1 MHz", "95 %".

A bare number where a unit is due is refused with what to write; a wrong unit is refused with the accepted ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

_NUMBER = r"[+\-−]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+\-]?\d{1,2})?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*([^\s\d.+\-−]\S*)?\s*")
_MOST_CHARACTERS = 60  # whatever is written in them fits a float


class QuantityError(ValueError):
    """A text that is not a quantity of the dimension asked for. hint: what to write."""

    def __init__(self, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A physical dimension: its units with the factor to the base unit, and an example of how to write it."""

    name: str
    base: str
    units: Mapping[str, Fraction]
    example: str

    @property
    def pattern(self) -> str:
        """A regular expression for JSON Schema."""
        return rf"^\s*{_NUMBER}\s*({'|'.join(re.escape(unit) for unit in self.units)})\s*$"

    def parse(self, value: object) -> Fraction:
        """The value in the base unit, exactly as written. Raises QuantityError."""
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            unit = self.example.split()[-1]
            number = str(value) if abs(value) < 1 << 63 else "a number"  # Python does not write an int of any length
            raise QuantityError(f"{number} has no unit", f'write "{number} {unit}"')
        if not isinstance(value, str):
            raise QuantityError(f"a {self.name} is due, not {type(value).__name__}", f'such as "{self.example}"')
        found = _QUANTITY.fullmatch(value) if len(value) <= _MOST_CHARACTERS else None
        if found is None:
            raise QuantityError(f'"{value[:_MOST_CHARACTERS]}" is not a {self.name}', f'such as "{self.example}"')
        number, unit = found.group(1).replace("−", "-"), found.group(2)
        accepted = ", ".join(self.units)
        if unit is None:
            raise QuantityError(f'"{value}" has no unit', f'such as "{number} {self.example.split()[-1]}" ({accepted})')
        if unit not in self.units:
            raise QuantityError(f'"{unit}" is not a unit of {self.name}', f"accepted: {accepted}")
        return Fraction(number) * self.units[unit]


def _dimension(name: str, base: str, example: str, **units: Fraction | int) -> Dimension:
    return Dimension(name, base, {unit: Fraction(factor) for unit, factor in units.items()}, example)


_MS, _S = 1_000, 1_000_000
POWER_DBM = _dimension("power", "dBm", "14 dBm", dBm=1)
GAIN_DBI = _dimension("antenna gain", "dBi", "3 dBi", dBi=1)
RATIO_DB = _dimension("ratio", "dB", "6 dB", dB=1)
FREQUENCY_HZ = _dimension("frequency", "Hz", "868.1 MHz", Hz=1, kHz=_MS, MHz=_S, GHz=1_000 * _S)
LENGTH_M = _dimension("length", "m", "22 m", m=1, km=1_000)
SIZE_BYTES = _dimension("size", "bytes", "20 bytes", byte=1, bytes=1, B=1)
DAYS = _dimension("number of days", "days", "30 days", day=1, days=1)
DURATION_US = Dimension(
    "duration",
    "µs",
    {
        "µs": Fraction(1),
        "us": Fraction(1),
        "ms": Fraction(_MS),
        "s": Fraction(_S),
        "min": Fraction(60 * _S),
        "h": Fraction(3_600 * _S),
        "day": Fraction(86_400 * _S),
        "days": Fraction(86_400 * _S),
    },
    "15 min",
)
SHARE = Dimension("share", "1", {"%": Fraction(1, 100)}, "95 %")


def whole(dimension: Dimension, value: object) -> int:
    """A quantity that must be a whole number of base units (µs, Hz, bytes, days). Raises QuantityError."""
    exact = dimension.parse(value)
    if exact.denominator != 1:
        raise QuantityError(f'"{value}" is not a whole number of {dimension.base}', f'such as "{dimension.example}"')
    return int(exact)
