"""A background day made ready to be asked: who interferes with a frame, and how many demodulators it holds.

The background is settled on its own, once: which of its frames lock at which gateway, given each other. Frames of the
medium then meet it as it stands: they never take a demodulator away from it, and a gateway that sends does not free one
[approximation, exact as long as demodulators are not short and gateways send little].
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heappop, heappush
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lorawan.machine import Instant
from lorawan.phy.airtime import LORAWAN_PREAMBLE_SYMBOLS
from radio_sim.medium.background_day import BackgroundDay
from radio_sim.medium.policy import LOCK_SYMBOLS, SF_COUNT, SF_MIN, InterferencePolicy
from radio_sim.medium.receivers import Flags, Receivers
from radio_sim.model import Demodulators, Floats

_NO_POOL, _ANY_POOL, _LOW_POOL = 0, 1, 2
_BW_HZ = 125_000

Ints = npt.NDArray[np.int64]


class Victim(Protocol):
    """What the index wants to know of a frame."""

    channel: tuple[int, int]
    sf_row: int
    critical_at: Instant
    lock_at: Instant
    end: Instant


class _ChannelFrames:
    """The background frames of one channel, in rising order of start."""

    def __init__(self, start: Ints, end: Ints, sf_row: Ints, mw: Floats) -> None:
        self.start, self.end, self.sf_row, self.mw = start, end, sf_row, mw
        self.starts = start.tolist()
        self.longest = int((end - start).max(initial=0))

    def between(self, begin: Instant, end: Instant) -> slice | None:
        """The frames that may be in the air between these instants."""
        first = bisect_right(self.starts, begin - self.longest)
        last = bisect_left(self.starts, end)
        return slice(first, last) if first < last else None


class BackgroundIndex:
    """One background day as the medium asks it."""

    def __init__(self, day: BackgroundDay, receivers: Receivers, policy: InterferencePolicy) -> None:
        if day.power_dbm.shape[1:] != (receivers.count,):
            raise ValueError(f"background powers are for {day.power_dbm.shape[1:]} gateways, not {receivers.count}")
        start = day.start_us.astype(np.int64, copy=False)
        end = start + day.airtime_us
        symbol_us = (1 << day.sf.astype(np.int64)) * 8
        if policy.lock_sir_db is None:
            lock, critical = start, start
        else:
            lock = start + LORAWAN_PREAMBLE_SYMBOLS * symbol_us
            critical = lock - LOCK_SYMBOLS * symbol_us
        mw: Floats = np.exp(day.power_dbm.astype(np.float64) * (np.log(10.0) / 10.0))
        sf_row = day.sf.astype(np.int64) - SF_MIN
        self._channels: dict[tuple[int, int], _ChannelFrames] = {}
        for number, freq_hz in enumerate(day.freqs_hz):
            chosen = np.flatnonzero(day.channel == number)
            if chosen.size:
                self._channels[freq_hz, _BW_HZ] = _ChannelFrames(start[chosen], end[chosen], sf_row[chosen], mw[chosen])
        wanted = _able(day, end, receivers)
        if policy.lock_sir_db is not None:
            ratio = 10.0 ** (policy.lock_sir_db / 10.0)
            wanted &= ~_drowned_preambles(day, critical, lock, end, mw, ratio)
        self._starts = start.tolist()
        self._longest = int(day.airtime_us.max(initial=0))
        self._lock, self._end = lock, end
        self._pool = _pools(wanted, lock, end, day.sf <= Demodulators.LOW_SF_MAX, receivers)

    def held_at(self, now: Instant) -> tuple[Ints, Ints] | None:
        """How many demodulators of either pool (any SF, low SF) each gateway holds for the background."""
        first = bisect_right(self._starts, now - self._longest)
        last = bisect_right(self._starts, now)
        if first >= last:
            return None
        held = (self._lock[first:last] <= now) & (self._end[first:last] > now)
        pool = self._pool[first:last][held]
        return (pool == _ANY_POOL).sum(axis=0), (pool == _LOW_POOL).sum(axis=0)

    def add_energy(self, energy: Floats | None, frame: Victim) -> Floats | None:
        """The energies by SF within the frame's critical section, with the background's added."""
        frames = self._channels.get(frame.channel)
        span = frames.between(frame.critical_at, frame.end) if frames else None
        if frames is None or span is None:
            return energy
        begin = np.maximum(frames.start[span], frame.critical_at)
        overlap = np.minimum(frames.end[span], frame.end) - begin
        for i in np.flatnonzero(overlap > 0).tolist():
            if energy is None:
                energy = np.zeros((SF_COUNT, frames.mw.shape[1]))
            energy[frames.sf_row[span][i]] += overlap[i] * frames.mw[span][i]
        return energy

    def add_lock_energy(self, energy: Floats | None, frame: Victim) -> Floats | None:
        """The energy of the frame's own SF within its lock window, with the background's added."""
        frames = self._channels.get(frame.channel)
        span = frames.between(frame.critical_at, frame.lock_at) if frames else None
        if frames is None or span is None:
            return energy
        begin = np.maximum(frames.start[span], frame.critical_at)
        overlap = np.minimum(frames.end[span], frame.lock_at) - begin
        for i in np.flatnonzero((overlap > 0) & (frames.sf_row[span] == frame.sf_row)).tolist():
            added = overlap[i] * frames.mw[span][i]
            energy = added if energy is None else energy + added
        return energy


def _able(day: BackgroundDay, end: Ints, receivers: Receivers) -> Flags:
    """Which frame is above the sensitivity of which gateway that is up."""
    levels = np.array([receivers.sensitivity_dbm(sf) for sf in range(SF_MIN, SF_MIN + SF_COUNT)])
    able: Flags = day.power_dbm >= levels.reshape(SF_COUNT, receivers.count)[day.sf - SF_MIN]
    for gateway, from_, to in receivers.down:
        able[(day.start_us < to) & (end > from_), gateway] = False
    return able


def _drowned_preambles(day: BackgroundDay, critical: Ints, lock: Ints, end: Ints, mw: Floats, ratio: float) -> Flags:
    """Where the lock window of a frame holds too much energy of the same channel and SF."""
    order = np.lexsort((day.start_us, day.sf, day.channel))
    group = day.channel[order].astype(np.int64) * SF_COUNT * 2 + day.sf[order]
    start = day.start_us[order]
    crit_o, lock_o, end_o = critical[order], lock[order], end[order]
    energy = np.zeros(mw.shape)
    touched = np.zeros(len(day), dtype=bool)
    earlier, step = np.arange(len(day)), 1
    while True:
        # Starts rise, so a frame that is over before the k-th next one begins is over before all after it.
        earlier = earlier[earlier + step < len(day)]
        later = earlier + step
        still = (group[later] == group[earlier]) & (start[later] < end_o[earlier])
        earlier, later = earlier[still], later[still]
        if not earlier.size:
            break
        for victim, other in ((earlier, later), (later, earlier)):
            overlap = np.minimum(lock_o[victim], end_o[other]) - np.maximum(crit_o[victim], start[other])
            hit = overlap > 0
            who = order[victim[hit]]
            energy[who] += overlap[hit, None] * mw[order[other[hit]]]
            touched[who] = True
        step += 1
    drowned = np.zeros(mw.shape, dtype=bool)
    rows = np.flatnonzero(touched)
    drowned[rows] = (lock - critical)[rows, None] * mw[rows] < ratio * energy[rows]
    return drowned


def _pools(wanted: Flags, lock: Ints, end: Ints, low: Flags, receivers: Receivers) -> npt.NDArray[np.int8]:
    """The pool each frame holds at each gateway: none, any SF, low SF."""
    pool = np.zeros(wanted.shape, dtype=np.int8)
    for gateway in range(receivers.count):
        cap_any, cap_low = int(receivers.cap_any[gateway]), int(receivers.cap_low[gateway])
        to_low = low if cap_low else np.zeros_like(low)
        rows_low = np.flatnonzero(wanted[:, gateway] & to_low)
        rows_any = np.flatnonzero(wanted[:, gateway] & ~to_low)
        if _peak(lock[rows_low], end[rows_low]) <= cap_low and _peak(lock[rows_any], end[rows_any]) <= cap_any:
            pool[rows_low, gateway] = _LOW_POOL
            pool[rows_any, gateway] = _ANY_POOL
        else:
            rows = np.flatnonzero(wanted[:, gateway])
            pool[rows, gateway] = _fill(lock[rows], end[rows], low[rows], cap_any, cap_low)
    return pool


def _peak(lock: Ints, end: Ints) -> int:
    """The most frames held at once when every one is held from lock to end."""
    if not lock.size:
        return 0
    locks = np.sort(lock)
    return int((np.arange(1, locks.size + 1) - np.searchsorted(np.sort(end), locks, side="right")).max())


def _fill(lock: Ints, end: Ints, low: Flags, cap_any: int, cap_low: int) -> npt.NDArray[np.int8]:
    """The pools one by one in order of locking, where demodulators may run out."""
    pools = np.zeros(lock.size, dtype=np.int8)
    free = {_ANY_POOL: cap_any, _LOW_POOL: cap_low}
    held: list[tuple[int, int]] = []
    for i in np.argsort(lock, kind="stable").tolist():
        while held and held[0][0] <= lock[i]:
            free[heappop(held)[1]] += 1
        pool = _LOW_POOL if low[i] and free[_LOW_POOL] else _ANY_POOL if free[_ANY_POOL] else _NO_POOL
        if pool != _NO_POOL:
            free[pool] -= 1
            heappush(held, (int(end[i]), pool))
            pools[i] = pool
    return pools
