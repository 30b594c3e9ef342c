"""The CoreCell's bridge: frames, orders, lists of SPI elements. Facts: sx1302_hal 2.1.0, loragw_mcu.h, loragw_usb.c."""

from __future__ import annotations

import pytest
from corecell_host import Host, frame, modify, read, transfer, write

from gateway_fw.stream import BytesReceived, LineLost
from gateway_fw.virtual.board import CoreCellBoard
from gateway_fw.virtual.corecell import EnterBootloader, VirtualCoreCell
from lorawan.machine import Dropped


@pytest.fixture
def host() -> Host:
    return Host(VirtualCoreCell(CoreCellBoard(mcu_id=bytes(range(12)))))


def test_a_ping_tells_the_chip_id_and_the_version_that_drivers_compare(host: Host) -> None:
    assert host.raw(frame(0x00, request_id=0x68)) == b"\x68\x00\x15\x40" + bytes(range(12)) + b"V01.00.00"


def test_the_status_tells_uptime_in_ms_and_temperature_in_hundredths(host: Host) -> None:
    host.now = 12_345_678
    assert host.ask(0x01) == (12_345).to_bytes(4, "big") + (2500).to_bytes(2, "big")


def test_a_pin_is_written_and_the_reset_pin_clears_the_chip(host: Host) -> None:
    host.write(0x5643, b"\x5a")
    assert host.ask(0x04, bytes((0, 1, 1))) == b"\0"
    assert host.read(0x5643) == b"\x5a"
    assert host.ask(0x04, bytes((0, 2, 1))) == b"\0"
    assert host.read(0x5643) == b"\0"


def test_the_boot_loader_is_entered_after_its_answer(host: Host) -> None:
    assert host.raw(frame(0x02)) == b"\x07\x00\x00\x42"
    assert host.effects == [EnterBootloader()]


def test_a_reset_order_is_answered_and_resets(host: Host) -> None:
    host.write(0x5643, b"\x01")
    assert host.raw(frame(0x03, b"\0")) == b"\x07\x00\x01\x43\x00"
    assert host.read(0x5643) == b"\0"


def test_a_read_carries_its_data_at_offset_four_and_answers_as_many_bytes_as_were_sent(host: Host) -> None:
    assert host.spi(read(0x5606, 1)) == bytes((0, 1, 0, 0, 5, 0, 0, 0, 0, 0x10))


def test_a_list_is_answered_element_by_element_in_order(host: Host) -> None:
    answer = host.spi(modify(0x5643, 0x0F, 0x0A), write(0x5644, b"\x11\x22"), modify(0x5643, 0xF0, 0x50))
    assert answer == bytes((0, 2, 0, 0, 0x0A, 0, 1, 0, 0, 5, 0, 0, 0, 0, 0, 0, 2, 0, 0x0A, 0x5A))
    assert host.read(0x5643, 3) == b"\x5a\x11\x22"


@pytest.mark.parametrize(
    "payload",
    [transfer(b"\x00\xd6\x43\x01", target=7), b"\x00\x03\x00\x00\x00\x00", b"\x00\x01\x00\x00\xff\x00\x00"],
    ids=["unknown target", "unknown type", "cut short"],
)
def test_a_malformed_element_is_answered_wrong_parameter_and_never_longer_than_asked(
    host: Host, payload: bytes
) -> None:
    answer = host.spi(payload)
    assert answer[2] == 2
    assert len(answer) <= len(payload)
    assert [effect.reason for effect in host.effects] == ["spi_malformed"]


def test_an_unknown_order_is_answered_with_the_error_type_and_the_stream_goes_on(host: Host) -> None:
    assert host.raw(frame(0x2A, b"abc", 3) + frame(0x01, request_id=4))[:8] == b"\x03\x00\x00\xff\x04\x00\x06\x41"
    assert [effect.reason for effect in host.effects] == ["unknown_order"]


def test_a_frame_over_the_limit_is_stepped_over_without_being_kept(host: Host) -> None:
    assert host.raw(frame(0x05, bytes(4201)) + frame(0x00))[:4] == b"\x07\x00\x00\xff"
    assert [effect.reason for effect in host.effects] == ["too_long"]


def test_what_a_host_left_unfinished_is_forgotten_after_a_silence_or_with_its_line(host: Host) -> None:
    assert host.raw(frame(0x05, bytes(40))[:10]) == b""
    host.now = 1_000_001
    assert host.raw(frame(0x02)) == b"\x07\x00\x00\x42"
    assert isinstance(host.effects[0], Dropped)
    assert host.effects[0].reason == "unfinished"
    assert host.raw(b"\x01\x00\x20") == b""
    assert not host.board.handle(LineLost(), host.now)
    assert host.raw(frame(0x02, request_id=9)) == b"\x09\x00\x00\x42"


def test_an_answer_is_one_effect_however_long(host: Host) -> None:
    (effect,) = host.board.handle(BytesReceived(frame(5, read(0x4000, 4096))), 0)
    assert len(effect.data) == 4 + 5 + 4 + 4096  # type: ignore[union-attr]
