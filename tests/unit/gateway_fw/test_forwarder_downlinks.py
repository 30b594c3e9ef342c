"""Downlinks and beacons of the forwarder: duty cycle, listen before talk, time, restarts of the radio, the end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from forwarder_requests import CONFIG, GPS_S, ask, programmed, txpk

from gateway_fw.concentrator.events import Started, TransmitRefused
from gateway_fw.forwarder import (
    EU868_SUB_BANDS,
    BeaconConfig,
    DutyCycleGuard,
    ForwarderCore,
    SendDatagram,
    Shutdown,
)
from gateway_fw.gps import TimeLost, TimeReference
from gateway_fw.gwmp import PushData, TxError, decode
from lorawan.frames.beacon import decode_beacon
from lorawan.machine import Dropped
from lorawan.phy import LoraModulation, Transmit
from lorawan.units import US_PER_HOUR, US_PER_S


def test_a_duty_cycle_that_is_spent_refuses_answers_and_counts() -> None:
    core = ForwarderCore(replace(CONFIG, duty_cycle=EU868_SUB_BANDS))
    long = txpk(modulation=LoraModulation(12), payload=bytes(51), imme=False, no_crc=False)
    airtime_us = 2_465_792  # SF12, 51 bytes, header, CRC, 4/5: 75.25 symbols of 32.768 ms, Semtech's LoRa calculator
    answers = []
    for number in range(20):
        now = 10 * number * US_PER_S
        while core.wake_at <= now:
            core.wake(core.wake_at)
        ack, dropped = ask(core, now, replace(long, tmst=now + 2 * US_PER_S))
        answers.append(ack.error)
        assert [d.reason for d in dropped] == (["duty_cycle"] if ack.error is TxError.UNKNOWN else [])
    fitting = 36 * US_PER_S // airtime_us
    assert answers == [TxError.NONE] * fitting + [TxError.UNKNOWN] * (20 - fitting)
    assert core._desk.guard.refused == 20 - fitting
    # another sub-band is another account, and an hour later there is room again
    assert ask(core, 200 * US_PER_S, replace(long, tmst=202 * US_PER_S, freq_hz=869_525_000))[0].error is TxError.NONE
    again = US_PER_HOUR + 2 * US_PER_S
    assert ask(core, again, replace(long, tmst=(again + 3 * US_PER_S) % 2**32))[0].error is TxError.NONE


def test_the_guard_looks_ahead_as_well_as_back() -> None:
    guard = DutyCycleGuard(EU868_SUB_BANDS)
    guard.spend(868_100_000, 30 * US_PER_S, 3_000 * US_PER_S, 0)  # promised for later
    assert not guard.allows(868_100_000, 7 * US_PER_S, 0)
    assert guard.allows(868_100_000, 6 * US_PER_S, 0)
    guard.refund(868_100_000, 30 * US_PER_S, 3_000 * US_PER_S)
    assert guard.allows(868_100_000, 36 * US_PER_S, 0)
    assert not guard.knows(868_650_000)
    assert DutyCycleGuard(()).allows(868_650_000, 10 * US_PER_HOUR, 0)


def test_listen_before_talk_is_asked_when_a_frame_is_due() -> None:
    asked: list[tuple[int, int]] = []

    def is_free(transmit: Transmit, now: int) -> bool:
        asked.append((transmit.at - now, transmit.freq_hz))
        return transmit.freq_hz != 868_300_000

    core = ForwarderCore(replace(CONFIG, duty_cycle=EU868_SUB_BANDS), channel_is_free=is_free)
    ask(core, 0, txpk())
    ask(core, 0, txpk(freq_hz=868_100_000))
    effects = programmed(core, US_PER_S)
    assert [type(effect) for effect in effects] == [Dropped, Transmit]
    assert isinstance(effects[0], Dropped)
    assert effects[0].reason == "lbt"
    assert [ahead for ahead, _ in asked] == [40_000, 40_000]
    sent = effects[1]
    assert isinstance(sent, Transmit)
    assert core._desk.guard.used_us("g1", US_PER_S) == sent.airtime_us  # the other one's airtime came back
    core.handle(TransmitRefused(sent, "lbt"), US_PER_S)
    assert core._desk.guard.used_us("g1", US_PER_S) == 0
    assert core.totals.radio_refused == 1


def test_beacons_go_out_every_128_seconds_of_gps_time_on_the_crystals_clock() -> None:
    core = ForwarderCore(replace(CONFIG, beacon=BeaconConfig(), latitude_deg=47.42, longitude_deg=0.8117))
    rate = 1.000004
    sent: list[Transmit] = []
    for second in range(400):
        at = round(second * US_PER_S * rate)
        core.handle(TimeReference(at, (GPS_S + second) * US_PER_S, 18, rate), at)
        sent += [e for e in programmed(core, round((second + 1) * US_PER_S * rate)) if isinstance(e, Transmit)]
    due = [second for second in range(GPS_S + 1, GPS_S + 400) if second % 128 == 0]
    assert len(sent) == len(due) == 3
    for beacon, gps_s in zip(sent, due, strict=True):
        content = decode_beacon(beacon.payload)
        assert content.gps_s == gps_s
        assert content.latitude_deg == pytest.approx(47.42, abs=2e-5)
        # 1.5 ms after the second (TS001-1.0.4 §13.5), within a microsecond
        assert abs(beacon.at - ((gps_s - GPS_S) * US_PER_S + 1_500) * rate) <= 1.5
        assert beacon.freq_hz == round(869_525_000 / rate)
        assert (beacon.preamble_symbols, beacon.explicit_header, beacon.crc, beacon.inverted_iq) == (
            10,
            False,
            False,
            False,
        )
        assert beacon.airtime_us == 152_576  # RP002-1.0.4: SF9, 17 bytes, implicit header
    assert core.totals.beacons == 3


def test_a_downlink_in_the_way_of_a_beacon_is_told_so() -> None:
    core = ForwarderCore(replace(CONFIG, beacon=BeaconConfig()))
    start = GPS_S // 128 * 128
    core.handle(TimeReference(0, start * US_PER_S, 18), 0)
    programmed(core, US_PER_S)
    assert ask(core, US_PER_S, txpk(imme=False, tmst=128 * US_PER_S))[0].error is TxError.COLLISION_BEACON
    slot = txpk(imme=False, tmms=(start + 126) * 1_000)  # a ping slot within the guard of 3 s
    assert ask(core, US_PER_S, slot)[0].error is TxError.COLLISION_BEACON
    assert ask(core, US_PER_S, replace(slot, tmms=(start + 100) * 1_000))[0].error is TxError.NONE


def test_without_time_no_beacon_and_no_ping_slot() -> None:
    core = ForwarderCore(replace(CONFIG, beacon=BeaconConfig()))
    core.handle(TimeReference(0, GPS_S * US_PER_S, 18), 0)
    programmed(core, US_PER_S)
    slot = txpk(imme=False, tmms=(GPS_S + 60) * 1_000)
    core.handle(TimeLost(), US_PER_S)
    assert ask(core, US_PER_S, slot)[0].error is TxError.GPS_UNLOCKED
    effects = programmed(core, 300 * US_PER_S)
    assert {effect.reason for effect in effects if isinstance(effect, Dropped)} == {"beacon_without_time"}
    assert not [effect for effect in effects if isinstance(effect, Transmit)]
    # a reference that is older than 30 s is none
    core.handle(TimeReference(300 * US_PER_S, (GPS_S + 300) * US_PER_S, 18), 300 * US_PER_S)
    assert core.has_time(330 * US_PER_S)
    assert not core.has_time(331 * US_PER_S)


def test_what_waits_on_the_counter_of_before_never_goes_out_on_a_new_one() -> None:
    core = ForwarderCore(replace(CONFIG, duty_cycle=EU868_SUB_BANDS, beacon=BeaconConfig()))
    core.handle(Started(None, "", "", "", 0), 0)
    core.handle(TimeReference(0, GPS_S * US_PER_S, 18), 0)
    core.wake(0)
    assert not core.is_idle, "beacons are reserved"
    assert ask(core, 0, txpk(imme=False, tmst=5 * US_PER_S))[0].error is TxError.NONE
    effects = core.handle(Started(None, "", "", "", 3 * US_PER_S), 4 * US_PER_S)
    assert {effect.reason for effect in effects if isinstance(effect, Dropped)} == {"restarted"}
    assert core.is_idle
    core.handle(TimeReference(4 * US_PER_S, (GPS_S + 4) * US_PER_S, 18), 4 * US_PER_S)
    core.wake(4 * US_PER_S)
    assert [type(effect) for effect in programmed(core, 8 * US_PER_S)] == []
    assert core.totals.answered == {TxError.NONE: 1}
    first_s = -(-(GPS_S + 1) // 128) * 128 - GPS_S
    at = (first_s - 1) * US_PER_S
    core.handle(TimeReference(at, (GPS_S + first_s - 1) * US_PER_S, 18), at)
    sent = [effect for effect in programmed(core, at + US_PER_S) if isinstance(effect, Transmit)]
    assert [beacon.at for beacon in sent] == [first_s * US_PER_S + 1_500], "the next beacon is reserved anew"


def test_the_end_keeps_what_is_near_drops_what_is_far_and_answers_the_rest() -> None:
    core = ForwarderCore(replace(CONFIG, duty_cycle=EU868_SUB_BANDS))
    assert ask(core, 0, txpk())[0].error is TxError.NONE
    assert ask(core, 0, txpk(imme=False, tmst=60 * US_PER_S))[0].error is TxError.NONE
    effects = core.handle(Shutdown(2 * US_PER_S), 10_000)
    assert [e.reason for e in effects if isinstance(e, Dropped)] == ["shutdown"]
    (report,) = [decode(e.data) for e in effects if isinstance(e, SendDatagram)]
    assert isinstance(report, PushData)
    assert report.stat is not None
    assert report.stat.dwnb == 2
    assert ask(core, 20_000, txpk())[0].error is TxError.UNKNOWN
    assert not core.is_idle
    assert [type(effect) for effect in programmed(core, US_PER_S)] == [Transmit]
    assert core.is_idle
    assert core.busy_until > 80_000
