"""Multicast groups of class C on the device. Clauses: TS005-2.0.0, TS001-1.0.4 §15, LoRaWAN 1.1 §17."""

from __future__ import annotations

from dataclasses import replace

import pytest
from class_bench import S, in_class_c, open_now
from mac_pairs import abp

from lorawan.crypto import SessionKeys
from lorawan.device import (
    AddMulticast,
    DeviceCore,
    Persist,
    Received,
    RemoveMulticast,
    SendRequest,
    SwitchClass,
    Transmission,
)
from lorawan.draws import Draws
from lorawan.frames import FCtrlDown
from lorawan.ids import AesKey, DevAddr
from lorawan.machine import Dropped
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
from lorawan.phy import Window
from lorawan.regions import US915
from lorawan.secured import seal_down
from lorawan.version import Version

C = OperatingClass.C
RX2_HZ = 869_525_000
GROUP = MulticastGroup(DevAddr(0x26FFFFF0), AesKey(b"N" * 16), AesKey(b"A" * 16), C)


class TestMulticast:
    def test_a_group_is_heard_where_it_sends_and_unicast_still_in_rx1_and_rx2(self) -> None:
        group = replace(GROUP, freq_hz=868_100_000, data_rate=5)
        bench = in_class_c()
        bench.feed(AddMulticast(group))
        bench.multicast(bench.group(group), b"all")
        bench.run(2)
        (received,) = bench.of(Received)
        assert isinstance(received, Received)
        assert (received.payload, received.multicast, received.confirmed) == (b"all", group.mc_addr, False)
        bench.queue(b"one")  # waits for RX2 of the next uplink: RXC is the group's
        bench.listened.clear()
        bench.feed(SendRequest(10, b"x"))
        bench.run(5)
        used = [(w.window, w.freq_hz) for w in bench.listened]
        assert (Window.RX2, RX2_HZ) in used  # TS005-2.0.0 page 14: unicast parameters in RX1 and RX2
        assert {freq for window, freq in used if window is Window.RXC} == {868_100_000}

    def test_a_frame_heard_before_a_power_cut_is_not_taken_again(self) -> None:
        bench = in_class_c()
        bench.feed(AddMulticast(GROUP))
        keys = SessionKeys.for_10(GROUP.mc_nwk_s_key, GROUP.mc_app_s_key)
        for f_cnt, taken in ((3, True), (3, False), (4, True)):
            bench.effects.clear()
            frame = seal_down(
                keys,
                is_1_1=False,
                confirmed=False,
                dev_addr=GROUP.mc_addr,
                f_ctrl=FCtrlDown(),
                f_cnt=f_cnt,
                f_port=10,
                payload=b"all",
            )
            bench.transmit_down(frame, bench.now + 1000, RX2_HZ, 0)
            bench.run(5)
            assert [type(e) for _, e in bench.effects if isinstance(e, Persist | Received)] == [
                Persist,
                Received,
            ] * taken
            bench.device = DeviceCore(bench.config, Draws.of_seed(f_cnt), bench.device.memory)
            bench.feed(SwitchClass(C))

    @pytest.mark.parametrize(("data_rate", "taken"), [(0, False), (8, True)])
    def test_its_data_rate_is_one_of_downlinks(self, data_rate: int, taken: bool) -> None:
        device = DeviceCore(abp(Version.V1_0_4, region=US915), Draws.of_seed(1))  # RP002-1.0.4: DR0 up, DR8 down
        effects = device.handle(AddMulticast(replace(GROUP, data_rate=data_rate)), 0)
        assert [type(effect) for effect in effects] == [Persist if taken else Dropped]

    def test_without_the_group_the_window_is_rx2_s_again(self) -> None:
        group = replace(GROUP, freq_hz=868_100_000, data_rate=5)
        bench = in_class_c()
        bench.feed(AddMulticast(group))
        assert [w.freq_hz for w in open_now(bench)] == [868_100_000]
        bench.feed(RemoveMulticast(group.mc_addr))
        assert [w.freq_hz for w in open_now(bench)] == [RX2_HZ]
        bench.feed(RemoveMulticast(group.mc_addr))
        assert [e.reason for e in bench.of(Dropped)] == ["multicast_unknown"]

    def test_it_is_heard_in_rx2_too(self) -> None:
        bench = in_class_c()
        bench.feed(AddMulticast(GROUP))
        sender = bench.group(GROUP)
        bench.feed(SendRequest(10, b"x"))
        bench.run(0.01)
        sent = bench.of(Transmission)[-1]
        assert isinstance(sent, Transmission)
        end = sent.transmit.at + sent.transmit.airtime_us
        bench.run((end + 2 * S - bench.now) / S)
        bench.multicast(sender, b"all")
        bench.run(5)
        assert bench.heard[-1][1] is Window.RX2
        assert [e.payload for e in bench.of(Received)] == [b"all"]
        assert bench.of(Received)
