"""Values with units as text, "867.5 MHz" or "2 dBi": read exactly, written shortly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

_QUANTITY = re.compile(r"\s*([+\-−]?(?:\d+(?:\.\d*)?|\.\d+))\s*(\S+)?\s*")


@dataclass(frozen=True, slots=True)
class Dimension:
    """units: factor to the base unit, the largest last. example: how to write it."""

    name: str
    units: Mapping[str, Decimal]
    example: str

    def parse(self, text: object) -> Decimal:
        """The value in the base unit. Raises ValueError that says what to write."""
        found = _QUANTITY.fullmatch(text) if isinstance(text, str) and len(text) <= 60 else None
        if found is None or found[2] is None:
            raise ValueError(f'{repr(text)[:40]} is no {self.name} with a unit; write it as "{self.example}"')
        if found[2] not in self.units:
            accepted = ", ".join(self.units)
            raise ValueError(f'"{found[2][:20]}" is no unit of {self.name}; accepted: {accepted}')
        return Decimal(found[1].replace("−", "-")) * self.units[found[2]]

    def write(self, value: float) -> str:
        """With the largest unit that leaves it a short number."""
        exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        best = ""
        for unit, factor in self.units.items():
            text = f"{_short(exact / factor)} {unit}"
            if Decimal(text.split(maxsplit=1)[0]) * factor == exact and (
                not best or len(text.split(maxsplit=1)[0]) <= len(best.split(maxsplit=1)[0])
            ):
                best = text
        return best


def _short(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _units(**units: int) -> dict[str, Decimal]:
    return {name: Decimal(factor) for name, factor in units.items()}


FREQUENCY = Dimension("frequency", _units(Hz=1, kHz=1_000, MHz=1_000_000), "868.1 MHz")
POWER = Dimension("power", _units(dBm=1), "14 dBm")
GAIN = Dimension("antenna gain", _units(dBi=1), "2 dBi")
RATIO = Dimension("ratio", _units(dB=1), "-215.4 dB")
LENGTH = Dimension("length", _units(m=1), "95 m")
SECONDS = Dimension("duration", _units(s=1, min=60, h=3_600, days=86_400), "10 s")
MILLISECONDS = Dimension("duration", _units(ms=1, s=1_000), "100 ms")
MICROSECONDS = Dimension("duration", _units(us=1, ms=1_000), "128 us")
BITRATE = Dimension("bit rate", {"bit/s": Decimal(1), "kbit/s": Decimal(1_000)}, "50 kbit/s")
BYTES = Dimension("size", _units(bytes=1, kB=1_000, MB=1_000_000, KiB=1_024, MiB=1_048_576), "64 MiB")
