"""The CoreCell driver on the virtual board: what it sends, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace

from corecell_frames import SF9, heard, transmit
from corecell_pair import CoreCellPair

from gateway_fw.concentrator.corecell import MIN_LEAD_US
from gateway_fw.concentrator.events import (
    ConcentratorLost,
    Program,
    Programmed,
    Reception,
    TransmitDone,
    TransmitRefused,
)
from gateway_fw.virtual.faults import Faults, SetFaults
from lorawan.phy.radio import Transmit


def test_a_downlink_starts_at_the_microsecond_asked_for() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now + 500_000, heard(pair.now + 500_000), board=True)
    pair.run(600_000)
    uplink = pair.of(Reception)[0]
    pair.at(pair.now, Program(transmit(uplink.heard.at + 1_000_000)))
    pair.run(2_000_000)
    sent = next(effect for effect in pair.from_board if isinstance(effect, Transmit))
    assert pair.board.counter_us(sent.at) == uplink.counter_us + 1_000_000
    assert (sent.payload, sent.freq_hz, sent.modulation, sent.power_dbm) == (b"downlink", 868_100_000, SF9, 14)
    assert (sent.inverted_iq, sent.crc) == (True, False)
    assert pair.of(Programmed)[0].lead_us > 0
    assert pair.of(TransmitDone) == [TransmitDone(pair.of(Programmed)[0].transmit, seen_emitting=True)]


def test_a_beacon_keeps_its_preamble_and_goes_without_a_header() -> None:
    pair = CoreCellPair().started()
    beacon = transmit(
        pair.now + 500_000,
        payload=bytes(17),
        airtime_us=152_576,  # RP002-1.0.4: SF9, 17 bytes, implicit header
        inverted_iq=False,
        preamble_symbols=10,
        explicit_header=False,
    )
    pair.at(pair.now, Program(beacon))
    pair.run(1_000_000)
    (sent,) = [effect for effect in pair.from_board if isinstance(effect, Transmit)]
    assert replace(sent, at=0) == replace(beacon, at=0)


def test_an_immediate_downlink_goes_at_once() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, Program(transmit(0), immediate=True))
    pair.run(300_000)
    sent = next(effect for effect in pair.from_board if isinstance(effect, Transmit))
    assert sent.at - pair.now < 0
    assert pair.of(TransmitDone)


def test_what_cannot_be_sent_is_refused_with_the_reason() -> None:
    pair = CoreCellPair().started()
    now = pair.now
    pair.at(now, Program(transmit(now + MIN_LEAD_US - 1500)))
    pair.at(now, Program(transmit(now + 90_000_000)))
    pair.at(now, Program(transmit(now + 500_000, rf_chain=1)))
    pair.at(now, Program(transmit(now + 500_000, payload=bytes(256), airtime_us=1)))
    pair.at(now, Program(transmit(now + 500_000)))
    pair.at(now + 100_000, Program(transmit(now + 550_000)))
    pair.run(1_500_000)
    assert [each.reason for each in pair.of(TransmitRefused)] == [
        "too_late",
        "too_early",
        "tx_disabled",
        "too_long",
        "busy",
    ]
    assert len(pair.of(TransmitDone)) == 1


def test_a_stuck_transmitter_is_cut_off_and_told() -> None:
    pair = CoreCellPair().started()
    pair.at(pair.now, SetFaults(Faults(stuck_tx=True)), board=True)
    pair.at(pair.now, Program(transmit(pair.now + 300_000)))
    pair.run(5_000_000)
    assert not pair.of(TransmitDone)
    assert pair.of(ConcentratorLost) or [each.reason for each in pair.of(TransmitRefused)] == ["stuck"]
