"""Class C on the device and at its network. Clauses: TS001-1.0.4 §15, LoRaWAN 1.1 §17 and §18, RP002-1.0.4 §2.3."""

from __future__ import annotations

import pytest
from class_bench import ClassBench, S, fast, in_class_c, open_now
from class_devices import f_opts, sealed, unicast_f_cnt
from mac_pairs import abp, joined, otaa

from lorawan import mac_commands as mac
from lorawan.device import (
    ClassChanged,
    DeviceCore,
    Received,
    SendRequest,
    StartJoin,
    StopListening,
    SwitchClass,
    Transmission,
)
from lorawan.draws import Draws
from lorawan.machine import Dropped
from lorawan.operating_class import OperatingClass, response_timeout_us
from lorawan.phy import UNTIL_STOPPED, Listen, LoraModulation, Window
from lorawan.server import Answer, Ask, DownlinkUnacknowledged, Send
from lorawan.version import Version

A, B, C = OperatingClass
RX2_HZ = 869_525_000


class TestListening:
    def test_the_window_has_rx2_s_parameters_and_stays_open(self) -> None:
        bench = in_class_c()
        (window,) = open_now(bench)
        assert (window.freq_hz, window.modulation, window.window) == (RX2_HZ, LoraModulation(12), Window.RXC)
        assert window.closes_at == UNTIL_STOPPED

    def test_around_an_uplink_it_is_open_wherever_class_a_is_not(self) -> None:
        bench = in_class_c()
        bench.listened.clear()
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        (sent,) = [e.transmit for e in bench.of(Transmission) if isinstance(e, Transmission)]
        at = sent.at + sent.airtime_us
        for window in bench.listened:  # §15: RXC before RX1, between the windows and after them, without a gap
            assert window.opens_at == at
            at = window.closes_at
        assert [w.window for w in bench.listened] == [
            Window.RXC,
            Window.RX1,
            Window.RXC,
            Window.RX2,
            Window.RXC,
        ]

    def test_nothing_is_open_while_the_device_sends(self) -> None:
        bench = in_class_c()
        bench.feed(SendRequest(10, b"x"))
        bench.run(0.01)
        effects = [e for e in (effect for _, effect in bench.effects) if isinstance(e, StopListening | Transmission)]
        assert [type(e) for e in effects[:2]] == [StopListening, Transmission]
        assert not open_now(bench)

    def test_a_device_that_joins_has_class_a_windows_alone(self) -> None:
        device = joined(Version.V1_0_4).device
        now = device.wake_at or 10**9
        device.handle(SwitchClass(C), now)
        device.handle(StartJoin(), now)
        listens: list[Listen] = []
        for _ in range(20):
            assert device.wake_at is not None
            now = max(now, device.wake_at)
            listens += [e for e in device.wake(now) if isinstance(e, Listen)]
        assert {w.window for w in listens} == {Window.RX1, Window.RX2}

    def test_a_device_that_has_not_joined_stays_in_class_a(self) -> None:
        device = DeviceCore(otaa(Version.V1_0_4), Draws.of_seed(1))
        assert [e.reason for e in device.handle(SwitchClass(C), 0) if isinstance(e, Dropped)] == ["not_joined"]

    def test_a_new_join_ends_class_c(self) -> None:
        pair = joined(Version.V1_0_4)
        pair.feed(SwitchClass(C))
        pair.now += 10 * S
        pair.device_effects.clear()
        pair.join()
        assert ClassChanged(A) in pair.device_effects  # LoRaWAN 1.1 §9: all devices begin in class A

    def test_new_rx2_parameters_move_the_window(self) -> None:
        bench = in_class_c()
        bench.server(Ask((mac.RxParamSetupReq(rx1_dr_offset=0, rx2_dr=3, freq_hz=868_500_000),)))
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        (window,) = open_now(bench)
        assert (window.freq_hz, window.modulation) == (868_500_000, LoraModulation(9))

    def test_back_in_class_a_nothing_stays_open(self) -> None:
        bench = in_class_c()
        bench.feed(SwitchClass(A))
        bench.run(1)
        assert bench.of(ClassChanged) == [ClassChanged(A)]
        assert not open_now(bench)
        bench.transmit_down(sealed(bench, 5, payload=b"x"), bench.now + 1000, RX2_HZ, 0)
        bench.run(5)
        assert not bench.of(Received)


class TestDeviceMode:
    def test_it_is_in_every_uplink_until_the_network_confirms_it(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_1)))
        bench.lose_down = lambda _: True
        bench.feed(SwitchClass(C))
        bench.run(5)
        assert bench.of(ClassChanged) == [ClassChanged(C)]  # 1.1 §18.1: as soon as the first one is transmitted
        for _ in range(3):
            bench.feed(SendRequest(10, b"x"))
            bench.run(5)
        bench.lose_down = lambda _: False
        for _ in range(3):
            bench.feed(SendRequest(10, b"x"))
            bench.run(5)
        announced = [mac.DeviceModeInd(2).encode() in f_opts(bench, frame) for _, frame in bench.uplinks]
        assert announced == [True] * 5 + [False] * 2
        assert bench.session.classes.operating_class is C

    def test_until_the_first_one_goes_out_the_device_is_in_class_a(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_1)))
        session = bench.device.session
        assert session is not None
        session.silent_until = 60 * S
        bench.feed(SwitchClass(C))
        bench.run(59)
        assert not bench.of(ClassChanged)
        assert not bench.listened
        bench.run(2)
        assert bench.of(ClassChanged) == [ClassChanged(C)]

    def test_going_back_is_announced_too(self) -> None:
        bench = in_class_c(Version.V1_1)
        bench.feed(SwitchClass(A))
        bench.run(5)
        assert mac.DeviceModeInd(0).encode() in f_opts(bench, bench.uplinks[-1][1])
        assert bench.session.classes.operating_class is A
        assert not open_now(bench)

    def test_after_a_power_cut_the_network_is_told_of_class_a(self) -> None:
        bench = in_class_c(Version.V1_1)
        for seed, told in ((2, True), (3, False)):  # until a confirmation has come, and no longer
            bench.device = DeviceCore(bench.config, Draws.of_seed(seed), bench.device.memory)
            bench.uplinks.clear()
            bench.feed(SendRequest(10, b"x"))
            bench.run(5)
            bench.feed(SendRequest(10, b"y"))
            bench.run(5)
            assert (mac.DeviceModeInd(0).encode() in f_opts(bench, bench.uplinks[0][1])) is told
            assert mac.DeviceModeInd(0).encode() not in f_opts(bench, bench.uplinks[1][1])
            assert bench.session.classes.operating_class is A

    def test_class_b_is_reached_from_class_c_by_way_of_class_a(self) -> None:
        bench = in_class_c(Version.V1_1)
        bench.feed(SwitchClass(B))
        assert [e.reason for e in bench.of(Dropped)] == ["class_c"]

    @pytest.mark.parametrize("version", [Version.V1_0_2, Version.V1_0_3, Version.V1_0_4])
    def test_before_1_1_the_application_s_word_is_enough(self, version: Version) -> None:
        bench = ClassBench(fast(abp(version)))
        bench.feed(SwitchClass(C))
        assert bench.of(ClassChanged) == [ClassChanged(C)]
        assert not bench.uplinks
        assert [w.window for w in open_now(bench)] == [Window.RXC]

    def test_a_confirmation_of_another_class_confirms_nothing(self) -> None:
        bench = ClassBench(fast(abp(Version.V1_1)))
        bench.lose_down = lambda _: True
        bench.feed(SwitchClass(C))
        bench.run(5)
        bench.lose_down = lambda _: False
        frame = sealed(bench, unicast_f_cnt(bench), commands=mac.DeviceModeConf(0).encode())
        bench.transmit_down(frame, bench.now, RX2_HZ, 0)
        bench.run(5)
        session = bench.device.session
        assert session is not None
        assert session.mode == mac.DeviceModeInd(2).encode()


class TestDownlinks:
    @pytest.mark.parametrize("version", list(Version))
    def test_the_network_sends_at_once_and_the_device_hears_it(self, version: Version) -> None:
        bench = in_class_c(version)
        bench.queue(b"now")
        at, send = next((at, e) for at, e in bench.server_effects if isinstance(e, Send))
        assert (at, send.at, send.freq_hz, send.dr) == (bench.now, None, RX2_HZ, 0)
        bench.run(5)
        assert [e.payload for e in bench.of(Received)] == [b"now"]

    def test_it_waits_while_the_class_a_windows_are_open(self) -> None:
        bench = in_class_c()
        bench.feed(SendRequest(10, b"x"))
        bench.run(0.3)  # the network has heard the uplink and answers nothing
        bench.queue(b"soon")
        assert not [e for _, e in bench.server_effects if isinstance(e, Send)]
        bench.run(10)
        assert [e.payload for e in bench.of(Received)] == [b"soon"]
        ((heard_at, window),) = bench.heard[-1:]
        assert window is Window.RXC
        assert heard_at >= bench.uplinks[0][0] + 2 * S

    def test_unconfirmed_ones_need_no_pause_between_them(self) -> None:
        bench = in_class_c()
        for number in range(3):
            bench.queue(bytes((number,)))
        bench.run(10)
        assert [e.payload for e in bench.of(Received)] == [b"\0", b"\1", b"\2"]  # §15, note

    @pytest.mark.parametrize("version", list(Version))
    def test_a_confirmed_one_is_acknowledged_within_the_timeout(self, version: Version) -> None:
        bench = in_class_c(version)
        bench.queue(b"sure?", confirmed=True)
        bench.run(20)
        (received,) = bench.times(Received)
        (acknowledged,) = [at for at, frame in bench.uplinks if frame.f_ctrl.ack]
        assert received < acknowledged <= received + 8 * S  # CLASS_C_RESP_TIMEOUT, RP002-1.0.4 page 28
        assert not [e for _, e in bench.server_effects if isinstance(e, Dropped)]

    def test_an_acknowledgement_that_cannot_go_in_time_counts_as_sent(self) -> None:
        bench = in_class_c()
        session = bench.device.session
        assert session is not None
        session.silent_until = bench.now + 60 * S  # DutyCycleReq
        bench.queue(b"sure?", confirmed=True)
        bench.run(70)
        bench.feed(SendRequest(10, b"later"))
        bench.run(5)
        assert bench.of(Received)
        assert not any(frame.f_ctrl.ack for _, frame in bench.uplinks)  # TS001-1.0.4 §15
        assert len([e for _, e in bench.server_effects if isinstance(e, DownlinkUnacknowledged)]) == 1

    def test_one_confirmed_downlink_is_under_way_at_a_time(self) -> None:
        bench = in_class_c()
        bench.lose_down = lambda _: True
        bench.queue(b"one", confirmed=True)
        bench.queue(b"two", confirmed=True)
        bench.run(30)
        first, second = [at for at, e in bench.server_effects if isinstance(e, Send)]
        assert second - first >= 8 * S

    def test_after_a_confirmed_class_a_answer_none_follows_before_an_uplink(self) -> None:
        bench = in_class_c()
        bench.lose_down = lambda _: True
        bench.session.classes.held_until = bench.now + S  # as if RX2 were still open: the payload waits for the answer
        bench.queue(b"one", confirmed=True)
        bench.feed(SendRequest(10, b"x"))
        bench.run(1)
        bench.queue(b"two", confirmed=True)
        bench.run(60)
        assert [type(e) for _, e in bench.server_effects if isinstance(e, Answer | Send)] == [Answer]  # §15
        bench.feed(SendRequest(10, b"y"))
        bench.run(5)
        assert [type(e) for _, e in bench.server_effects if isinstance(e, Answer | Send)] == [Answer, Answer]

    def test_1_0_4_takes_no_mac_commands_there_and_others_do(self) -> None:
        for version in Version:
            bench = in_class_c(version)
            frame = sealed(bench, unicast_f_cnt(bench), commands=mac.DevStatusReq().encode())
            bench.transmit_down(frame, bench.now + 1000, RX2_HZ, 0)
            bench.run(20)
            if version is Version.V1_0_4:
                assert [e.reason for e in bench.of(Dropped)] == ["unsolicited_commands"]
                assert not bench.uplinks
            else:
                assert f_opts(bench, bench.uplinks[0][1])[:1] == bytes((mac.DevStatusAns.cid,))  # 1.1 §17: it answers

    def test_what_it_left_to_be_answered_is_answered_although_a_class_a_downlink_came(self) -> None:
        bench = in_class_c(Version.V1_0_3)
        session = bench.device.session
        assert session is not None
        session.nb_trans, session.max_d_cycle = 2, 7  # 6 s between the two
        bench.feed(SendRequest(10, b"x"))
        bench.run(3)
        bench.heard.clear()
        commands = mac.DevStatusReq().encode() + mac.RxTimingSetupReq(delay_s=1).encode()
        bench.transmit_down(sealed(bench, unicast_f_cnt(bench), commands=commands), bench.now, RX2_HZ, 0)
        while len(bench.uplinks) < 2:
            bench.run(0.1)
        sent = bench.of(Transmission)[-1]
        assert isinstance(sent, Transmission)
        rx2_at = sent.transmit.at + sent.transmit.airtime_us + 2 * S
        bench.transmit_down(sealed(bench, unicast_f_cnt(bench), payload=b"rx2"), rx2_at, RX2_HZ, 0)
        bench.run(20)
        assert [window for _, window in bench.heard[:2]] == [Window.RXC, Window.RX2]
        first, repeated, after = bench.uplinks[:3]
        assert first[1].f_cnt == repeated[1].f_cnt == after[1].f_cnt - 1
        answers = mac.parse_commands(f_opts(bench, after[1]), uplink=True).commands
        assert [type(answer) for answer in answers] == [mac.DevStatusAns, mac.RxTimingSetupAns]

    def test_commands_that_come_unconfirmed_do_not_limit_an_older_acknowledgement(self) -> None:
        bench = in_class_c(Version.V1_0_3)
        session = bench.device.session
        assert session is not None
        session.confirm_f_cnt_down = 7  # of a class A downlink: LoRaWAN 1.0.3 §4.3.1.2 sets no time for its answer
        session.silent_until = bench.now + 60 * S
        frame = sealed(bench, unicast_f_cnt(bench), commands=mac.DevStatusReq().encode())
        bench.transmit_down(frame, bench.now + 1000, RX2_HZ, 0)
        bench.run(70)
        assert bench.uplinks[0][1].f_ctrl.ack

    def test_a_reply_in_rx2_is_a_class_a_downlink(self) -> None:
        bench = in_class_c()
        session = bench.device.session
        assert session is not None
        bench.feed(SendRequest(10, b"x"))
        bench.run(0.01)
        sent = bench.of(Transmission)[-1]
        assert isinstance(sent, Transmission)
        end = sent.transmit.at + sent.transmit.airtime_us
        bench.transmit_down(sealed(bench, 40, payload=b"rx2"), end + 2 * S, RX2_HZ, 0)
        bench.run(6)
        assert bench.heard[-1][1] is Window.RX2
        assert session.adr_ack_cnt == 0


def test_the_time_for_an_answer_grows_with_nb_trans_only_under_adr() -> None:
    """TS001-1.0.4 §9.3.1: 8 s · NbTrans + RECEIVE_DELAY2 · (NbTrans − 1) with the ADR bit, 8 s without."""
    assert response_timeout_us(1, 2 * S, adr=True) == 8 * S
    assert response_timeout_us(3, 2 * S, adr=True) == (3 * 8 + 2 * 2) * S
    assert response_timeout_us(3, 2 * S, adr=False) == 8 * S
