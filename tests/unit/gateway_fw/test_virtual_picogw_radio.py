"""What the virtual picoGW hears and sends."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from picogw_bench import DOWNLINK, Bench, fetch, heard, send, started

from gateway_fw.concentrator.picogw_records import IfConf, decode_records
from gateway_fw.concentrator.picogw_wire import Answer, Order
from gateway_fw.virtual.picogw_clock import MicrosecondClock
from gateway_fw.virtual.picogw_radio import lora_payload_crc
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation


def test_a_received_frame_stands_in_the_record_where_the_host_looks() -> None:
    bench = started()
    frame = bench.hear(b"\x40payload", freq_hz=867_100_000, modulation=LoraModulation(9), rssi_dbm=-97.0, snr_db=-3.5)
    data = fetch(bench).data
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
    assert fetch(bench).data == b"\0"


def test_the_service_channel_takes_its_bandwidth_and_bad_frames_are_marked() -> None:
    bench = started()
    bench.hear(freq_hz=868_300_000, modulation=LoraModulation(7, 250_000), crc_ok=False)
    records, wrong = decode_records(fetch(bench).data)
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
def test_what_no_channel_covers_is_not_heard(change: dict[str, object], reason: str) -> None:
    bench = started()
    bench.hear(**change)
    assert bench.reasons == [reason]


def test_a_board_set_to_a_private_network_does_not_hear_a_public_one() -> None:
    bench = started()
    bench.order(Order.SET_BOARD, b"\0\1\0\0")
    bench.hear()
    assert bench.reasons == ["no_channel"]


def test_a_disabled_chain_and_a_cleared_data_rate_hear_nothing() -> None:
    bench = started()
    bench.order(Order.SET_IF_CHAIN, IfConf(True, 1, -400_000, 3, 0x04).encode(), 0)
    bench.hear()
    bench.hear(modulation=LoraModulation(8))
    bench.order(Order.SET_IF_CHAIN, IfConf(False).encode(), 0)
    bench.hear(modulation=LoraModulation(8))
    assert bench.reasons == ["no_channel", "no_channel"]
    assert fetch(bench).data[0] == 1


def test_the_fifo_holds_sixteen_packets_and_1024_bytes() -> None:
    bench = started()
    for _ in range(20):
        bench.hear()
    assert fetch(bench, 10).data[0] == 10
    assert fetch(bench).data[0] == 6
    assert bench.reasons == ["fifo_full"] * 4
    bench.drops.clear()
    for _ in range(5):
        bench.hear(bytes(240))  # 4 × (240 + 16) = 1024
    assert fetch(bench).data[0] == 4
    assert bench.reasons == ["fifo_full"]


@pytest.mark.parametrize("most", [0, 17])
def test_fetching_none_or_too_many_is_refused(most: int) -> None:
    assert fetch(Bench(), most) == Answer(ord("b"), 0, b"\xff")


def test_a_frame_that_ends_later_is_fetched_only_then() -> None:
    bench = started()
    bench.give(heard(bench.now + 1000))
    assert fetch(bench).data[0] == 0
    bench.pass_time(999)
    assert fetch(bench).data[0] == 0
    bench.pass_time(1)
    assert fetch(bench).data[0] == 1


def test_a_downlink_starts_at_the_asked_count_and_the_answer_comes_when_it_is_over() -> None:
    bench = started()
    count = bench.board.counter_us(bench.now) + 40_000
    send(bench, replace(DOWNLINK, count_us=count))
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
    bench = started()
    before = bench.order(Order.COUNTER)
    assert before is not None
    since = bench.now
    send(bench, replace(DOWNLINK, count_us=bench.board.counter_us(bench.now) + 40_000))
    bench.pass_time(2_000_000)
    bench.write(0, 0x80)
    after = bench.order(Order.COUNTER)
    assert after is not None
    assert int.from_bytes(after.data, "big") - int.from_bytes(before.data, "big") == bench.now - since
    bench.order(Order.RESET)
    bench.pass_time(200_000)
    assert bench.board.counter_us(bench.now) == 0


def test_nothing_is_answered_or_heard_around_a_downlink_and_waiting_packets_are_lost() -> None:
    bench = started()
    bench.hear(b"waits")
    send(bench, replace(DOWNLINK, count_us=bench.board.counter_us(bench.now) + 40_000))
    assert bench.order(Order.COUNTER) is None
    bench.pass_time(100_000)
    bench.hear(b"meanwhile")
    assert bench.reasons == ["half_duplex"]
    bench.pass_time(1_000_000)
    assert bench.reasons == ["half_duplex", "not_fetched"]
    assert [answer.identifier for answer in bench.answers] == [ord("f"), ord("q")]
    assert fetch(bench).data == b"\0"


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
    bench = started()
    order = replace(DOWNLINK, **{"count_us": 40_000, **change})  # type: ignore[arg-type]
    send(bench, replace(order, count_us=(bench.board.counter_us(bench.now) + order.count_us) % 2**32))
    assert (bench.transmits, bench.reasons) == ([], [reason])
    bench.pass_time(10_004_999)
    assert bench.answers == []
    bench.pass_time(1)
    assert bench.answers == [Answer(ord("f"), 1, b"")]


def test_an_immediate_downlink_starts_after_the_start_delay_at_the_power_of_the_table() -> None:
    bench = started()
    send(bench, replace(DOWNLINK, mode=0, power_dbm=10))
    assert [(t.at - bench.now, t.power_dbm) for t in bench.transmits] == [(1500, 9)]


def test_an_fsk_downlink_takes_its_time_and_is_said_not_to_be_simulated() -> None:
    bench = started()
    fsk = replace(DOWNLINK, modulation=0x20, datarate=50_000, deviation_khz=25, preamble=5, no_crc=False, mode=0)
    send(bench, fsk)
    assert bench.reasons == ["fsk"]
    bench.pass_time(1500 + (5 + 3 + 1 + 5 + 2) * 8 * 20 + 5000)  # 20 µs a bit
    assert bench.answers == [Answer(ord("f"), 1, b"")]


@pytest.mark.parametrize("drift_ppb", [-20_000, 0, 20_000, 999_999])
def test_a_drifting_counter_still_maps_counts_to_the_first_instant_that_shows_them(drift_ppb: int) -> None:
    clock = MicrosecondClock(1_000, drift_ppb=drift_ppb)
    now = 3_600_000_000
    for ahead in (1, 2, 39_999, 7_000_000):
        count = (clock.count(now) + ahead) % 2**32
        at = clock.instant_of(count, now)
        assert clock.elapsed(at) >= clock.elapsed(now) + ahead > clock.elapsed(at - 1)


def test_the_counter_wraps_and_downlinks_across_the_wrap_are_exact() -> None:
    bench = started()
    bench.pass_time(2**32 - bench.board.counter_us(bench.now) - 10_000)
    send(bench, replace(DOWNLINK, count_us=30_000))
    assert [t.at - bench.now for t in bench.transmits] == [40_000]
