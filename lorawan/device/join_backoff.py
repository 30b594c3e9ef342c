"""How much airtime join requests may use."""

from __future__ import annotations

from lorawan.machine import Instant
from lorawan.units import US_PER_DAY, US_PER_HOUR, US_PER_S


class JoinBackoff:
    """Aggregate airtime that join requests may use, counted from the first attempt.

    36 s in the first hour, 36 s in the ten hours after, then 8.7 s in every 24 hours.
    Source: LoRaWAN 1.0.2 §7, 1.0.4 §7 ("Retransmissions back-off"), table of aggregate duty cycles.
    """

    def __init__(self) -> None:
        self._origin: Instant | None = None
        self._period = 0
        self._used_us = 0

    def earliest(self, airtime_us: int, now: Instant) -> Instant:
        """When a join request of `airtime_us` may start at the earliest."""
        if self._origin is None:
            return now
        period, budget_us, ends_at = self._period_at(now)
        used = self._used_us if period == self._period else 0
        return now if used + airtime_us <= budget_us else ends_at

    def spend(self, airtime_us: int, at: Instant) -> None:
        """Account a join request that starts at `at`."""
        if self._origin is None:
            self._origin = at
        period = self._period_at(at)[0]
        if period != self._period:
            self._period, self._used_us = period, 0
        self._used_us += airtime_us

    def _period_at(self, at: Instant) -> tuple[int, int, Instant]:
        origin = self._origin or 0
        age = at - origin
        if age < US_PER_HOUR:
            return 0, 36 * US_PER_S, origin + US_PER_HOUR
        if age < 11 * US_PER_HOUR:
            return 1, 36 * US_PER_S, origin + 11 * US_PER_HOUR
        day = (age - 11 * US_PER_HOUR) // US_PER_DAY
        return 2 + day, 8_700_000, origin + 11 * US_PER_HOUR + (day + 1) * US_PER_DAY
