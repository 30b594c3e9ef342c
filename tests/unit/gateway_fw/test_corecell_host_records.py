"""The receive buffer's records, and the bridge's frames: layouts, and what is refused."""

from __future__ import annotations

import pytest
from corecell_records import record

from gateway_fw.concentrator.corecell_bridge import (
    GET_STATUS,
    PING,
    Frame,
    FrameDecoder,
    Modify,
    check_answer,
    check_done,
    decode_ping,
    decode_spi,
    decode_status,
    multiple_spi,
    read_bytes,
    write_bytes,
)
from gateway_fw.concentrator.corecell_records import split_records
from gateway_fw.errors import BridgeError


def test_every_field_of_a_record() -> None:
    records, errors = split_records(record(b"abc", ticks=0x12345678, error=-9, metrics=b"\x01\xff"))
    assert errors == []
    (got,) = records
    assert (got.payload, got.channel, got.modem, got.sf, got.coding_rate) == (b"abc", 1, 3, 9, 1)
    assert (got.crc_present, got.crc_error, got.header_error, got.sync_error) == (True, False, False, False)
    assert (got.freq_error, got.snr_quarters, got.rssi_channel, got.rssi_signal) == (-9, 29, 123, 124)
    assert (got.ticks, got.metrics) == (0x12345678, b"\x01\xff")


def test_records_stand_one_behind_the_other() -> None:
    records, errors = split_records(record(b"one") + record(b"") + record(bytes(255)))
    assert [len(each.payload) for each in records] == [3, 0, 255]
    assert errors == []


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (record(b"abc")[:-1] + b"\x00", "checksum"),
        (record(b"abc", modem=18), "modem"),
        (record(b"abc", channel=10), "channel"),
        (record(b"abc", sf=4), "sf"),
        (record(b"abc", coding_rate=5), "coding rate"),
        (record(b"abc", crc16=0xBEEF), "payload CRC"),
        (b"noise", "sync"),
    ],
)
def test_a_broken_record_is_named_and_the_next_one_read(broken: bytes, field: str) -> None:
    records, errors = split_records(broken + record(b"next"))
    assert [each.payload for each in records] == [b"next"]
    assert errors[0].field == field


@pytest.mark.parametrize("cut", [1, 5, 22, 25])
def test_a_truncated_record_is_named(cut: int) -> None:
    records, errors = split_records(record(b"abc")[:cut])
    assert records == []
    assert errors


def test_a_bad_crc_that_is_flagged_is_a_frame() -> None:
    records, _ = split_records(record(b"abc", flags=1, crc16=0))
    assert records[0].crc_error


def test_frames_are_cut_wherever_the_line_cuts_them() -> None:
    decoder = FrameDecoder()
    stream = b"\x07\x00\x06\x41\x00\x00\x01\x00\x09\xc4"
    for at in range(len(stream) - 1):
        decoder.feed(stream[at : at + 1])
        assert decoder.take() is None
    decoder.feed(stream[-1:])
    frame = decoder.take()
    assert frame == Frame(7, 0x41, stream[4:])
    assert frame is not None
    status = decode_status(check_answer(GET_STATUS, frame))
    assert (status.time_ms, status.temperature_c) == (256, 25.0)


@pytest.mark.parametrize(("stream", "field"), [(b"\x00\x00\x00\x05", "type"), (b"\x00\x20\x00\x45", "size")])
def test_bytes_that_cannot_begin_an_answer_are_refused(stream: bytes, field: str) -> None:
    decoder = FrameDecoder()
    decoder.feed(stream)
    with pytest.raises(BridgeError) as caught:
        decoder.take()
    assert caught.value.field == field
    assert decoder.flush() == 4


def test_answers_that_do_not_fit_their_order_are_refused() -> None:
    with pytest.raises(BridgeError, match="0x40 to this order"):
        check_answer(PING, Frame(0, 0x41, b""))
    spi = multiple_spi([read_bytes(0x5606, 1)])
    with pytest.raises(BridgeError, match="never more than the request"):
        check_answer(spi, Frame(0, 0x45, bytes(len(spi.payload) + 1)))
    with pytest.raises(BridgeError, match="21 bytes"):
        decode_ping(b"short")
    with pytest.raises(BridgeError, match="status 2"):
        check_done(b"\x02")


def test_spi_operations_on_the_wire() -> None:
    elements = [write_bytes(0x5643, b"\x01"), Modify(0x5601, 0x10, 0x10), read_bytes(0x5606, 1)]
    order = multiple_spi(elements)
    assert order.payload == bytes.fromhex("0001000004 00d64301 0102 5601 1010 0201000005 0056060000".replace(" ", ""))
    answer = bytes.fromhex("0001000004 00000000 010200 8090 0201000005 0000000010".replace(" ", ""))
    assert decode_spi(elements, answer) == [bytes(4), b"\x80\x90", b"\x00\x00\x00\x00\x10"]


def test_spi_results_may_be_numbered_otherwise_and_a_write_answered_shortly() -> None:
    elements = [write_bytes(0x5643, b"\x01"), write_bytes(0x5643, b"\x02")]
    assert decode_spi(elements, bytes.fromhex("070100000007010000020000")) == [b"", b"\x00\x00"]


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "0001030004 00000000",  # timed out
        "0002000004 00000000",  # of another type
        "0001000005 0000000000",  # longer than what was sent
        "0001000004 0000",  # ends early
        "0001000004 0000000000",  # goes on
    ],
)
def test_spi_answers_that_do_not_mirror_the_request_are_refused(answer: str) -> None:
    with pytest.raises(BridgeError):
        decode_spi([write_bytes(0x5643, b"\x01")], bytes.fromhex(answer.replace(" ", "")))
