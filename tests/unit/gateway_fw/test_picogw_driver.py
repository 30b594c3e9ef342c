"""The picoGW host driver: against the real host's start-up, and against the virtual board with faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from picogw_bench import Bench, golden, heard
from picogw_pair import Pair

from gateway_fw.concentrator.events import (
    ConcentratorLost,
    FskReception,
    Reception,
    Started,
    StartFailed,
    Stop,
    Stopped,
)
from gateway_fw.concentrator.picogw import REBOOT_US, picogw_eu868_setup
from gateway_fw.concentrator.picogw_counter import MicrosecondCounter
from gateway_fw.concentrator.picogw_radio import receptions
from gateway_fw.concentrator.picogw_records import RxRecord, encode_records
from gateway_fw.concentrator.picogw_wire import Command, CommandReader, Order, encode_command
from gateway_fw.concentrator.setup import Channel, Radio, RadioSetup, TxGain
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.corecell import PowerLost
from gateway_fw.virtual.picogw import VirtualPicoGw
from gateway_fw.virtual.picogw_faults import PicoGwFaults, SetPicoGwFaults
from lorawan.machine import Dropped
from lorawan.phy.modulation import LoraModulation

TIMESTAMP = {(2, address) for address in range(0x46, 0x4A)}
PORTS = {0x04, 0x06, 0x0A}


def _running(faults: PicoGwFaults | None = None) -> Pair:
    pair = Pair(faults)
    pair.start()
    assert pair.of(Started)
    pair.effects.clear()
    return pair


def _registers(board: VirtualPicoGw, now: int) -> dict[tuple[int, int], int]:
    def order(kind: Order, data: bytes, address: int) -> bytes:
        (sent,) = board.handle(BytesReceived(encode_command(kind, data, address)), now)
        assert isinstance(sent, SendBytes)
        return sent.data

    values = {}
    for page in range(3):
        order(Order.WRITE, bytes((page,)), 0)
        for address in range(1, 0x80):
            if address not in PORTS and (page, address) not in TIMESTAMP:
                values[page, address] = order(Order.READ, b"\0", address)[4]
    return values


# --- against what the real host does ---


def test_after_start_up_every_register_is_as_the_real_forwarder_leaves_it() -> None:
    real, ours = Bench(), Pair()
    real.start()
    ours.start()
    assert _registers(ours.board, ours.now) == _registers(real.board, real.now)
    assert ours.board.settings == real.board.settings


def _of_interest(commands: Iterator[Command]) -> list[tuple[Order, int, bytes]]:
    """Configuration orders, writes to RADIO_SELECT, and the radios' registers written over SPI, in order."""
    page, found, radio = 0, list[tuple[Order, int, bytes]](), bytearray(0x80)
    for command in commands:
        if command.order in (Order.SET_BOARD, Order.SET_RADIO, Order.SET_IF_CHAIN, Order.SET_TX_GAINS):
            found.append((command.order, command.argument, command.data))
        elif command.order is Order.KEEP_CALIBRATION:
            found.append((command.order, 0, command.data))
        elif command.order is Order.WRITE:
            place, value = command.argument, command.data[0]
            if place == 0:
                page = value & 3
            elif (page, place) == (0, 0x23):
                found.append((command.order, place, command.data))
            elif page == 2 and 0x21 <= place <= 0x2A:
                base = 0x26 if place >= 0x26 else 0x21
                rising = place == base + 4 and value & ~radio[place] & 1
                radio[place] = value
                if rising and radio[base + 2] & 0x80:
                    found.append((command.order, radio[base + 2], bytes((base, radio[base]))))
    return found


def test_orders_gain_control_and_radios_get_what_the_real_forwarder_gives_in_its_order() -> None:
    pair = Pair()
    pair.start()
    reader = CommandReader()
    ours = [each for data in pair.sent for each in reader.feed(data) if isinstance(each, Command)]
    real = [Command(order, argument, data) for order, argument, data, _ in golden()]
    assert _of_interest(iter(ours)) == _of_interest(iter(real))


# --- start and stop ---


def test_start_up_says_how_far_it_is_and_who_the_board_is() -> None:
    pair = Pair()
    pair.start()
    (started,) = pair.of(Started)
    assert (str(started.eui), started.firmware) == ("aa555a0000240409", "0x010A0006")
    assert pair.board.counter_us(pair.now) == pair.now - started.clock_origin
    assert pair.board_drops == []


@pytest.mark.parametrize(
    ("faults", "stage", "words"),
    [
        (PicoGwFaults(firmware_version=0x01090000), "identify", "firmware is not 0x010A0006"),
        (PicoGwFaults(chip_version=102), "identify", "version 102"),
        (PicoGwFaults(refuse_every=1, refuse_only="d"), "configure", "IF chain 0"),
        (PicoGwFaults(firmware_corrupt=True), "calibrate 5–12", "reads back differently from byte 0"),
        (PicoGwFaults(mute=True), "identify", "no answer to order 'l' within 1000 ms"),
        (PicoGwFaults(wrong_id_every=1), "identify", "an answer to 'q', not to 'l'"),
        (PicoGwFaults(lose_byte_every=1), "identify", "no answer"),
    ],
)
def test_a_board_that_is_not_right_fails_the_start_and_says_what_and_where(
    faults: PicoGwFaults, stage: str, words: str
) -> None:
    pair = Pair(faults)
    pair.start(us=12_000_000)
    (failed,) = pair.of(StartFailed)
    assert failed.stage == stage
    assert words in failed.why
    assert failed.hint
    pair.to_board(SetPicoGwFaults(PicoGwFaults()))
    pair.start()
    assert pair.of(Started)


@pytest.mark.parametrize("every", [7, 97])
def test_answers_lost_now_and_then_are_asked_for_again(every: int) -> None:
    pair = _running()
    pair.to_board(SetPicoGwFaults(PicoGwFaults(lose_byte_every=every)))
    pair.run(20_000_000)
    assert pair.of(ConcentratorLost) == []
    pair.to_board(heard(pair.now))
    pair.to_board(SetPicoGwFaults(PicoGwFaults()))
    pair.run(3_000_000)
    assert len(pair.of(Reception)) == 1


def test_a_board_that_babbles_is_given_up() -> None:
    pair = _running()
    pair.to_board(SetPicoGwFaults(PicoGwFaults(mute=True)))
    for _ in range(700):
        pair.run(10_000)
        pair.to_driver(BytesReceived(b"\x55"))
    assert len(pair.of(ConcentratorLost)) == 1


@pytest.mark.parametrize("cut", [0, 1, 3, 4, 5])
def test_answers_may_come_in_pieces(cut: int) -> None:
    pair = Pair()
    pair.cut = cut
    pair.start()
    assert pair.of(Started)
    assert pair.of(Dropped) == []


def test_what_an_earlier_host_left_on_the_line_is_thrown_away() -> None:
    pair = Pair()
    pair.effects.clear()
    pair.to_driver(BytesReceived(b"r\0\1\1"))
    pair.start()
    assert pair.of(Started)


def test_a_stale_answer_in_the_middle_is_noticed_and_got_over() -> None:
    pair = _running()
    pair.spoil = lambda data: b"w\0\0\1" + data
    pair.run(50_000)
    pair.spoil = None
    pair.run(2_000_000)
    assert {drop.reason for drop in pair.of(Dropped)} >= {"malformed"}
    assert pair.of(ConcentratorLost) == []
    pair.to_board(heard(pair.now))
    pair.run(50_000)
    assert len(pair.of(Reception)) == 1


def test_stop_resets_the_board_and_a_new_start_waits_until_it_is_back() -> None:
    pair = _running()
    pair.to_driver(Stop())
    pair.run(0)
    assert pair.of(Stopped) == [Stopped(clean=True)]
    stopped_at = pair.now
    pair.start(us=8_000_000)
    assert pair.of(Started)
    assert pair.origin >= stopped_at + REBOOT_US


def test_stop_in_the_middle_of_start_up_ends_cleanly() -> None:
    pair = Pair()
    pair.start(us=1_000_000)
    pair.to_driver(Stop())
    pair.run(10)
    assert pair.of(Stopped) == [Stopped(clean=True)]
    assert pair.of(Started) == []


@pytest.mark.parametrize("after_us", [50_000, 1_000_000, 4_000_000])
def test_a_line_lost_during_start_up_fails_it(after_us: int) -> None:
    pair = Pair()
    pair.start(us=after_us)
    pair.to_driver(LineLost("unplugged"))
    assert [failed.why for failed in pair.of(StartFailed)] == ["unplugged"]
    pair.to_board(PowerLost())
    pair.start()
    assert pair.of(Started)


def test_a_second_start_is_dropped_and_bytes_while_off_are_too() -> None:
    pair = _running()
    pair.start(us=0)
    assert [drop.reason for drop in pair.of(Dropped)] == ["already_started"]


def test_unused_chains_and_radios_are_switched_off() -> None:
    setup = RadioSetup(
        radios=(Radio(433_500_000, -164.0, tx_enabled=True),),
        channels=(Channel(0, 0), *[None] * 7),
        service=None,
        fsk=None,
        tx_gains=(TxGain(10, 0, digital=0, dac=3, mix=8),),
    )
    pair = Pair()
    pair.start(picogw_eu868_setup())
    pair.to_driver(Stop())
    pair.start(setup, us=8_000_000)
    assert pair.of(Started)
    assert [chain.enable for chain in pair.board.settings.chains] == [True] + [False] * 9
    assert [radio.kind for radio in pair.board.settings.radios] == [1, 1]  # SX1255
    pair.to_board(heard(pair.now, freq_hz=433_500_000))
    pair.run(50_000)
    assert [r.heard.freq_hz for r in pair.of(Reception)] == [433_500_000]


# --- receiving ---


def test_frames_come_out_as_they_were_heard_with_their_instant_to_the_microsecond() -> None:
    pair = _running()
    cases = [
        (LoraModulation(7), 868_100_000, 0, 1),
        (LoraModulation(12), 867_900_000, 7, 0),
        (LoraModulation(7, 250_000), 868_300_000, 8, 1),
    ]
    frames = [heard(pair.now, bytes(range(i, i + 20)), modulation=m, freq_hz=f) for i, (m, f, _, _) in enumerate(cases)]
    for frame in frames:
        pair.to_board(frame)
    pair.run(20_000)
    got = pair.of(Reception)
    assert [reception.heard for reception in got] == frames
    assert [(r.if_chain, r.rf_chain) for r in got] == [(chain, rf) for *_, chain, rf in cases]
    assert all(r.counter_us == pair.board.counter_us(f.at) for r, f in zip(got, frames, strict=True))


def test_a_drifting_board_is_followed() -> None:
    pair = _running(PicoGwFaults(drift_ppb=20_000))
    pair.run(60_000_000)
    assert pair.driver.ahead_us == pytest.approx(1_200, abs=200)
    pair.effects.clear()
    frame = heard(pair.now)
    pair.to_board(frame)
    pair.run(20_000)
    (reception,) = pair.of(Reception)
    assert reception.heard.at - frame.at == pytest.approx(pair.driver.ahead_us, abs=3)


RECORD = RxRecord(868_100_000, 0, 0x10, 1000, 1, 0x10, 3, 2, 1, -80.0, 7.0, 7.0, 7.0, 0, b"payload")


@pytest.mark.parametrize(
    "change",
    [
        {"status": 0},
        {"if_chain": 10},
        {"rf_chain": 2},
        {"rssi_dbm": float("nan")},
        {"snr_db": float("inf")},
        {"modulation": 0},
        {"datarate": 6},
        {"bandwidth": 7},
        {"coding_rate": 0},
    ],
)
def test_records_that_no_board_should_send_are_dropped(change: dict[str, object]) -> None:
    bad = replace(RECORD, **change)  # type: ignore[arg-type]
    effects = receptions(encode_records((bad, RECORD)), MicrosecondCounter())
    assert [type(effect) for effect in effects] == [Dropped, Reception]


def test_fsk_records_and_frames_without_crc() -> None:
    fsk = replace(RECORD, if_chain=9, modulation=0x20, datarate=50_000, status=0x11, coding_rate=0)
    effects = receptions(encode_records((fsk, replace(RECORD, status=0x01))), MicrosecondCounter())
    assert isinstance(effects[0], FskReception)
    assert (effects[0].bit_rate, effects[0].crc_ok) == (50_000, False)
    assert isinstance(effects[1], Reception)
    assert (effects[1].crc_present, effects[1].heard.crc_ok) == (False, True)


def test_a_board_that_restarts_by_itself_is_found_out_by_its_counter() -> None:
    pair = _running()
    pair.run(10_000_000)
    pair.to_board(PowerLost())
    pair.run(500_000)
    (lost,) = pair.of(ConcentratorLost)
    assert "the board has restarted" in lost.why


def test_a_board_that_falls_silent_is_given_up_after_three_questions() -> None:
    pair = _running()
    pair.to_board(SetPicoGwFaults(PicoGwFaults(mute=True)))
    pair.run(10_000_000)
    assert len(pair.of(ConcentratorLost)) == 1
