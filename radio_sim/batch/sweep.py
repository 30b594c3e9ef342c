"""The sweep: one pass forward in time over all gateways. Nothing that has happened is ever revised.

A class A answer is decided on 0.2 s after the uplink's end and sent at least 0.8 s later, so every event only makes
events in the future; the order (instant, kind, device or order of entry) is total.
"""

from __future__ import annotations

import numpy as np

from radio_sim.batch.air import end_uplink, lock, why_lost
from radio_sim.batch.device import act, reading, start_joining
from radio_sim.batch.downlink import decide, end_downlink, lock_downlink, start_downlink
from radio_sim.batch.layout import (
    ACTION,
    DECIDE,
    DELIVERED,
    DOWN_END,
    DOWN_LOCK,
    DOWN_START,
    END,
    EVENTS,
    GROW_DOWNLINKS,
    GROW_HEAP,
    GROW_NODES,
    GROW_SLOTS,
    KIND_SHIFT,
    LOCK,
    REACHED,
    READING,
    RECORDS_FULL,
    Sweep,
)
from radio_sim.batch.network import join_at_network, uplink_at_network
from radio_sim.batch.readings import schedule_next
from radio_sim.batch.wheel import current_at, current_device, open_bucket, pop
from radio_sim.compiled import kernel, part

_ROOM = 16  # events that one event may put on the agenda, and more


@kernel
def sweep(s: Sweep, stop: int) -> int:
    """Do everything that is due before `stop`. Returns why it stopped; after a GROW_… it goes on when called again."""
    sc, par = s.scalars[0], s.par[0]
    if not sc.begun:
        sc.begun = 1
        for device in range(par.n):
            schedule_next(s, device)
    while True:
        if sc.heap_n + _ROOM > s.heap.shape[0]:
            return GROW_HEAP
        if sc.free_slots < 2:
            return GROW_SLOTS
        if sc.free_down < 2:
            return GROW_DOWNLINKS
        if par.duty and sc.nodes_used + 4 > s.nodes.shape[0]:
            return GROW_NODES
        if par.records_on and (sc.records_n >= s.records.shape[0] or sc.downs_n >= s.down_records.shape[0]):
            return RECORDS_FULL
        while (
            sc.current_i >= sc.current_n
            and sc.current_end < stop
            and (sc.heap_n == 0 or s.heap[0, 0] >= sc.current_end)
        ):
            open_bucket(s)
        device = -1
        at = stop
        if sc.current_i < sc.current_n:
            at, device = current_at(s), current_device(s)
        if sc.heap_n > 0:
            first, order = s.heap[0, 0], s.heap[0, 1]
            if device < 0 or first < at or (first == at and order < (READING << KIND_SHIFT) | device):
                at, device = first, -1
        elif device < 0:
            sc.now = max(sc.now, stop)
            return REACHED
        if at >= stop:
            sc.now = max(sc.now, stop)
            return REACHED
        sc.now = at
        s.totals[EVENTS] += 1
        if device >= 0:
            sc.current_i += 1
            schedule_next(s, device)
            reading(s, device, at)
            continue
        kind, payload = s.heap[0, 1] >> KIND_SHIFT, s.heap[0, 2]
        pop(s)
        if kind == END:
            _end(s, payload)
        elif kind == LOCK:
            lock(s, payload)
        elif kind == READING:
            schedule_next(s, payload)
            reading(s, payload, at)
        elif kind == ACTION:
            act(s, payload, at)
        elif kind == DECIDE:
            decide(s, payload, at)
        elif kind == DOWN_START:
            start_downlink(s, payload, at)
        elif kind == DOWN_LOCK:
            lock_downlink(s, payload)
        elif kind == DOWN_END:
            end_downlink(s, payload, at)
        else:
            start_joining(s, payload, at)


@part
def _end(s: Sweep, i: int) -> None:
    """An uplink is over: its receptions, the network's view, the books."""
    sc, par, slot = s.scalars[0], s.par[0], s.slots[i]
    device = slot.device
    heard = end_uplink(s, i)
    if s.cfg[device].foreign_channel < 0:
        best = -1
        for g in range(par.gateways):
            best = max(best, s.keys[g])
        outcome = DELIVERED if heard else why_lost(s, i)
        s.by_sf[slot.sf, outcome] += 1
        accepted = False
        if heard:
            if slot.join:
                join_at_network(s, i)
            else:
                accepted = uplink_at_network(s, i, best)
        if accepted:
            _mark_heard(s, device, slot.start)
        if par.records_on & 1:
            _record(s, i, outcome, heard, best, accepted)
    s.free[sc.free_slots] = i
    sc.free_slots += 1


@part
def _mark_heard(s: Sweep, device: int, start: int) -> None:
    """The civil day on which the frame began had an accepted reading."""
    sc, bounds = s.scalars[0], s.bounds
    while sc.day + 1 < s.par[0].days and sc.now >= bounds[sc.day + 1]:
        sc.day += 1
    day = sc.day
    while day > 0 and start < bounds[day]:
        day -= 1
    if bounds[day] <= start < bounds[day + 1]:
        s.heard[device, day >> 3] |= np.uint8(1 << (day & 7))


@part
def _record(s: Sweep, i: int, outcome: int, heard: int, best: int, accepted: bool) -> None:
    """Write the frame's record."""
    sc, slot = s.scalars[0], s.slots[i]
    record = s.records[sc.records_n]
    sc.records_n += 1
    record.t_us, record.device, record.f_cnt = slot.start, slot.device, slot.f_cnt
    record.airtime_us, record.n_gateways = slot.end - slot.start, heard
    record.best_gateway = 0xFFFF - (best & 0xFFFF) if best >= 0 else -1
    record.best_rssi_dbm = (best >> 16 & 0xFFFF) - 512 if best >= 0 else 0
    record.best_snr_quarters = (best >> 32) - 2048 if best >= 0 else 0
    record.join, record.repeat, record.sf, record.channel = slot.join, slot.repeat, slot.sf + 7, slot.channel
    record.power_index, record.outcome, record.accepted, record.marks = slot.power, outcome, accepted, slot.marks
