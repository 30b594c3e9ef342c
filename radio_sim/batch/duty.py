"""Duty cycle over any sliding hour, exactly: every transmission of the last hour in a list of its sender and sub-band.

`lorawan.regions.DutyCycle` in arrays: the same instants. A sum over the list answers nearly every question at once.
"""

from __future__ import annotations

from lorawan.units import US_PER_HOUR
from radio_sim.batch.layout import AIRTIME_UNIT_US, Sweep
from radio_sim.compiled import part

UNORDERED_US = 10_000_000
"""A gateway plans at most so far ahead, so its list is in order but for this."""

NEVER_FITS = -1


@part
def _start(sent: int) -> int:
    return sent >> 16


@part
def _airtime(sent: int) -> int:
    return (sent & 0xFFFF) * AIRTIME_UNIT_US


@part
def _purge(s: Sweep, owner: int, before: int) -> None:
    """Forget what ended by then."""
    sc, nodes = s.scalars[0], s.nodes
    node = s.owners[owner].head
    while node >= 0 and _start(nodes[node].sent) + _airtime(nodes[node].sent) <= before:
        s.owners[owner].sum -= _airtime(nodes[node].sent)
        following = nodes[node].next
        nodes[node].next = sc.free_node
        sc.free_node = node
        sc.nodes_used -= 1
        node = following
    s.owners[owner].head = node
    if node < 0:
        s.owners[owner].tail = -1


@part
def fits(s: Sweep, owner: int, band: int, airtime_us: int, at: int) -> bool:
    """Whether a frame may start then."""
    limit = s.band_limit[band]
    if airtime_us > limit:
        return False
    begin = at + airtime_us - US_PER_HOUR
    _purge(s, owner, begin)
    excess = airtime_us - limit + s.owners[owner].sum
    node, nodes = s.owners[owner].head, s.nodes
    while excess > 0 and node >= 0 and _start(nodes[node].sent) < begin + UNORDERED_US:
        excess -= max(0, min(_airtime(nodes[node].sent), begin - _start(nodes[node].sent)))
        node = nodes[node].next
    room: bool = excess <= 0
    return room


@part
def earliest(s: Sweep, owner: int, band: int, airtime_us: int, now: int) -> int:
    """When a frame may start at the earliest, `NEVER_FITS` where it is longer than an hour's share."""
    if airtime_us > s.band_limit[band]:
        return NEVER_FITS
    if fits(s, owner, band, airtime_us, now):
        return now
    begin, nodes = now + airtime_us - US_PER_HOUR, s.nodes
    excess = airtime_us - s.band_limit[band] + s.owners[owner].sum
    node = s.owners[owner].head
    while node >= 0:
        excess -= max(0, min(_airtime(nodes[node].sent), begin - _start(nodes[node].sent)))
        node = nodes[node].next
    node = s.owners[owner].head
    while node >= 0:
        start, duration = _start(nodes[node].sent), _airtime(nodes[node].sent)
        inside = duration - max(0, min(duration, begin - start))
        if excess <= inside:
            due: int = start + duration - inside + excess + US_PER_HOUR - airtime_us
            return due
        excess -= inside
        node = nodes[node].next
    return now


@part
def spend(s: Sweep, owner: int, airtime_us: int, at: int) -> None:
    """Account a transmission."""
    sc, nodes = s.scalars[0], s.nodes
    node = sc.free_node
    sc.free_node = nodes[node].next
    sc.nodes_used += 1
    nodes[node].sent, nodes[node].next = at << 16 | airtime_us // AIRTIME_UNIT_US, -1
    tail = s.owners[owner].tail
    if tail >= 0:
        nodes[tail].next = node
    else:
        s.owners[owner].head = node
    s.owners[owner].tail = node
    s.owners[owner].sum += airtime_us
