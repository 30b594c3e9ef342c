"""The just-in-time queue of one RF chain: which downlinks are taken, when, and when they must be programmed.

A concentrator holds one frame to be sent, so frames wait here until 40 ms before air. The rules and constants are those
of Semtech lora_pkt_fwd, jitqueue.c and jitqueue.h (sx1302_hal 2.1.0), with two differences. A frame that has been
programmed still stands in the way of others until its end; the reference forgets it, accepts the other and loses it
in silence. And time here does not wrap, so a start that has passed is TOO_LATE, where unsigned arithmetic makes the
reference say TOO_EARLY.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from gateway_fw.gwmp.packets import TxError
from lorawan.machine import Instant
from lorawan.phy.radio import Transmit
from lorawan.units import US_PER_S

CAPACITY = 32  # JIT_QUEUE_MAX
START_DELAY_US = 1_500  # TX_START_DELAY: the concentrator's ramp-up
MARGIN_US = 1_000  # TX_MARGIN_DELAY: between two frames
PROGRAM_AHEAD_US = 40_000  # TX_JIT_DELAY
MAX_ADVANCE_US = 4 * 128 * US_PER_S  # TX_MAX_ADVANCE_DELAY
IMMEDIATE_DELAY_US = 2 * PROGRAM_AHEAD_US
BEACON_GUARD_US = 3 * US_PER_S  # BEACON_GUARD: no ping slot starts that close to a beacon
BEACON_RESERVED_US = 2_120_000  # BEACON_RESERVED
LEAST_ADVANCE_US = START_DELAY_US + MARGIN_US + PROGRAM_AHEAD_US


class Kind(Enum):
    """Why a frame is sent; decides about the guard of beacons and about the furthest advance."""

    CLASS_A = "on a counter value"
    CLASS_B = "on GPS time"
    CLASS_C = "immediately"
    BEACON = "beacon"


@dataclass(frozen=True, slots=True)
class _Entry:
    start: Instant
    before_us: int  # blocked ahead of the start
    after_us: int  # blocked from the start on
    kind: Kind
    transmit: Transmit

    def collides(self, other: _Entry) -> bool:
        later, earlier = (self, other) if self.start >= other.start else (other, self)
        return later.start - earlier.start <= later.before_us + earlier.after_us + MARGIN_US


class JitQueue:
    """Frames of one RF chain, in the order of their start."""

    def __init__(self) -> None:
        self._waiting: list[_Entry] = []
        self._programmed: list[_Entry] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def program_at(self) -> Instant | None:
        """When the next frame must be programmed, 40 ms before its start; None where none waits."""
        return self._waiting[0].start - PROGRAM_AHEAD_US if self._waiting else None

    def enqueue(self, transmit: Transmit, now: Instant, kind: Kind) -> TxError:
        """Take a frame in and return NONE, or say why not.

        CLASS_C: transmit.at counts for nothing, the start is the earliest free slot at least 80 ms from now.
        COLLISION_PACKET also stands for a full queue (32). TOO_LATE: 42.5 ms or less ahead. TOO_EARLY: more than 512 s
        ahead (classes A and B).
        """
        error, placed = self.place(transmit, now, kind)
        if error is TxError.NONE:
            self.insert(placed, kind)
        return error

    def place(self, transmit: Transmit, now: Instant, kind: Kind) -> tuple[TxError, Transmit]:
        """What `enqueue` would say, and the frame with its start. Nothing is taken in: that is `insert`, at once."""
        if len(self._waiting) >= CAPACITY:
            return TxError.COLLISION_PACKET, transmit
        self._programmed = [entry for entry in self._programmed if entry.start + entry.after_us + MARGIN_US >= now]
        if kind is Kind.CLASS_C:
            entry = self._earliest(transmit, now + IMMEDIATE_DELAY_US)
        else:
            entry = _entry(transmit, transmit.at, kind)
        if entry.start - now <= LEAST_ADVANCE_US:
            return TxError.TOO_LATE, entry.transmit
        if kind in (Kind.CLASS_A, Kind.CLASS_B) and entry.start - now > MAX_ADVANCE_US:
            return TxError.TOO_EARLY, entry.transmit
        hindrance = self._hindrance(entry)
        if hindrance is not None:
            error = TxError.COLLISION_BEACON if hindrance.kind is Kind.BEACON else TxError.COLLISION_PACKET
            return error, entry.transmit
        return TxError.NONE, entry.transmit

    def insert(self, placed: Transmit, kind: Kind) -> None:
        """Take in a frame that `place` has just found a place for."""
        insort(self._waiting, _entry(placed, placed.at, kind), key=lambda waiting: waiting.start)

    def let_go(self, after: Instant | None = None) -> Sequence[Transmit]:
        """Forget the frames that wait for a start later than this (None: all of them), and return them."""
        kept = [entry for entry in self._waiting if after is not None and entry.start <= after]
        gone = [entry.transmit for entry in self._waiting if after is None or entry.start > after]
        self._waiting = kept
        return gone

    def pop_due(self, now: Instant) -> tuple[Sequence[Transmit], Sequence[Transmit]]:
        """The frames to be programmed now, and those whose start can no longer be met (less than 1.5 ms ahead)."""
        due: list[Transmit] = []
        missed: list[Transmit] = []
        while self._waiting and self._waiting[0].start - PROGRAM_AHEAD_US <= now:
            entry = self._waiting.pop(0)
            if entry.start - START_DELAY_US < now:
                missed.append(entry.transmit)
            else:
                due.append(entry.transmit)
                self._programmed.append(entry)
        return due, missed

    def _hindrance(self, entry: _Entry) -> _Entry | None:
        for other in (*self._programmed, *self._waiting):
            target = other
            if other.kind is Kind.BEACON and entry.kind in (Kind.CLASS_A, Kind.CLASS_C):
                target = replace(other, before_us=START_DELAY_US)  # the guard keeps ping slots and beacons away only
            if entry.collides(target):
                return other
        return None

    def _earliest(self, transmit: Transmit, not_before: Instant) -> _Entry:
        first = _entry(transmit, not_before, Kind.CLASS_C)
        if self._hindrance(first) is None:
            return first
        for other in (*self._programmed, *self._waiting):
            start = other.start + other.after_us + first.before_us + PROGRAM_AHEAD_US + MARGIN_US
            entry = _entry(transmit, max(start, not_before), Kind.CLASS_C)
            if self._hindrance(entry) is None:
                return entry
        return entry


def _entry(transmit: Transmit, start: Instant, kind: Kind) -> _Entry:
    if transmit.at != start:
        transmit = replace(transmit, at=start)
    if kind is Kind.BEACON:
        return _Entry(start, START_DELAY_US + BEACON_GUARD_US + PROGRAM_AHEAD_US, BEACON_RESERVED_US, kind, transmit)
    return _Entry(start, START_DELAY_US + PROGRAM_AHEAD_US, transmit.airtime_us, kind, transmit)
