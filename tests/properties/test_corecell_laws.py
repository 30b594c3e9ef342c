"""Laws of the virtual CoreCell: nothing from outside stops it, cuts do not matter, transmissions are exact."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from corecell_host import Host, frame, modify, read, transfer, write
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.bridge import MAX_REQUEST_BYTES
from gateway_fw.virtual.channels import RadioTuning, channel_plan
from gateway_fw.virtual.chip_clock import ChipClock
from gateway_fw.virtual.corecell import VirtualCoreCell
from gateway_fw.virtual.faults import Faults, SetFaults
from gateway_fw.virtual.rounding import asked_hz
from gateway_fw.virtual.rx_records import decoding_delay_us
from gateway_fw.virtual.sx1302_map import MEMORY_BYTES, reset_memory
from lorawan.machine import Dropped
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Heard, Transmit

ADDRESSES = st.integers(0, MEMORY_BYTES - 1) | st.sampled_from(
    [0x5200, 0x5260, 0x5400, 0x5780, 0x5781, 0x5789, 0x58C8, 0x4000, 0x6080, 0x608A, 0x6101, 0x7FFE]
)
ELEMENTS = st.one_of(
    st.builds(write, ADDRESSES, st.binary(max_size=24)),
    st.builds(read, ADDRESSES, st.integers(0, 40)),
    st.builds(modify, ADDRESSES, st.integers(0, 255), st.integers(0, 255)),
    st.builds(lambda mux, command: transfer(bytes((mux,)) + command), st.integers(0, 4), st.binary(max_size=8)),
    st.builds(transfer, st.binary(max_size=8), st.integers(0, 2)),
    st.binary(max_size=9),
)
PAYLOADS = st.one_of(st.lists(ELEMENTS, max_size=6).map(b"".join), st.binary(max_size=30))
FRAMES = st.builds(frame, st.integers(0, 6) | st.integers(0, 255), PAYLOADS, st.integers(0, 255))
STREAMS = st.lists(FRAMES | st.binary(max_size=8), max_size=8).map(b"".join)
MODULATIONS = st.builds(LoraModulation, st.integers(5, 12), st.sampled_from((125_000, 250_000, 500_000)))
FAULTS = st.builds(
    Faults,
    lose_byte_every=st.integers(0, 3),
    stall_every=st.integers(0, 3),
    stall_us=st.integers(0, 10_000_000),
    mute=st.booleans(),
    wrong_type_every=st.integers(0, 3),
    spi_status=st.integers(0, 3),
    wrong_checksum_every=st.integers(0, 2),
    stuck_tx=st.booleans(),
    drift_ppb=st.integers(-100_000, 100_000),
    temperature_ramp_c_per_min=st.floats(-1e6, 1e6),
    fifo_bytes=st.integers(0, 5000),
)


def answers(effects: list[Any]) -> bytes:
    return b"".join(effect.data for effect in effects if isinstance(effect, SendBytes))


@given(STREAMS, st.lists(st.integers(0, 200), max_size=12))
def test_any_bytes_are_taken_and_their_cuts_do_not_matter(stream: bytes, cuts: list[int]) -> None:
    whole = list(VirtualCoreCell().handle(BytesReceived(stream), 5))
    board, pieces = VirtualCoreCell(), []
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    for low, high in pairwise(edges):
        pieces += list(board.handle(BytesReceived(stream[low:high]), 5))
    assert answers(pieces) == answers(whole)
    assert [effect for effect in pieces if not isinstance(effect, SendBytes)] == [
        effect for effect in whole if not isinstance(effect, SendBytes)
    ]
    for effect in whole:
        assert isinstance(effect, SendBytes | Transmit | Dropped) or type(effect).__name__ == "EnterBootloader"


@given(PAYLOADS)
def test_an_spi_answer_is_never_longer_than_its_request(payload: bytes) -> None:
    host = Host(VirtualCoreCell())
    answer = host.raw(frame(5, payload))
    assert answer[3] == 0x45
    assert int.from_bytes(answer[1:3], "big") == len(answer) - 4 <= max(len(payload), 0)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 3_000_000),
            st.one_of(
                STREAMS.map(BytesReceived),
                FAULTS.map(SetFaults),
                st.builds(
                    Heard,
                    st.integers(0, 10_000_000),
                    st.binary(max_size=260),
                    st.sampled_from((868_100_000, 868_300_000, 0, 1 << 40)),
                    MODULATIONS,
                    st.floats(-300, 300),
                    st.floats(-100, 100),
                    st.integers(0, 5_000_000),
                ),
            ),
        ),
        max_size=10,
    )
)
def test_no_order_of_events_stops_it(events: list[tuple[int, Any]]) -> None:
    host = Host(VirtualCoreCell())
    host.start()
    now = 0
    for pause, event in events:
        now += pause
        due = host.board.wake_at
        if due is not None and due <= now:
            host.board.wake(now)
        host.board.handle(event, now)
    host.board.handle(SetFaults(Faults()), now)
    host.now = now + 20_000_000
    host.board.wake(host.now)
    host.board.handle(BytesReceived(b""), host.now)
    host.raw(b"")
    host.now += 2_000_000
    assert answers(list(host.board.handle(BytesReceived(frame(0)), host.now)))[-21:-9] == host.board.board.mcu_id


@given(
    st.integers(0, 1 << 40),
    st.integers(2_000, 120_000_000),
    st.integers(0, (1 << 32) - 1),
    st.binary(max_size=255),
    MODULATIONS,
    st.sampled_from((0, 1)),
)
def test_a_timed_transmission_starts_exactly_when_asked(
    now: int, lead_us: int, start_ticks: int, payload: bytes, modulation: LoraModulation, chain: int
) -> None:
    host = Host(VirtualCoreCell(CoreCellBoard(counter_start_ticks=start_ticks // 32 * 32)))
    host.now = now
    at = now + lead_us
    code = {125_000: 4, 250_000: 5, 500_000: 6}[modulation.bw_hz]
    host.program(payload, start_us=host.board.counter_us(at), sf=modulation.sf, bandwidth=code, chain=chain)
    (transmit,) = host.effects
    assert (transmit.at, transmit.payload, transmit.modulation) == (at, payload, modulation)


@settings(max_examples=50)
@given(st.binary(max_size=255), MODULATIONS, st.sampled_from(CodingRate), st.integers(0, 1 << 40))
def test_what_is_heard_is_stamped_within_a_microsecond(
    payload: bytes, modulation: LoraModulation, coding_rate: CodingRate, at: int
) -> None:
    host = Host(VirtualCoreCell())
    host.start()
    host.write(0x5B21, bytes(({125_000: 4, 250_000: 5, 500_000: 6}[modulation.bw_hz] << 4 | modulation.sf,)))
    peaks = b"\x06\x08" if modulation.sf >= 7 else b"\x02\x04"
    host.write(0x5B2E, peaks)
    airtime_us = lora_airtime_us(len(payload), modulation, coding_rate=coding_rate)
    frame_ = Heard(at, payload, 868_300_000, modulation, -100.0, 5.0, airtime_us, coding_rate=coding_rate)
    assert not host.board.handle(frame_, at)
    host.now = at + 100_000
    out = host.fifo()
    size = len(payload)
    ticks = int.from_bytes(out[9 + size + 6 : 9 + size + 10], "little")
    stamp = ticks // 32 - decoding_delay_us(modulation, coding_rate, size, crc=True)
    assert (stamp - host.board.counter_us(at)) % (1 << 27) in (0, 1, (1 << 27) - 1)
    assert out[9 : 9 + size] == payload
    assert sum(out[:-1]) & 0xFF == out[-1]


@given(
    st.dictionaries(
        st.sampled_from(
            [*range(0x5800, 0x5811), 0x5605, 0x5821, 0x5822, *range(0x588A, 0x5890), *range(0x5B00, 0x5B30)]
        ),
        st.integers(0, 255),
    ),
    st.integers(0, (1 << 32) - 1),
)
def test_any_registers_give_some_channel_plan(registers: dict[int, int], steps: int) -> None:
    memory = reset_memory()
    memory[0x5605] = 0x0F
    for address, value in registers.items():
        memory[address] = value
    for channel in channel_plan(memory, (RadioTuning(steps, True), RadioTuning(5, True))):
        assert 0 <= channel.index <= 8
        assert channel.sfs <= set(range(5, 13))
        assert abs(channel.freq_hz - channel.centre_hz) < 500


@given(st.integers(100_000_000 // 100, 1_000_000_000 // 100).map(lambda hundreds: hundreds * 100))
def test_every_frequency_of_the_grid_survives_a_radio_register(freq_hz: int) -> None:
    assert asked_hz(freq_hz * (1 << 25) // 32_000_000, 32e6 / (1 << 25)) == freq_hz
    # the transmitter's coarser step holds at most two: its answer stays within a step
    assert abs(asked_hz(freq_hz * (1 << 18) // 32_000_000, 32e6 / (1 << 18)) - freq_hz) < 123


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 1 << 44), st.integers(-100_000, 100_000))
def test_the_counter_reaches_a_value_within_one_turn(ticks: int, now: int, drift_ppb: int) -> None:
    clock = ChipClock(0)
    clock.set_drift(drift_ppb, now // 2)
    at = clock.next_time(ticks, now)
    assert 0 <= at - now <= 134_217_728 * 1.0002 + 1
    off = (clock.ticks(at) - ticks + (1 << 31)) % (1 << 32) - (1 << 31)
    assert abs(off) <= 17  # half a µs


def test_a_flood_of_garbage_is_not_kept() -> None:
    board = VirtualCoreCell()
    for index in range(2000):
        board.handle(BytesReceived(b"\xff" * 1000), index)
    assert len(board._stream._buffer) <= MAX_REQUEST_BYTES + 4
