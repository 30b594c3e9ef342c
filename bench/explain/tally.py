"""What a capture held, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.explain.field import OK
from bench.explain.follow import Followed
from lorawan.ids import DevAddr, Eui64


@dataclass(slots=True)
class _Owner:
    """One device or group: frames up, down and of joins, wrong MICs, and its last counters by name."""

    up: int = 0
    down: int = 0
    joins: int = 0
    wrong: int = 0
    dev_addr: str | None = None
    f_cnts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """Counts over a whole capture. wrong: MICs of known devices and groups alone."""

    packets: int = 0
    frames: int = 0
    ok: int = 0
    wrong: int = 0
    unchecked: int = 0
    unreadable: int = 0
    crc_bad: int = 0
    other: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    unknown_link_types: set[int] = field(default_factory=set)
    _owners: dict[Eui64 | DevAddr, _Owner] = field(default_factory=dict)

    def count(self, followed: Followed) -> None:
        """One frame more."""
        facts = followed.explanation.facts
        self.frames += 1
        self.by_type[facts["type"]] = self.by_type.get(facts["type"], 0) + 1
        right = followed.explanation.mic == OK
        self.ok += right
        self.wrong += followed.wrong
        self.unchecked += not right and not followed.wrong
        key = followed.group if followed.device is None else followed.device.dev_eui
        if key is None:
            return
        owner = self._owners.setdefault(key, _Owner())
        owner.wrong += followed.wrong
        if "f_cnt" not in facts:
            owner.joins += 1
            return
        owner.up += facts["direction"] == "up"
        owner.down += facts["direction"] == "down"
        owner.dev_addr = facts["dev_addr"]
        if right:
            owner.f_cnts[facts["counter"]] = facts["f_cnt"]

    def as_dict(self, names: Mapping[Eui64, str]) -> dict[str, Any]:
        """For JSON. names: of devices that have one."""
        devices = [
            {
                "dev_eui": str(key) if isinstance(key, Eui64) else None,
                "name": names.get(key, "") if isinstance(key, Eui64) else "multicast group",
                "dev_addr": owner.dev_addr,
                "up": owner.up,
                "down": owner.down,
                "joins": owner.joins,
                "wrong": owner.wrong,
                "f_cnts": owner.f_cnts,
            }
            for key, owner in self._owners.items()
        ]
        return {
            "packets": self.packets,
            "frames": self.frames,
            "mic_ok": self.ok,
            "mic_wrong": self.wrong,
            "mic_not_checked": self.unchecked,
            "not_read": self.unreadable,
            "damaged": self.crc_bad,
            "other_packets": self.other,
            "by_type": self.by_type,
            "devices": devices,
        }
