"""Laws of the Basics Station gateway's queue: nothing overlaps, nothing is early, late or lost without a word."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_fw.station import DeviceClass, Window
from gateway_fw.station.limits import DutyCycleGuard
from gateway_fw.station.tx_queue import CAPACITY, Lost, OnAir, Outcome, Program, TxJob, TxQueue

MS = 1_000
S = 1_000 * MS
RX1, RX2 = Window(5, 868_100_000), Window(0, 869_525_000)
AIRTIME_US = {RX1: 50 * MS, RX2: 1_200 * MS}


@dataclass(frozen=True, slots=True)
class Asked:
    """A frame: asked for how long after the one before, to start how long after that."""

    after_us: int
    ahead_us: int
    kind: DeviceClass
    has_rx2: bool
    priority: int


asked = st.builds(
    Asked,
    st.integers(0, 400 * MS),
    st.integers(-100 * MS, 3 * S),
    st.sampled_from(DeviceClass),
    st.booleans(),
    st.integers(0, 30),
)


def airtime_us(job: TxJob) -> int:
    return AIRTIME_US[job.window]


def run(wanted: list[Asked], duty: DutyCycleGuard | None) -> tuple[list[TxJob], list[tuple[int, Outcome]]]:
    queue, now = TxQueue(airtime_us, duty), 0
    jobs: list[TxJob] = []
    seen: list[tuple[int, Outcome]] = []

    def until(end: int) -> None:
        while (at := queue.act_at) is not None and at <= end:
            seen.extend((max(at, now), outcome) for outcome in queue.act(max(at, now)))

    for want in wanted:
        until(now + want.after_us)
        now += want.after_us
        rx2 = RX2 if want.has_rx2 and want.kind is not DeviceClass.B else None
        job = TxJob(b"", want.kind, now + want.ahead_us, RX1, rx2, want.priority, len(jobs))
        jobs.append(job)
        seen.extend((now, outcome) for outcome in (*queue.add(job, now), *queue.act(now)))
    until(now + 1_000 * S)
    assert len(queue) == 0
    return jobs, seen


@given(st.lists(asked, max_size=20), st.booleans())
def test_every_frame_is_sent_alone_and_in_time_or_said_to_be_lost(wanted: list[Asked], limited: bool) -> None:
    starts = []
    now = 0
    for want in wanted:
        now += want.after_us
        starts.append(now + want.ahead_us)
    jobs, seen = run(wanted, DutyCycleGuard() if limited else None)
    programmed = [(at, outcome.job) for at, outcome in seen if isinstance(outcome, Program)]
    lost = [outcome.job for _, outcome in seen if isinstance(outcome, Lost)]
    on_air = [(at, outcome.job) for at, outcome in seen if isinstance(outcome, OnAir)]
    ended = [job.diid for _, job in programmed] + [job.diid for job in lost]
    assert sorted(ended, key=lambda diid: diid or 0) == [job.diid for job in jobs]
    assert [job for _, job in programmed] == [job for _, job in on_air]
    for at, job in programmed:
        assert 10 * MS <= job.start - at <= 20 * MS
        late_us = job.start - starts[job.diid or 0]
        if job.device_class is DeviceClass.C:
            assert late_us >= 0
        else:
            assert (late_us, job.window) in ((0, RX1), (1 * S, RX2))
    assert all(at == job.start + 5 * MS for at, job in on_air)
    for (_, one), (_, other) in pairwise(programmed):
        assert other.start >= one.start + one.airtime_us + 10 * MS
    if limited:
        for window, divisor in ((RX1, 100), (RX2, 10)):
            in_band = [job for _, job in programmed if job.window == window]
            for one, other in pairwise(in_band):
                assert other.start >= one.start + divisor * one.airtime_us


@given(st.integers(0, 30), st.integers(0, 30), st.integers(-30 * MS, 30 * MS))
def test_of_two_that_overlap_the_higher_priority_keeps_its_window(one: int, other: int, apart_us: int) -> None:
    first = TxJob(b"", DeviceClass.B, 1 * S, RX1, None, one, 0)
    second = TxJob(b"", DeviceClass.B, 1 * S + apart_us, RX1, None, other, 1)
    queue = TxQueue(airtime_us, None)
    queue.add(first, 0)
    queue.add(second, 0)
    outcomes: list[Outcome] = []
    while (at := queue.act_at) is not None:
        outcomes += queue.act(at)
    sent = [outcome.job for outcome in outcomes if isinstance(outcome, Program)]
    if one != other:
        assert sent[0] is (first if one > other else second)
    assert len(sent) == 1
    assert len([outcome for outcome in outcomes if isinstance(outcome, Lost)]) == 1


def test_a_frame_that_has_rx2_gives_way_to_one_that_has_nothing_else() -> None:
    flexible = TxJob(b"", DeviceClass.A, 1 * S, RX1, RX2, 5, 0)
    fixed = TxJob(b"", DeviceClass.B, 1 * S + 10 * MS, RX1, None, 0, 1)
    queue = TxQueue(airtime_us, None)
    queue.add(flexible, 0)
    queue.add(fixed, 0)
    programmed = []
    while (at := queue.act_at) is not None:
        programmed += [outcome.job for outcome in queue.act(at) if isinstance(outcome, Program)]
    assert [(job.start, job.window) for job in programmed] == [(1 * S + 10 * MS, RX1), (2 * S, RX2)]


@pytest.mark.parametrize(
    ("ahead_us", "lost"), [(600 * S, False), (600 * S + 1, True), (20 * MS, False), (20 * MS - 1, True)]
)
def test_a_frame_may_come_20_ms_to_600_s_ahead(ahead_us: int, lost: bool) -> None:
    queue = TxQueue(airtime_us, None)
    job = TxJob(b"", DeviceClass.B, ahead_us, RX1, diid=0)
    assert bool(queue.add(job, 0)) is lost


def test_class_c_is_tried_every_100_ms() -> None:
    queue = TxQueue(airtime_us, None)
    queue.add(TxJob(b"", DeviceClass.B, 20 * MS, RX2, diid=0), 0)
    queue.act(0)
    queue.add(TxJob(b"", DeviceClass.C, 40 * MS, RX1, diid=1, tries=1), 1 * MS)
    starts = []
    while (at := queue.act_at) is not None:
        starts += [outcome.job.start for outcome in queue.act(at) if isinstance(outcome, Program)]
    assert starts == []  # the frame before lasts longer than ten tries


@pytest.mark.parametrize(("first_us", "sent"), [(1_318_912, [0]), (909_312, [0, 1])])
def test_of_two_class_c_frames_at_once_the_second_waits_a_second_at_most(first_us: int, sent: list[int]) -> None:
    # Basics Station 2.0.6, regr-tests/test3b-dnC: after 20 bytes of DR0 the second is lost, after 30 of DR1 it is sent
    queue = TxQueue(lambda job: first_us if job.diid == 0 else 1_318_912, None)
    for diid in (0, 1):
        queue.add(TxJob(b"", DeviceClass.C, 20 * MS, RX2, diid=diid, tries=1), 0)
    programmed = []
    now = 0
    while (at := queue.act_at) is not None:
        now = max(now, at)
        programmed += [outcome.job.diid for outcome in queue.act(now) if isinstance(outcome, Program)]
    assert programmed == sent


def test_a_full_queue_refuses() -> None:
    queue = TxQueue(airtime_us, None)
    for index in range(CAPACITY):
        assert not queue.add(TxJob(b"", DeviceClass.B, (index + 1) * S, RX1, diid=index), 0)
    (refused,) = queue.add(TxJob(b"", DeviceClass.B, 1 * S, RX1, diid=CAPACITY), 0)
    assert isinstance(refused, Lost)
    assert refused.reason == "queue_full"
