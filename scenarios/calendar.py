"""Civil days as instants: a day of the agreement runs from local midnight to local midnight, 23 to 25 hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

_US = timedelta(microseconds=1)


def civil_day_bounds_us(start: date, n_days: int, timezone: str) -> tuple[int, ...]:
    """n_days + 1 instants in µs, counted from local midnight of `start`: day d runs from bounds[d] to bounds[d + 1].

    Where midnight falls twice the first counts; where a change of the clock skips it, the first instant after the gap
    does. Raises ValueError for a negative number of days.
    """
    if n_days < 0:
        raise ValueError(f"{n_days} days")
    zone = ZoneInfo(timezone)
    midnights = [
        datetime.combine(start + timedelta(days=day), time(), zone).astimezone(UTC) for day in range(n_days + 1)
    ]
    return tuple((midnight - midnights[0]) // _US for midnight in midnights)


def origin_utc(start: date, timezone: str) -> datetime:
    """Local midnight of `start` as an aware UTC time: instant 0 of a run."""
    return datetime.combine(start, time(), ZoneInfo(timezone)).astimezone(UTC)


def uplink_instants_us(phase: float, uplinks_per_day: int, bounds_us: Sequence[int]) -> Iterator[int]:
    """When a sensor means to send: `uplinks_per_day` instants in every civil day, evenly spaced at `phase`.

    Each civil day has all of its uplinks, the 23-hour one too: every sensor in service schedules at least one.
    """
    part = int(phase * (1 << 53))  # exact: rounding up would push a late phase into the next day
    for low, high in pairwise(bounds_us):
        for number in range(uplinks_per_day):
            yield low + ((number << 53) + part) * (high - low) // (uplinks_per_day << 53)
