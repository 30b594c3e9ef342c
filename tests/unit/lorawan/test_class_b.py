"""Class B on the device: finding beacons, following them, ping slots, and what a ping slot's downlink may do.

Clauses stand beside the tests: TS001-1.0.4 §8–§12, LoRaWAN 1.1 §9–§14, 1.0.2 §14.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from lorawan import mac_commands as mac
from lorawan.device import (
    AddMulticast,
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
from lorawan.frames import DataUp, FCtrlDown
from lorawan.frames.beacon import Beacon, encode_beacon
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.phy import Heard, Listen, LoraModulation, Window
from lorawan.ping_slots import BEACON_PERIOD_US, beacon_time_s, next_ping_slot, period_start_us, ping_offset
from lorawan.secured import open_up, seal_down
from lorawan.server import Answer, Ask, DownlinkUnacknowledged, Send
from lorawan.server.class_link import slot_after
from lorawan.version import Version
from tests.common.class_bench import BEACON_AIRTIME_US, GPS_AT_ORIGIN_US, ClassBench, S, fast
from tests.common.mac_pairs import abp

A, B, C = OperatingClass
BEACON_HZ, SF9 = 869_525_000, LoraModulation(9)
GROUP = DevAddr(0x26FFFFF0)


def in_class_b(version: Version = Version.V1_0_4, periodicity: int | None = None, **options: object) -> ClassBench:
    """A device that has locked on a beacon and told the network so."""
    bench = ClassBench(fast(abp(version)), **options)  # type: ignore[arg-type]  # keyword pass-through
    bench.feed(SwitchClass(B, periodicity))
    bench.run(300)
    assert bench.of(ClassChanged) == [ClassChanged(B)]
    bench.effects.clear()
    bench.uplinks.clear()
    return bench


def f_opts(bench: ClassBench, frame: DataUp) -> bytes:
    session = bench.device.session
    assert session is not None
    return open_up(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=frame.f_cnt).f_opts


def ping(bench: ClassBench, payload: bytes) -> None:
    """Send a frame in the device's next ping slot, past its server session."""
    class_b = bench.session.classes
    addr = bench.session.settings.dev_addr
    at = next_ping_slot(addr, class_b.periodicity, GPS_AT_ORIGIN_US + bench.now + 2 * S) - GPS_AT_ORIGIN_US
    bench.transmit_down(payload, at, BEACON_HZ, 3)
    bench.run((at - bench.now) / S + 3)


def sealed(
    bench: ClassBench, f_cnt: int, *, commands: bytes = b"", payload: bytes = b"", confirmed: bool = False
) -> bytes:
    session = bench.device.session
    assert session is not None
    return seal_down(
        session.keys,
        is_1_1=session.is_1_1,
        confirmed=confirmed,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlDown(),
        f_cnt=f_cnt,
        f_opts=commands,
        f_port=10 if payload else None,
        payload=payload,
    )


def unicast_f_cnt(bench: ClassBench) -> int:
    """The next counter of a frame without FPort."""
    last = bench.device.session and bench.device.session.n_f_cnt_down
    return 0 if last is None else last + 1


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


class TestPingSlots:
    @pytest.mark.parametrize("periodicity", [0, 3, 7])
    def test_the_device_listens_in_the_slots_of_its_network(self, periodicity: int) -> None:
        bench = in_class_b(periodicity=periodicity)
        bench.run(128 - (GPS_AT_ORIGIN_US + bench.now - 1500) % (128 * S) / S)  # to a beacon
        start = bench.now
        bench.listened.clear()
        bench.run(128)
        windows = [w for w in bench.listened if w.window is Window.PING and w.opens_at >= start]
        slots, at = [], start
        while (at := slot_after(bench.session.settings.dev_addr, periodicity, GPS_AT_ORIGIN_US, at)) < start + 128 * S:
            slots.append(at)
            at += 1
        assert len(slots) == len(windows) == 1 << (7 - periodicity)
        assert all(w.opens_at <= slot < w.closes_at for w, slot in zip(windows, slots, strict=True))

    @pytest.mark.parametrize("version", list(Version))
    def test_the_network_moves_them_and_uses_none_until_the_device_has_answered(self, version: Version) -> None:
        bench = in_class_b(version, 4)
        bench.server(Ask((mac.PingSlotChannelReq(868_300_000, 5),)))
        bench.queue(b"later")
        bench.run(60)
        assert not bench.of(Received)  # 1.0.3 §14.3: no ping slot before PingSlotChannelAns
        bench.session.answering.queue.take()
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        bench.feed(SendRequest(10, b"y"))
        bench.run(5)
        answer = mac.PingSlotChannelAns(data_rate_ok=True, freq_ok=True).encode()
        assert answer in f_opts(bench, bench.uplinks[-1][1])
        bench.queue(b"moved")
        bench.run(60)
        assert [e.payload for e in bench.of(Received)] == [b"moved"]
        (send,) = [e for _, e in bench.server_effects if isinstance(e, Send)]
        assert (send.freq_hz, send.dr) == (868_300_000, 5)

    @pytest.mark.parametrize(
        ("freq_hz", "data_rate", "freq_ok", "dr_ok"),
        [(915_000_000, 3, False, True), (0, 15, True, False), (0, 5, True, True)],
    )
    def test_what_the_device_cannot_do_changes_nothing(
        self, freq_hz: int, data_rate: int, freq_ok: bool, dr_ok: bool
    ) -> None:
        bench = in_class_b()
        bench.server(Ask((mac.PingSlotChannelReq(freq_hz, data_rate),)))
        for _ in range(2):
            bench.feed(SendRequest(10, b"x"))
            bench.run(5)
        answer = mac.PingSlotChannelAns(data_rate_ok=dr_ok, freq_ok=freq_ok).encode()
        assert answer in f_opts(bench, bench.uplinks[-1][1])  # §12.3
        settings = bench.device.session.class_b  # type: ignore[union-attr]
        both = freq_ok and dr_ok
        assert (settings.ping_slot_freq_hz, settings.ping_slot_dr) == ((freq_hz, data_rate) if both else (0, None))
        assert bench.session.classes.ping_slot_dr == settings.ping_slot_dr

    @pytest.mark.parametrize(("version", "times"), [(Version.V1_0_3, 1), (Version.V1_0_4, 3), (Version.V1_1, 1)])
    def test_only_1_0_4_repeats_the_answer_until_a_class_a_downlink(self, version: Version, times: int) -> None:
        bench = in_class_b(version)
        bench.server(Ask((mac.PingSlotChannelReq(0, 5),)))
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        bench.lose_down = lambda _: True
        for _ in range(3):
            bench.feed(SendRequest(10, b"y"))
            bench.run(5)
        cid = mac.PingSlotChannelAns.cid
        assert sum(cid in f_opts(bench, frame)[:1] for _, frame in bench.uplinks[1:]) == times

    def test_a_slot_in_the_way_of_class_a_windows_is_left_out(self) -> None:
        bench = in_class_b(periodicity=0)
        for _ in range(20):
            bench.feed(SendRequest(10, b"x"))
            bench.run(4.1)
        sent = [e.transmit for e in bench.of(Transmission) if isinstance(e, Transmission)]
        assert len(sent) == 20
        class_a = [w for w in bench.listened if w.window in (Window.RX1, Window.RX2)]
        taken = [(t.at, t.at + t.airtime_us) for t in sent] + [(w.opens_at, w.closes_at) for w in class_a]
        pings = [e for at, e in bench.effects if isinstance(e, Listen) and e.window is Window.PING]
        begun_before = [p for p in pings for a, b in taken if p.opens_at < a and p.closes_at > a]
        for ping_ in pings:  # §11.2: class A's windows come first; a transmission closes what was open
            assert not any(a <= ping_.opens_at < b for a, b in taken)
        assert len(pings) > 60
        assert len(begun_before) <= len(sent)


class TestDownlinksInPingSlots:
    def test_1_0_4_discards_a_frame_with_mac_commands_whole(self) -> None:
        bench = in_class_b()
        f_cnt = unicast_f_cnt(bench)
        ping(bench, sealed(bench, f_cnt, commands=mac.DevStatusReq().encode(), payload=b"no"))
        assert [e.reason for e in bench.of(Dropped)] == ["unsolicited_commands"]  # TS001-1.0.4 §9.3.1
        ping(bench, sealed(bench, f_cnt, payload=b"yes"))  # the counter was not used up
        assert [e.payload for e in bench.of(Received)] == [b"yes"]

    @pytest.mark.parametrize("version", [Version.V1_0_3, Version.V1_1])
    def test_others_carry_them_out_but_for_the_ping_slot_channel(self, version: Version) -> None:
        bench = in_class_b(version)
        commands = mac.encode_commands([mac.DevStatusReq(), mac.PingSlotChannelReq(868_300_000, 5)])
        ping(bench, sealed(bench, unicast_f_cnt(bench), commands=commands))
        answered = f_opts(bench, bench.uplinks[-1][1])
        assert answered[0] == mac.DevStatusAns.cid
        assert mac.PingSlotChannelAns.cid not in answered[3:]  # 1.0.3 and 1.1 §14.3: SHALL NOT be processed
        settings = bench.device.session.class_b  # type: ignore[union-attr]
        assert settings.ping_slot_dr is None

    def test_the_adr_counter_and_sticky_answers_wait_for_a_class_a_downlink(self) -> None:
        bench = in_class_b()
        session = bench.device.session
        assert session is not None
        bench.server(Ask((mac.PingSlotChannelReq(0, 5),)))
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        bench.session.requests.take(mac.PingSlotChannelReq)
        before = session.adr_ack_cnt
        settings = session.class_b
        settings.ping_slot_dr = None  # listen where `ping` sends
        ping(bench, sealed(bench, unicast_f_cnt(bench), payload=b"b"))
        assert bench.of(Received)
        assert session.adr_ack_cnt == before
        assert [a.sticky for a in session.answers] == [True]  # TS001-1.0.4 §12.3: until a class A downlink

    def test_a_confirmed_one_is_acknowledged_in_time_by_an_uplink_of_its_own(self) -> None:
        bench = in_class_b()
        bench.queue(b"sure?", confirmed=True)
        bench.queue(b"again?", confirmed=True)
        bench.run(600)
        first, second = bench.times(Received)
        acknowledged = next(at for at, frame in bench.uplinks if frame.f_ctrl.ack)
        assert first < acknowledged <= first + 8 * S  # CLASS_B_RESP_TIMEOUT
        assert second > acknowledged  # §9.3.1: one confirmed downlink at a time
        assert len([e for _, e in bench.server_effects if isinstance(e, Send)]) == 1  # the second came in class A

    def test_the_next_confirmed_one_waits_for_the_timeout_where_no_uplink_comes(self) -> None:
        bench = in_class_b(periodicity=0)
        bench.lose_down = lambda _: True
        bench.queue(b"sure?", confirmed=True)
        bench.queue(b"again?", confirmed=True)
        bench.run(60)
        first, second = [e.at for _, e in bench.server_effects if isinstance(e, Send)]
        assert first is not None
        assert second is not None
        assert second - first >= 8 * S  # §9.3.1: until CLASS_B_RESP_TIMEOUT
        assert len([e for _, e in bench.server_effects if isinstance(e, DownlinkUnacknowledged)]) == 2


class TestMulticast:
    def group(self, **changes: object) -> MulticastGroup:
        group = MulticastGroup(GROUP, AesKey(b"N" * 16), AesKey(b"A" * 16), B, periodicity=2)
        return replace(group, **changes)  # type: ignore[arg-type]

    @pytest.mark.parametrize("version", list(Version))
    def test_a_group_has_slots_of_its_own(self, version: Version) -> None:
        bench = in_class_b(version)
        bench.feed(AddMulticast(self.group()))
        sender = bench.group(self.group())
        for number in range(5):
            bench.multicast(sender, bytes((number,)))
        bench.run(120)
        got = [e for e in bench.of(Received) if isinstance(e, Received)]
        assert [e.payload for e in got] == [bytes((n,)) for n in range(5)]
        assert {e.multicast for e in got} == {GROUP}
        assert [e.f_cnt for e in got] == list(range(5))

    def test_a_device_in_class_a_hears_none_of_it(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_0_4)))
        bench.feed(AddMulticast(self.group()))
        sender = bench.group(self.group())
        bench.multicast(sender, b"x")
        bench.run(200)
        assert not bench.heard

    def colliding(self, *, pending: bool) -> tuple[int, int]:
        """How many windows the device and a group elsewhere get in a period in which all their slots collide."""
        bench = in_class_b(periodicity=0)
        own = bench.config.dev_addr
        assert own is not None
        start = period_start_us(GPS_AT_ORIGIN_US + bench.now) + BEACON_PERIOD_US
        time_s = beacon_time_s(start)
        mc_addr = next(
            address
            for address in map(DevAddr, range(0x26FF0000, 0x26FFFFFF))
            if ping_offset(address, time_s, 0) == ping_offset(own, time_s, 0)
        )
        bench.feed(AddMulticast(self.group(mc_addr=mc_addr, periodicity=0, freq_hz=868_300_000, data_rate=5)))
        class_b = bench.device._state.classes.class_b
        assert class_b is not None
        if pending:
            class_b.f_pending.add(own)  # as the FPending bit of a unicast ping leaves it
        bench.run((start - GPS_AT_ORIGIN_US - bench.now) / S + 1)
        bench.listened.clear()
        bench.run(126)
        pings = [w for w in bench.listened if w.window is Window.PING]
        return sum(w.freq_hz == BEACON_HZ for w in pings), sum(w.freq_hz == 868_300_000 for w in pings)

    @pytest.mark.parametrize(("pending", "windows"), [(False, (0, 128)), (True, (128, 0))])
    def test_where_slots_collide_one_of_them_has_the_radio(self, pending: bool, windows: tuple[int, int]) -> None:
        """TS001-1.0.4 §9.2, table 57: FPending set before, then multicast before unicast."""
        assert self.colliding(pending=pending) == windows

    def test_slots_that_collide_on_one_channel_share_a_window(self) -> None:
        bench = in_class_b(periodicity=0)
        bench.feed(AddMulticast(self.group(periodicity=0)))
        sender = bench.group(self.group(periodicity=0))
        for number in range(10):
            bench.multicast(sender, bytes((number,)))
        bench.run(200)
        assert len(bench.of(Received)) == 10


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


def test_a_device_begins_anew_in_class_a() -> None:
    bench = in_class_b()
    memory: DeviceMemory = bench.device.memory
    bench.device = DeviceCore(bench.config, Draws.of_seed(2), memory)
    bench.uplinks.clear()
    bench.feed(SendRequest(10, b"x"))
    bench.run(5)
    assert not bench.uplinks[-1][1].f_ctrl.class_b
