"""The gateway's queue of frames to be sent: RX1, else RX2, else nothing; priorities; one frame on the air at a time.

Source: Basics Station 2.0.6, s2e.c (s2e_addTxjob, s2e_nextTxAction, altTxTime, calcPriority); s2conf.h for the times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway_fw.station.downlink import DeviceClass, Window
from gateway_fw.station.limits import DutyCycleGuard
from lorawan.ids import Eui64
from lorawan.machine import Instant
from lorawan.units import US_PER_MS, US_PER_S

MIN_GAP_US = 10 * US_PER_MS  # TX_MIN_GAP: between two frames, and the least lead of a start
AIM_GAP_US = 20 * US_PER_MS  # TX_AIM_GAP: when the radio is programmed
MAX_AHEAD_US = 600 * US_PER_S  # TX_MAX_AHEAD
ON_AIR_CHECK_US = 5 * US_PER_MS  # TXCHECK_FUDGE: so long after the start dntxed is sent
CLASS_C_BACKOFF_US = 100 * US_PER_MS  # CLASS_C_BACKOFF_BY
CLASS_C_TRIES = 10  # CLASS_C_BACKOFF_MAX
ALTERNATIVE_PENALTY = 10  # PRIO_PENALTY_ALTTXTIME
CAPACITY = 128  # MAX_TXJOBS


@dataclass(slots=True, eq=False)
class TxJob:
    """A frame and where it stands. window: where it goes next; rx2: where else it may go; diid None: no dntxed.

    class_b also stands for the frames of a dnsched: one time and no other.
    """

    pdu: bytes
    device_class: DeviceClass
    start: Instant
    window: Window
    rx2: Window | None = None
    priority: int = 0
    diid: int | None = None
    dev_eui: Eui64 | None = None
    rctx: int = 0
    preamble: int | None = None
    add_crc: bool = False
    tries: int = 0
    airtime_us: int = 0

    @property
    def rank(self) -> int:
        """Priority, less where the frame has another way."""
        again = self.device_class is DeviceClass.C and self.tries < CLASS_C_TRIES
        return self.priority - ALTERNATIVE_PENALTY * (self.rx2 is not None or again)


@dataclass(frozen=True, slots=True)
class Program:
    """Give this frame to the radio now."""

    job: TxJob


@dataclass(frozen=True, slots=True)
class OnAir:
    """This frame has begun."""

    job: TxJob


@dataclass(frozen=True, slots=True)
class Lost:
    """This frame has no way left. reason: of the last one tried."""

    job: TxJob
    reason: str


Outcome = Program | OnAir | Lost


class TxQueue:
    """airtime_us: of a job in its window. duty: None where there is no limit."""

    def __init__(self, airtime_us: Callable[[TxJob], int], duty: DutyCycleGuard | None) -> None:
        self._airtime_us, self._duty = airtime_us, duty
        self._waiting: list[TxJob] = []
        self._sending: TxJob | None = None
        self._told = True

    def __len__(self) -> int:
        return len(self._waiting) + (self._sending is not None)

    @property
    def act_at(self) -> Instant | None:
        """When `act` has something to do."""
        sending = self._sending
        if sending is not None:
            return sending.start + (sending.airtime_us if self._told else min(ON_AIR_CHECK_US, sending.airtime_us))
        return self._waiting[0].start - AIM_GAP_US if self._waiting else None

    def add(self, job: TxJob, now: Instant) -> Sequence[Outcome]:
        """Take a frame in; Lost where there is no way for it."""
        if len(self) >= CAPACITY:
            return (Lost(job, "queue_full"),)
        if job.start > now + MAX_AHEAD_US:
            return (Lost(job, "too_early"),)
        return self._place(job, now, "")

    def clear(self, reason: str) -> Sequence[Outcome]:
        """Give up every frame that waits; one on the air is not stopped, but nothing is told of it."""
        waiting, self._waiting = self._waiting, []
        return [Lost(job, reason) for job in waiting]

    def act(self, now: Instant) -> Sequence[Outcome]:
        """Whatever is due: programmed, begun, displaced, lost. Early calls do nothing."""
        outcomes: list[Outcome] = []
        while True:
            sending = self._sending
            if sending is not None:
                end = sending.start + sending.airtime_us
                if not self._told and now >= min(sending.start + ON_AIR_CHECK_US, end):
                    self._told = True
                    if self._duty is not None:
                        self._duty.spend(sending.window.freq_hz, sending.start, sending.airtime_us)
                    outcomes.append(OnAir(sending))
                if now < end:
                    return outcomes
                self._sending = None
            if not self._waiting or self._waiting[0].start - now > AIM_GAP_US:
                return outcomes
            outcomes += self._consider(self._waiting.pop(0), now)

    def _consider(self, job: TxJob, now: Instant) -> Sequence[Outcome]:
        """The head's time has come: send it, or find it another."""
        if job.start - now < MIN_GAP_US:
            return self._place(job, now, "too_late")
        if self._duty is not None and not self._duty.allows(job.window.freq_hz, job.start):
            return self._place(job, now, "duty_cycle")
        end = job.start + job.airtime_us
        overlapping = [other for other in self._waiting if other.start - MIN_GAP_US <= end]
        if any(other.rank > job.rank for other in overlapping):
            return self._place(job, now, "collision")
        self._sending, self._told = job, False
        outcomes: list[Outcome] = [Program(job)]
        for other in overlapping:
            self._waiting.remove(other)
        for other in overlapping:
            outcomes += self._place(other, now, "collision")
        return outcomes

    def _place(self, job: TxJob, now: Instant, refused: str) -> Sequence[Outcome]:
        """Put a frame where it belongs; where it was refused, or is again, in its next window."""
        earliest = now + AIM_GAP_US
        while True:
            if refused and not self._alternative(job, earliest):
                return (Lost(job, refused),)
            job.airtime_us = self._airtime_us(job)
            refused = self._hindrance(job, earliest)
            if not refused:
                index = next(
                    (i for i, other in enumerate(self._waiting) if job.start < other.start), len(self._waiting)
                )
                self._waiting.insert(index, job)
                return ()

    def _hindrance(self, job: TxJob, earliest: Instant) -> str:
        if job.start < earliest:
            return "too_late"
        if self._duty is not None and not self._duty.allows(job.window.freq_hz, job.start):
            return "duty_cycle"
        sending = self._sending
        if sending is not None and job.start < sending.start + sending.airtime_us + MIN_GAP_US:
            return "collision"
        return ""

    def _alternative(self, job: TxJob, earliest: Instant) -> bool:
        """Move a frame to its next window, if it has one that is not too late."""
        if job.device_class is DeviceClass.C:
            return self._later(job, earliest)
        if job.rx2 is None:
            return False
        job.window, job.rx2 = job.rx2, None
        job.start += US_PER_S
        return job.start >= earliest

    def _later(self, job: TxJob, earliest: Instant) -> bool:
        """Class C listens always: at once on RX2, then every 100 ms, ten times."""
        if job.rx2 is not None:
            job.window, job.rx2, job.tries = job.rx2, None, 0
            job.start = earliest - CLASS_C_BACKOFF_US
        while job.tries <= CLASS_C_TRIES:
            job.tries += 1
            job.start += CLASS_C_BACKOFF_US
            if job.start >= earliest:
                return True
        return False
