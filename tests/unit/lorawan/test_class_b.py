"""Class B on the device: finding beacons, following them, ping slots, and what a ping slot's downlink may do.

Clauses stand beside the tests: TS001-1.0.4 §8–§12, LoRaWAN 1.1 §9–§14, 1.0.2 §14.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from class_bench import BEACON_AIRTIME_US, GPS_AT_ORIGIN_US, ClassBench, S, fast
from class_devices import BEACON_HZ, f_opts, in_class_b
from mac_pairs import abp

from lorawan import mac_commands as mac
from lorawan.device import (
    BeaconLost,
    BeaconMissed,
    BeaconNotFound,
    BeaconReceived,
    ClassChanged,
    DeviceCore,
    Received,
    RequestTime,
    SendRequest,
    SwitchClass,
    TimeReceived,
    Transmission,
)
from lorawan.device.memory import DeviceMemory
from lorawan.draws import Draws
from lorawan.frames.beacon import Beacon, encode_beacon
from lorawan.machine import Dropped
from lorawan.operating_class import OperatingClass
from lorawan.phy import Heard, LoraModulation, Window
from lorawan.server import Answer, Ask, Send
from lorawan.version import Version

A, B, C = OperatingClass
SF9 = LoraModulation(9)


class TestTheWayToClassB:
    @pytest.mark.parametrize("version", list(Version))
    def test_a_device_finds_a_beacon_says_so_and_hears_a_downlink_in_its_ping_slot(self, version: Version) -> None:
        bench = ClassBench(fast(abp(version)))
        bench.feed(SwitchClass(B))
        bench.run(300)
        assert [frame.f_ctrl.class_b for _, frame in bench.uplinks] == [False, True]  # TS001-1.0.4 §9.1
        lock = bench.times(ClassChanged)[0]
        assert 0 <= bench.uplinks[1][0] - lock <= 120 * S  # §13.6: a random delay after the beacon
        bench.queue(b"hello")
        bench.run(300)
        (received,) = bench.of(Received)
        assert (received.payload, received.multicast) == (b"hello", None)
        (send,) = [effect for _, effect in bench.server_effects if isinstance(effect, Send)]
        assert (send.at, Window.PING) in bench.heard

    @pytest.mark.parametrize(
        ("version", "request_"),
        [
            (Version.V1_0_2, mac.BeaconTimingReq()),  # 1.0.2 §14.4
            (Version.V1_0_3, mac.DeviceTimeReq()),
            (Version.V1_0_4, mac.DeviceTimeReq()),  # TS001-1.0.4 §5.9
            (Version.V1_1, mac.DeviceTimeReq()),  # 1.1 §9
        ],
    )
    def test_the_network_is_asked_for_the_time_so_that_a_short_window_finds_the_beacon(
        self, version: Version, request_: mac.MacCommand
    ) -> None:
        bench = ClassBench(fast(replace(abp(version), crystal_ppm=20)))
        bench.feed(SwitchClass(B))
        bench.run(300)
        assert request_.encode() in f_opts(bench, bench.uplinks[0][1])
        first = next(w for w in bench.listened if w.window is Window.BEACON)
        window_us = first.closes_at - first.opens_at
        assert window_us < (70_000 if version is Version.V1_0_2 else 240_000)  # 30 ms; ±100 ms; five symbols more
        assert bench.of(ClassChanged) == [ClassChanged(B)]

    @pytest.mark.parametrize("version", [Version.V1_0_3, Version.V1_0_4, Version.V1_1])
    def test_the_time_it_is_told_is_that_of_the_end_of_its_uplink(self, version: Version) -> None:
        bench = ClassBench(fast(abp(version)))
        bench.run(12.345)
        bench.feed(RequestTime())
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        (told,) = bench.of(TimeReceived)
        sent = bench.of(Transmission)[-1]
        assert isinstance(told, TimeReceived)
        assert isinstance(sent, Transmission)
        gps_us = GPS_AT_ORIGIN_US + sent.transmit.at + sent.transmit.airtime_us  # TS001-1.0.4 §5.9
        assert 0 <= gps_us - (told.gps_seconds * S + told.fraction_256 * S / 256) < S / 256

    def test_a_network_without_gps_time_says_so(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_0_4)), gps=False)
        bench.feed(RequestTime())
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        assert not bench.of(TimeReceived)
        assert [e.reason for _, e in bench.server_effects if isinstance(e, Dropped)] == ["device_time"]

    def test_without_an_answer_the_device_searches_for_a_whole_beacon_period(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_0_4)), gps=False)
        bench.feed(SwitchClass(B))
        bench.run(300)
        asked = [frame for _, frame in bench.uplinks if mac.DeviceTimeReq().encode() in f_opts(bench, frame)]
        assert len(asked) == 3
        (blind, *_) = [w for w in bench.listened if w.window is Window.BEACON]
        assert blind.closes_at - blind.opens_at >= 128 * S
        assert bench.of(ClassChanged) == [ClassChanged(B)]

    def test_no_beacon_leaves_the_device_in_class_a(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_0_4)), beacons=lambda _: False)
        bench.feed(SwitchClass(B))
        bench.run(600)
        assert bench.of(BeaconNotFound) == [BeaconNotFound()]  # LoRaWAN 1.1 §9, BEACON_NOT_FOUND
        assert not bench.of(ClassChanged)
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        assert not bench.uplinks[-1][1].f_ctrl.class_b

    def test_a_device_without_a_session_stays_in_class_a(self) -> None:
        config = fast(abp(Version.V1_0_4))
        bench = ClassBench(config)
        bench.device._state.session = None
        bench.feed(SwitchClass(B))
        assert [e.reason for e in bench.of(Dropped)] == ["not_joined"]

    @pytest.mark.parametrize("version", list(Version))
    def test_a_periodicity_is_told_in_class_a_and_class_b_waits_for_the_answer(self, version: Version) -> None:
        bench = ClassBench(fast(abp(version)))
        bench.lose_down = lambda at: at < 60 * S and not at > 20 * S  # the first answers are lost
        bench.feed(SwitchClass(B, 3))
        bench.run(300)
        told = [frame for _, frame in bench.uplinks if mac.PingSlotInfoReq(3).encode() in f_opts(bench, frame)]
        assert told
        assert not any(frame.f_ctrl.class_b for frame in told)  # TS001-1.0.4 §12.1: first revert to class A
        assert bench.session.classes.periodicity == 3

    def test_a_periodicity_that_the_network_never_acknowledges_keeps_the_device_in_class_a(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_0_4)))
        bench.lose_down = lambda _: True
        bench.feed(SwitchClass(B, 3))
        bench.run(300)
        assert [e.reason for e in bench.of(Dropped)] == ["ping_slot_info"]
        assert bench.of(BeaconNotFound)
        assert not bench.of(ClassChanged)

    def test_1_0_2_has_even_the_default_periodicity_acknowledged(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_0_2)))
        bench.feed(SwitchClass(B))
        bench.run(300)
        assert mac.PingSlotInfoReq(7).encode() in f_opts(bench, bench.uplinks[0][1])  # 1.0.2 §14.1


class TestBeacons:
    def test_a_beacon_is_reported_as_ts009_wants_it(self) -> None:
        bench = in_class_b()
        bench.run(128)
        (report,) = bench.of(BeaconReceived)
        assert isinstance(report, BeaconReceived)
        assert (report.freq_hz, report.data_rate, report.rssi_dbm, report.snr_db) == (BEACON_HZ, 3, -90.0, 5.0)
        assert report.beacon.gps_s % 128 == 0
        assert abs(report.beacon.latitude_deg - 47.4) < 1e-4

    def test_after_two_hours_without_a_beacon_the_device_is_back_in_class_a(self) -> None:
        stop = [1 << 40]
        bench = in_class_b(beacons=lambda gps_s: gps_s < stop[0])
        stop[0] = 0
        last = bench.device._state.classes.class_b.last_beacon_at  # type: ignore[union-attr]
        bench.run((last - bench.now) / S + 119 * 60)
        bench.feed(SendRequest(10, b"still"))
        bench.run(5)
        assert bench.uplinks[-1][1].f_ctrl.class_b
        bench.run(10 * 60)
        assert bench.of(ClassChanged) == [ClassChanged(A)]
        assert bench.times(BeaconLost) == [last + 7200 * S]  # TS001-1.0.4 §10.1: 120 minutes
        missed = bench.of(BeaconMissed)
        assert missed == [BeaconMissed(n) for n in range(1, len(missed) + 1)]
        assert len(missed) == 56  # 7200 s hold 56 periods of 128 s
        bench.feed(SendRequest(10, b"gone"))
        bench.run(5)
        assert not bench.uplinks[-1][1].f_ctrl.class_b

    def test_a_beacon_within_two_hours_gives_two_hours_more(self) -> None:
        heard_again = [1 << 40]
        bench = in_class_b(beacons=lambda gps_s: gps_s < heard_again[0] or gps_s > heard_again[1])
        now_s = (GPS_AT_ORIGIN_US + bench.now) // S
        heard_again[:] = [0, now_s + 110 * 60]
        bench.run(130 * 60)
        assert not bench.of(BeaconLost)  # TS001-1.0.4 §10.2
        assert bench.of(BeaconReceived)

    @pytest.mark.parametrize("damage", ["crc", "time"])
    def test_a_damaged_or_untimely_beacon_moves_no_clock(self, damage: str) -> None:
        bench = in_class_b(beacons=lambda gps_s: gps_s < 1_400_000_300)
        beacon = bench.device._state.classes.class_b.beacon  # type: ignore[union-attr]
        assert beacon is not None
        bench.run((beacon.opens_at - bench.now) / S + 0.001)
        payload = encode_beacon(Beacon.at(128 * 1000, 0.0, 0.0))
        if damage == "crc":
            payload = payload[:3] + bytes((payload[3] ^ 1,)) + payload[4:]
        clock = bench.device._state.classes.clock
        bench.now = beacon.opens_at + BEACON_AIRTIME_US
        bench.feed(Heard(bench.now, payload, BEACON_HZ, SF9, -90.0, 5.0, BEACON_AIRTIME_US))
        assert [e.reason for e in bench.of(Dropped)] == ["beacon" if damage == "crc" else "beacon_time"]
        assert bench.device._state.classes.clock == clock

    @pytest.mark.parametrize("before_ms", [-200, -10, 0, 10, 50, 1000, *range(2150, 2400, 10)])
    def test_an_uplink_about_the_beacon_s_window_disturbs_that_beacon_at_most(self, before_ms: int) -> None:
        bench = in_class_b()
        beacon = bench.device._state.classes.class_b.beacon  # type: ignore[union-attr]
        assert beacon is not None
        bench.run((beacon.closes_at - before_ms * 1000 - bench.now) / S)
        bench.feed(SendRequest(10, b"x"))
        bench.run(300)
        reports = [e for e in bench.of(BeaconReceived) if isinstance(e, BeaconReceived)]
        assert len(reports) + len(bench.of(BeaconMissed)) >= 2
        assert reports

    @pytest.mark.parametrize(("freq_hz", "taken"), [(868_100_000, True), (0, True), (915_000_000, False)])
    def test_the_network_moves_the_beacon(self, freq_hz: int, taken: bool) -> None:
        bench = in_class_b()
        bench.server(Ask((mac.BeaconFreqReq(freq_hz),)))
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        bench.feed(SendRequest(10, b"y"))
        bench.run(5)
        assert mac.BeaconFreqAns(freq_ok=taken).encode() in f_opts(bench, bench.uplinks[-1][1])  # §12.2
        bench.listened.clear()
        bench.run(300)
        used = {w.freq_hz for w in bench.listened if w.window is Window.BEACON}
        assert (freq_hz or BEACON_HZ if taken else BEACON_HZ) in used
        assert not bench.session.requests.sent


def test_class_b_and_class_c_never_hold_at_once() -> None:
    bench = in_class_b()
    bench.feed(SwitchClass(C))
    bench.run(300)
    assert bench.of(ClassChanged) == [ClassChanged(A), ClassChanged(C)]  # TS001-1.0.4 §15
    assert not [w for w in bench.windows if w.window in (Window.PING, Window.BEACON)]
    bench.feed(SendRequest(10, b"x"))
    bench.run(5)
    assert not bench.uplinks[-1][1].f_ctrl.class_b


def test_the_server_hears_from_the_bit_that_class_b_is_over() -> None:
    bench = in_class_b()
    bench.feed(SwitchClass(A))
    bench.feed(SendRequest(10, b"x"))
    bench.run(5)
    bench.queue(b"waits")
    bench.run(300)
    assert not [e for _, e in bench.server_effects if isinstance(e, Send)]
    bench.feed(SendRequest(10, b"y"))
    bench.run(5)
    assert [e.payload for e in bench.of(Received)] == [b"waits"]
    assert any(isinstance(e, Answer) for _, e in bench.server_effects)


def test_a_restarted_device_knows_what_the_network_has_set_of_class_b() -> None:
    bench = in_class_b(periodicity=3)
    bench.server(Ask((mac.PingSlotChannelReq(868_300_000, 4),)))
    bench.server(Ask((mac.BeaconFreqReq(868_100_000),)))
    bench.feed(SendRequest(10, b"x"))
    bench.run(5)
    bench.device = DeviceCore(bench.config, Draws.of_seed(2), bench.device.memory)
    session = bench.device.session
    assert session is not None
    kept = session.class_b
    assert (kept.periodicity, kept.ping_slot_freq_hz, kept.ping_slot_dr) == (3, 868_300_000, 4)
    assert kept.beacon_freq_hz == 868_100_000


def test_the_network_s_time_replaces_that_of_a_beacon_long_ago() -> None:
    bench = in_class_b()
    bench.feed(SwitchClass(A))
    for hours in (0, 48):  # 200 ppm are 35 s in two days; a DeviceTimeAns is within 100 ms (LoRaWAN 1.1 §5.12)
        bench.run(hours * 3600)
        bench.feed(RequestTime())
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        clock = bench.device._state.classes.clock
        assert clock is not None
        assert clock.error_at(bench.now) <= 110_000
        assert (clock.error_us < 1_000) is (hours == 0)  # a fresh beacon says it better


def test_a_second_wish_for_class_b_keeps_the_beacon() -> None:
    bench = in_class_b()
    bench.feed(SwitchClass(B))
    bench.run(300)
    assert not bench.of(ClassChanged)
    assert len(bench.of(BeaconReceived)) >= 2


def test_a_device_begins_anew_in_class_a() -> None:
    bench = in_class_b()
    memory: DeviceMemory = bench.device.memory
    bench.device = DeviceCore(bench.config, Draws.of_seed(2), memory)
    bench.uplinks.clear()
    bench.feed(SendRequest(10, b"x"))
    bench.run(5)
    assert not bench.uplinks[-1][1].f_ctrl.class_b
