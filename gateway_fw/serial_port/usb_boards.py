"""The table of USB identities: what a port may be, from its vendor, product and product string."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class UsbBoard:
    """One row of usb_ids.toml, which says what each field means. vid and pid: u16."""

    vid: int
    pid: int
    kind: str
    what: str
    boards: tuple[str, ...]
    product: str = ""
    probe: str = ""
    source: str = ""


@cache
def usb_boards() -> tuple[UsbBoard, ...]:
    """The whole table, in its order."""
    rows = tomllib.loads((files("gateway_fw.serial_port") / "usb_ids.toml").read_text(encoding="utf-8"))["usb"]
    return tuple(
        UsbBoard(
            vid=int(row["vid"], 16),
            pid=int(row["pid"], 16),
            kind=row["kind"],
            what=row["what"],
            boards=tuple(row["boards"]),
            product=row.get("product", ""),
            probe=row.get("probe", ""),
            source=row["source"],
        )
        for row in rows
    )


def identify(vid: int | None, pid: int | None, product: str | None) -> UsbBoard | None:
    """The first row that fits, or None."""
    for row in usb_boards():
        if (row.vid, row.pid) == (vid, pid) and row.product.lower() in (product or "").lower():
            return row
    return None
