"""Ping slots of a class B device: where they are, what a downlink in one may do, and those of multicast groups.

Clauses stand beside the tests: TS001-1.0.4 §9–§12, LoRaWAN 1.1 and 1.0.3 §14.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from class_bench import GPS_AT_ORIGIN_US, ClassBench, S, fast
from class_devices import BEACON_HZ, f_opts, in_class_b, ping, sealed, unicast_f_cnt
from mac_pairs import abp

from lorawan import mac_commands as mac
from lorawan.device import (
    AddMulticast,
    Received,
    SendRequest,
    Transmission,
)
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.phy import Listen, Window
from lorawan.ping_slots import BEACON_PERIOD_US, beacon_time_s, period_start_us, ping_offset
from lorawan.server import Ask, DownlinkUnacknowledged, Send
from lorawan.server.class_link import slot_after
from lorawan.version import Version

A, B, C = OperatingClass
GROUP = DevAddr(0x26FFFFF0)


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
