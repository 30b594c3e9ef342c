"""A recording held against the driver: alike where it is alike, and the place where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from corecell_pair import CoreCellPair

from gateway_fw.concentrator.replay import describe, exchanges_of, replay
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import ChipFirmwareError


def _recording(setup: RadioSetup) -> list[tuple[int, str, bytes]]:
    lines: list[tuple[int, str, bytes]] = []
    pair = CoreCellPair()
    host = 0

    def answers(data: bytes) -> list[bytes]:
        nonlocal host
        lines.append((pair.now, ">", bytes(pair.host_bytes[host:])))
        host = len(pair.host_bytes)
        lines.extend((pair.now, "<", data[at : at + 7]) for at in range(0, len(data), 7))
        return [data]

    pair.answers = answers
    pair.start(setup)
    return lines


def test_a_recording_of_the_same_host_is_alike_throughout() -> None:
    result = replay(exchanges_of(_recording(RadioSetup())), RadioSetup())
    assert result.ended == "started"
    assert result.differences == ()
    assert result.same > 400


def test_another_set_up_differs_in_the_registers_it_changes() -> None:
    exchanges = exchanges_of(_recording(RadioSetup(public_network=False)))
    result = replay(exchanges, RadioSetup())
    assert result.ended == "started"
    ours = [each.ours.split(" bits")[0] for each in result.differences]
    assert ours == ["modify 0x588E", "modify 0x588F", "modify 0x5B2E", "modify 0x5B2F"]


def test_an_order_that_only_the_recording_has_is_told() -> None:
    exchanges = exchanges_of(_recording(RadioSetup()))
    extra = replace(exchanges[8], order=bytes.fromhex("0700070501000000000000"))
    result = replay([*exchanges[:8], extra, *exchanges[8:]], RadioSetup())
    assert [(each.ours, each.index) for each in result.differences] == [("", 8)]


def test_a_recording_without_firmware_is_refused() -> None:
    with pytest.raises(ChipFirmwareError):
        replay(exchanges_of(_recording(RadioSetup()))[:50], RadioSetup())


def test_orders_in_words() -> None:
    assert describe(bytes.fromhex("00000304000101")) == "order 0x04 000101"
    assert describe(bytes.fromhex("0000060500025601") + b"\x10\x00") == "modify 0x5601 bits 0x10 to 0x00"
