"""Transmissions of the picoGW host driver on the virtual board, with faults."""

from __future__ import annotations

from dataclasses import replace

import pytest
from picogw_bench import heard
from picogw_pair import Pair

from gateway_fw.concentrator.events import (
    ConcentratorLost,
    Program,
    Programmed,
    Reception,
    Started,
    Stop,
    Stopped,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.stream import LineLost
from gateway_fw.virtual.picogw_faults import PicoGwFaults, SetPicoGwFaults
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Transmit


def _running(faults: PicoGwFaults | None = None) -> Pair:
    pair = Pair(faults)
    pair.start()
    assert pair.of(Started)
    pair.effects.clear()
    return pair


def _downlink(pair: Pair, ahead_us: int, **changes: object) -> Program:
    modulation = LoraModulation(9)
    airtime = lora_airtime_us(5, modulation, crc=False)
    at = pair.now + pair.driver.ahead_us + ahead_us
    transmit = Transmit(at, b"hello", 869_525_000, modulation, 14.0, airtime, inverted_iq=True, crc=False)
    program = Program(replace(transmit, **changes))  # type: ignore[arg-type]
    pair.to_driver(program)
    return program


def test_a_downlink_is_on_the_air_at_the_asked_microsecond_and_told_40_ms_ahead() -> None:
    pair = _running()
    program = _downlink(pair, 1_000_000)
    asked_at = pair.now
    pair.run(2_000_000)
    (on_air,) = pair.on_air
    assert on_air == replace(program.transmit, power_dbm=14)
    assert on_air.at == asked_at + 1_000_000
    (programmed,) = pair.of(Programmed)
    assert 30_000 <= programmed.lead_us <= 40_000
    assert pair.of(TransmitDone) == [TransmitDone(program.transmit, seen_emitting=True)]


def test_a_beacon_keeps_its_preamble_and_goes_without_a_header() -> None:
    pair = _running()
    beacon = {"preamble_symbols": 10, "explicit_header": False, "inverted_iq": False, "airtime_us": 152_576}
    program = _downlink(pair, 1_000_000, payload=bytes(17), **beacon)
    pair.run(2_000_000)
    # RP002-1.0.4: SF9, 17 bytes, implicit header: 152.576 ms
    assert pair.on_air == [program.transmit]


def test_frames_that_wait_in_the_board_are_fetched_before_it_sends_and_forgets_them() -> None:
    pair = _running()
    pair.run(7_000)
    _downlink(pair, 60_000)
    pair.run(19_500)  # past the last poll, before the board is told
    pair.to_board(heard(pair.now))
    pair.run(2_000_000)
    assert len(pair.on_air) == len(pair.of(Reception)) == 1


def test_an_immediate_downlink_goes_at_once() -> None:
    pair = _running()
    pair.to_driver(Program(_transmit(pair), immediate=True))
    pair.run(300_000)
    assert [transmit.at <= pair.now for transmit in pair.on_air] == [True]
    assert len(pair.of(TransmitDone)) == 1


def _transmit(pair: Pair) -> Transmit:
    return Transmit(pair.now, b"now", 869_525_000, LoraModulation(7), 14.0, lora_airtime_us(3, LoraModulation(7)))


def test_downlinks_are_given_in_the_order_of_their_instants() -> None:
    pair = _running()
    later, sooner = _downlink(pair, 2_000_000), _downlink(pair, 500_000)
    pair.run(3_000_000)
    assert [transmit.at for transmit in pair.on_air] == [sooner.transmit.at, later.transmit.at]


def test_a_downlink_that_waits_behind_another_is_refused_as_late() -> None:
    pair = _running()
    _downlink(pair, 100_000)
    second = _downlink(pair, 150_000)
    pair.run(3_000_000)
    assert [(r.transmit, r.reason) for r in pair.of(TransmitRefused)] == [(second.transmit, "too_late")]


@pytest.mark.parametrize(
    ("ahead_us", "changes", "reason"),
    [
        (4_999, {}, "too_late"),
        (1 << 31, {}, "too_early"),
        (100_000, {"payload": bytes(256)}, "too_long"),
        (100_000, {"modulation": LoraModulation(6)}, "modulation"),
        (100_000, {"airtime_us": 9_960_001}, "too_long"),
    ],
)
def test_what_the_board_cannot_send_is_refused_at_once(ahead_us: int, changes: dict[str, object], reason: str) -> None:
    pair = _running()
    _downlink(pair, ahead_us, **changes)
    assert [refused.reason for refused in pair.of(TransmitRefused)] == [reason]


def test_a_chain_without_transmitter_and_a_board_that_is_off_refuse() -> None:
    pair = _running()
    pair.to_driver(Program(replace(_transmit(pair), rf_chain=1)))
    pair.to_driver(Stop())
    pair.run(0)
    pair.to_driver(Program(_transmit(pair)))
    assert [refused.reason for refused in pair.of(TransmitRefused)] == ["tx_disabled", "not_running"]


def test_a_transmission_that_never_was_is_found_out_by_the_boards_long_wait() -> None:
    pair = _running(PicoGwFaults(stuck_tx=True))
    _downlink(pair, 100_000)
    pair.run(11_000_000)
    assert [refused.reason for refused in pair.of(TransmitRefused)] == ["not_sent"]
    assert pair.of(TransmitDone) == []
    assert pair.of(ConcentratorLost) == []


def test_a_lost_answer_to_a_downlink_is_said_and_the_board_goes_on() -> None:
    pair = _running()
    _downlink(pair, 100_000)
    pair.run(100_000)
    pair.spoil = lambda data: data[:2] if data[:1] == b"f" else data
    pair.run(15_000_000)
    assert [refused.reason for refused in pair.of(TransmitRefused)] == ["answer_lost"]
    assert pair.of(ConcentratorLost) == []


def test_a_board_lost_while_packets_are_fetched_for_a_downlink_still_answers_it() -> None:
    pair = _running()
    program = _downlink(pair, 60_000)
    pair.to_board(SetPicoGwFaults(PicoGwFaults(mute=True)))
    pair.run(15_000_000)
    assert [(r.transmit, r.reason) for r in pair.of(TransmitRefused)] == [(program.transmit, "concentrator_lost")]


def test_losing_the_line_with_downlinks_under_way_answers_each_of_them() -> None:
    pair = _running()
    first, second = _downlink(pair, 50_000), _downlink(pair, 5_000_000)
    pair.run(30_000)
    pair.to_driver(LineLost("unplugged"))
    refused = [(r.transmit, r.reason) for r in pair.of(TransmitRefused)]
    assert refused == [(first.transmit, "concentrator_lost"), (second.transmit, "concentrator_lost")]
    assert [lost.why for lost in pair.of(ConcentratorLost)] == ["unplugged"]


def test_stop_waits_for_the_downlink_under_way_and_refuses_the_rest() -> None:
    pair = _running()
    first, second = _downlink(pair, 50_000), _downlink(pair, 5_000_000)
    pair.run(30_000)
    pair.to_driver(Stop())
    pair.run(1_000_000)
    assert [done.transmit for done in pair.of(TransmitDone)] == [first.transmit]
    assert [(r.transmit, r.reason) for r in pair.of(TransmitRefused)] == [(second.transmit, "stopping")]
    assert pair.of(Stopped) == [Stopped(clean=True)]
