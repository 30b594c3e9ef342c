"""The device MAC: which frame goes out next and when, confirmed tries, repeats, ADR back-off: `lorawan.device`."""

from __future__ import annotations

from lorawan.units import US_PER_S
from lorawan.version import AdrAckReqUntil
from radio_sim.batch.air import start_uplink
from radio_sim.batch.duty import NEVER_FITS, earliest, fits, spend
from radio_sim.batch.hashing import fold, integer
from radio_sim.batch.joining import JOIN_REQUEST_BYTES, join_earliest, next_join_dr, pause_us, spend_join
from radio_sim.batch.layout import (
    ACKNOWLEDGED,
    ACTION,
    ADR_ANSWER,
    ANNOUNCES,
    ANSWERED,
    ASKS_ADR,
    BACKED_OFF,
    CONFIRMED,
    CONFIRMED_DONE,
    CONFIRMED_FAILED,
    CONFIRMED_OPENED,
    HAS_FRAME,
    HAS_PAYLOAD,
    IDLE,
    JOIN_SENT,
    NEVER_SENDABLE,
    QUEUE_DROPS,
    READINGS,
    RECEIVING,
    TOO_LONG,
    WAITING,
    Sweep,
)
from radio_sim.batch.wheel import push
from radio_sim.compiled import part

ADR_ACK_LIMIT, ADR_ACK_DELAY = 64, 32  # RP002-1.0.4 §2.4, recommended defaults
ASK_UNTIL_LOWEST_DR, ASK_UNTIL_DOWNLINK = int(AdrAckReqUntil.LOWEST_DR), int(AdrAckReqUntil.DOWNLINK)
ACK_TIMEOUT_US = (US_PER_S, 2 * US_PER_S)  # at least, and at most so much more: RP002-1.0.4 §2.4
_FRAME_BYTES = 12  # MHDR, FHDR without FOpts, MIC
_ANSWER_BYTES, _ANNOUNCE_BYTES = 2, 2  # LinkADRAns; RekeyInd or ResetInd


@part
def reading(s: Sweep, device: int, now: int) -> None:
    """The application hands its device a reading."""
    d, c = s.dev[device], s.cfg[device]
    if c.foreign_channel >= 0:
        sf = 5 - c.first_dr
        start_uplink(s, device, now, sf, c.foreign_channel, s.airtimes[0, sf, c.payload], 0)
        d.sent += 1
        return
    s.totals[READINGS] += 1
    if d.joined and c.payload > s.max_app[d.dr]:
        s.totals[TOO_LONG] += 1
        return
    if not d.joined:  # only the newest is worth keeping
        s.totals[QUEUE_DROPS] += d.queued
        d.queued = 1
    elif d.queued >= c.queue:
        s.totals[QUEUE_DROPS] += 1
    else:
        d.queued += 1
    if d.phase == RECEIVING and d.action_at < 0:
        if now < d.busy_until:
            _wait(s, device, d.busy_until)
            return
        windows_closed(s, device, d.busy_until)
    if d.phase != IDLE:
        return
    if d.joined and d.free_at <= now:
        d.phase = WAITING
        _transmit_data(s, device, now)
    elif d.joined or d.joining:
        schedule(s, device, now)


@part
def start_joining(s: Sweep, device: int, now: int) -> None:
    """The device is switched on, or has lost its session: it joins."""
    d = s.dev[device]
    if d.phase == RECEIVING and d.action_at < 0 and now >= d.busy_until:
        windows_closed(s, device, d.busy_until)
    if d.marks & (HAS_FRAME | CONFIRMED) == (HAS_FRAME | CONFIRMED):
        s.totals[CONFIRMED_FAILED] += 1
    if d.joined or d.joining:
        d.queued = 0  # what waited in its memory is gone
    d.marks, d.joined, d.joining, d.phase = 0, 0, 1, IDLE
    d.join_tries, d.join_origin, d.join_period, d.join_used_us = 0, -1, 0, 0
    d.action_at, d.busy_until, d.free_at = -1, now, now
    schedule(s, device, now)


@part
def schedule(s: Sweep, device: int, now: int) -> None:
    """From IDLE or WAITING: fix when the next frame goes out, if there is one."""
    d = s.dev[device]
    at = max(now, d.free_at)
    if _rekey_overdue(s, device):
        d.joined, d.joining, d.join_tries = 0, 1, 0
    if d.joining:
        at = join_earliest(s, device, at)
        if at == NEVER_FITS:
            d.phase, d.joining = IDLE, 0
            s.totals[NEVER_SENDABLE] += 1
            return
    elif not d.joined or not (d.marks & HAS_FRAME or d.queued > 0):
        d.phase = IDLE
        return
    d.phase = WAITING
    _wait(s, device, at)


@part
def _wait(s: Sweep, device: int, at: int) -> None:
    """Set the device's timer."""
    s.dev[device].action_at = at
    push(s, at, ACTION, device)


@part
def act(s: Sweep, device: int, now: int) -> None:
    """The device's timer: a frame is due, or its windows close."""
    d = s.dev[device]
    if d.action_at != now:
        return  # superseded
    d.action_at = -1
    if d.phase == WAITING:
        if d.joining:
            _transmit_join(s, device, now)
        else:
            _transmit_data(s, device, now)
    elif d.phase == RECEIVING:
        if now < d.busy_until:
            _wait(s, device, d.busy_until)
        else:
            windows_closed(s, device, now)
            schedule(s, device, now)


@part
def _transmit_join(s: Sweep, device: int, now: int) -> None:
    d = s.dev[device]
    dr = next_join_dr(s, device)
    sf = 5 - dr
    airtime = s.airtimes[0, sf, JOIN_REQUEST_BYTES]
    channel = _pick_channel(s, device, airtime, now, 3)
    if channel < 0:
        _wait(s, device, now + 1)
        return
    spend_join(s, device, airtime, now)
    s.totals[JOIN_SENT] += 1
    d.join_requests += 1
    d.join_tries += 1
    i = start_uplink(s, device, now, sf, channel, airtime, 0)
    slot = s.slots[i]
    slot.join, slot.bytes, slot.f_cnt, slot.repeat, slot.marks = 1, JOIN_REQUEST_BYTES, d.join_requests - 1, 0, 0
    _sent(s, device, now, airtime, channel, s.par[0].rx2_silent_us[2])
    _wait(s, device, d.busy_until)


@part
def _transmit_data(s: Sweep, device: int, now: int) -> None:
    d, c, par = s.dev[device], s.cfg[device], s.par[0]
    if not d.marks & HAS_FRAME and not _next_frame(s, device):
        d.phase = IDLE
        return
    dr = d.dr
    airtime = s.airtimes[0, 5 - dr, d.frame_bytes]
    channel = _pick_channel(s, device, airtime, now, c.channels)
    if channel < 0:
        due = -1
        for band in range(par.device_bands):
            at = earliest(s, device * par.device_bands + band, band, airtime, now)
            if at != NEVER_FITS and (due < 0 or at < due):
                due = at
        if due < 0:
            s.totals[NEVER_SENDABLE] += 1
            _frame_over(s, device)
            d.phase = IDLE
            schedule(s, device, now)
            return
        _wait(s, device, due)
        return
    i = start_uplink(s, device, now, 5 - dr, channel, airtime, d.power)
    slot = s.slots[i]
    slot.join, slot.bytes, slot.f_cnt, slot.repeat, slot.marks = 0, d.frame_bytes, d.frame_f_cnt, d.repeats, d.marks
    d.repeats += 1
    _sent(s, device, now, airtime, channel, par.rx2_silent_us[0 if c.joins else 1])
    if d.queued > 0 or d.repeats < d.tries or d.marks & CONFIRMED or d.announced >= ADR_ACK_LIMIT:
        _wait(s, device, d.busy_until)


@part
def _sent(s: Sweep, device: int, now: int, airtime_us: int, channel: int, rx2_silent_us: int) -> None:
    """Account the airtime; the radio is taken until the second window closes."""
    d, par = s.dev[device], s.par[0]
    if par.duty:
        spend(s, device * par.device_bands + s.channel_band[channel], airtime_us, now)
    d.sent += 1
    d.marks &= ~ANSWERED
    d.phase = RECEIVING
    d.busy_until = now + airtime_us + rx2_silent_us


@part
def _pick_channel(s: Sweep, device: int, airtime_us: int, now: int, channels: int) -> int:
    """One of the channels whose sub-band is free, by a draw; −1 where none is."""
    par, d = s.par[0], s.dev[device]
    open_bands = -1
    if par.duty:
        open_bands = 0
        for band in range(par.device_bands):
            if fits(s, device * par.device_bands + band, band, airtime_us, now):
                open_bands |= 1 << band
    count = 0
    for channel in range(channels):
        count += open_bands >> s.channel_band[channel] & 1
    if count == 0:
        return -1
    chosen = 0
    if count > 1:
        chosen = integer(fold(s.cfg[device].draw_key, par.channel_word), count, d.sent)
    for channel in range(channels):
        if open_bands >> s.channel_band[channel] & 1:
            if chosen == 0:
                return channel
            chosen -= 1
    return -1


@part
def _next_frame(s: Sweep, device: int) -> bool:
    """Use the next counter value for the oldest reading and the MAC answers that are due; False if nothing is left."""
    d, c = s.dev[device], s.cfg[device]
    if c.adr:
        _back_off(s, device)
    room = s.max_mac[d.dr] - 8
    if c.payload > room:
        s.totals[TOO_LONG] += d.queued
        d.queued = 0
    options = _ANSWER_BYTES * d.adr_answer + _ANNOUNCE_BYTES * d.announces
    carries = d.queued > 0
    if carries and c.payload + options > room:
        if d.alone:
            options = 0
        else:
            carries = False
    elif not carries and options == 0:
        return False
    d.alone = not carries
    marks = HAS_FRAME
    size = _FRAME_BYTES + options
    if options:
        marks |= (ADR_ANSWER if d.adr_answer else 0) | (ANNOUNCES if d.announces else 0)
    if carries:
        d.queued -= 1
        size += 1 + c.payload
        marks |= HAS_PAYLOAD
        if c.confirmed:
            marks |= CONFIRMED
            s.totals[CONFIRMED_OPENED] += 1
    if c.adr and _asks(s, device):
        marks |= ASKS_ADR
    confirmed = carries and c.confirmed
    d.tries = max(1, c.tries) if confirmed and not c.nb_trans_rules else d.nb_trans
    d.frame_f_cnt = d.f_cnt
    d.f_cnt += 1
    if c.adr:
        d.adr_ack_cnt = min(d.adr_ack_cnt + 1, 65_000)
    if c.joins and d.announces:
        d.announced += 1
    d.adr_answer = 0
    d.marks, d.frame_bytes, d.repeats = marks, size, 0
    return True


@part
def _asks(s: Sweep, device: int) -> bool:
    """Whether the frame sets ADRACKReq."""
    d = s.dev[device]
    if d.adr_ack_cnt < ADR_ACK_LIMIT:
        return False
    until = s.cfg[device].ask_until
    above: bool = d.dr > 0
    if until == ASK_UNTIL_LOWEST_DR:
        return above
    return until == ASK_UNTIL_DOWNLINK or above or d.power > 0


@part
def _rekey_overdue(s: Sweep, device: int) -> bool:
    """Whether ADR_ACK_LIMIT uplinks have announced new keys in vain."""
    d = s.dev[device]
    overdue: bool = d.joined and d.announces and d.announced >= ADR_ACK_LIMIT and not d.marks & HAS_FRAME
    return overdue


@part
def _back_off(s: Sweep, device: int) -> None:
    """Take one step where the counter has come to one: at LIMIT + DELAY, then every DELAY."""
    d = s.dev[device]
    over = int(d.adr_ack_cnt) - ADR_ACK_LIMIT
    if over < ADR_ACK_DELAY or over % ADR_ACK_DELAY:
        return
    s.totals[BACKED_OFF] += 1
    if s.cfg[device].power_first and d.power:
        d.power = 0
    elif d.dr > 0:
        d.power = 0
        d.dr -= 1
    else:
        d.power, d.nb_trans = 0, 1


@part
def windows_closed(s: Sweep, device: int, at: int) -> None:
    """Answered, or RX2 ended in silence, at this instant. The caller schedules what comes next."""
    d, c, par = s.dev[device], s.cfg[device], s.par[0]
    d.phase = IDLE
    if d.joining:
        d.free_at = at + pause_us(s, device)
        return
    if not d.marks & HAS_FRAME:
        return
    confirmed, acknowledged = d.marks & CONFIRMED != 0, d.marks & ACKNOWLEDGED != 0
    done = acknowledged or (d.marks & ANSWERED != 0 and (c.nb_trans_rules or not confirmed))
    if confirmed and not acknowledged:
        draw = integer(fold(c.draw_key, par.ack_key_word), ACK_TIMEOUT_US[1], d.sent)
        d.free_at = at + ACK_TIMEOUT_US[0] + draw
    if not done and d.repeats < d.tries:
        if confirmed and c.tries and d.repeats % 2 == 0:
            lower = max(int(d.dr) - 1, 0)
            if d.frame_bytes - 5 <= s.max_mac[lower]:
                d.dr = lower
        return
    _frame_over(s, device)


@part
def _frame_over(s: Sweep, device: int) -> None:
    marks = s.dev[device].marks
    if marks & CONFIRMED:
        s.totals[CONFIRMED_DONE if marks & ACKNOWLEDGED else CONFIRMED_FAILED] += 1
    s.dev[device].marks = 0
