"""Radio-climatic zones along a path, kept as the path grows."""

from __future__ import annotations

from typing import NamedTuple

from radio_sim.compiled import kernel
from radio_sim.propagation.p1812.climate import NO_COAST_KM
from radio_sim.propagation.p1812.model import INLAND, SEA


class ZoneState(NamedTuple):
    """km over sea; current and longest run of land and of inland; first and last sample at sea; the last zone."""

    sea: float
    land: float
    longest_land: float
    inland: float
    longest_inland: float
    first_sea: float
    last_sea: float
    zone: int


@kernel
def zones_begin(zone: int) -> ZoneState:
    """The state at the transmitter."""
    if zone == SEA:
        return ZoneState(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, zone)
    return ZoneState(0.0, 0.0, 0.0, 0.0, 0.0, NO_COAST_KM, -NO_COAST_KM, zone)


@kernel
def zones_grow(s: ZoneState, zone: int, at: float, step: float) -> ZoneState:
    """The state one sample on, at `at` km: half of the step belongs to either end. Source: P.1812-8 §3.3, §3.6."""
    half = 0.5 * step
    sea, land, inland = s.sea, s.land, s.inland
    longest_land, longest_inland = s.longest_land, s.longest_inland
    first_sea, last_sea = s.first_sea, s.last_sea
    if s.zone == SEA:
        sea += half
    else:
        land += half
        longest_land = max(longest_land, land)
        if s.zone == INLAND:
            inland += half
            longest_inland = max(longest_inland, inland)
    if zone == SEA:
        sea += half
        land = inland = 0.0
        first_sea, last_sea = min(first_sea, at), at
    else:
        land += half
        longest_land = max(longest_land, land)
        inland = inland + half if zone == INLAND else 0.0
        longest_inland = max(longest_inland, inland)
    return ZoneState(sea, land, longest_land, inland, longest_inland, first_sea, last_sea, zone)
