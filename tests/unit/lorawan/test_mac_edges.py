"""Where the two ends of the MAC meet their limits: what must hold there, clause by clause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.device import (
    Activation,
    DeviceConfig,
    DeviceCore,
    DeviceMemory,
    Joined,
    Persist,
    Received,
    RequestLinkCheck,
    SendDone,
    SendRequest,
    StartJoin,
    Transmission,
)
from lorawan.device.events import DeviceEffect
from lorawan.draws import Draws
from lorawan.frames import DataDown, DataUp, FCtrlDown, FCtrlUp, JoinAccept, JoinRequest, parse
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.machine import Dropped
from lorawan.phy import Heard, Listen
from lorawan.regions import EU868
from lorawan.secured import open_down, open_up, seal_down, seal_join_accept_10, seal_up
from lorawan.server import Answer, AppUplink, JoinSettings, QueueDownlink, Repeated, UplinkHeard
from lorawan.testing import Pair
from lorawan.version import Version

APP_KEY, NWK_KEY = AesKey(bytes(range(16))), AesKey(bytes(range(16, 32)))
OLD, NEW = (Version.V1_0_2, Version.V1_0_3), (Version.V1_0_4, Version.V1_1)


def config(version: Version, *, dr: int = 5) -> DeviceConfig:
    return DeviceConfig(version, Eui64(1), Eui64(2), APP_KEY, NWK_KEY, join_data_rates=(dr,))


def joined(version: Version, *, dr: int = 5) -> Pair:
    pair = Pair(config(version, dr=dr))
    pair.join()
    return pair


def abp(version: Version) -> DeviceConfig:
    keys = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), AesKey(b"a" * 16))
    if not version.is_1_1:
        keys = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
    return DeviceConfig(
        version, Eui64(1), Eui64(2), activation=Activation.ABP, dev_addr=DevAddr(0x26000001), session_keys=keys
    )


def data_up(pair: Pair) -> list[DataUp]:
    frames = [parse(t.transmit.payload, uplink=True) for t in pair.sent if t.kind == "data"]
    return [frame for frame in frames if isinstance(frame, DataUp)]


def clear_f_opts(pair: Pair, frame: DataUp, f_cnt: int) -> bytes:
    session = pair.device.session
    assert session is not None
    return open_up(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=f_cnt).f_opts


def downlink(pair: Pair, *commands: mac.MacCommand, f_cnt: int | None = None, f_port: int | None = None) -> bytes:
    """A genuine downlink of the pair's session."""
    session = pair.device.session
    assert session is not None
    last = session.n_f_cnt_down
    return seal_down(
        session.keys,
        is_1_1=session.is_1_1,
        confirmed=False,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlDown(adr=True, ack=False, f_pending=False),
        f_cnt=(0 if last is None else last + 1) if f_cnt is None else f_cnt,
        f_opts=mac.encode_commands(commands),
        f_port=f_port,
    )


def hear(pair: Pair, payload: bytes) -> Sequence[DeviceEffect]:
    """One uplink, and `payload` in its RX1."""
    lost, pair.lose_up = pair.lose_up, lambda _: True
    pair.feed(SendRequest(10, b"x"))
    assert pair.device.wake_at is not None
    pair.now = max(pair.now, pair.device.wake_at)
    effects = list(pair.device.wake(pair.now))
    pair.sent += [e for e in effects if isinstance(e, Transmission)]
    listen = next(e for e in effects if isinstance(e, Listen))
    pair.now = listen.closes_at
    pair.lose_up = lost
    heard = Heard(pair.now, payload, listen.freq_hz, listen.modulation, -90.0, 5.0, 0)
    return pair.device.handle(heard, pair.now)


class TestRejoin:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_frame_under_way_ends_with_its_session(self, version: Version) -> None:
        pair = joined(version)
        for _ in range(20):
            pair.send(b"x")
        pair.lose_up = lambda payload: not isinstance(parse(payload, uplink=True), JoinRequest)
        pair.feed(SendRequest(10, b"under way", confirmed=True))
        assert pair.device.wake_at is not None
        pair.now = pair.device.wake_at
        pair._carry_out(pair.device.wake(pair.now))
        pair.feed(StartJoin())
        pair.run()
        assert len(pair.of(Joined)) == 2
        pair.lose_up = lambda _: False
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
        device = DeviceCore(config(Version.V1_0_4), Draws.of_seed(1), DeviceMemory(next_dev_nonce=0x10000))
        (dropped,) = device.handle(StartJoin(), 0)
        assert isinstance(dropped, Dropped)
        assert dropped.reason == "dev_nonce_exhausted"
        assert device.wake_at is None

    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_a_join_nonce_that_does_not_rise_is_refused(self, version: Version) -> None:
        pair = Pair(config(version))
        pair.join()
        first = pair.device.memory
        assert first.last_join_nonce == 1
        again = Pair(config(version))
        again.device = DeviceCore(again.config, Draws.of_seed(9), first)  # the server of this pair starts at 1 again
        again.feed(StartJoin())
        again._carry_out(again.device.wake(again.device.wake_at or 0))
        assert [e.reason for e in again.device_effects if isinstance(e, Dropped)] == ["join_nonce_replay"]

    def test_an_accept_with_an_undefined_rx2_data_rate_is_refused(self) -> None:
        for rx2_dr in range(7, 16):
            pair = Pair(config(Version.V1_0_3))
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


class TestRoom:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_commands_that_leave_no_room_never_keep_the_payload_out(self, version: Version) -> None:
        pair = joined(version, dr=0)
        hear(pair, downlink(pair, mac.RxTimingSetupReq(delay_s=2)))  # a sticky answer
        pair.lose_down = lambda _: True
        for _ in range(5):
            pair.now += 600_000_000
            pair.send(b"p" * 51)
        assert [u.payload for u in pair.app_uplinks if u.f_port].count(b"p" * 51) == 5
        assert len([t for t in pair.sent if t.kind == "data"]) <= 1 + 2 * 5

    def test_a_reading_too_long_for_the_data_rate_is_told_and_the_next_one_goes(self) -> None:
        pair = joined(Version.V1_0_3)
        pair.device.handle(SendRequest(10, b"l" * 100), pair.now)
        pair.device.handle(SendRequest(10, b"short"), pair.now)
        assert pair.device.session is not None
        pair.device.session.dr = 0  # as ADR back-off does meanwhile
        pair.run()
        assert [u.payload for u in pair.app_uplinks] == [b"short"]
        assert [e.f_cnt for e in pair.of(SendDone)] == [None, 0]  # type: ignore[union-attr]

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_asking_six_times_is_asking_once(self, version: Version) -> None:
        pair = joined(version)
        for _ in range(6):
            pair.feed(RequestLinkCheck())
        pair.send(b"x")
        frame = data_up(pair)[-1]
        assert clear_f_opts(pair, frame, 0).count(b"\x02") == 1

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_an_uplink_full_of_link_checks_gets_one_answer(self, version: Version) -> None:
        pair = joined(version)
        assert pair.device.session is not None
        assert pair.session is not None
        device = pair.device.session
        payload = seal_up(
            device.keys,
            is_1_1=device.is_1_1,
            confirmed=False,
            dev_addr=device.dev_addr,
            f_ctrl=FCtrlUp(adr=False, adr_ack_req=False, ack=False, class_b=False),
            f_cnt=0,
            f_opts=b"\x02" * 15,
            tx_dr=5,
            tx_ch=0,
        )
        frame = parse(payload, uplink=True)
        assert isinstance(frame, DataUp)
        effects = pair.session.handle(UplinkHeard(frame, 5.0, 5, 0, 1), 0)
        (answer,) = [e for e in effects if isinstance(e, Answer)]
        down = parse(answer.phy_payload, uplink=False)
        assert isinstance(down, DataDown)
        assert open_down(device.keys, is_1_1=device.is_1_1, frame=down, f_cnt=0).f_opts == b"\x02\x0c\x01"

    def test_downlinks_are_held_against_port_and_size(self) -> None:
        pair = joined(Version.V1_0_3)
        assert pair.session is not None
        for refused, reason in ((QueueDownlink(0, b"x"), "f_port"), (QueueDownlink(5, b"x" * 243), "payload_too_long")):
            (dropped,) = pair.session.handle(refused, 0)
            assert isinstance(dropped, Dropped)
            assert dropped.reason == reason
        pair.session.handle(QueueDownlink(5, b"x" * 52), 0)  # RX2 is DR0: 51 bytes
        pair.session.handle(QueueDownlink(5, b"y" * 51), 0)
        pair.send(b"a")
        assert [e.payload for e in pair.device_effects if isinstance(e, Received)] == [b"y" * 51]
        assert [e.reason for e in pair.server_effects if isinstance(e, Dropped)] == ["payload_too_long"]


class TestAnswers:
    def test_come_in_the_order_of_the_requests(self) -> None:
        """LoRaWAN 1.0.4 §5."""
        pair = joined(Version.V1_0_4)
        hear(pair, downlink(pair, mac.DevStatusReq(), mac.RxTimingSetupReq(delay_s=1), mac.DutyCycleReq(max_d_cycle=0)))
        pair.send(b"x")
        assert data_up(pair)[-1].f_opts == bytes.fromhex("06ff050804")

    def test_disabling_the_last_channel_brings_the_defaults_back(self) -> None:
        pair = joined(Version.V1_0_3)
        hear(pair, downlink(pair, mac.NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0)))
        only = mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=8, ch_mask_cntl=0, nb_trans=1)
        hear(pair, downlink(pair, only))
        hear(pair, downlink(pair, mac.NewChannelReq(ch_index=3, freq_hz=0, max_dr=5, min_dr=0)))
        pair.send(b"still here")
        assert pair.app_uplinks[-1].payload == b"still here"

    def test_dl_channel_moves_rx1(self) -> None:
        pair = joined(Version.V1_0_4)
        for index in range(3):
            hear(pair, downlink(pair, mac.DlChannelReq(ch_index=index, freq_hz=869_525_000 - 100_000 * index)))
        pair.send(b"x")
        sent = pair.sent[-1].transmit.freq_hz
        rx1 = [e for e in pair.device_effects if isinstance(e, Listen) and e.window == 1][-1]
        assert rx1.freq_hz == {868_100_000: 869_525_000, 868_300_000: 869_425_000, 868_500_000: 869_325_000}[sent]

    def test_rx_param_setup_moves_rx2_and_the_rx1_offset(self) -> None:
        pair = joined(Version.V1_0_4)
        hear(pair, downlink(pair, mac.RxParamSetupReq(rx1_dr_offset=2, rx2_dr=3, freq_hz=869_500_000)))
        pair.send(b"x")
        rx1, rx2 = [e for e in pair.device_effects if isinstance(e, Listen)][-2:]
        assert (rx1.modulation.sf, rx2.modulation.sf, rx2.freq_hz) == (9, 9, 869_500_000)

    def test_adr_param_setup_moves_the_limit_in_1_1_alone(self) -> None:
        limits = {}
        for version in Version:
            pair = joined(version)
            hear(pair, downlink(pair, mac.AdrParamSetupReq(limit_exp=3, delay_exp=2)))
            pair.lose_down = lambda _: True
            bits = []
            for _ in range(10):
                pair.now += 600_000_000
                pair.send(b"x")
                bits.append(data_up(pair)[-1].f_ctrl.adr_ack_req)
            limits[version] = bits.index(True) if True in bits else None
        assert limits == {Version.V1_0_2: None, Version.V1_0_3: None, Version.V1_0_4: None, Version.V1_1: 8}


class TestDutyCycleReq:
    def test_silence_follows_each_frame_on_every_channel(self) -> None:
        """LoRaWAN 1.0.4 §5.3: T_off = ToA · (2^n − 1), aggregated over all sub-bands."""
        pair = Pair(
            config(Version.V1_0_4),
            settings=JoinSettings(NetId(0x13), cf_list=bytes.fromhex("184f84e85684b85e84886684586e8400")),
        )
        pair.join()
        hear(pair, downlink(pair, mac.DutyCycleReq(max_d_cycle=10)))
        pair.sent.clear()
        for _ in range(6):
            pair.send(b"x")
        starts = [(t.transmit.at, t.transmit.airtime_us) for t in pair.sent]
        gaps = [b - (a + toa) for (a, toa), (b, _) in pairwise(starts)]
        assert gaps == [toa * 1023 for _, toa in starts[:-1]]

    def test_zero_takes_the_limit_back(self) -> None:
        pair = joined(Version.V1_0_4)
        hear(pair, downlink(pair, mac.DutyCycleReq(max_d_cycle=10)))
        hear(pair, downlink(pair, mac.DutyCycleReq(max_d_cycle=0)))
        pair.sent.clear()
        pair.send(b"x")
        pair.send(b"x")
        first, second = (t.transmit for t in pair.sent)
        assert second.at - first.at < 5_000_000 or first.airtime_us * 1023 > second.at - first.at


class TestConfirmed:
    @pytest.mark.parametrize("version", NEW, ids=str)
    def test_any_downlink_ends_the_repeats_from_1_0_4_on(self, version: Version) -> None:
        pair = joined(version)
        session = pair.device.session
        assert session is not None
        session.nb_trans = 5
        pair.lose_down = lambda _: True
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
        pair.lose_down = lambda _: True
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
        for payload in (b"first", b"second"):
            pair.session.handle(QueueDownlink(7, payload, confirmed=True), pair.now)
            pair.send(b"x")
        session = pair.device.session
        assert session is not None
        session.nb_trans = 3
        lost: list[bytes] = []

        def lose_first(payload: bytes) -> bool:
            lost.append(payload)
            return len(lost) == 1

        pair.lose_down = lose_first
        pair.send(b"acknowledges", confirmed=True)
        assert pair.of(SendDone)[-1] == SendDone(2, 2, True)
        assert any(isinstance(e, Repeated) for e in pair.server_effects)

    def test_an_acknowledgement_is_given_once(self) -> None:
        pair = joined(Version.V1_0_3)
        assert pair.session is not None
        pair.session.handle(QueueDownlink(7, b"cmd", confirmed=True), pair.now)
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
        pair.lose_up = lambda _: next(numbers) % 2 == 1
        for _ in range(44):
            pair.now += 120_000_000
            pair.send(b"x")
        assert pair.device.session is not None
        assert pair.device.session.nb_trans == 3

    def test_a_refused_request_is_not_repeated_for_ever(self) -> None:
        pair = Pair(config(Version.V1_0_3), settings=JoinSettings(NetId(0x13)))
        pair.join()
        assert pair.session is not None
        assert pair.device.session is not None
        pair.device.session.channels[2] = None  # the server's mask names a channel the device lacks
        pair.device.session.ch_mask = 0b011
        pair.snr_db = 20.0
        for _ in range(20):
            pair.send(b"x")
        assert len(pair.down) < 5

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
        pair.lose_up = lambda _: True
        pair.send(b"x")
        assert data_up(pair)[-1].f_ctrl.adr_ack_req is asks

    def test_the_last_step_of_the_back_off_brings_the_default_channels_back(self) -> None:
        pair = joined(Version.V1_0_4)
        session = pair.device.session
        assert session is not None
        session.dr, session.ch_mask, session.nb_trans, session.adr_ack_cnt = 0, 0b001, 3, 96
        pair.lose_up = lambda _: True
        pair.send(b"x")
        assert (session.ch_mask, session.nb_trans) == (0b111, 1)


class TestPersist:
    def test_data_counters_are_reserved_before_the_frame_that_needs_them(self) -> None:
        pair = Pair(abp(Version.V1_0_4))
        for _ in range(70):
            pair.send(b"x")
        reserved = 0
        for effect in pair.device_effects:
            if isinstance(effect, Persist):
                reserved = effect.memory.f_cnt_up_reserved
            elif isinstance(effect, Transmission):
                assert effect.f_cnt < reserved
        assert reserved == 128


def test_conducted_power_follows_the_configuration() -> None:
    weak = replace(config(Version.V1_0_3), eirp_offset_db=EU868.max_eirp_dbm - 3.0)
    pair = Pair(weak)
    pair.join()
    assert {t.transmit.power_dbm for t in pair.sent} == {3.0}


def test_an_uplink_is_new_once() -> None:
    pair = joined(Version.V1_0_3)
    pair.send(b"x")
    assert sum(isinstance(e, AppUplink) for e in pair.server_effects) == 1
