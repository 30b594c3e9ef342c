"""Uplinks in the air: start, interference, demodulators, end. The rules are those of `radio_sim.medium`."""

from __future__ import annotations

import numpy as np

from radio_sim.batch.fading import bring_slow_fading_up, received
from radio_sim.batch.layout import (
    ABLE,
    BELOW_SENSITIVITY,
    COLLIDED,
    DELIVERED,
    DOWN,
    END,
    GATEWAY_DOWN,
    GATEWAY_TRANSMITTING,
    HELD_ANY,
    HELD_LOW,
    LOCK,
    NO_DEMODULATOR,
    SENT_OVER,
    UNSERVED,
    Array,
    Sweep,
)
from radio_sim.batch.quantiles import decibels
from radio_sim.batch.wheel import push
from radio_sim.compiled import part

_LOW_SF_ROWS = 4  # SF7–10 fit the demodulators for low spreading factors


@part
def start_uplink(s: Sweep, device: int, now: int, sf: int, channel: int, airtime_us: int, power: int) -> int:
    """A device's frame goes on the air; its slot."""
    sc, par = s.scalars[0], s.par[0]
    sc.free_slots -= 1
    i: int = s.free[sc.free_slots]
    sc.on_air += 1
    sc.peak_on_air = max(sc.peak_on_air, sc.on_air)
    slot = s.slots[i]
    end = now + airtime_us
    slot.start, slot.end, slot.device, slot.channel, slot.sf = now, end, device, channel, sf
    slot.touched, slot.lock_touched, slot.power = 0, 0, power
    if par.lock_late:
        slot.lock = now + 8 * s.symbols_us[sf]
        slot.critical = slot.lock - 5 * s.symbols_us[sf]
    else:
        slot.lock, slot.critical = now, now
    if par.slow_sigma > 0 and s.cfg[device].foreign_channel < 0:
        bring_slow_fading_up(s, device, now)
    mw = s.power_mw[i]
    received(s, device, s.dev[device].sent, s.cfg[device].power_mw * s.power_steps[power], mw)
    flags = s.flags[i]
    for g in range(par.gateways):
        able = mw[g] >= s.sensitivity_mw[sf, g]
        sends = s.gw[g].sends_until > now
        flags[g] = np.uint8(able * ABLE + sends * SENT_OVER)
    if par.has_down:
        _mark_down(s, flags, now, end)
    others, n = s.channel_slots[channel], s.channel_n[channel]
    for k in range(n):
        _disturb(s, others[k], i)
        _disturb(s, i, others[k])
    others[n] = i
    slot.place = n
    s.channel_n[channel] = n + 1
    push(s, end, END, i)
    if par.lock_late:
        push(s, slot.lock, LOCK, i)
    else:
        lock(s, i)
    return i


@part
def _mark_down(s: Sweep, flags: Array, begin: int, end: int) -> None:
    """Gateways that are down in some part of the frame can receive nothing of it. Frames come in order of begin.

    A frame too weak for a gateway that is down stays what it would be were it up: below sensitivity.
    """
    for g in range(s.par[0].gateways):
        gw = s.gw[g]
        while gw.down_at < gw.down_last and s.down_to[gw.down_at] <= begin:
            gw.down_at += 1
        if flags[g] & ABLE and gw.down_at < gw.down_last and s.down_from[gw.down_at] < end:
            flags[g] = np.uint8((flags[g] & ~ABLE) | DOWN)


@part
def _disturb(s: Sweep, victim: int, other: int) -> None:
    """Add what `other` radiates into the victim's critical section and lock window."""
    v, o = s.slots[victim], s.slots[other]
    begin = max(v.critical, o.start)
    overlap = min(v.end, o.end) - begin
    if overlap <= 0:
        return
    gateways, mw = s.par[0].gateways, s.power_mw[other]
    share = np.float32(overlap)
    energy = s.energy[victim, o.sf]
    bit = 1 << o.sf
    if v.touched & bit:
        for g in range(gateways):
            energy[g] += share * mw[g]
    else:
        v.touched |= bit
        for g in range(gateways):
            energy[g] = share * mw[g]
    if v.sf == o.sf and begin < v.lock:
        within = np.float32(min(v.lock, o.end) - begin)
        lock_energy = s.lock_energy[victim]
        if v.lock_touched:
            for g in range(gateways):
                lock_energy[g] += within * mw[g]
        else:
            v.lock_touched = 1
            for g in range(gateways):
                lock_energy[g] = within * mw[g]


@part
def lock(s: Sweep, i: int) -> None:
    """Take a demodulator at each gateway that can receive the frame and has one free."""
    slot, par = s.slots[i], s.par[0]
    flags, mw = s.flags[i], s.power_mw[i]
    contested = par.lock_late and slot.lock_touched
    own_us = np.float32(slot.lock - slot.critical)
    ratio = np.float32(par.lock_ratio)
    low = par.has_low and slot.sf < _LOW_SF_ROWS
    for g in range(par.gateways):
        if flags[g] & (ABLE | SENT_OVER) != ABLE:
            continue
        if contested and mw[g] * own_us < ratio * s.lock_energy[i, g]:
            continue
        gw = s.gw[g]
        if low and gw.used_low < gw.cap_low:
            gw.used_low += 1
            flags[g] |= np.uint8(HELD_LOW)
        elif gw.used_any < gw.cap_any:
            gw.used_any += 1
            flags[g] |= np.uint8(HELD_ANY)
        else:
            flags[g] |= np.uint8(UNSERVED)


@part
def drown(s: Sweep, gateway: int) -> None:
    """A gateway begins to send: it loses every frame in the air and frees its demodulators."""
    gw = s.gw[gateway]
    for channel in range(s.par[0].channels):
        for k in range(s.channel_n[channel]):
            flags = s.flags[s.channel_slots[channel, k]]
            flags[gateway] = np.uint8((flags[gateway] & ~(HELD_ANY | HELD_LOW)) | SENT_OVER)
    gw.used_any, gw.used_low = 0, 0


@part
def end_uplink(s: Sweep, i: int) -> int:
    """Take a frame off the air. Its receptions stand in s.keys, −1 for none; returns how many.

    A key orders receptions: reported SNR in quarters of a dB above −512, RSSI in dBm above −512, then the gateway
    that stands first.
    """
    sc, par, slot = s.scalars[0], s.par[0], s.slots[i]
    sc.on_air -= 1
    channel = slot.channel
    last = s.channel_n[channel] - 1
    moved = s.channel_slots[channel, last]
    s.channel_slots[channel, slot.place] = moved
    s.slots[moved].place = slot.place
    s.channel_n[channel] = last
    flags, mw = s.flags[i], s.power_mw[i]
    own_us = np.float32(slot.end - slot.critical)
    heard = 0
    counted = s.cfg[slot.device].foreign_channel < 0
    for g in range(par.gateways):
        s.keys[g] = -1
        flag = flags[g]
        if flag & (HELD_ANY | HELD_LOW):
            if flag & HELD_LOW:
                s.gw[g].used_low -= 1
            else:
                s.gw[g].used_any -= 1
            if not counted:
                continue
            own = mw[g] * own_us
            lost = False
            for sf in range(6):
                if slot.touched >> sf & 1 and own < s.ratios[slot.sf, sf] * s.energy[i, sf, g]:
                    lost = True
                    break
            if lost:
                s.by_gateway[g, COLLIDED] += 1
            else:
                s.by_gateway[g, DELIVERED] += 1
                heard += 1
                s.keys[g] = _report(s, g, float(mw[g]))
        elif counted:
            s.by_gateway[g, _missed(flag)] += 1
    return heard


@part
def _missed(flag: int) -> int:
    """Why a gateway without a demodulator for the frame has not received it."""
    if flag & DOWN:
        return GATEWAY_DOWN
    if not flag & ABLE:
        return BELOW_SENSITIVITY
    if flag & UNSERVED:
        return NO_DEMODULATOR
    return GATEWAY_TRANSMITTING if flag & SENT_OVER else COLLIDED


@part
def why_lost(s: Sweep, i: int) -> int:
    """The furthest stage that a frame nobody received reached at any gateway, as `radio_sim.medium` tells it."""
    down, unserved, drowned, disturbed = False, False, False, False
    flags = s.flags[i]
    for g in range(s.par[0].gateways):
        flag = flags[g]
        if flag & DOWN:
            down = True
        if flag & UNSERVED:
            unserved = True
        elif flag & ABLE:
            if flag & SENT_OVER:
                drowned = True
            else:
                disturbed = True
    if disturbed:
        return COLLIDED
    if drowned:
        return GATEWAY_TRANSMITTING
    if unserved:
        return NO_DEMODULATOR
    return GATEWAY_DOWN if down else BELOW_SENSITIVITY


@part
def _report(s: Sweep, g: int, mw: float) -> int:
    """A reception's key, of what `radio_sim.chip_report` says of it."""
    noise = s.gw[g].noise_mw
    quarters = min(int(np.rint(4.0 * decibels(mw / noise))), s.par[0].snr_max_quarters)
    rssi = int(np.rint(decibels(mw + noise)))
    key: int = ((quarters + 2048) << 32) | ((rssi + 512) << 16) | (0xFFFF - g)
    return key
