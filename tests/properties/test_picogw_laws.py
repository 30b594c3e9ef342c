"""Laws of the picoGW protocol: no bytes stop either end, and how a stream is cut changes nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from picogw_bench import Bench
from picogw_pair import Pair

from gateway_fw.concentrator.events import (
    Program,
    Started,
    StartFailed,
    Stop,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.concentrator.picogw_records import (
    BoardConf,
    IfConf,
    RadioConf,
    TxOrder,
    decode_gains,
    decode_records,
    encode_gains,
)
from gateway_fw.concentrator.picogw_wire import (
    MAX_ORDER_BYTES,
    Answer,
    AnswerReader,
    Command,
    CommandReader,
    Order,
    encode_answer,
    encode_command,
)
from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.picogw import VirtualPicoGw
from gateway_fw.virtual.picogw_faults import PicoGwFaults, SetPicoGwFaults
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Transmit

COMMANDS = st.lists(
    st.tuples(st.sampled_from(list(Order)), st.binary(max_size=MAX_ORDER_BYTES), st.integers(0, 255)), max_size=12
)
CUTS = st.lists(st.integers(0, 4000), max_size=12)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


def _answers(pieces: list[bytes]) -> bytes:
    board = VirtualPicoGw()
    effects = [effect for piece in pieces for effect in board.handle(BytesReceived(piece), 0)]
    while board.wake_at is not None:
        effects += board.wake(board.wake_at)
    return b"".join(effect.data for effect in effects if isinstance(effect, SendBytes))


@settings(max_examples=60, deadline=None)
@given(COMMANDS, CUTS)
def test_any_cut_of_any_orders_gives_the_same_answers(
    commands: list[tuple[Order, bytes, int]], cuts: list[int]
) -> None:
    stream = b"".join(encode_command(*command) for command in commands)
    assert _answers(_cut(stream, cuts)) == _answers([stream])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=600), max_size=6), CUTS)
def test_no_bytes_stop_the_board_and_cuts_of_noise_change_nothing_either(noise: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(noise)
    assert _answers(_cut(stream, cuts)) == _answers([stream])


@settings(max_examples=40, deadline=None)
@given(COMMANDS)
def test_a_running_board_takes_any_orders_and_never_speaks_unasked(commands: list[tuple[Order, bytes, int]]) -> None:
    bench = Bench()
    bench.start()
    for order, data, argument in commands:
        bench.order(order, data, argument)
        bench.hear(b"any")
        bench.pass_time(11_300_000)
        assert len(bench.answers) <= 1
        bench.answers.clear()
        if order is Order.BOOTLOADER:
            break
    assert bench.board.wake_at is None


@given(COMMANDS, CUTS)
def test_orders_survive_the_stream(commands: list[tuple[Order, bytes, int]], cuts: list[int]) -> None:
    reader, stream = CommandReader(), b"".join(encode_command(*command) for command in commands)
    got = [command for piece in _cut(stream, cuts) for command in reader.feed(piece)]
    assert got == [Command(order, argument, data) for order, data, argument in commands]


@given(st.lists(st.tuples(st.sampled_from(list(Order)), st.binary(max_size=300), st.integers(0, 1))), CUTS)
def test_answers_survive_the_stream_padding_included(answers: list[tuple[Order, bytes, int]], cuts: list[int]) -> None:
    reader = AnswerReader()
    stream = b"".join(encode_answer(ord(order.value), data, status) for order, data, status in answers)
    got = [answer for piece in _cut(stream, cuts) for answer in reader.feed(piece)]
    assert got == [Answer(ord(order.value), status, data) for order, data, status in answers]


@given(st.binary(max_size=400))
def test_no_bytes_stop_a_decoder(data: bytes) -> None:
    TxOrder.decode(data)
    RadioConf.decode(data)
    IfConf.decode(data)
    BoardConf.decode(data)
    decode_gains(data)
    records, _ = decode_records(data)
    assert all(len(record.payload) <= 255 for record in records)
    list(AnswerReader().feed(data))
    list(CommandReader().feed(data))


@given(st.binary(min_size=286, max_size=286))
def test_an_order_to_send_that_decodes_encodes_to_the_same_meaning(data: bytes) -> None:
    order = TxOrder.decode(data)
    assert TxOrder.decode(order.encode()) == order


@given(st.binary(max_size=81))
def test_a_gain_table_that_decodes_encodes_to_the_same_meaning(data: bytes) -> None:
    rows = decode_gains(data)
    assert decode_gains(encode_gains(rows)) == rows


@settings(max_examples=25, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=8), st.integers(0, 6_000_000))
def test_no_bytes_stop_the_driver_wherever_it_stands(noise: list[bytes], after_us: int) -> None:
    pair = Pair()
    pair.start(us=after_us)
    for data in noise:
        pair.to_driver(BytesReceived(data))
        pair.run(30_000)
    pair.run(12_000_000)
    assert pair.of(Started) or pair.of(StartFailed)
    pair.to_driver(Stop())
    pair.run(20_000_000)
    assert pair.driver.wake_at is None


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(0, 3_000_000)), max_size=4), st.integers(1, 40))
def test_every_downlink_is_answered_once_and_on_the_air_at_its_instant_or_not_at_all(
    downlinks: list[tuple[int, int]], lose_every: int
) -> None:
    pair = Pair()
    pair.start()
    pair.effects.clear()
    programs = []
    for i, (pause_us, ahead_us) in enumerate(downlinks):
        pair.run(pause_us)
        if i == len(downlinks) // 2 and lose_every > 20:
            pair.to_board(SetPicoGwFaults(PicoGwFaults(lose_byte_every=lose_every)))
        payload = bytes((i,))
        airtime = lora_airtime_us(1, LoraModulation(9))
        at = pair.now + pair.driver.ahead_us + ahead_us
        programs.append(Transmit(at, payload, 868_100_000, LoraModulation(9), 14, airtime))
        pair.to_driver(Program(programs[-1]))
    pair.run(50_000_000)
    outcomes = [*pair.of(TransmitDone), *pair.of(TransmitRefused)]
    assert sorted(outcome.transmit.payload for outcome in outcomes) == [bytes((i,)) for i in range(len(downlinks))]
    asked = {transmit.payload: transmit.at for transmit in programs}
    assert all(transmit.at == asked[transmit.payload] for transmit in pair.on_air)
    assert {d.transmit.payload for d in pair.of(TransmitDone)} <= {transmit.payload for transmit in pair.on_air}
    spans = sorted((transmit.at, transmit.at + transmit.airtime_us) for transmit in pair.on_air)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
