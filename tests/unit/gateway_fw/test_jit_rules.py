"""The just-in-time queue against the figures of Semtech lora_pkt_fwd, jitqueue.c (sx1302_hal 2.1.0)."""

from __future__ import annotations

import pytest

from gateway_fw.forwarder import JitQueue, Kind
from gateway_fw.gwmp import TxError
from lorawan.phy import LoraModulation, Transmit

AIRTIME = 50_000


def frame(at: int, airtime_us: int = AIRTIME) -> Transmit:
    return Transmit(at, b"\x60", 868_100_000, LoraModulation(7), 14.0, airtime_us)


@pytest.mark.parametrize(
    ("ahead_us", "verdict"),
    [
        (-1_000_000, TxError.TOO_LATE),
        (0, TxError.TOO_LATE),
        (20_000, TxError.TOO_LATE),
        (42_500, TxError.TOO_LATE),
        (42_501, TxError.NONE),
        (1_000_000, TxError.NONE),
        (512_000_000, TxError.NONE),
        (512_000_001, TxError.TOO_EARLY),
        (600_000_000, TxError.TOO_EARLY),
    ],
)
@pytest.mark.parametrize("kind", [Kind.CLASS_A, Kind.CLASS_B])
def test_how_far_ahead_a_frame_may_be(ahead_us: int, verdict: TxError, kind: Kind) -> None:
    queue = JitQueue()
    assert queue.enqueue(frame(7_000_000 + ahead_us), 7_000_000, kind) is verdict
    assert len(queue) == (verdict is TxError.NONE)


def test_a_frame_is_due_40_ms_before_air() -> None:
    assert JitQueue().program_at is None
    queue = JitQueue()
    queue.enqueue(frame(1_000_000), 0, Kind.CLASS_A)
    assert queue.program_at == 960_000
    assert queue.pop_due(959_999) == ([], [])
    assert queue.pop_due(960_000) == ([frame(1_000_000)], [])
    assert len(queue) == 0


def test_a_frame_whose_time_has_gone_by_is_given_back_as_missed() -> None:
    queue = JitQueue()
    queue.enqueue(frame(1_000_000), 0, Kind.CLASS_A)
    queue.enqueue(frame(2_000_000), 0, Kind.CLASS_A)
    assert queue.pop_due(998_501) == ([], [frame(1_000_000)])
    assert queue.pop_due(1_998_500) == ([frame(2_000_000)], [])


@pytest.mark.parametrize(
    ("gap_us", "verdict"), [(42_500, TxError.COLLISION_PACKET), (42_501, TxError.NONE), (0, TxError.COLLISION_PACKET)]
)
def test_between_two_frames_there_is_room_to_program_the_second(gap_us: int, verdict: TxError) -> None:
    behind, ahead = JitQueue(), JitQueue()
    behind.enqueue(frame(1_000_000), 0, Kind.CLASS_A)
    assert behind.enqueue(frame(1_000_000 + AIRTIME + gap_us), 0, Kind.CLASS_A) is verdict
    ahead.enqueue(frame(1_000_000 + AIRTIME + gap_us), 0, Kind.CLASS_A)
    assert ahead.enqueue(frame(1_000_000), 0, Kind.CLASS_A) is verdict


def test_a_frame_on_the_air_is_still_in_the_way() -> None:
    queue = JitQueue()
    queue.enqueue(frame(1_000_000, 2_000_000), 0, Kind.CLASS_A)
    queue.pop_due(960_000)
    assert queue.enqueue(frame(1_500_000), 1_200_000, Kind.CLASS_A) is TxError.COLLISION_PACKET
    assert queue.enqueue(frame(3_042_501), 1_200_000, Kind.CLASS_A) is TxError.NONE


def test_thirty_two_frames_fill_the_queue_and_one_leaving_makes_room() -> None:
    queue = JitQueue()
    for index in range(1, 33):
        assert queue.enqueue(frame(index * 1_000_000), 0, Kind.CLASS_A) is TxError.NONE
    assert queue.enqueue(frame(40_000_000), 0, Kind.CLASS_A) is TxError.COLLISION_PACKET
    queue.pop_due(960_000)
    assert queue.enqueue(frame(40_000_000), 960_000, Kind.CLASS_A) is TxError.NONE


def test_an_immediate_frame_goes_out_80_ms_from_now() -> None:
    queue = JitQueue()
    assert queue.enqueue(frame(0), 5_000, Kind.CLASS_C) is TxError.NONE
    assert queue.pop_due(45_000) == ([frame(85_000)], [])


def test_an_immediate_frame_takes_the_first_gap_that_is_wide_enough() -> None:
    queue = JitQueue()
    queue.enqueue(frame(100_000), 0, Kind.CLASS_A)  # ends at 150 000
    queue.enqueue(frame(300_000), 0, Kind.CLASS_A)  # 150 ms later: no room for 82.5 ms and 50 ms and 42.5 ms
    queue.enqueue(frame(2_000_000), 0, Kind.CLASS_A)
    assert queue.enqueue(frame(0), 0, Kind.CLASS_C) is TxError.NONE
    starts = [transmit.at for transmit in queue.pop_due(260_000)[0]] + [queue.pop_due(400_000)[0][0].at]
    # jitqueue.c: end of the frame before + 41.5 ms (its own lead) + 40 ms + 1 ms
    assert starts[-1] == 350_000 + 82_500


def test_an_immediate_frame_waits_for_the_one_on_the_air() -> None:
    queue = JitQueue()
    queue.enqueue(frame(100_000, 1_000_000), 0, Kind.CLASS_A)
    queue.pop_due(60_000)
    queue.enqueue(frame(0), 150_000, Kind.CLASS_C)
    assert queue.program_at == 1_100_000 + 82_500 - 40_000


@pytest.mark.parametrize(
    ("kind", "start", "verdict"),
    [
        (Kind.CLASS_B, 7_000_000, TxError.COLLISION_BEACON),  # within the 3 s of beacon guard
        (Kind.CLASS_B, 6_900_000, TxError.NONE),  # ends 3.05 s before it
        (Kind.CLASS_A, 7_000_000, TxError.NONE),  # class A may use the guard
        (Kind.CLASS_A, 9_990_000, TxError.COLLISION_BEACON),
        (Kind.CLASS_A, 10_100_000, TxError.COLLISION_BEACON),
        (Kind.CLASS_A, 12_120_000, TxError.COLLISION_BEACON),  # within the 2.12 s reserved
        (Kind.CLASS_A, 12_162_501, TxError.NONE),
    ],
)
def test_a_beacon_keeps_its_time_free(kind: Kind, start: int, verdict: TxError) -> None:
    queue = JitQueue()
    assert queue.enqueue(frame(10_000_000), 0, Kind.BEACON) is TxError.NONE
    assert queue.enqueue(frame(start), 0, kind) is verdict


def test_a_beacon_is_never_too_early_and_waits_in_turn() -> None:
    queue = JitQueue()
    assert queue.enqueue(frame(700_000_000), 0, Kind.BEACON) is TxError.NONE
    assert queue.enqueue(frame(701_000_000), 0, Kind.BEACON) is TxError.COLLISION_BEACON
