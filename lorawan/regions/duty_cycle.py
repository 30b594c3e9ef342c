"""Regulatory duty cycle per sub-band, over any sliding hour."""

from __future__ import annotations

from collections import deque

from lorawan.machine import Instant
from lorawan.regions.region import Region
from lorawan.units import US_PER_HOUR


class DutyCycle:
    """Airtime spent per sub-band. No hour, wherever it begins, holds more than the sub-band allows.

    Source: ETSI EN 300 220-1 V3.1.1 §5.4 (duty cycle over one hour), EN 300 220-2 annex B.
    """

    def __init__(self, region: Region) -> None:
        self._region = region
        self._spent: dict[str, deque[tuple[Instant, int]]] = {}

    def earliest(self, freq_hz: int, airtime_us: int, now: Instant) -> Instant | None:
        """When a frame may start at the earliest; None if never: in a gap, or longer than an hour's share."""
        band = self._region.sub_band(freq_hz)
        if band is None:
            return None
        limit_us = US_PER_HOUR // band.duty_divisor
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

    def refund(self, freq_hz: int, airtime_us: int, at: Instant) -> None:
        """Take back a transmission that was accounted and did not happen."""
        band = self._region.sub_band(freq_hz)
        spent = self._spent.get(band.name) if band is not None else None
        if spent and (at, airtime_us) in spent:
            spent.remove((at, airtime_us))

    def spend(self, freq_hz: int, airtime_us: int, at: Instant) -> None:
        """Account a transmission that starts at `at`."""
        band = self._region.sub_band(freq_hz)
        if band is not None:
            self._spent.setdefault(band.name, deque()).append((at, airtime_us))
