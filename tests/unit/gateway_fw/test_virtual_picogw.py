"""The virtual picoGW against the figures of its sources, and the real forwarder's start-up replayed."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from picogw_bench import Bench, golden, heard

from gateway_fw.concentrator.picogw_records import TX_TIMESTAMP, IfConf, RadioConf, TxOrder, decode_records
from gateway_fw.concentrator.picogw_wire import Answer, Order, encode_answer, encode_command, padding_bytes
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.corecell import EnterBootloader, PowerLost
from gateway_fw.virtual.picogw import VirtualPicoGw
from gateway_fw.virtual.picogw_clock import MicrosecondClock
from gateway_fw.virtual.picogw_faults import PicoGwFaults, SetPicoGwFaults
from gateway_fw.virtual.picogw_radio import lora_payload_crc
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation

DOWNLINK = TxOrder(
    freq_hz=869_525_000,
    mode=TX_TIMESTAMP,
    count_us=0,
    rf_chain=0,
    power_dbm=14,
    modulation=0x10,
    bandwidth=3,
    datarate=0x08,
    coding_rate=1,
    inverted_iq=True,
    deviation_khz=0,
    preamble=8,
    no_crc=True,
    no_header=False,
    size=5,
    payload=b"hello",
)


@pytest.fixture(scope="module")
def running() -> Bench:
    return _started()


def _started() -> Bench:
    bench = Bench()
    bench.start()
    return bench


def _fetch(bench: Bench, most: int = 16) -> Answer:
    answer = bench.order(Order.RECEIVE, bytes((most,)))
    assert answer is not None
    return answer


def _send(bench: Bench, order: TxOrder) -> None:
    assert bench.order(Order.SEND, order.encode()) is None


def test_the_real_forwarders_start_up_ends_with_a_board_that_receives_on_its_channels() -> None:
    bench = _started()
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


def test_a_received_frame_stands_in_the_record_where_the_host_looks() -> None:
    bench = _started()
    frame = bench.hear(b"\x40payload", freq_hz=867_100_000, modulation=LoraModulation(9), rssi_dbm=-97.0, snr_db=-3.5)
    data = _fetch(bench).data
    assert len(data) == 1 + 44 + 8
    assert data[0] == 1
    record = data[1:]
    assert struct.unpack_from("<I", record, 0) == (867_100_000,)
    assert record[4:6] == bytes((3, 0x10))
    assert struct.unpack_from("<I", record, 8) == (bench.board.counter_us(frame.at),)
    assert record[12:15] == bytes((0, 0x10, 3))
    assert struct.unpack_from("<I", record, 16) == (0x08,)
    assert record[20] == 1
    assert struct.unpack_from("<ffff", record, 24) == (-97.0, -3.5, -3.5, -3.5)
    assert struct.unpack_from("<HH", record, 40) == (lora_payload_crc(b"\x40payload"), 8)
    assert record[44:] == b"\x40payload"
    assert _fetch(bench).data == b"\0"


def test_the_service_channel_takes_its_bandwidth_and_bad_frames_are_marked() -> None:
    bench = _started()
    bench.hear(freq_hz=868_300_000, modulation=LoraModulation(7, 250_000), crc_ok=False)
    records, wrong = decode_records(_fetch(bench).data)
    assert wrong == ""
    assert [(r.if_chain, r.status, r.bandwidth, r.rssi_dbm) for r in records] == [(8, 0x11, 2, -80.0)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"freq_hz": 868_700_000}, "no_channel"),
        ({"freq_hz": 868_131_251}, "no_channel"),
        ({"modulation": LoraModulation(8, 250_000), "freq_hz": 868_300_000}, "no_channel"),
        ({"modulation": LoraModulation(6)}, "no_channel"),
    ],
)
def test_what_no_channel_covers_is_not_heard(running: Bench, change: dict[str, object], reason: str) -> None:
    running.drops.clear()
    running.hear(**change)
    assert running.reasons == [reason]


def test_a_board_set_to_a_private_network_does_not_hear_a_public_one() -> None:
    bench = _started()
    bench.order(Order.SET_BOARD, b"\0\1\0\0")
    bench.hear()
    assert bench.reasons == ["no_channel"]


def test_a_disabled_chain_and_a_cleared_data_rate_hear_nothing() -> None:
    bench = _started()
    bench.order(Order.SET_IF_CHAIN, IfConf(True, 1, -400_000, 3, 0x04).encode(), 0)
    bench.hear()
    bench.hear(modulation=LoraModulation(8))
    bench.order(Order.SET_IF_CHAIN, IfConf(False).encode(), 0)
    bench.hear(modulation=LoraModulation(8))
    assert bench.reasons == ["no_channel", "no_channel"]
    assert _fetch(bench).data[0] == 1


def test_the_fifo_holds_sixteen_packets_and_1024_bytes() -> None:
    bench = _started()
    for _ in range(20):
        bench.hear()
    assert _fetch(bench, 10).data[0] == 10
    assert _fetch(bench).data[0] == 6
    assert bench.reasons == ["fifo_full"] * 4
    bench.drops.clear()
    for _ in range(5):
        bench.hear(bytes(240))  # 4 × (240 + 16) = 1024
    assert _fetch(bench).data[0] == 4
    assert bench.reasons == ["fifo_full"]


@pytest.mark.parametrize("most", [0, 17])
def test_fetching_none_or_too_many_is_refused(most: int) -> None:
    assert _fetch(Bench(), most) == Answer(ord("b"), 0, b"\xff")


def test_a_frame_that_ends_later_is_fetched_only_then() -> None:
    bench = _started()
    bench.give(heard(bench.now + 1000))
    assert _fetch(bench).data[0] == 0
    bench.pass_time(999)
    assert _fetch(bench).data[0] == 0
    bench.pass_time(1)
    assert _fetch(bench).data[0] == 1


def test_a_downlink_starts_at_the_asked_count_and_the_answer_comes_when_it_is_over() -> None:
    bench = _started()
    count = bench.board.counter_us(bench.now) + 40_000
    _send(bench, replace(DOWNLINK, count_us=count))
    (transmit,) = bench.transmits
    airtime = lora_airtime_us(5, LoraModulation(9), crc=False)
    assert (transmit.at, transmit.payload, transmit.airtime_us) == (bench.now + 40_000, b"hello", airtime)
    assert (transmit.inverted_iq, transmit.crc, transmit.power_dbm) == (True, False, 14)
    assert bench.board.counter_us(transmit.at) == count
    bench.pass_time(40_000 + airtime + 4_999)
    assert bench.answers == []
    bench.pass_time(1)
    assert bench.answers == [Answer(ord("f"), 1, b"")]
    assert bench.board.started


def test_the_counter_goes_on_over_a_transmission_and_starts_again_with_the_board() -> None:
    bench = _started()
    before = bench.order(Order.COUNTER)
    assert before is not None
    since = bench.now
    _send(bench, replace(DOWNLINK, count_us=bench.board.counter_us(bench.now) + 40_000))
    bench.pass_time(2_000_000)
    bench.write(0, 0x80)
    after = bench.order(Order.COUNTER)
    assert after is not None
    assert int.from_bytes(after.data, "big") - int.from_bytes(before.data, "big") == bench.now - since
    bench.order(Order.RESET)
    bench.pass_time(200_000)
    assert bench.board.counter_us(bench.now) == 0


def test_nothing_is_answered_or_heard_around_a_downlink_and_waiting_packets_are_lost() -> None:
    bench = _started()
    bench.hear(b"waits")
    _send(bench, replace(DOWNLINK, count_us=bench.board.counter_us(bench.now) + 40_000))
    assert bench.order(Order.COUNTER) is None
    bench.pass_time(100_000)
    bench.hear(b"meanwhile")
    assert bench.reasons == ["half_duplex"]
    bench.pass_time(1_000_000)
    assert [answer.identifier for answer in bench.answers] == [ord("f"), ord("q")]
    assert _fetch(bench).data == b"\0"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count_us": -1}, "tx_missed"),  # the past
        ({"count_us": 1_500}, "tx_missed"),  # the trigger itself needs 1500 µs
        ({"count_us": 10_000_001}, "tx_missed"),  # the microcontroller waits 10 s
        ({"mode": 2}, "tx_missed"),
        ({"mode": 3}, "tx_refused"),
        ({"rf_chain": 1}, "tx_refused"),
        ({"rf_chain": 2}, "tx_refused"),
        ({"bandwidth": 4}, "tx_refused"),
        ({"datarate": 0x0C}, "tx_refused"),
        ({"coding_rate": 5}, "tx_refused"),
        ({"size": 256}, "tx_refused"),
        ({"modulation": 0}, "tx_refused"),
        ({"modulation": 0x20, "datarate": 50_000, "deviation_khz": 0}, "tx_refused"),
    ],
)
def test_what_cannot_be_sent_costs_the_guard_time_and_is_answered_as_if_it_had_been(
    change: dict[str, int], reason: str
) -> None:
    bench = _started()
    order = replace(DOWNLINK, **{"count_us": 40_000, **change})  # type: ignore[arg-type]
    _send(bench, replace(order, count_us=(bench.board.counter_us(bench.now) + order.count_us) % 2**32))
    assert (bench.transmits, bench.reasons) == ([], [reason])
    bench.pass_time(10_004_999)
    assert bench.answers == []
    bench.pass_time(1)
    assert bench.answers == [Answer(ord("f"), 1, b"")]


def test_an_immediate_downlink_starts_after_the_start_delay_at_the_power_of_the_table() -> None:
    bench = _started()
    _send(bench, replace(DOWNLINK, mode=0, power_dbm=10))
    assert [(t.at - bench.now, t.power_dbm) for t in bench.transmits] == [(1500, 9)]


def test_an_fsk_downlink_takes_its_time_and_is_said_not_to_be_simulated() -> None:
    bench = _started()
    fsk = replace(DOWNLINK, modulation=0x20, datarate=50_000, deviation_khz=25, preamble=5, no_crc=False, mode=0)
    _send(bench, fsk)
    assert bench.reasons == ["fsk"]
    bench.pass_time(1500 + (5 + 3 + 1 + 5 + 2) * 8 * 20 + 5000)  # 20 µs a bit
    assert bench.answers == [Answer(ord("f"), 1, b"")]


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
    bench = _started()
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
    bench = _started()
    _send(bench, replace(DOWNLINK, mode=0))
    bench.give(PowerLost())
    assert bench.reasons == ["tx_cut"]
    assert not bench.board.started
    bench.pass_time(20_000_000)
    assert bench.answers == []


def test_a_lost_line_forgets_half_an_order_and_the_answer_under_way() -> None:
    bench = _started()
    _send(bench, replace(DOWNLINK, mode=0))
    bench.give(BytesReceived(b"r\0"))
    bench.give(LineLost())
    bench.pass_time(3_000_000)
    assert bench.answers == []
    assert bench.read(1) == 103
    assert bench.board.started


@pytest.mark.parametrize("drift_ppb", [-20_000, 0, 20_000, 999_999])
def test_a_drifting_counter_still_maps_counts_to_the_first_instant_that_shows_them(drift_ppb: int) -> None:
    clock = MicrosecondClock(1_000, drift_ppb=drift_ppb)
    now = 3_600_000_000
    for ahead in (1, 2, 39_999, 7_000_000):
        count = (clock.count(now) + ahead) % 2**32
        at = clock.instant_of(count, now)
        assert clock.elapsed(at) >= clock.elapsed(now) + ahead > clock.elapsed(at - 1)


def test_the_counter_wraps_and_downlinks_across_the_wrap_are_exact() -> None:
    bench = _started()
    bench.pass_time(2**32 - bench.board.counter_us(bench.now) - 10_000)
    _send(bench, replace(DOWNLINK, count_us=30_000))
    assert [t.at - bench.now for t in bench.transmits] == [40_000]


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
    bench = _started()
    bench.give(SetPicoGwFaults(PicoGwFaults(stuck_tx=True, deaf=True, drift_ppb=1_000_000)))
    bench.hear()
    _send(bench, replace(DOWNLINK, mode=0))
    assert bench.reasons == ["not_receiving", "tx_missed"]
    before = bench.board.counter_us(bench.now)
    bench.pass_time(10_005_000)
    assert bench.answers == [Answer(ord("f"), 1, b"")]
    assert bench.board.counter_us(bench.now) - before == pytest.approx(10_015_005, abs=1)
