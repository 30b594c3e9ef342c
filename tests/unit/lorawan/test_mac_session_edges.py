"""Where a session meets its limits: rejoins, confirmed uplinks, counters and ADR, clause by clause."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from mac_pairs import (
    APP_KEY,
    abp,
    data_up,
    downlink,
    hear,
    joined,
    otaa,
)

from lorawan import mac_commands as mac
from lorawan.device import (
    DeviceCore,
    DeviceMemory,
    Joined,
    Persist,
    SendDone,
    SendRequest,
    StartJoin,
    Transmission,
)
from lorawan.draws import Draws
from lorawan.frames import JoinAccept, JoinRequest, parse
from lorawan.ids import DevAddr, NetId
from lorawan.machine import Dropped
from lorawan.phy import Heard, Listen
from lorawan.secured import seal_join_accept_10
from lorawan.server import JoinSettings, QueueDownlink, Repeated
from lorawan.testing import Pair, losing, perfect, silent
from lorawan.version import Version

OLD, NEW = (Version.V1_0_2, Version.V1_0_3), (Version.V1_0_4, Version.V1_1)


class TestRejoin:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_frame_under_way_ends_with_its_session(self, version: Version) -> None:
        pair = joined(version)
        for _ in range(20):
            pair.send(b"x")
        pair.up = losing(lambda payload: not isinstance(parse(payload, uplink=True), JoinRequest))
        pair.feed(SendRequest(10, b"under way", confirmed=True))
        assert pair.device.wake_at is not None
        pair.now = pair.device.wake_at
        pair.run(until=pair.now)
        pair.feed(StartJoin())
        pair.run()
        assert len(pair.of(Joined)) == 2
        pair.up = perfect
        before = len(pair.app_uplinks)
        for _ in range(3):
            pair.send(b"new")
        assert [u.f_cnt for u in pair.app_uplinks[before:]] == [0, 1, 2]

    def test_a_second_activation_repeats_no_dev_nonce(self) -> None:
        pair = joined(Version.V1_0_2)
        for _ in range(4):
            pair.join()
        nonces = [t.f_cnt for t in pair.sent if t.kind == "join"]
        assert len(set(nonces)) == len(nonces) == 5

    def test_a_counter_of_dev_nonces_ends_rather_than_returns(self) -> None:
        device = DeviceCore(otaa(Version.V1_0_4), Draws.of_seed(1), DeviceMemory(next_dev_nonce=0x10000))
        (dropped,) = device.handle(StartJoin(), 0)
        assert isinstance(dropped, Dropped)
        assert dropped.reason == "dev_nonce_exhausted"
        assert device.wake_at is None

    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_a_join_nonce_that_does_not_rise_is_refused(self, version: Version) -> None:
        pair = Pair(otaa(version))
        pair.join()
        first = pair.device.memory
        assert first.last_join_nonce == 1
        again = Pair(otaa(version))
        again.device = DeviceCore(again.config, Draws.of_seed(9), first)  # the server of this pair starts at 1 again
        again.feed(StartJoin())
        again.run(until=6_000_000)
        assert [e.reason for e in again.device_effects if isinstance(e, Dropped)] == ["join_nonce_replay"]

    def test_an_accept_with_an_undefined_rx2_data_rate_is_refused(self) -> None:
        for rx2_dr in range(7, 16):
            pair = Pair(otaa(Version.V1_0_3))
            pair.feed(StartJoin())
            effects = list(pair.device.wake(pair.device.wake_at or 0))
            assert any(isinstance(e, Transmission) for e in effects)
            accept = JoinAccept(
                join_nonce=1,
                net_id=NetId(0x13),
                dev_addr=DevAddr(1),
                opt_neg=False,
                rx1_dr_offset=0,
                rx2_dr=rx2_dr,
                rx_delay_s=1,
                cf_list=b"",
            )
            listen = next(e for e in effects if isinstance(e, Listen))
            heard = Heard(
                listen.closes_at, seal_join_accept_10(APP_KEY, accept), listen.freq_hz, listen.modulation, -90, 5, 0
            )
            (dropped,) = pair.device.handle(heard, listen.closes_at)
            assert isinstance(dropped, Dropped)
            assert dropped.reason == "dl_settings"


class TestConfirmed:
    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_any_downlink_ends_the_repeats_from_1_0_4_on(self, version: Version) -> None:
        pair = joined(version)
        session = pair.device.session
        assert session is not None
        session.nb_trans = 5
        pair.down = silent
        pair.feed(SendRequest(10, b"alarm", confirmed=True))
        assert pair.device.wake_at is not None
        pair.now = pair.device.wake_at
        effects = list(pair.device.wake(pair.now))
        listen = next(e for e in effects if isinstance(e, Listen))
        heard = Heard(listen.closes_at, downlink(pair), listen.freq_hz, listen.modulation, -90.0, 5.0, 0)
        out = pair.device.handle(heard, listen.closes_at)
        assert SendDone(0, 1, False) in out

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_the_retransmission_timeout_precedes_whatever_follows(self, version: Version) -> None:
        """RETRANSMIT_TIMEOUT 2 ± 1 s after RX2 (LoRaWAN 1.0.4 §4.3.1.3)."""
        pair = joined(version)
        pair.down = silent
        pair.sent.clear()
        for _ in range(4):
            pair.send(b"alarm", confirmed=True)
        ends = [(t.transmit.at, t.transmit.at + t.transmit.airtime_us) for t in pair.sent]
        waits = [b - end for (_, end), (b, _) in pairwise(ends)]
        assert min(waits) >= 2_000_000 + 1_000_000  # RX2 opens after 2 s, then at least 1 s

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_the_repeat_of_an_acknowledging_uplink_is_still_genuine(self, version: Version) -> None:
        """1.1 puts the acknowledged counter into the MIC of every copy."""
        pair = joined(version)
        assert pair.session is not None
        pair.ask(mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=7, ch_mask_cntl=0, nb_trans=3))
        for payload in (b"first", b"second"):
            pair.session.handle(QueueDownlink(7, payload, confirmed=True), pair.now)
            pair.send(b"x")
        lost: list[bytes] = []

        def lose_first(payload: bytes) -> bool:
            lost.append(payload)
            return len(lost) == 1

        pair.down = losing(lose_first)
        pair.send(b"acknowledges", confirmed=True)
        assert pair.of(SendDone)[-1] == SendDone(2, 2, True)
        assert any(isinstance(e, Repeated) for e in pair.server_effects)

    def test_an_acknowledgement_is_given_once(self) -> None:
        pair = joined(Version.V1_0_3)
        assert pair.session is not None
        pair.queue(b"cmd", 7, confirmed=True)
        for _ in range(3):
            pair.send(b"x")
        assert [u.ack for u in pair.app_uplinks] == [False, True, False]


class TestCounters:
    @pytest.mark.parametrize("version", OLD, ids=str)
    def test_a_gap_of_16384_is_refused_by_both_ends_before_1_0_4(self, version: Version) -> None:
        pair = joined(version)
        pair.send(b"x")
        assert pair.device.session is not None
        hear(pair, downlink(pair, f_cnt=5))
        effects = hear(pair, downlink(pair, f_cnt=5 + 16_384))
        assert [e.reason for e in effects if isinstance(e, Dropped)] == ["f_cnt_gap"]
        pair.device.session.f_cnt_up = 16_384 + 5
        before = len(pair.app_uplinks)
        pair.run()
        pair.send(b"far")
        assert len(pair.app_uplinks) == before
        assert "f_cnt_gap" in [e.reason for e in pair.server_effects if isinstance(e, Dropped)]

    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_there_is_no_gap_from_1_0_4_on(self, version: Version) -> None:
        pair = joined(version)
        pair.send(b"x")
        assert pair.device.session is not None
        pair.device.session.f_cnt_up = 20_000
        pair.send(b"far")
        assert pair.app_uplinks[-1].payload == b"far"

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_neither_end_goes_round(self, version: Version) -> None:
        pair = joined(version)
        device, server = pair.device.session, pair.session
        assert device is not None
        assert server is not None
        old = downlink(pair, f_cnt=0)
        device.n_f_cnt_down = 0xFFFFFFFF
        effects = hear(pair, old)
        assert [e.reason for e in effects if isinstance(e, Dropped)] == ["f_cnt_exhausted"]
        pair.run()
        device.f_cnt_up = 0x100000000
        effects = pair.device.handle(SendRequest(10, b"x"), pair.now)
        effects = pair.device.wake(pair.device.wake_at or pair.now)
        assert [e.reason for e in effects if isinstance(e, Dropped)] == ["f_cnt_exhausted"]


class TestAdrOfTheNetwork:
    def test_loss_raises_nb_trans(self) -> None:
        """20 heard of 40 sent: more than 30 % lost, three transmissions (Semtech's table)."""
        pair = joined(Version.V1_0_3)
        pair.snr_db = 2.5  # (2.5 + 7.5 − 10) / 3 = 0: neither rate nor power moves
        numbers = iter(range(1000))
        pair.up = losing(lambda _: next(numbers) % 2 == 1)
        for _ in range(44):
            pair.now += 120_000_000
            pair.send(b"x")
        assert pair.device.session is not None
        assert pair.device.session.nb_trans == 3

    def test_a_refused_request_is_not_repeated_for_ever(self) -> None:
        pair = Pair(otaa(Version.V1_0_3), settings=JoinSettings(NetId(0x13)))
        pair.join()
        assert pair.session is not None
        assert pair.device.session is not None
        plan = pair.device.session.plan  # the server's mask names a channel the device lacks
        pair.device.session.plan = replace(plan, channels=(*plan.channels[:2], None, *plan.channels[3:]), ch_mask=0b011)
        pair.snr_db = 20.0
        for _ in range(20):
            pair.send(b"x")
        assert len(pair.answers) < 5

    def test_a_reset_device_is_taken_for_one_at_full_power(self) -> None:
        pair = Pair(abp(Version.V1_1))
        pair.snr_db = 30.0
        assert pair.device.session is not None
        pair.device.session.dr = 5
        for _ in range(3):
            pair.send(b"x")
        assert pair.session is not None
        assert pair.session.link is not None
        assert pair.session.link.tx_power_index > 0
        memory = [e for e in pair.device_effects if isinstance(e, Persist)][-1].memory
        pair.device = DeviceCore(pair.config, Draws.of_seed(5), memory)
        assert pair.device.session is not None
        pair.device.session.dr = 5
        pair.snr_db = 2.5
        pair.send(b"x")
        assert pair.session.link.tx_power_index == 0


class TestAdrAckReq:
    @pytest.mark.parametrize(("version", "asks"), [(v, v in NEW) for v in Version], ids=str)
    def test_at_the_lowest_data_rate_only_1_0_4_and_1_1_still_ask(self, version: Version, asks: bool) -> None:
        pair = joined(version)
        session = pair.device.session
        assert session is not None
        session.dr, session.tx_power_index, session.adr_ack_cnt = 0, 3, 70
        pair.up = silent
        pair.send(b"x")
        assert data_up(pair)[-1].f_ctrl.adr_ack_req is asks

    def test_the_last_step_of_the_back_off_brings_the_default_channels_back(self) -> None:
        pair = joined(Version.V1_0_4)
        session = pair.device.session
        assert session is not None
        session.dr, session.nb_trans, session.adr_ack_cnt = 0, 3, 96
        session.plan = replace(session.plan, ch_mask=0b001)
        pair.up = silent
        pair.send(b"x")
        assert (session.plan.ch_mask, session.nb_trans) == (0b111, 1)
