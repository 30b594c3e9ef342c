"""Regulatory duty cycle per sub-band over any sliding hour, and the join back-off of LoRaWAN."""

from __future__ import annotations

from collections import deque

from lorawan.machine import Instant
from lorawan.regions import Region
from lorawan.units import US_PER_DAY, US_PER_HOUR, US_PER_S


class DutyCycle:
    """Airtime spent per sub-band. No hour, wherever it begins, holds more than the sub-band allows.

    Source: ETSI EN 300 220-1 V3.1.1 §5.4 (duty cycle over one hour), EN 300 220-2 annex B.
    """

    def __init__(self, region: Region) -> None:
        self._region = region
        self._spent: dict[str, deque[tuple[Instant, int]]] = {}

    def earliest(self, freq_hz: int, airtime_us: int, now: Instant, *, divisor: int = 0) -> Instant | None:
        """When a frame may start at the earliest; None if never: in a gap, or longer than an hour's share.

        divisor: a stricter aggregate limit such as the network's DutyCycleReq (0: none).
        """
        band = self._region.sub_band(freq_hz)
        if band is None:
            return None
        limit_us = US_PER_HOUR // max(band.duty_divisor, divisor)
        if airtime_us > limit_us:
            return None
        spent = self._spent.get(band.name)
        if not spent:
            return now
        window_start = now + airtime_us - US_PER_HOUR
        while spent and spent[0][0] + spent[0][1] <= window_start:
            spent.popleft()
        excess = airtime_us - limit_us
        for start, duration in spent:
            excess += duration - max(0, min(duration, window_start - start))
        if excess <= 0:
            return now
        for start, duration in spent:
            inside = duration - max(0, min(duration, window_start - start))
            if excess <= inside:
                return start + duration - inside + excess + US_PER_HOUR - airtime_us
            excess -= inside
        return now  # not reached: dropping every frame leaves room, for airtime_us ≤ limit_us

    def spend(self, freq_hz: int, airtime_us: int, at: Instant) -> None:
        """Account a transmission that starts at `at`."""
        band = self._region.sub_band(freq_hz)
        if band is not None:
            self._spent.setdefault(band.name, deque()).append((at, airtime_us))


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
