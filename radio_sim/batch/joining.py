"""Join requests: data rates in turn, the aggregate duty cycle of LoRaWAN §7, pauses: `lorawan.device.joining`."""

from __future__ import annotations

from lorawan.units import US_PER_DAY, US_PER_HOUR, US_PER_S
from radio_sim.batch.duty import NEVER_FITS, earliest
from radio_sim.batch.hashing import fold, integer
from radio_sim.batch.layout import Sweep
from radio_sim.compiled import part

JOIN_REQUEST_BYTES = 23  # LoRaWAN 1.0.4 §6.2.4
_FIRST_BUDGET_US, _DAY_BUDGET_US = 36 * US_PER_S, 8_700_000  # LoRaWAN 1.0.2 §7, 1.0.4 §7
_PAUSE_US = 10 * US_PER_S  # after an unanswered request, at most [assumption, as lorawan.device.joining]


@part
def next_join_dr(s: Sweep, device: int) -> int:
    """The data rate of the next request."""
    dr: int = s.par[0].join_dr[s.dev[device].join_tries % s.par[0].join_n]
    return dr


@part
def _period(origin: int, at: int) -> int:
    age = at - origin
    if age < US_PER_HOUR:
        return 0
    if age < 11 * US_PER_HOUR:
        return 1
    return 2 + (age - 11 * US_PER_HOUR) // US_PER_DAY


@part
def _period_end(origin: int, period: int) -> int:
    if period == 0:
        return origin + US_PER_HOUR
    return origin + 11 * US_PER_HOUR + (period - 1) * US_PER_DAY


@part
def join_earliest(s: Sweep, device: int, at: int) -> int:
    """When the next request may go out: join back-off and duty cycle."""
    d, par = s.dev[device], s.par[0]
    airtime = s.airtimes[0, 5 - next_join_dr(s, device), JOIN_REQUEST_BYTES]
    if d.join_origin >= 0:
        period = _period(d.join_origin, at)
        used = d.join_used_us if period == d.join_period else 0
        if used + airtime > (_FIRST_BUDGET_US if period < 2 else _DAY_BUDGET_US):
            at = _period_end(d.join_origin, period)
    if not par.duty:
        return at
    best = -1
    for channel in range(3):
        band = s.channel_band[channel]
        free = earliest(s, device * par.device_bands + band, band, airtime, at)
        if free != NEVER_FITS and (best < 0 or free < best):
            best = free
    return best


@part
def spend_join(s: Sweep, device: int, airtime_us: int, at: int) -> None:
    """Account a request that starts at `at`."""
    d = s.dev[device]
    if d.join_origin < 0:
        d.join_origin = at
    period = _period(d.join_origin, at)
    if period != d.join_period:
        d.join_period, d.join_used_us = period, 0
    d.join_used_us += airtime_us


@part
def pause_us(s: Sweep, device: int) -> int:
    """How long to pause after a request that was not answered."""
    key = fold(s.cfg[device].draw_key, s.par[0].pause_word)
    return integer(key, _PAUSE_US, s.dev[device].join_requests)
