"""When a device has something to say: its next reading, by its kind of schedule."""

from __future__ import annotations

import numpy as np

from radio_sim.batch.hashing import fold, integer, u64
from radio_sim.batch.layout import BURSTS, CIVIL, PERIODIC, POISSON, Sweep
from radio_sim.batch.quantiles import natural_log
from radio_sim.batch.wheel import set_reading
from radio_sim.compiled import part

_S11, _S26, _S27 = np.uint64(11), np.uint64(26), np.uint64(27)
_LOW26 = np.uint64((1 << 26) - 1)
_BEYOND = 1 << 62


@part
def exponential_us(key: np.uint64, index: int, mean_us: int) -> int:
    """An exponential interval, at least 1 µs."""
    u = (float(int(u64(key, index) >> _S11)) + 0.5) * 2.0**-53
    return int(1.0 - natural_log(u) * mean_us)


@part
def civil_slot_us(part: int, number: int, per_day: int, length_us: int) -> int:
    """⌊(number + part / 2⁵³) · length / per_day⌋ without overflow: `scenarios.calendar.uplink_instants_us`."""
    high, low, length = np.uint64(part) >> _S26, np.uint64(part) & _LOW26, np.uint64(length_us)
    whole = int((high * length + ((low * length) >> _S26)) >> _S27)
    return (number * length_us + whole) // per_day


@part
def drifted(at: int, ppb: int) -> int:
    """An interval on a clock that runs slow by so many parts in 10⁹."""
    return at + (at // 1000) * ppb // 1_000_000


@part
def schedule_next(s: Sweep, device: int) -> None:
    """Draw the reading after the last one and put it on the agenda. Every draw is keyed by the device and a count."""
    d, c = s.dev[device], s.cfg[device]
    kind, k = c.schedule, d.k
    at = -1
    if kind == CIVIL:
        if k >= c.count:
            d.day += 1
            k = 0
        if d.day >= s.par[0].days:
            return
        begins, ends = s.bounds[d.day], s.bounds[d.day + 1]
        slot = drifted(civil_slot_us(c.phase, k, c.count, ends - begins), c.drift_ppb)
        at = begins + slot
        if c.jitter_us > 0:
            key = fold(c.jitter_key, np.uint64(d.day))
            at += integer(key, 2 * c.jitter_us, k) - c.jitter_us
        at = min(max(at, begins), ends - 1)
    elif kind == PERIODIC:
        at = c.phase + drifted(k * c.period_us, c.drift_ppb)
        if c.jitter_us > 0:
            at += integer(c.jitter_key, 2 * c.jitter_us, k) - c.jitter_us
        if c.count > 0 and k >= c.count:
            return
    elif kind == POISSON:
        d.base += exponential_us(c.jitter_key, k, c.period_us)
        at = d.base
    elif kind == BURSTS:
        burst, number = k // c.count, k % c.count
        if number == 0:
            d.base += exponential_us(c.jitter_key, burst, c.period_us)
            if burst > 0:
                d.base += (c.count - 1) * c.gap_us
        at = d.base + number * c.gap_us
    else:
        return
    d.k = k + 1
    at = max(at, s.scalars[0].now)
    if at < _BEYOND:
        set_reading(s, device, at)
