"""A device and its network back to back: what each LoRaWAN version does, seen from outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.device import (
    Activation,
    DeviceConfig,
    DeviceCore,
    Joined,
    LinkChecked,
    Persist,
    Received,
    RequestLinkCheck,
    RequestTime,
    SendDone,
    SendRequest,
)
from lorawan.draws import Draws
from lorawan.frames import DataUp, FCtrlDown, JoinRequest, parse
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.machine import Dropped
from lorawan.phy import Heard, Listen
from lorawan.secured import open_up, seal_down, seal_join_request
from lorawan.server import JoinHeard, JoinSettings, QueueDownlink, Repeated, UplinkHeard
from lorawan.testing import Pair
from lorawan.version import Version

APP_KEY = AesKey(bytes(range(16)))
NWK_KEY = AesKey(bytes(range(16, 32)))
CF_LIST = bytes.fromhex("184f84e85684b85e84886684586e8400")  # 867.1 … 867.9 MHz


def otaa(version: Version, **changes: object) -> DeviceConfig:
    config = DeviceConfig(
        version, Eui64(0x70B3D57ED0000001), Eui64(0x70B3D57ED0000000), APP_KEY, NWK_KEY, join_data_rates=(5,)
    )
    return replace(config, **changes)  # type: ignore[arg-type]  # keyword pass-through


def abp(version: Version) -> DeviceConfig:
    one = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
    three = SessionKeys(AesKey(b"f" * 16), AesKey(b"s" * 16), AesKey(b"e" * 16), AesKey(b"a" * 16))
    keys = three if version.is_1_1 else one
    return DeviceConfig(
        version, Eui64(1), Eui64(2), activation=Activation.ABP, dev_addr=DevAddr(0x26000001), session_keys=keys
    )


def joined(version: Version, **changes: object) -> Pair:
    pair = Pair(otaa(version, **changes))
    pair.join()
    return pair


@pytest.mark.parametrize("version", Version, ids=str)
class TestEveryVersion:
    def test_a_joined_device_delivers_its_payload_decrypted(self, version: Version) -> None:
        pair = joined(version)
        pair.send(b"index 1234", f_port=2)
        assert [type(e) for e in pair.of(Joined)] == [Joined]
        assert [(u.f_port, u.payload) for u in pair.app_uplinks] == [(2, b"index 1234")]

    def test_an_abp_device_delivers_without_joining(self, version: Version) -> None:
        pair = Pair(abp(version))
        pair.send(b"index 1234")
        assert [u.payload for u in pair.app_uplinks] == [b"index 1234"]

    def test_a_confirmed_uplink_is_acknowledged(self, version: Version) -> None:
        pair = joined(version)
        pair.send(b"alarm", confirmed=True)
        assert pair.of(SendDone)[-1] == SendDone(f_cnt=0, transmissions=1, acknowledged=True)

    @pytest.mark.parametrize("window", [1, 2])
    def test_the_accept_is_taken_in_either_window(self, version: Version, window: int) -> None:
        pair = Pair(otaa(version), window=window)
        pair.join()
        assert len(pair.of(Joined)) == 1

    def test_an_application_downlink_arrives_decrypted_and_a_confirmed_one_is_acknowledged(
        self, version: Version
    ) -> None:
        pair = joined(version)
        assert pair.session is not None
        pair.session.handle(QueueDownlink(7, b"open valve", confirmed=True), pair.now)
        pair.send(b"a")
        received = [e for e in pair.device_effects if isinstance(e, Received)]
        assert [(e.f_port, e.payload, e.confirmed) for e in received] == [(7, b"open valve", True)]
        pair.send(b"b")
        assert [u.ack for u in pair.app_uplinks] == [False, True]

    def test_a_replayed_uplink_is_refused(self, version: Version) -> None:
        pair = joined(version)
        for payload in (b"one", b"two", b"three"):
            pair.send(payload)
        assert pair.session is not None
        old = parse(pair.sent[-3].transmit.payload, uplink=True)
        assert isinstance(old, DataUp)
        dr, ch = 5, _channel_index(pair, -3)
        (refused,) = pair.session.handle(UplinkHeard(old, 5.0, dr, ch, 1), pair.now)
        assert isinstance(refused, Dropped)
        assert refused.reason == "f_cnt_replay"
        assert len(pair.app_uplinks) == 3

    def test_a_flipped_bit_is_refused_by_the_server(self, version: Version) -> None:
        pair = joined(version)
        pair.lose_up = lambda _: True
        pair.send(b"payload")
        assert pair.session is not None
        payload = bytearray(pair.sent[-1].transmit.payload)
        payload[-6] ^= 1
        frame = parse(bytes(payload), uplink=True)
        assert isinstance(frame, DataUp)
        (refused,) = pair.session.handle(UplinkHeard(frame, 5.0, 5, _channel_index(pair, -1), 1), pair.now)
        assert isinstance(refused, Dropped)
        assert refused.reason == "mic"

    def test_the_counter_goes_on_past_65535(self, version: Version) -> None:
        pair = joined(version)
        assert pair.device.session is not None
        assert pair.session is not None
        pair.send(b"first")
        for start in (10_000, 20_000, 35_000, 50_000, 65_534):
            pair.device.session.f_cnt_up = start
            pair.send(b"on the way")
        for _ in range(4):
            pair.send(b"across")
        assert [u.f_cnt for u in pair.app_uplinks][-5:] == [65_534, 65_535, 65_536, 65_537, 65_538]

    def test_link_check_is_answered_with_margin_and_gateways(self, version: Version) -> None:
        pair = joined(version)
        pair.feed(RequestLinkCheck())
        pair.send(b"x")
        news = [e for e in pair.device_effects if isinstance(e, LinkChecked)]
        assert news == [LinkChecked(margin_db=12, gw_cnt=1)]  # SNR 5 dB at SF7: 12.5 dB above −7.5

    def test_adr_moves_a_strong_device_to_less_power_and_is_acknowledged(self, version: Version) -> None:
        pair = Pair(otaa(version), snr_db=20.0)
        pair.join()
        pair.send(b"x")
        pair.snr_db = 5.0
        pair.send(b"x")
        assert pair.session is not None
        assert pair.device.session is not None
        assert pair.session.link is not None
        # (20 + 7.5 − 10) / 3 = 5 steps at DR5: all of them power, 2 dB each; then (5 + 7.5 − 10) / 3 = 0: stay
        assert pair.device.session.tx_power_index == 5
        assert pair.session.link.tx_power_index == 5
        assert pair.sent[-1].transmit.power_dbm == pytest.approx(13.85 - 10.0)

    def test_the_cf_list_opens_five_more_channels(self, version: Version) -> None:
        pair = Pair(otaa(version), settings=JoinSettings(NetId(0x13), cf_list=CF_LIST))
        pair.join()
        for _ in range(40):
            pair.send(b"x")
        used = {t.transmit.freq_hz for t in pair.sent if t.kind == "data"}
        assert used == {867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000} | {
            868_100_000,
            868_300_000,
            868_500_000,
        }

    def test_nothing_that_comes_in_stops_the_device(self, version: Version) -> None:
        pair = joined(version)
        pair.lose_up = lambda _: True
        effects = _hear_during_windows(pair, b"\xff" * 20)
        assert [type(e) for e in effects] == [Dropped]


def _channel_index(pair: Pair, transmission: int) -> int:
    session = pair.device.session
    assert session is not None
    freq_hz = pair.sent[transmission].transmit.freq_hz
    return next(i for i, ch in enumerate(session.channels) if ch is not None and ch.freq_hz == freq_hz)


class TestWhatOnlyOneVersionDoes:
    def test_1_0_2_knows_no_device_time(self) -> None:
        effects = {version: joined(version).device.handle(RequestTime(), 0) for version in Version}
        refused = [version for version, out in effects.items() if any(isinstance(e, Dropped) for e in out)]
        assert refused == [Version.V1_0_2]

    def test_1_0_3_alone_has_device_time_and_tries_a_confirmed_uplink_eight_times(self) -> None:
        eight_with_time = []
        for version in Version:
            pair = joined(version)
            pair.lose_down = lambda _: True
            pair.send(b"alarm", confirmed=True)
            tries = pair.of(SendDone)[-1].transmissions  # type: ignore[union-attr]
            if tries == 8 and not pair.device.handle(RequestTime(), pair.now):
                eight_with_time.append(version)
        assert eight_with_time == [Version.V1_0_3]

    def test_1_0_4_alone_reads_nb_trans_0_as_its_default(self) -> None:
        reset = []
        for version in Version:
            pair = joined(version)
            session = pair.device.session
            assert session is not None
            session.nb_trans = 3
            _send_commands(pair, mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=7, ch_mask_cntl=0, nb_trans=0))
            if session.nb_trans == 1:
                reset.append(version)
        assert reset == [Version.V1_0_4]

    def test_1_1_alone_announces_itself_with_rekey_ind_until_it_is_confirmed(self) -> None:
        announced = []
        for version in Version:
            pair = joined(version)
            pair.lose_down = lambda _: True
            pair.send(b"a")
            pair.send(b"b")
            pair.lose_down = lambda _: False
            pair.send(b"c")
            pair.send(b"d")
            commands = [_f_opts_clear(pair, t.transmit.payload, t.f_cnt) for t in pair.sent if t.kind == "data"]
            if any(commands):
                announced.append(version)
                assert [c.startswith(b"\x0b\x01") for c in commands] == [True, True, True, False]
        assert announced == [Version.V1_1]

    def test_1_1_alone_encrypts_f_opts(self) -> None:
        differs = []
        for version in Version:
            pair = joined(version)
            pair.send(b"a")
            frame = parse(pair.sent[-1].transmit.payload, uplink=True)
            assert isinstance(frame, DataUp)
            if frame.f_opts != _f_opts_clear(pair, pair.sent[-1].transmit.payload, 0):
                differs.append(version)
        assert differs == [Version.V1_1]

    def test_dev_nonce_counts_from_1_0_4_on_and_is_random_before(self) -> None:
        counting = []
        for version in Version:
            pair = Pair(otaa(version))
            seen: list[int] = []

            def lose_first_three(payload: bytes, seen: list[int] = seen) -> bool:
                frame = parse(payload, uplink=True)
                if isinstance(frame, JoinRequest):
                    seen.append(frame.dev_nonce)
                return len(seen) < 4

            pair.lose_up = lose_first_three
            pair.join()
            if seen[:4] == [0, 1, 2, 3]:
                counting.append(version)
            assert len(set(seen)) == 4
        assert counting == [Version.V1_0_4, Version.V1_1]

    def test_a_repeated_confirmed_downlink_is_refused_from_1_0_4_on(self) -> None:
        refusing = []
        for version in Version:
            pair = joined(version)
            assert pair.session is not None
            pair.session.handle(QueueDownlink(7, b"cmd", confirmed=True), pair.now)
            pair.send(b"a")
            again = pair.down[-1]
            pair.lose_up = lambda _: True
            effects = _hear_during_windows(pair, again)
            if any(isinstance(e, Dropped) and e.reason == "f_cnt_replay" for e in effects):
                refusing.append(version)
            assert not any(isinstance(e, Received) for e in effects)
        assert refusing == [Version.V1_0_4, Version.V1_1]


def _f_opts_clear(pair: Pair, payload: bytes, f_cnt: int) -> bytes:
    frame = parse(payload, uplink=True)
    assert isinstance(frame, DataUp)
    session = pair.device.session
    assert session is not None
    return open_up(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=f_cnt).f_opts


def _hear_during_windows(pair: Pair, payload: bytes) -> list[object]:
    """Send an uplink whose answer is lost, and let the device hear `payload` in RX1 instead."""
    pair.feed(SendRequest(10, b"x"))
    assert pair.device.wake_at is not None
    pair.now = pair.device.wake_at
    effects = list(pair.device.wake(pair.now))
    listen = next(e for e in effects if isinstance(e, Listen))
    pair.now = listen.closes_at
    return list(pair.device.handle(Heard(pair.now, payload, listen.freq_hz, listen.modulation, -90, 5, 0), pair.now))


def _send_commands(pair: Pair, *commands: mac.MacCommand) -> list[object]:
    """Let the device hear a genuine downlink with these MAC commands."""
    session = pair.device.session
    assert session is not None
    f_cnt = 0 if session.n_f_cnt_down is None else session.n_f_cnt_down + 1
    payload = seal_down(
        session.keys,
        is_1_1=session.is_1_1,
        confirmed=False,
        dev_addr=session.dev_addr,
        f_ctrl=FCtrlDown(adr=True, ack=False, f_pending=False),
        f_cnt=f_cnt,
        f_opts=mac.encode_commands(commands),
    )
    return _hear_during_windows(pair, payload)


class TestMacCommandsOnTheDevice:
    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            (
                mac.LinkAdrReq(data_rate=3, tx_power=2, ch_mask=0b101, ch_mask_cntl=0, nb_trans=2),
                mac.LinkAdrAns(power_ok=True, data_rate_ok=True, channel_mask_ok=True),
            ),
            (  # channel 5 is not defined
                mac.LinkAdrReq(data_rate=3, tx_power=2, ch_mask=0b100001, ch_mask_cntl=0, nb_trans=2),
                mac.LinkAdrAns(power_ok=True, data_rate_ok=True, channel_mask_ok=False),
            ),
            (  # no channel is left
                mac.LinkAdrReq(data_rate=3, tx_power=2, ch_mask=0, ch_mask_cntl=0, nb_trans=1),
                mac.LinkAdrAns(power_ok=True, data_rate_ok=True, channel_mask_ok=False),
            ),
            (  # RFU power and a data rate that no default channel has
                mac.LinkAdrReq(data_rate=7, tx_power=9, ch_mask=7, ch_mask_cntl=0, nb_trans=1),
                mac.LinkAdrAns(power_ok=False, data_rate_ok=False, channel_mask_ok=True),
            ),
            (
                mac.RxParamSetupReq(rx1_dr_offset=2, rx2_dr=3, freq_hz=869_525_000),
                mac.RxParamSetupAns(rx1_dr_offset_ok=True, rx2_dr_ok=True, channel_ok=True),
            ),
            (
                mac.RxParamSetupReq(rx1_dr_offset=6, rx2_dr=3, freq_hz=869_525_000),
                mac.RxParamSetupAns(rx1_dr_offset_ok=False, rx2_dr_ok=True, channel_ok=True),
            ),
            (
                mac.NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0),
                mac.NewChannelAns(data_rate_range_ok=True, freq_ok=True),
            ),
            (  # the default channels are read-only
                mac.NewChannelReq(ch_index=1, freq_hz=867_100_000, max_dr=5, min_dr=0),
                mac.NewChannelAns(data_rate_range_ok=False, freq_ok=False),
            ),
            (
                mac.DlChannelReq(ch_index=1, freq_hz=869_525_000),
                mac.DlChannelAns(uplink_freq_exists=True, freq_ok=True),
            ),
            (
                mac.DlChannelReq(ch_index=9, freq_hz=869_525_000),
                mac.DlChannelAns(uplink_freq_exists=False, freq_ok=True),
            ),
            (mac.DevStatusReq(), mac.DevStatusAns(battery=255, margin_db=5)),
            (mac.DutyCycleReq(max_d_cycle=4), mac.DutyCycleAns()),
            (mac.RxTimingSetupReq(delay_s=3), mac.RxTimingSetupAns()),
        ],
        ids=lambda c: type(c).__name__,
    )
    def test_is_answered_in_the_next_uplink(self, command: mac.MacCommand, answer: mac.MacCommand) -> None:
        pair = joined(Version.V1_0_3)
        _send_commands(pair, command)
        pair.send(b"next")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert mac.parse_commands(frame.f_opts, uplink=True).commands == (answer,)

    def test_one_identical_answer_for_each_request_of_a_link_adr_block(self) -> None:
        pair = joined(Version.V1_0_4)
        first = mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=1, ch_mask_cntl=0, nb_trans=1)
        last = mac.LinkAdrReq(data_rate=2, tx_power=1, ch_mask=2, ch_mask_cntl=0, nb_trans=2)
        _send_commands(pair, first, last)
        pair.send(b"next")
        session = pair.device.session
        assert session is not None
        assert (session.dr, session.tx_power_index, session.nb_trans, session.ch_mask) == (2, 1, 2, 2)
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert frame.f_opts == bytes.fromhex("03070307")

    def test_a_refused_block_changes_nothing(self) -> None:
        pair = joined(Version.V1_0_4)
        session = pair.device.session
        assert session is not None
        before = (session.dr, session.tx_power_index, session.nb_trans, session.ch_mask)
        _send_commands(pair, mac.LinkAdrReq(data_rate=2, tx_power=1, ch_mask=0x80, ch_mask_cntl=0, nb_trans=2))
        assert (session.dr, session.tx_power_index, session.nb_trans, session.ch_mask) == before

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_index_15_keeps_from_1_0_4_on_and_is_refused_before(self, version: Version) -> None:
        pair = joined(version)
        _send_commands(pair, mac.LinkAdrReq(data_rate=15, tx_power=15, ch_mask=7, ch_mask_cntl=0, nb_trans=2))
        session = pair.device.session
        assert session is not None
        assert session.nb_trans == (2 if version in (Version.V1_0_4, Version.V1_1) else 1)
        assert session.dr == 5

    def test_a_sticky_answer_repeats_until_a_downlink_arrives(self) -> None:
        pair = joined(Version.V1_0_4)
        _send_commands(pair, mac.RxTimingSetupReq(delay_s=2))
        pair.lose_up = lambda _: True
        answers = []
        for _ in range(2):
            pair.send(b"x")
            frame = parse(pair.sent[-1].transmit.payload, uplink=True)
            assert isinstance(frame, DataUp)
            answers.append(frame.f_opts)
        _send_commands(pair, mac.DevStatusReq())
        pair.send(b"x")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert answers == [b"\x08", b"\x08"]
        assert not frame.f_opts.startswith(b"\x08")

    def test_rx_timing_moves_both_windows(self) -> None:
        pair = joined(Version.V1_0_4)
        _send_commands(pair, mac.RxTimingSetupReq(delay_s=3))
        pair.send(b"x")
        sent = pair.sent[-1].transmit
        windows = [e for e in pair.device_effects if isinstance(e, Listen)][-2:]
        ends = sent.at + sent.airtime_us
        assert [round((w.opens_at - ends) / 1e6, 1) for w in windows] == [3.0, 4.0]

    def test_eu868_ignores_tx_param_setup_silently(self) -> None:
        pair = joined(Version.V1_0_4)
        _send_commands(pair, mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=5))
        pair.send(b"x")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert frame.f_opts == b""


class TestRepetition:
    def test_nb_trans_repeats_the_same_counter_until_a_downlink(self) -> None:
        pair = joined(Version.V1_0_4)
        session = pair.device.session
        assert session is not None
        session.nb_trans = 3
        pair.send(b"x")
        data = [t for t in pair.sent if t.kind == "data"]
        assert [(t.f_cnt, t.repeat) for t in data] == [(0, 0), (0, 1), (0, 2)]
        assert [u.f_cnt for u in pair.app_uplinks] == [0]
        assert sum(isinstance(e, Repeated) for e in pair.server_effects) == 2

    def test_an_unacknowledged_confirmed_uplink_of_1_0_2_lowers_its_data_rate_every_second_try(self) -> None:
        pair = joined(Version.V1_0_2)
        pair.lose_down = lambda _: True
        pair.send(b"alarm", confirmed=True)
        data = [t for t in pair.sent if t.kind == "data"]
        assert [t.transmit.modulation.sf for t in data] == [7, 7, 8, 8, 9, 9, 10, 10]
        assert {t.f_cnt for t in data} == {0}
        assert pair.of(SendDone)[-1] == SendDone(f_cnt=0, transmissions=8, acknowledged=False)

    def test_a_lost_acknowledgement_is_given_again_but_the_data_are_not_new(self) -> None:
        pair = joined(Version.V1_0_3)
        lost: list[bytes] = []

        def lose_one(payload: bytes) -> bool:
            lost.append(payload)
            return len(lost) == 1

        pair.lose_down = lose_one
        pair.send(b"alarm", confirmed=True)
        assert pair.of(SendDone)[-1] == SendDone(f_cnt=0, transmissions=2, acknowledged=True)
        assert len(pair.app_uplinks) == 1


class TestAdrBackOff:
    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            # (uplink number from 0, DR, TXPower): after LIMIT 64 + DELAY 32 silent uplinks, then every 32
            (Version.V1_0_2, [(95, 2, 3), (96, 1, 0), (128, 0, 0)]),
            (Version.V1_0_4, [(95, 2, 3), (96, 2, 0), (128, 1, 0), (160, 0, 0)]),
            (Version.V1_1, [(95, 2, 3), (96, 2, 0), (128, 1, 0), (160, 0, 0)]),
        ],
        ids=lambda v: str(v) if isinstance(v, Version) else "",
    )
    def test_steps_come_at_the_counts_of_the_specification(
        self, version: Version, expected: list[tuple[int, int, int]]
    ) -> None:
        pair = joined(version)
        pair.lose_up = lambda _: True
        session = pair.device.session
        assert session is not None
        session.dr, session.tx_power_index = 2, 3
        seen = {}
        for number in range(161):
            pair.now += 600_000_000
            pair.send(b"x")
            seen[number] = (session.dr, session.tx_power_index)
        assert [(n, *seen[n]) for n, _, _ in expected] == expected

    def test_adr_ack_req_is_set_from_the_limit_on_and_a_downlink_clears_it(self) -> None:
        pair = joined(Version.V1_0_4)
        pair.lose_down = lambda _: True
        bits = []
        for number in range(66):
            pair.now += 600_000_000
            if number == 65:
                pair.lose_down = lambda _: False
            pair.send(b"x")
            frame = parse(pair.sent[-1].transmit.payload, uplink=True)
            assert isinstance(frame, DataUp)
            bits.append(frame.f_ctrl.adr_ack_req)
        pair.send(b"x")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert bits == [False] * 64 + [True, True]
        assert not frame.f_ctrl.adr_ack_req


class TestMemory:
    def test_a_restarted_1_0_4_device_never_uses_a_dev_nonce_twice(self) -> None:
        pair = Pair(otaa(Version.V1_0_4))
        pair.join()
        memory = [e for e in pair.device_effects if isinstance(e, Persist)][-1].memory
        nonces = [t.f_cnt for t in pair.sent if t.kind == "join"]
        pair.device = DeviceCore(pair.config, Draws.of_seed(2), memory)
        pair.sent.clear()
        pair.join()
        assert len(pair.of(Joined)) == 2
        assert min(t.f_cnt for t in pair.sent) > max(nonces)

    def test_a_restarted_abp_device_goes_on_above_every_counter_it_used(self) -> None:
        pair = Pair(abp(Version.V1_0_4))
        for _ in range(5):
            pair.send(b"x")
        memory = [e for e in pair.device_effects if isinstance(e, Persist)][-1].memory
        pair.device = DeviceCore(pair.config, Draws.of_seed(2), memory)
        pair.send(b"y")
        counts = [u.f_cnt for u in pair.app_uplinks]
        assert counts[:5] == [0, 1, 2, 3, 4]
        assert counts[5] > 4


class TestJoinServer:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_replayed_join_request_is_refused(self, version: Version) -> None:
        pair = joined(version)
        request = parse(pair.sent[0].transmit.payload, uplink=True)
        assert isinstance(request, JoinRequest)
        assert pair.joins is not None
        (refused,) = pair.joins.handle(JoinHeard(request), pair.now)
        assert isinstance(refused, Dropped)
        assert refused.reason == "dev_nonce_replay"

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_request_with_another_key_is_refused(self, version: Version) -> None:
        other = otaa(version, app_key=AesKey(b"x" * 16), nwk_key=AesKey(b"y" * 16))
        payload = seal_join_request(other.join_key, other.join_eui, other.dev_eui, 7)
        request = parse(payload, uplink=True)
        assert isinstance(request, JoinRequest)
        pair = Pair(otaa(version))
        assert pair.joins is not None
        (refused,) = pair.joins.handle(JoinHeard(request), 0)
        assert isinstance(refused, Dropped)
        assert refused.reason == "mic"
