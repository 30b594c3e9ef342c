"""The virtual picoGW against the figures of its sources, and the real forwarder's start-up replayed."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from picogw_bench import DOWNLINK, Bench, golden, send, started

from gateway_fw.concentrator.picogw_records import IfConf, RadioConf
from gateway_fw.concentrator.picogw_wire import Answer, Order, encode_answer, encode_command, padding_bytes
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.corecell import EnterBootloader, PowerLost
from gateway_fw.virtual.picogw import VirtualPicoGw
from gateway_fw.virtual.picogw_faults import PicoGwFaults, SetPicoGwFaults


def test_the_real_forwarders_start_up_ends_with_a_board_that_receives_on_its_channels() -> None:
    bench = started()
    assert bench.board.started
    assert [bench.board.settings.centre_hz(chain) for chain in range(9)] == [
        *(868_100_000, 868_300_000, 868_500_000, 867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000),
        868_300_000,
    ]
    assert bench.drops == []


def test_nothing_is_heard_before_a_host_has_started_the_chip() -> None:
    bench = Bench()
    for order, argument, data, _ in golden()[:17]:
        bench.order(order, data, argument)
    bench.hear()
    assert bench.reasons == ["not_receiving"]


def test_version_check_gives_the_identifier_and_refuses_other_versions() -> None:
    bench = Bench()
    known = struct.pack(">I", 0x010A0006)
    assert bench.order(Order.CHECK_FIRMWARE, known) == Answer(ord("l"), 1, bytes.fromhex("aa555a0000240409"))
    other = bench.order(Order.CHECK_FIRMWARE, struct.pack(">I", 0x010A0005))
    assert other is not None
    assert other.status == 0


@pytest.mark.parametrize(
    ("page", "address", "value"),
    [(0, 0x01, 103), (0, 0x7E, 1), (0, 0x23, 240), (0, 0x24, 0x80), (0, 0x25, 0x1E), (1, 0x3E, 128), (2, 0x2D, 0x42)],
)
def test_registers_have_their_reset_values(page: int, address: int, value: int) -> None:
    bench = Bench()
    bench.write(0, page)
    assert bench.read(address) == value


def test_pages_are_apart_common_registers_are_not_and_a_soft_reset_clears_all() -> None:
    bench = Bench()
    bench.write(0, 1)
    bench.write(0x50, 7)
    bench.write(0x1F, 9)
    bench.write(0, 2)
    assert (bench.read(0x50), bench.read(0x1F), bench.read(0)) == (0, 9, 2)
    bench.write(0, 0x80)
    assert (bench.read(0x1F), bench.read(0)) == (0, 0)
    bench.write(0, 1)
    assert bench.read(0x50) == 0


def test_read_only_registers_keep_their_value() -> None:
    bench = Bench()
    bench.write(0x01, 5)
    assert bench.read(0x01) == 103


def test_a_burst_in_pieces_goes_on_where_it_stopped_and_a_port_stays() -> None:
    bench = Bench()
    for order, data in ((Order.WRITE_FIRST, b"\x01\x02"), (Order.WRITE_MIDDLE, b"\x03"), (Order.WRITE_LAST, b"\x04")):
        bench.order(order, data, 0x24)
    answer = bench.order(Order.READ_BURST, b"\0\x04", 0x24)
    assert answer is not None
    assert answer.data == b"\x01\x02\x03\x04"
    bench.order(Order.WRITE_BURST, b"\x10\x00", 0x02)  # pointer into the receive buffer
    bench.order(Order.WRITE_BURST, bytes(range(30)), 0x04)
    bench.order(Order.WRITE_BURST, b"\x10\x00", 0x02)
    answer = bench.order(Order.READ_BURST, b"\0\x1e", 0x04)
    assert answer is not None
    assert answer.data == bytes(range(30))


def test_a_single_read_of_the_program_port_does_not_advance_it() -> None:
    bench = Bench()
    bench.write(0x09, 0)
    bench.order(Order.WRITE_BURST, b"\xaa\xbb", 0x0A)
    bench.write(0x09, 0)
    assert bench.read(0x0A) == 0xAA
    answer = bench.order(Order.READ_BURST, b"\0\x02", 0x0A)
    assert answer is not None
    assert answer.data == b"\xaa\xbb"


@pytest.mark.parametrize("length", [0, 1, 59, 60, 61, 124, 188])
def test_an_answer_that_would_fill_its_usb_packets_exactly_has_one_byte_more(length: int) -> None:
    frame = encode_answer(ord("p"), bytes(length))
    assert len(frame) == 4 + length + (1 if length in (60, 124, 188) else 0)
    assert padding_bytes(length) == (length in (60, 124, 188))


def test_an_unknown_order_is_not_answered_and_the_next_one_is() -> None:
    board = VirtualPicoGw()
    effects = board.handle(BytesReceived(b"k\0\0\0" + encode_command(Order.READ, b"\0", 1)), 0)
    assert [type(effect).__name__ for effect in effects] == ["Dropped", "SendBytes"]
    assert effects[1] == SendBytes(b"r\0\x01\x01\x67")


def test_an_order_longer_than_its_buffer_is_skipped_whole() -> None:
    board = VirtualPicoGw()
    effects = board.handle(BytesReceived(b"a\x10\x00\x00" + bytes(0x1000) + encode_command(Order.READ, b"\0", 1)), 0)
    assert effects[-1] == SendBytes(b"r\0\x01\x01\x67")
    assert getattr(effects[0], "reason", "") == "picogw_order_length"


def test_a_burst_read_beyond_the_answer_buffer_is_refused() -> None:
    answer = Bench().order(Order.READ_BURST, b"\xff\xff", 0x04)
    assert answer == Answer(ord("p"), 0, b"")


@pytest.mark.parametrize(
    ("argument", "data"),
    [
        (2, RadioConf(True, 867_500_000, -164.0).encode()),
        (0, RadioConf(True, 867_500_000, -164.0, kind=3).encode()),
    ],
)
def test_a_radio_that_does_not_exist_is_refused(argument: int, data: bytes) -> None:
    assert Bench().order(Order.SET_RADIO, data, argument) == Answer(ord("c"), 0, b"")


@pytest.mark.parametrize(
    ("argument", "conf"),
    [
        (10, IfConf(True)),
        (0, IfConf(True, rf_chain=2)),
        (0, IfConf(True, if_hz=400_001)),  # 400,001 + 62,500 Hz is past half of 925 kHz
        (0, IfConf(True, bandwidth=2)),
        (0, IfConf(True, datarate=0x01)),
        (8, IfConf(True, datarate=0x06)),
        (9, IfConf(True, datarate=250_001)),
    ],
)
def test_an_if_chain_that_the_chip_cannot_serve_is_refused(argument: int, conf: IfConf) -> None:
    assert Bench().order(Order.SET_IF_CHAIN, conf.encode(), argument) == Answer(ord("d"), 0, b"")


def test_order_n_ends_in_the_boot_loader_and_only_power_brings_the_board_back() -> None:
    bench = Bench()
    assert bench.order(Order.BOOTLOADER) == Answer(ord("n"), 1, b"")
    effects = bench.board.wake(200_000)
    assert effects == [EnterBootloader()]
    bench.pass_time(5_000_000)
    assert bench.order(Order.COUNTER) is None
    bench.give(PowerLost())
    assert bench.order(Order.COUNTER) is not None


def test_a_reset_forgets_everything_and_orders_sent_meanwhile_wait_for_the_boot() -> None:
    bench = started()
    bench.order(Order.RESET)
    assert bench.order(Order.COUNTER) is None  # lost: the reset is under way
    bench.pass_time(200_000)
    assert not bench.board.started
    assert bench.order(Order.READ, b"\0", 1) is None
    bench.pass_time(999_999)
    assert bench.answers == []
    bench.pass_time(1)
    assert bench.answers == [Answer(ord("r"), 1, b"\x67")]


def test_power_lost_while_sending_is_said() -> None:
    bench = started()
    send(bench, replace(DOWNLINK, mode=0))
    bench.give(PowerLost())
    assert bench.reasons == ["tx_cut"]
    assert not bench.board.started
    bench.pass_time(20_000_000)
    assert bench.answers == []


def test_a_lost_line_forgets_half_an_order_and_the_answer_under_way() -> None:
    bench = started()
    send(bench, replace(DOWNLINK, mode=0))
    bench.give(BytesReceived(b"r\0"))
    bench.give(LineLost())
    bench.pass_time(3_000_000)
    assert bench.answers == []
    assert bench.read(1) == 103
    assert bench.board.started


def test_faults_show_in_the_answers() -> None:
    bench = Bench(PicoGwFaults(refuse_every=2, refuse_only="q"))
    statuses = [a.status for _ in range(4) if (a := bench.order(Order.COUNTER)) is not None]
    assert statuses == [1, 0, 1, 0]
    assert bench.order(Order.READ, b"\0", 1) == Answer(ord("r"), 1, b"\x67")
    bench.give(SetPicoGwFaults(PicoGwFaults(mute=True)))
    assert bench.order(Order.COUNTER) is None
    bench.give(SetPicoGwFaults(PicoGwFaults(wrong_id_every=1)))
    answer = bench.order(Order.COUNTER)
    assert answer is not None
    assert answer.identifier != ord("q")
    bench.give(SetPicoGwFaults(PicoGwFaults(chip_version=1)))
    assert bench.read(1) == 1
    bench.give(SetPicoGwFaults(PicoGwFaults(stall_every=1, stall_us=5_000)))
    assert bench.order(Order.COUNTER) is None
    bench.pass_time(5_000)
    assert len(bench.answers) == 1
    bench.give(SetPicoGwFaults(PicoGwFaults(lose_byte_every=1)))
    assert bench.order(Order.COUNTER) is None
    assert bench.reader.pending == 7


def test_a_stuck_transmitter_a_deaf_receiver_and_a_drifting_clock() -> None:
    bench = started()
    bench.give(SetPicoGwFaults(PicoGwFaults(stuck_tx=True, deaf=True, drift_ppb=1_000_000)))
    bench.hear()
    send(bench, replace(DOWNLINK, mode=0))
    assert bench.reasons == ["not_receiving", "tx_missed"]
    before = bench.board.counter_us(bench.now)
    bench.pass_time(10_005_000)
    assert bench.answers == [Answer(ord("f"), 1, b"")]
    assert bench.board.counter_us(bench.now) - before == pytest.approx(10_015_005, abs=1)
