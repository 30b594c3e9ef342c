"""The CoreCell driver on the virtual board: what it hears, and what it makes of a board that fails.

Both were written from the same facts; what only this pair shows is how they behave together, not that the facts hold.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from corecell_frames import heard, transmit
from corecell_pair import CoreCellPair
from corecell_records import record

from gateway_fw.concentrator.corecell import Phase
from gateway_fw.concentrator.corecell_counter import Counter
from gateway_fw.concentrator.corecell_line import ANSWER_US
from gateway_fw.concentrator.corecell_receive import receptions
from gateway_fw.concentrator.events import (
    ConcentratorLost,
    FskReception,
    Program,
    Programmed,
    Progress,
    Reception,
    Start,
    Started,
    StartFailed,
    StatusRead,
    Stop,
    Stopped,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.stream import BytesReceived, LineLost
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.corecell import PowerLost, VirtualCoreCell
from gateway_fw.virtual.faults import Faults, SetFaults
from lorawan.machine import Dropped
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Heard, Transmit


def test_a_board_starts_within_three_seconds_and_says_who_it_is() -> None:
    pair = CoreCellPair().started()
    started = pair.of(Started)[0]
    assert started.eui == pair.board.board.chip_eui
    assert (started.firmware, started.chip) == ("V01.00.00", "0x10")
    assert started.board == pair.board.board.mcu_id.hex()
    fractions = [each.fraction for each in pair.of(Progress)]
    assert fractions == sorted(fractions)
    assert pair.of(StatusRead)[0].temperature_c == 25.0
    assert pair.of(Dropped) == []


@pytest.mark.parametrize(
    ("frame", "if_chain"),
    [
        (heard(0), 1),
        (heard(0, freq_hz=867_900_000, modulation=LoraModulation(12), airtime_us=1_155_072), 7),
        (heard(0, modulation=LoraModulation(7, 250_000), airtime_us=25_728), 8),
        (heard(0, coding_rate=CodingRate.CR_4_8), 1),
        (heard(0, payload=b"", airtime_us=103_424), 1),
    ],
)
def test_a_frame_arrives_as_it_was_sent(frame: Heard, if_chain: int) -> None:
    pair = CoreCellPair().started()
    at = pair.now + 500_000
    pair.at(at, replace(frame, at=at), board=True)
    pair.run(600_000)
    reception = pair.of(Reception)[0]
    got = reception.heard
    assert (got.payload, got.freq_hz, got.modulation) == (frame.payload, frame.freq_hz, frame.modulation)
    assert (got.snr_db, got.coding_rate, got.crc_ok) == (frame.snr_db, frame.coding_rate, True)
    assert abs(got.rssi_dbm - frame.rssi_dbm) <= 0.5  # the chip's steps are whole
    assert reception.if_chain == if_chain
    assert reception.counter_us == pair.board.counter_us(at)
    assert got.at == pair.driver.counter.origin_us + reception.counter_us


def test_a_frame_with_a_bad_crc_says_so() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now + 500_000, heard(pair.now + 500_000, crc_ok=False), board=True)
    pair.run(600_000)
    assert not pair.of(Reception)[0].heard.crc_ok


def test_a_stop_leaves_the_board_off_and_a_start_brings_it_back() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, Program(transmit(pair.now + 10_000_000)))
    pair.at(pair.now + 50_000, Stop())
    pair.run(2_000_000)
    assert [each.reason for each in pair.of(TransmitRefused)] == ["stopping"]
    assert pair.of(Stopped) == [Stopped(clean=True)]
    assert pair.driver.phase is Phase.OFF
    assert pair.driver.wake_at is None
    assert not pair.board.started
    pair.start()
    assert len(pair.of(Started)) == 2


def test_stale_bytes_before_the_first_order_are_thrown_away() -> None:
    pair = CoreCellPair()
    pair.at(0, Start(RadioSetup()))
    pair.at(1_000, BytesReceived(b"\x11\x00\x15\x40stale"))
    pair.run(4_000_000)
    assert pair.of(Started)
    assert [each.reason for each in pair.of(Dropped)] == ["stale_bytes"]


def test_a_mute_board_fails_in_good_time() -> None:
    pair = CoreCellPair()
    pair.at(0, SetFaults(Faults(mute=True)), board=True)
    pair.start()
    failed = pair.of(StartFailed)[0]
    assert failed.stage == "microcontroller"
    assert "no answer" in failed.why
    assert pair.driver.phase is Phase.OFF


def _wrong(faults: Faults) -> StartFailed:
    pair = CoreCellPair()
    pair.at(0, SetFaults(faults), board=True)
    pair.start()
    assert not pair.of(Started)
    return pair.of(StartFailed)[0]


def test_firmware_that_reads_back_differently_is_named_with_its_place() -> None:
    failed = _wrong(Faults(firmware_corrupt=True))
    assert failed.stage == "AGC firmware"
    assert "reads back differently at byte" in failed.why


def test_a_bridge_that_reports_failures_ends_the_start() -> None:
    assert "timed out" in _wrong(Faults(spi_status=3)).why


def test_a_radio_outside_every_band_ends_the_start_with_the_bands() -> None:
    pair = CoreCellPair()
    plan = RadioSetup()
    odd = replace(plan, radios=(replace(plan.radios[0], freq_hz=600_000_000), plan.radios[1]))
    pair.start(odd)
    failed = pair.of(StartFailed)[0]
    assert (failed.stage, failed.hint) == ("radio calibration", "MHz: 430-440, 470-510, 779-787, 863-870, 902-928")


def test_another_board_version_only_warns() -> None:
    pair = CoreCellPair(VirtualCoreCell(CoreCellBoard(firmware="V01.00.01"))).started()
    assert [each.reason for each in pair.of(Dropped)] == ["board_version"]


@pytest.mark.parametrize("step", [0, 1, 5, 7, 8, 30, 60, 120, 200, 330, 400, 430])
def test_a_board_unplugged_during_start_up_ends_it_cleanly(step: int) -> None:
    pair = CoreCellPair()
    pair.at(0, Start(RadioSetup()))
    while pair.n_orders <= step:
        pair.run(500)
    pair.unplugged = True
    pair.at(pair.now, LineLost("pulled"))
    pair.run(1_000_000)
    assert [each.why for each in pair.of(StartFailed)] == ["pulled"]
    assert pair.driver.phase is Phase.OFF
    assert pair.driver.wake_at is None


def test_a_board_unplugged_while_running_is_lost_and_its_frames_refused() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, Program(transmit(pair.now + 1_000_000)))
    pair.at(pair.now + 100_000, LineLost("pulled"))
    pair.run(200_000)
    assert [each.reason for each in pair.of(TransmitRefused)] == ["concentrator_lost"]
    assert pair.of(ConcentratorLost) == [ConcentratorLost("pulled")]
    pair.start()
    assert len(pair.of(Started)) == 2


def test_a_board_that_falls_silent_while_running_is_lost() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, SetFaults(Faults(mute=True)), board=True)
    pair.run(10 * ANSWER_US)
    assert pair.of(ConcentratorLost)


def _swallow(which: Callable[[int], bool]) -> Callable[[bytes], list[bytes]]:
    count = 0

    def answers(data: bytes) -> list[bytes]:
        nonlocal count
        count += 1
        return [] if which(count) else [data]

    return answers


@pytest.mark.parametrize("lost", [3, 9, 50, 300, 420])
def test_one_lost_answer_in_start_up_is_made_up_for(lost: int) -> None:
    pair = CoreCellPair(answers=_swallow(lambda count: count == lost))
    pair.start()
    assert pair.of(Started)


def test_a_truncated_answer_and_a_late_one_are_made_up_for() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, SetFaults(Faults(lose_byte_every=97, stall_every=89, stall_us=1_200_000)), board=True)
    pair.run(20_000_000)
    assert not pair.of(ConcentratorLost)
    reasons = {each.reason for each in pair.of(Dropped)}
    assert reasons <= {"flushed", "stale_answer", "unasked"}
    pair.at(pair.now, SetFaults(Faults()), board=True)
    pair.run(3_000_000)
    pair.at(pair.now + 400_000, heard(pair.now + 400_000), board=True)
    pair.run(1_000_000)
    assert pair.of(Reception)


def test_a_board_that_does_not_echo_ids_is_put_up_with() -> None:
    pair = CoreCellPair(answers=lambda data: [b"\x2a" + data[1:]]).started()
    assert pair.of(Dropped) == []


def test_answers_with_another_id_are_not_taken_for_this_one() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, SetFaults(Faults(wrong_id_every=50)), board=True)
    pair.run(20_000_000)
    assert {each.reason for each in pair.of(Dropped)} == {"stale_answer"}
    assert not pair.of(ConcentratorLost)


def test_a_transmission_whose_answer_is_lost_is_not_programmed_twice() -> None:
    pair = CoreCellPair().started()
    armed = True

    def lose_the_bulk(data: bytes) -> list[bytes]:
        nonlocal armed
        if armed and len(data) > 300:
            armed = False
            return []
        return [data]

    pair.answers = lose_the_bulk
    pair.at(pair.now, Program(transmit(pair.now + 3_000_000, payload=bytes(100))))
    pair.run(5_000_000)
    assert not armed
    assert len([each for each in pair.from_board if isinstance(each, Transmit)]) == 1
    assert pair.of(Programmed)
    assert pair.of(TransmitDone)


def test_a_record_with_a_wrong_checksum_costs_that_frame_alone() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, SetFaults(Faults(wrong_checksum_every=2)), board=True)
    for index in range(6):
        at = pair.now + 400_000 + 300_000 * index
        pair.at(at, heard(at, payload=bytes((index,)) * 12), board=True)
    pair.run(3_000_000)
    assert [each.heard.payload[0] for each in pair.of(Reception)] == [0, 2, 4]
    assert [each.reason for each in pair.of(Dropped)] == ["record"] * 3


def test_a_wrong_crc16_is_dropped_where_the_reference_ends() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, SetFaults(Faults(wrong_crc_every=1)), board=True)
    pair.at(pair.now + 400_000, heard(pair.now + 400_000), board=True)
    pair.run(1_000_000)
    assert not pair.of(Reception)
    assert "payload CRC" in pair.of(Dropped)[0].detail


def test_concentrator_time_follows_the_boards_crystal_over_many_wraps() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, SetFaults(Faults(drift_ppb=20_000)), board=True)  # 20 ppm fast
    first = pair.driver.ahead_us
    pair.driver._poll_at = pair.now
    pair.run(20_000)
    for _ in range(5):
        pair.now += 300_000_000  # more than two wraps of 134 s
        pair.run(50_000)
    ahead = pair.driver.ahead_us - first
    assert ahead == pytest.approx(5 * 300 * 20, rel=0.01, abs=700)
    at = pair.now + 400_000
    pair.at(at, heard(at), board=True)
    pair.run(1_000_000)
    reception = pair.of(Reception)[0]
    assert reception.counter_us & 0x7FF_FFFF == pair.board.counter_us(at)


def test_an_fsk_frame_is_told_with_its_bit_rate() -> None:
    counter = Counter()
    counter.read(32_000_000, 5_000_000)
    buffer = record(b"fsk", channel=9, modem=17, ticks=16_000_000, rssi=100)
    (found,) = receptions(buffer, RadioSetup(), counter, 25.0)
    assert isinstance(found, FskReception)
    assert (found.freq_hz, found.bit_rate, found.counter_us) == (868_800_000, 50_000, 500_000 - 7)
    # 90.636423 + 42.0835 + 71.29 - 26.0 = 178.0 raw, less 215.4, plus 1.02
    assert found.rssi_dbm == pytest.approx(178.009923 - 215.4 + 1.0196, abs=1e-3)


def test_frames_on_both_sides_of_a_wrap_and_a_downlink_across_it() -> None:
    seconds_to_wrap = 4
    board = VirtualCoreCell(CoreCellBoard(counter_start_ticks=(1 << 32) - seconds_to_wrap * 32_000_000))
    pair = CoreCellPair(board).started()
    times = [pair.now + 300_000 + 400_000 * index for index in range(10)]
    for at in times:
        pair.at(at, heard(at), board=True)
    pair.run(700_000)
    uplink = pair.of(Reception)[0]
    pair.at(pair.now, Program(transmit(uplink.heard.at + 2_500_000)))
    pair.run(5_000_000)
    receptions_ = pair.of(Reception)
    counters = [each.counter_us for each in receptions_]
    assert len(counters) == 10
    assert [second - first for first, second in itertools.pairwise(counters)] == [400_000] * 9
    assert counters[0] < 1 << 27 < counters[-1]  # the chip's counter wrapped, ours went on
    (sent,) = [effect for effect in pair.from_board if isinstance(effect, Transmit)]
    assert board.counter_us(sent.at) == (uplink.counter_us + 2_500_000) % (1 << 27)


def test_a_read_that_is_answered_shortly_ends_the_start() -> None:
    def short(data: bytes) -> list[bytes]:
        # the chip's version: a transfer of five bytes, of which four come
        return [data[:2] + b"\x09\x45\x00\x01\x00\x00\x04" + bytes(4)] if data[2:4] == b"\x0a\x45" else [data]

    pair = CoreCellPair(answers=short)
    pair.start()
    assert "4 bytes" in pair.of(StartFailed)[0].why


def test_a_chip_that_loses_its_power_unseen_is_lost() -> None:
    pair = CoreCellPair().started()
    pair.run(3_000_000)
    pair.at(pair.now, PowerLost(), board=True)
    pair.run(2_000_000)
    assert "counter jumped" in pair.of(ConcentratorLost)[0].why
    pair.start()
    assert len(pair.of(Started)) == 2
