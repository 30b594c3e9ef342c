"""Checks over uplink and downlink trace columns. Pure: each returns what it found, and raises nothing for bad runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lorawan.regions.region import Region
from lorawan.trace import Outcome
from lorawan.units import US_PER_HOUR
from scenarios.kpi.heard import Columns, accepted_data


@dataclass(frozen=True, slots=True)
class CheckResult:
    """name: stable identifier; clause: the rule; detail: the first breach, or what was looked at."""

    name: str
    clause: str
    passed: bool
    detail: str


def check_duty_cycle(columns: Columns, region: Region, *, transmitter: str = "device") -> CheckResult:
    """No transmitter is on the air longer than its sub-band's share of any sliding hour.

    transmitter: the column that names it, "device" for uplinks or "gateway" for downlinks. A frame on a frequency of no
    sub-band is a breach too.
    """
    name, clause = f"duty-cycle-{transmitter}", "ERC/REC 70-03 annex 1, ETSI EN 300 220-2: duty cycle per hour"
    who, who_index = np.unique(columns[transmitter].astype(str), return_inverse=True)
    freq_hz, start, airtime = (columns[key].astype(np.int64) for key in ("freq_hz", "t_us", "airtime_us"))
    if "outcome" in columns:
        sent = columns["outcome"].astype(str) != str(Outcome.DUTY_LIMITED)
        who_index, freq_hz, start, airtime = who_index[sent], freq_hz[sent], start[sent], airtime[sent]
    in_a_band = np.zeros(len(freq_hz), dtype=np.bool_)
    worst, where = 0.0, "nothing sent"
    for band in region.sub_bands:
        inside = (freq_hz >= band.low_hz) & (freq_hz < band.high_hz)
        in_a_band |= inside
        if not inside.any():
            continue
        order = np.lexsort((start[inside], who_index[inside]))
        owner, begin, length = (column[inside][order] for column in (who_index, start, airtime))
        used, at = _busiest_hour(owner, begin, length)
        load = used * band.duty_divisor / US_PER_HOUR
        if load > worst:
            worst = load
            where = f"{who[owner[at]]}, {band.name}: {used / 1e6:.3f} s in the hour from t = {begin[at] / 1e6:.3f} s"
    if not in_a_band.all():
        stray = int(np.flatnonzero(~in_a_band)[0])
        return CheckResult(name, clause, False, f"{freq_hz[stray]} Hz is in no sub-band of {region.name}")
    return CheckResult(name, clause, worst <= 1.0, f"busiest: {100 * worst:.1f} % of what is allowed ({where})")


def _busiest_hour(owner: NDArray[np.int64], begin: NDArray[np.int64], length: NDArray[np.int64]) -> tuple[int, int]:
    """The most airtime in µs that one owner spends in one hour, and the row at which that hour begins.

    Rows are sorted by owner, then time; frames of one owner do not overlap. The airtime in a sliding hour peaks where
    the hour begins with a frame or ends with one, and by symmetry both are looked at.
    """
    total = np.concatenate(([0], np.cumsum(length)))
    span = int((begin + length).max()) + 2 * US_PER_HOUR
    clock, end_clock = owner * span + begin, owner * span + begin + length
    best, at = 0, 0
    last = np.searchsorted(clock, clock + US_PER_HOUR, side="left")
    over = np.maximum(end_clock[last - 1] - (clock + US_PER_HOUR), 0)
    forward = total[last] - total[:-1] - over
    first = np.searchsorted(end_clock, end_clock - US_PER_HOUR, side="right")
    early = np.maximum(end_clock - US_PER_HOUR - clock[first], 0)
    backward = total[1:] - total[first] - early
    for used, start in ((forward, np.arange(len(begin))), (backward, first)):
        row = int(used.argmax())
        if int(used[row]) > best:
            best, at = int(used[row]), int(start[row])
    return best, at


def check_counters(columns: Columns) -> CheckResult:
    """FCntUp rises strictly over the accepted data uplinks of each session (device and DevAddr) in order of time."""
    keep = columns["accepted"].astype(bool)
    device, address, counter, start = (columns[key][keep] for key in ("device", "dev_addr", "f_cnt", "t_us"))
    _, owner = np.unique(device.astype(str), return_inverse=True)
    order = np.lexsort((start, address, owner))
    same = (np.diff(owner[order]) == 0) & (np.diff(address[order]) == 0)
    falls = np.flatnonzero(same & (np.diff(counter[order].astype(np.int64)) <= 0))
    clause = "TS001-1.0.4 §4.3.1.5: a counter value is accepted once"
    if len(falls) == 0:
        return CheckResult("counters", clause, True, f"{int(keep.sum())} accepted uplinks")
    row = order[falls[0] + 1]
    return CheckResult("counters", clause, False, f"{device[row]}: FCnt {counter[row]} again at t = {start[row]} µs")


def check_accepted_payloads(columns: Columns) -> CheckResult:
    """Each accepted uplink was decrypted to what the device sent."""
    keep = accepted_data(columns)
    wrong = np.flatnonzero(keep & ~columns["payload_ok"].astype(bool))
    clause = "TS001-1.0.4 §4.3.3: FRMPayload encryption"
    if len(wrong) == 0:
        return CheckResult("payloads", clause, True, f"{int(keep.sum())} accepted uplinks")
    row = int(wrong[0])
    detail = f"{columns['device'][row]}: FCnt {columns['f_cnt'][row]} differs; {len(wrong)} in all"
    return CheckResult("payloads", clause, False, detail)


def check_conservation(columns: Columns) -> CheckResult:
    """Each uplink has exactly one known outcome, delivered when and only when a gateway received it, and an accepted
    one was delivered."""
    outcome = columns["outcome"].astype(str)
    unknown = ~np.isin(outcome, [str(known) for known in Outcome])
    delivered = outcome == str(Outcome.DELIVERED)
    mismatch = delivered != (columns["n_gateways"] > 0)
    unheard = columns["accepted"].astype(bool) & ~delivered
    wrong = np.flatnonzero(unknown | mismatch | unheard)
    clause = "conservation: sent = delivered + lost, by cause"
    if len(wrong) == 0:
        return CheckResult("conservation", clause, True, f"{len(outcome)} uplinks, {int(delivered.sum())} delivered")
    row = int(wrong[0])
    detail = f"{columns['device'][row]} at t = {columns['t_us'][row]} µs: {outcome[row]}, {columns['n_gateways'][row]}"
    return CheckResult("conservation", clause, False, f"{detail} gateways; {len(wrong)} in all")


def run_all(uplinks: Columns, downlinks: Columns, region: Region) -> tuple[CheckResult, ...]:
    """Every check, in a fixed order."""
    return (
        check_duty_cycle(uplinks, region),
        check_duty_cycle(downlinks, region, transmitter="gateway"),
        check_counters(uplinks),
        check_accepted_payloads(uplinks),
        check_conservation(uplinks),
    )
