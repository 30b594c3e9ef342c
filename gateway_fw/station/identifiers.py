"""EUIs as Basics Station writes and reads them: ID6, dashes, colons, plain digits, a number.

Source: Basics Station 2.0.6 documentation, "The LNS Protocol", discovery (router: ID6, EUI or integer); uj.c, uj_eui
and encId6; rt.c, rt_readEui.
"""

from __future__ import annotations

import re

from gateway_fw.errors import StationError
from lorawan.ids import Eui64

_EUI = re.compile(r"[0-9a-fA-F]{2}(?:-[0-9a-fA-F]{2}){7}|[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){7}|[0-9a-fA-F]{16}")
_GROUPS = re.compile(r"[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4})*")
_CATEGORY = re.compile(r"[A-Za-z][A-Za-z0-9]*-(?=[0-9a-fA-F:]*:)")

CLAUSE = "Basics Station 2.0.6, ID6"


def id6(eui: Eui64) -> str:
    """Four groups of hex digits, with "::" where whole halves or the two middle groups are zero: "::1", "4:3::"."""
    g0, g1, g2, g3 = (eui >> shift & 0xFFFF for shift in (48, 32, 16, 0))
    if not g0 and not g1:
        return f"::{g2:x}:{g3:x}" if g2 else f"::{g3:x}"
    if not g2 and not g3:
        return f"{g0:x}:{g1:x}::" if g1 else f"{g0:x}::"
    if not g1 and not g2:
        return f"{g0:x}::{g3:x}"
    return f"{g0:x}:{g1:x}:{g2:x}:{g3:x}"


def dashed(eui: Eui64) -> str:
    """Eight pairs of capital hex digits, as Station reports DevEUI and JoinEUI."""
    return "-".join(f"{byte:02X}" for byte in eui.to_bytes(8, "big"))


def eui_of(value: object, field: str) -> Eui64:
    """Any form a router or a server may use; numbers may be signed 64-bit. Raises StationError.

    A category before an ID6 ("router-::1") is passed over. Fewer than sixteen plain digits are refused: one reader
    takes them for hexadecimal, another for decimal.
    """
    if type(value) is int:
        if not -(1 << 63) <= value < 1 << 64:
            raise StationError(f"{value} does not fit 64 bits", field=field, clause=CLAUSE)
        return Eui64(value & 0xFFFFFFFFFFFFFFFF)
    if not isinstance(value, str):
        raise StationError(f"a {type(value).__name__}", field=field, clause=CLAUSE, hint="an ID6, an EUI or a number")
    if _EUI.fullmatch(value):
        return Eui64(int(value.replace("-", "").replace(":", ""), 16))
    groups = _id6_groups(_CATEGORY.sub("", value, count=1))
    if groups is None:
        hint = 'such as "58a0:cbff:fe80:19" or "58-A0-CB-FF-FE-80-00-19"'
        raise StationError(f"{value[:40]!r}", field=field, clause=CLAUSE, hint=hint)
    return Eui64(int("".join(f"{int(group, 16):04x}" for group in groups), 16))


def _id6_groups(text: str) -> list[str] | None:
    head, double, tail = text.partition("::")
    for part in (head, tail):
        if part and not _GROUPS.fullmatch(part):
            return None
    left, right = (part.split(":") if part else [] for part in (head, tail))
    missing = 4 - len(left) - len(right)
    if missing < bool(double) or (missing and not double):
        return None
    return [*left, *["0"] * missing, *right]
