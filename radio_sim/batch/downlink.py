"""Downlinks: which gateway sends in which window, its duty cycle and its queue, and what the device hears of it."""

from __future__ import annotations

from lorawan.units import US_PER_S
from radio_sim.batch.air import drown
from radio_sim.batch.device import schedule, windows_closed
from radio_sim.batch.duty import fits, spend
from radio_sim.batch.fading import bring_slow_fading_up, received_below
from radio_sim.batch.layout import (
    ACKNOWLEDGED,
    ANSWERED,
    CONFIRMED,
    DOWN_BELOW,
    DOWN_COLLIDED,
    DOWN_DEAF,
    DOWN_DELIVERED,
    DOWN_END,
    DOWN_LOCK,
    DOWN_SILENCED,
    DOWN_START,
    JOINED,
    RECEIVING,
    RESERVATIONS,
    SENT_RX1,
    SENT_RX2,
    UNSENT_DOWN,
    Sweep,
)
from radio_sim.batch.wheel import push
from radio_sim.compiled import part

CAPTURE_RATIO = 10.0**0.6  # 6 dB: `radio_sim.medium.downlinks.CAPTURE_DB`
JOIN_DELAY_US = 5 * US_PER_S  # JOIN_ACCEPT_DELAY1, RP002-1.0.4 §2.4
_LISTENED, _LOST, _WEAK, _DEAF = 0, 1, 2, 3
_FLOOR_STEP = 10.0**-0.25  # each SF is demodulated 2.5 dB lower, from −7.5 dB at SF7: SX1276 datasheet table 13
_FLOOR_SF7 = 10.0**-0.75


@part
def decide(s: Sweep, j: int, now: int) -> None:
    """The copies are in: RX1 at the gateways that heard the uplink, best first, then RX2 likewise; the first that may.

    A gateway may when its sub-band has the airtime, the request comes in time, and no other frame of its queue is near.
    """
    par, down = s.par[0], s.downs[j]
    bands = par.bands
    first_owner = par.n * par.device_bands
    first_delay = JOIN_DELAY_US if down.join else par.rx1_delay_us[down.session]
    for window in range(2):
        dr = max(0, down.up_dr - par.rx1_offset[down.session]) if not down.join else down.up_dr
        channel = down.up_channel
        if window == 1:
            dr = par.rx2_dr[1] if down.join else par.rx2_dr[down.session]
            channel = par.channels
        sf = 5 - dr
        airtime = s.airtimes[1, sf, down.bytes]
        at = down.up_end + first_delay + window * US_PER_S
        if at - now - par.backhaul_us <= par.guard_us:
            continue
        band = s.channel_band[channel]
        above = 1 << 62
        for _ in range(down.n):
            best, g = -1, 0
            for other in range(par.gateways):
                key = s.down_keys[j, other]
                if best < key < above:
                    best, g = key, other
            above = best
            owner = first_owner + g * bands + band
            if par.duty and not fits(s, owner, band, airtime, at + par.backhaul_us):
                continue
            if not _reserve(s, g, at, airtime, now):
                continue
            if par.duty:
                spend(s, owner, airtime, at + par.backhaul_us)
            down.gateway, down.start, down.end, down.window = g, at, at + airtime, window + 1
            down.sf, down.channel = sf, channel
            down.sent_mw = s.gw[g].rx2_mw if window else s.gw[g].rx1_mw
            s.totals[SENT_RX2 if window else SENT_RX1] += 1
            push(s, at, DOWN_START, j)
            return
    s.totals[UNSENT_DOWN] += 1
    _release(s, j)


@part
def _reserve(s: Sweep, g: int, at: int, airtime_us: int, now: int) -> bool:
    """Enter a frame into a gateway's queue, unless it comes too near another (`gateway_fw.forwarder.jit_queue`)."""
    guard, gw, planned = s.par[0].guard_us, s.gw[g], s.reserved[g]
    kept = 0
    free = True
    for k in range(gw.reserved_n):
        start, duration = planned[k, 0], planned[k, 1]
        if start + duration + guard < now:
            continue
        planned[kept, 0], planned[kept, 1] = start, duration
        kept += 1
        gap = at - start if at >= start else start - at
        if gap <= guard + (duration if at >= start else airtime_us):
            free = False
    gw.reserved_n = kept
    if not free or kept >= RESERVATIONS:
        return False
    planned[kept, 0], planned[kept, 1] = at, airtime_us
    gw.reserved_n = kept + 1
    return True


@part
def _release(s: Sweep, j: int) -> None:
    sc = s.scalars[0]
    s.down_free[sc.free_down] = j
    sc.free_down += 1


@part
def start_downlink(s: Sweep, j: int, now: int) -> None:
    """A gateway's frame goes on the air: deaf meanwhile, it disturbs the other downlinks of its channel and SF."""
    sc, par, down = s.scalars[0], s.par[0], s.downs[j]
    gw = s.gw[down.gateway]
    if par.has_down:
        for k in range(gw.down_first, gw.down_last):
            if s.down_from[k] <= now < s.down_to[k]:
                s.totals[DOWN_SILENCED] += 1
                _release(s, j)
                return
    gw.sends_until = max(gw.sends_until, down.end)
    drown(s, down.gateway)
    symbol = s.symbols_us[down.sf]
    down.lock = now + 8 * symbol
    down.critical = down.lock - 5 * symbol
    sc.down_reference += 1
    down.reference = sc.down_reference
    if par.slow_sigma > 0:
        bring_slow_fading_up(s, down.device, now)
    down.power_mw = received_below(s, down.device, down.gateway, down.reference, down.sent_mw)
    down.lock_energy, down.energy, down.locked = 0.0, 0.0, 0
    for k in range(sc.down_active):
        other = s.down_active[k]
        if s.downs[other].channel == down.channel and s.downs[other].sf == down.sf:
            _meet(s, other, j, now)
            _meet(s, j, other, now)
    s.down_active[sc.down_active] = j
    sc.down_active += 1
    push(s, down.lock, DOWN_LOCK, j)
    push(s, down.end, DOWN_END, j)


@part
def _meet(s: Sweep, victim: int, other: int, now: int) -> None:
    """Add the energy of another downlink at the victim's device."""
    v, o = s.downs[victim], s.downs[other]
    begin = max(v.critical, o.start)
    whole = min(v.end, o.end) - begin
    if whole <= 0:
        return
    if s.par[0].slow_sigma > 0:
        bring_slow_fading_up(s, v.device, now)
    power = received_below(s, v.device, o.gateway, o.reference, o.sent_mw)
    v.energy += power * whole
    v.lock_energy += power * max(0, min(v.lock, o.end) - begin)


@part
def lock_downlink(s: Sweep, j: int) -> None:
    """The preamble is over: the device locks on it, or the frame's outcome says why not."""
    down = s.downs[j]
    d = s.dev[down.device]
    floor = _FLOOR_SF7
    for _ in range(down.sf):
        floor *= _FLOOR_STEP
    if d.phase != RECEIVING or down.start >= d.busy_until or d.joining != down.join:
        down.outcome = _DEAF
    elif down.power_mw < floor * s.cfg[down.device].noise_mw:
        down.outcome = _WEAK
    elif down.power_mw * (down.lock - down.critical) < CAPTURE_RATIO * down.lock_energy:
        down.outcome = _LOST
    else:
        down.locked, down.outcome = 1, _LISTENED
        d.busy_until = max(d.busy_until, down.end + 1)


@part
def end_downlink(s: Sweep, j: int, now: int) -> None:
    """A downlink is over; the device takes it in."""
    sc, down = s.scalars[0], s.downs[j]
    sc.down_active -= 1
    for k in range(sc.down_active):
        if s.down_active[k] == j:
            s.down_active[k] = s.down_active[sc.down_active]
            break
    device = down.device
    if down.locked and down.power_mw * (down.end - down.critical) < CAPTURE_RATIO * down.energy:
        down.outcome = _LOST
    if down.locked and s.dev[device].phase != RECEIVING:
        down.outcome = _DEAF
    s.totals[DOWN_DELIVERED] += down.outcome == _LISTENED
    s.totals[DOWN_COLLIDED] += down.outcome == _LOST
    s.totals[DOWN_BELOW] += down.outcome == _WEAK
    s.totals[DOWN_DEAF] += down.outcome == _DEAF
    if s.par[0].records_on & 2:
        record = s.down_records[sc.downs_n]
        sc.downs_n += 1
        record.t_us, record.up_end_us, record.device, record.gateway = down.start, down.up_end, device, down.gateway
        record.airtime_us, record.join, record.window, record.sf = (
            down.end - down.start,
            down.join,
            down.window,
            down.sf,
        )
        record.channel, record.outcome = down.channel, down.outcome
        record.sent_mw, record.power_mw = down.sent_mw, down.power_mw
    if down.outcome == _LISTENED:
        _taken(s, j, now)
    _release(s, j)


@part
def _taken(s: Sweep, j: int, now: int) -> None:
    """What the device does with a downlink it has received; its windows are closed then."""
    down = s.downs[j]
    device = down.device
    d, c = s.dev[device], s.cfg[device]
    if down.join:
        s.totals[JOINED] += 1
        dr = s.par[0].join_dr[(d.join_tries - 1) % s.par[0].join_n]
        d.joining, d.joined, d.phase, d.free_at = 0, 1, 0, now
        d.dr, d.power, d.nb_trans = dr, 0, 1
        d.f_cnt, d.adr_ack_cnt, d.adr_answer, d.alone, d.announces = 0, 0, 0, 0, c.v11
        d.announced = 0
        d.server_f_cnt, d.link_dr, d.asked_dr, d.history_n = -1, -1, -1, 0
    else:
        d.adr_ack_cnt = 0
        d.marks |= ANSWERED
        if down.acks and d.marks & CONFIRMED:
            d.marks |= ACKNOWLEDGED
        d.adr_answer = 0
        if down.dr >= 0:
            d.dr, d.power = down.dr, down.power
            if down.nb > 0:
                d.nb_trans = down.nb
            d.adr_answer = 1
        if down.conf:
            d.announces = 0
        windows_closed(s, device, now)
    d.action_at = -1
    schedule(s, device, now)
