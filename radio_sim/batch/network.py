"""The network's half: a session's counters and ADR, and what it wants to send. `lorawan.server` in arrays."""

from __future__ import annotations

import math

from radio_sim.batch.layout import (
    ACCEPTED,
    ADR_ANSWER,
    ADR_ANSWERED,
    ADR_ASKED,
    ANNOUNCES,
    ASKS_ADR,
    CONFIRMED,
    DECIDE,
    HAS_PAYLOAD,
    WANTED_DOWN,
    Sweep,
)
from radio_sim.batch.wheel import push
from radio_sim.compiled import part

# Source of HISTORY, STEP_DB and the two NB_TRANS tables: Semtech, "LoRaWAN – simple rate adaptation recommended
# algorithm", rev. 1.0 (2016), as in lorawan.server.adr: uplinks looked back on, dB a step is worth, and NbTrans for a
# loss below each limit (row) and a present NbTrans of 1 to 3 (column).
HISTORY = 20
STEP_DB = 3.0
NB_TRANS_LOSS = (0.05, 0.10, 0.30)
NB_TRANS = ((1, 1, 2), (1, 2, 3), (2, 3, 3), (3, 3, 3))
MAX_DR, MAX_POWER = 5, 7  # of EU868 at 125 kHz: RP002-1.0.4 §2.4.3
_ACK_BYTES, _LINK_ADR_BYTES, _CONF_BYTES = 12, 5, 2
_NOT_KNOWN = -128


@part
def uplink_at_network(s: Sweep, i: int, best_key: int) -> bool:
    """A received data frame: whether it is new and carries a reading. What it is answered with goes on the agenda."""
    slot, par = s.slots[i], s.par[0]
    d, c = s.dev[slot.device], s.cfg[slot.device]
    marks = slot.marks
    if slot.f_cnt <= d.server_f_cnt:
        if slot.f_cnt == d.server_f_cnt and marks & CONFIRMED and par.downlinks:
            _want(s, i, _ACK_BYTES, 1, -1, 0, 0, 0)
        return False
    gap = min(slot.f_cnt - d.server_f_cnt, 255)  # one of 255 among twenty is a loss above 90 % already
    d.server_f_cnt = slot.f_cnt
    d.delivered += 1
    quarters = (best_key >> 32) - 2048
    dr = 5 - slot.sf
    size = _ACK_BYTES
    if marks & ANNOUNCES:
        size += _CONF_BYTES
        if not c.joins:
            d.link_dr = -1  # ResetInd: the device has begun anew, at full power
    if marks & ADR_ANSWER and d.asked_dr >= 0:
        d.link_dr, d.link_power, d.link_nb = d.asked_dr, d.asked_power, d.asked_nb
        d.history_n, d.asked_dr = 0, -1
        s.totals[ADR_ANSWERED] += 1
    if d.link_dr != dr:
        retried = marks & CONFIRMED and c.tries
        d.link_power = d.link_power if d.link_dr >= 0 and retried else 0
        d.link_nb = d.link_nb if d.link_dr >= 0 else 1
        d.link_dr, d.history_n, d.asked_dr = dr, 0, -1
    asked_dr = -1
    if c.adr:
        _remember(s, slot.device, gap, quarters)
        asked_dr = _decide(s, slot.device)
        if asked_dr >= 0:
            size += _LINK_ADR_BYTES
            s.totals[ADR_ASKED] += 1
    if par.downlinks and (size > _ACK_BYTES or marks & (CONFIRMED | ASKS_ADR)):
        acks = marks & CONFIRMED != 0
        _want(s, i, size, acks, asked_dr, d.asked_power, d.asked_nb, marks & ANNOUNCES)
    if marks & HAS_PAYLOAD:
        s.totals[ACCEPTED] += 1
        return True
    return False


@part
def join_at_network(s: Sweep, i: int) -> None:
    """A received join request: answered with an accept."""
    if s.par[0].downlinks:
        _want(s, i, s.par[0].accept_bytes, 0, -1, 0, 0, 0)


@part
def _remember(s: Sweep, device: int, gap: int, quarters: int) -> None:
    d = s.dev[device]
    if d.history_n == 0:
        d.history_at = 0
    s.history_snr[device, d.history_at] = quarters
    s.history_gap[device, d.history_at] = gap
    d.history_at = (d.history_at + 1) % HISTORY
    d.history_n = min(d.history_n + 1, HISTORY)


@part
def on_the_wire_db(quarters: int, tenths: bool) -> float:
    """A reported SNR; in tenths of a dB where it travels as Semtech UDP's "lsnr"."""
    if not tenths:
        return quarters / 4.0
    size = abs(quarters)
    part = (0.0, 0.2, 0.5, 0.8)[size % 4]
    return (size // 4 + part) if quarters >= 0 else -(size // 4 + part)


@part
def _decide(s: Sweep, device: int) -> int:
    """ADR after one more uplink: the data rate to ask for with asked_power and asked_nb, −1 to leave all as it is."""
    d = s.dev[device]
    nb_trans = int(d.link_nb)
    if d.history_n >= HISTORY:
        span = 1 - int(s.history_gap[device, d.history_at])  # what came before the oldest does not count
        for k in range(HISTORY):
            span += int(s.history_gap[device, k])
        loss = 1.0 - HISTORY / span
        row = 0
        while row < 3 and loss >= NB_TRANS_LOSS[row]:
            row += 1
        nb_trans = NB_TRANS[row][min(max(nb_trans, 1), 3) - 1]
    best = _NOT_KNOWN
    for k in range(d.history_n):
        best = max(best, int(s.history_snr[device, k]))
    dr, power = int(d.link_dr), int(d.link_power)
    floor_db = -20.0 + 2.5 * dr  # lorawan.phy.SNR_FLOOR_DB: Semtech SX1276 datasheet rev. 7, table 13
    margin = on_the_wire_db(best, s.par[0].snr_tenths != 0) - floor_db - s.par[0].adr_margin
    steps = math.floor(margin / STEP_DB)
    while steps > 0 and dr < MAX_DR:
        dr, steps = dr + 1, steps - 1
    while steps > 0 and power < MAX_POWER:
        power, steps = power + 1, steps - 1
    while steps < 0 and power > 0:
        power, steps = power - 1, steps + 1
    if dr == d.link_dr and power == d.link_power and nb_trans == d.link_nb:
        d.asked_dr = -1
        return -1
    d.asked_dr, d.asked_power, d.asked_nb = dr, power, nb_trans
    return dr


@part
def _want(s: Sweep, i: int, size: int, acks: int, dr: int, power: int, nb_trans: int, conf: int) -> None:
    """An answer to the frame of this slot, to be decided on when its copies have been collected."""
    sc, par, slot = s.scalars[0], s.par[0], s.slots[i]
    s.totals[WANTED_DOWN] += 1
    sc.free_down -= 1
    j = s.down_free[sc.free_down]
    down = s.downs[j]
    down.up_end, down.device, down.bytes, down.join = slot.end, slot.device, size, slot.join
    down.up_channel, down.up_dr = slot.channel, 5 - slot.sf
    down.session = 0 if s.cfg[slot.device].joins else 1
    down.acks, down.dr, down.power, down.nb, down.conf = acks, dr, power, nb_trans, conf
    n = 0
    for g in range(par.gateways):
        key = s.keys[g]
        if key >= 0:
            key = (key >> 16 << 16) | (0xFFFF - s.gw[g].rank)
            n += 1
        s.down_keys[j, g] = key
    down.n = n
    push(s, slot.end + par.backhaul_us + par.dedup_us, DECIDE, j)
