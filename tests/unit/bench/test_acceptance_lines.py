"""What an acceptance makes of measurements: verdicts at the thresholds, and what it does not claim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.acceptance.air import OnAir
from bench.acceptance.frames import TestFrame, number_of, uplinks
from bench.acceptance.judge import Asked, Limits, Sent, receive_lines, transmit_lines
from bench.acceptance.lines import Line, accepted, at_least, at_most, fit_clocks, not_measured, within
from gateway_fw.concentrator.events import Reception
from gateway_fw.concentrator.setup import RadioSetup
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard

SF7 = LoraModulation(7)
SETUP = RadioSetup()


def test_a_threshold_belongs_to_the_passing_side() -> None:
    assert at_most("x", 1.0, 1.0, "dB").verdict == "pass"
    assert at_most("x", 1.001, 1.0, "dB").verdict == "fail"
    assert at_least("x", 2, 2, "of 2").verdict == "pass"
    assert at_least("x", 1, 2, "of 2").verdict == "fail"
    assert within("x", 86, -40, 85, "degC").verdict == "fail"
    assert accepted([at_most("x", 0, 1, ""), not_measured("y", "why")])
    assert not accepted([at_most("x", 2, 1, "")])


def test_two_clocks_on_a_line_have_their_drift_and_no_error() -> None:
    pairs = [(at, 5_000 + at + at // 100_000) for at in range(0, 10_000_000, 500_000)]
    fit = fit_clocks(pairs)
    assert fit is not None
    assert fit.drift_ppm == pytest.approx(10.0)
    assert fit.worst_us == pytest.approx(0.0, abs=1e-6)
    off = fit_clocks([*pairs[:-1], (pairs[-1][0], pairs[-1][1] + 100)])
    assert off is not None
    assert off.worst_us > 50
    assert fit_clocks(pairs[:2]) is None


def test_frames_know_their_number_and_nobody_elses() -> None:
    frames = list(uplinks(SETUP, (7, 12), 8))
    assert [number_of(frame.payload) for frame in frames] == list(range(24))
    assert {frame.if_chain for frame in frames[:8]} == set(range(8))
    assert {frame.if_chain for frame in frames[16:]} == {8}
    assert number_of(frames[0].payload[:-1] + b"\x00") is None
    assert number_of(b"") is None


def _heard(frame: TestFrame, end_us: int, **changes: float) -> Reception:
    heard = Heard(
        end_us,
        frame.payload,
        frame.freq_hz,
        frame.modulation,
        frame.rssi_dbm + changes.get("rssi", 0.0),
        frame.snr_db + changes.get("snr", 0.0),
        frame.airtime_us,
    )
    late = int(changes.get("late", 0))
    return Reception(heard, frame.if_chain, 0, end_us + late, freq_error_hz=int(changes.get("foff", 0)))


def _lines(lines: list[Line]) -> dict[str, str]:
    return {line.name: line.verdict for line in lines}


def test_a_perfect_receiver_passes_and_each_flaw_fails_its_own_line() -> None:
    sent = [Sent(frame, 1_000_000 * (index + 1)) for index, frame in enumerate(uplinks(SETUP, (7,), 8))]
    got = {each.frame.number: _heard(each.frame, each.end_us) for each in sent}
    lines = receive_lines(sent, got, SETUP, Limits(), exact=True)
    assert accepted(lines)
    flaws = {
        "late": (2, "RX timing error"),
        "rssi": (1.2, "RX RSSI error"),
        "snr": (-0.75, "RX SNR error"),
        "foff": (501, "RX frequency error, reported"),
    }
    for flaw, (amount, name) in flaws.items():
        spoilt = got | {3: _heard(sent[3].frame, sent[3].end_us, **{flaw: amount})}
        verdicts = _lines(receive_lines(sent, spoilt, SETUP, Limits(), exact=True))
        assert [each for each, verdict in verdicts.items() if verdict == "fail"] == [name]
    lost = {number: each for number, each in got.items() if number not in (0, 1)}
    verdicts = _lines(receive_lines(sent, lost, SETUP, Limits(), exact=True))
    assert verdicts["RX PER SF7BW125"] == "fail"
    assert verdicts["RX channels heard"] == "fail"
    wrong = got | {2: replace(got[2], if_chain=5)}
    assert _lines(receive_lines(sent, wrong, SETUP, Limits(), exact=True))["RX channels heard"] == "fail"


def test_a_loopback_says_what_it_cannot_measure() -> None:
    sent = [Sent(frame, 1_000_000 * (index + 1)) for index, frame in enumerate(uplinks(SETUP, (7,), 4))]
    got = {each.frame.number: replace(_heard(each.frame, each.end_us), counter_us=each.end_us + 77) for each in sent}
    verdicts = _lines(receive_lines(sent, got, SETUP, Limits(), exact=False))
    assert verdicts["RX RSSI error"] == verdicts["RX SNR error"] == "not measured"
    assert verdicts["RX timing error"] == "pass"


def test_nothing_received_is_a_failure_not_a_crash() -> None:
    sent = [Sent(TestFrame(0, 868_100_000, SF7), 0)]
    lines = receive_lines(sent, {}, SETUP, Limits(), exact=True)
    assert not accepted(lines)
    assert not accepted(transmit_lines([Asked(sent[0].frame, 0)], [], 0, SETUP, Limits(), exact=True))


def test_power_and_frequency_of_what_was_sent() -> None:
    frames = [TestFrame(index, 868_100_000, SF7, power_dbm=float(12 + index)) for index in range(4)]
    asked = [Asked(frame, 1_000_000 * (frame.number + 1)) for frame in frames]
    on_air = [OnAir(each.frame.number, each.start_us, 868_099_976, each.frame.power_dbm, 0) for each in asked]
    assert accepted(transmit_lines(asked, on_air, 4, SETUP, Limits(), exact=True))
    weak = [*on_air[:3], replace(on_air[3], level_dbm=14.0)]
    verdicts = _lines(transmit_lines(asked, weak, 4, SETUP, Limits(), exact=True))
    assert verdicts["TX power against the table"] == "fail"
    verdicts = _lines(
        transmit_lines(asked, [*on_air[:3], replace(on_air[3], level_dbm=11.0)], 3, SETUP, Limits(), exact=False)
    )
    assert verdicts["TX power falls where it should rise"] == "fail"
    assert verdicts["TX completion told"] == "fail"
    assert verdicts["TX power against the table"] == "not measured"
