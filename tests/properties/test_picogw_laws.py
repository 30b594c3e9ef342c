"""Laws of the picoGW protocol: no bytes stop either end, and how a stream is cut changes nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from picogw_bench import Bench

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
