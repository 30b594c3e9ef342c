"""The device's MAC commands, repetition, ADR back-off and memory, seen from outside."""

from __future__ import annotations

import pytest
from mac_pairs import (
    abp,
    clear_f_opts,
    data_up,
    downlink,
    frame_of,
    hear,
    hear_commands,
    joined,
    otaa,
)

from lorawan import mac_commands as mac
from lorawan.device import (
    DeviceCore,
    Joined,
    Persist,
    RequestLinkCheck,
    RequestPingSlotInfo,
    RequestTime,
    SendDone,
    SendRequest,
    TimeReceived,
)
from lorawan.draws import Draws
from lorawan.frames import DataUp, parse
from lorawan.machine import Dropped
from lorawan.phy import Listen
from lorawan.server import Repeated
from lorawan.testing import Pair, losing, perfect, silent
from lorawan.version import Version


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
        hear_commands(pair, command)
        pair.send(b"next")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert mac.parse_commands(frame.f_opts, uplink=True).commands == (answer,)

    def test_one_identical_answer_for_each_request_of_a_link_adr_block(self) -> None:
        pair = joined(Version.V1_0_4)
        first = mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=1, ch_mask_cntl=0, nb_trans=1)
        last = mac.LinkAdrReq(data_rate=2, tx_power=1, ch_mask=2, ch_mask_cntl=0, nb_trans=2)
        hear_commands(pair, first, last)
        pair.send(b"next")
        session = pair.device.session
        assert session is not None
        assert (session.dr, session.tx_power_index, session.nb_trans, session.plan.ch_mask) == (2, 1, 2, 2)
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert frame.f_opts == bytes.fromhex("03070307")

    @pytest.mark.parametrize(
        ("version", "one_block", "two_blocks", "dr"),
        [(Version.V1_0_4, "0307 0307", "0307 06ff05 0307", 2), (Version.V1_1, "0307", "0307 06ff05 0300", 4)],
        ids=str,
    )
    def test_1_1_answers_a_block_once_and_refuses_a_second_one(
        self, version: Version, one_block: str, two_blocks: str, dr: int
    ) -> None:
        """LoRaWAN 1.1 §5.3: one LinkADRAns to a block, NAck to all others; 1.0.4 §5.2: one to each request."""
        pair = joined(version)
        pair.send(b"first, after which the keys are confirmed")
        to_4, to_2 = (mac.LinkAdrReq(data_rate=n, tx_power=1, ch_mask=7, ch_mask_cntl=0, nb_trans=1) for n in (4, 2))
        answers = []
        for commands in ((to_2, to_4), (to_4, mac.DevStatusReq(), to_2)):
            hear_commands(pair, *commands)
            pair.send(b"next")
            frame = data_up(pair)[-1]
            answers.append(clear_f_opts(pair, frame, frame.f_cnt))
        assert answers == [bytes.fromhex(one_block), bytes.fromhex(two_blocks)]
        assert pair.device.session is not None
        assert pair.device.session.dr == dr

    def test_a_refused_block_changes_nothing(self) -> None:
        pair = joined(Version.V1_0_4)
        session = pair.device.session
        assert session is not None
        before = (session.dr, session.tx_power_index, session.nb_trans, session.plan.ch_mask)
        hear_commands(pair, mac.LinkAdrReq(data_rate=2, tx_power=1, ch_mask=0x80, ch_mask_cntl=0, nb_trans=2))
        assert (session.dr, session.tx_power_index, session.nb_trans, session.plan.ch_mask) == before

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_index_15_keeps_from_1_0_4_on_and_is_refused_before(self, version: Version) -> None:
        pair = joined(version)
        hear_commands(pair, mac.LinkAdrReq(data_rate=15, tx_power=15, ch_mask=7, ch_mask_cntl=0, nb_trans=2))
        session = pair.device.session
        assert session is not None
        assert session.nb_trans == (2 if version in (Version.V1_0_4, Version.V1_1) else 1)
        assert session.dr == 5

    def test_a_sticky_answer_repeats_until_a_downlink_arrives(self) -> None:
        pair = joined(Version.V1_0_4)
        hear_commands(pair, mac.RxTimingSetupReq(delay_s=2))
        pair.up = silent
        answers = []
        for _ in range(2):
            pair.send(b"x")
            frame = parse(pair.sent[-1].transmit.payload, uplink=True)
            assert isinstance(frame, DataUp)
            answers.append(frame.f_opts)
        hear_commands(pair, mac.DevStatusReq())
        pair.send(b"x")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert answers == [b"\x08", b"\x08"]
        assert not frame.f_opts.startswith(b"\x08")

    def test_rx_timing_moves_both_windows(self) -> None:
        pair = joined(Version.V1_0_4)
        hear_commands(pair, mac.RxTimingSetupReq(delay_s=3))
        pair.send(b"x")
        sent = pair.sent[-1].transmit
        windows = [e for e in pair.device_effects if isinstance(e, Listen)][-2:]
        ends = sent.at + sent.airtime_us
        assert [round((w.opens_at - ends) / 1e6, 1) for w in windows] == [3.0, 4.0]

    def test_eu868_ignores_tx_param_setup_silently(self) -> None:
        pair = joined(Version.V1_0_4)
        hear_commands(pair, mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=5))
        pair.send(b"x")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert frame.f_opts == b""

    def test_the_networks_time_is_told_to_the_application(self) -> None:
        """TS001-1.0.4 §5.9: seconds since the GPS epoch, and the fraction in 1/256 s."""
        effects = hear_commands(joined(Version.V1_0_4), mac.DeviceTimeAns(gps_seconds=1_320_000_000, fraction_256=64))
        (told,) = [effect for effect in effects if isinstance(effect, TimeReceived)]
        assert (told.gps_seconds, told.fraction_256) == (1_320_000_000, 64)


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
        pair.down = silent
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

        pair.down = losing(lose_one)
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
        session = pair.device.session
        assert session is not None
        session.announce = b""  # as if RekeyConf had come: else a 1.1 device joins again after 64 uplinks
        pair.up = silent
        session.dr, session.tx_power_index = 2, 3
        seen = {}
        for number in range(161):
            pair.now += 600_000_000
            pair.send(b"x")
            seen[number] = (session.dr, session.tx_power_index)
        assert [(n, *seen[n]) for n, _, _ in expected] == expected

    def test_adr_ack_req_is_set_from_the_limit_on_and_a_downlink_clears_it(self) -> None:
        pair = joined(Version.V1_0_4)
        pair.down = silent
        bits = []
        for number in range(66):
            pair.now += 600_000_000
            if number == 65:
                pair.down = perfect
            pair.send(b"x")
            frame = parse(pair.sent[-1].transmit.payload, uplink=True)
            assert isinstance(frame, DataUp)
            bits.append(frame.f_ctrl.adr_ack_req)
        pair.send(b"x")
        frame = parse(pair.sent[-1].transmit.payload, uplink=True)
        assert isinstance(frame, DataUp)
        assert bits == [False] * 64 + [True, True]
        assert not frame.f_ctrl.adr_ack_req


class TestRequests:
    def test_a_link_check_goes_beside_a_periodicity_of_the_same_byte(self) -> None:
        pair = joined(Version.V1_0_4)
        pair.feed(RequestPingSlotInfo(mac.LinkCheckReq.cid))
        pair.feed(RequestLinkCheck())
        pair.feed(RequestLinkCheck())
        pair.run()
        assert frame_of(pair.sent[-1].transmit.payload).f_opts == bytes.fromhex("1002" + "02")


def test_a_confirmed_frame_that_a_lower_data_rate_no_longer_carries_is_given_up() -> None:
    """1.0.2 goes on after a downlink without an ACK; RP002-1.0.4 §2.4.7 bounds what its new data rate carries."""
    pair = joined(Version.V1_0_2)
    session = pair.device.session
    assert session is not None
    slow = downlink(pair, mac.LinkAdrReq(data_rate=0, tx_power=0, ch_mask=7, ch_mask_cntl=0, nb_trans=1))
    pair.up = silent
    pair.feed(SendRequest(10, bytes(200), confirmed=True))
    before = len(pair.sent)
    hear(pair, slow)
    assert session.dr == 0
    pair.run()
    sent = pair.sent[before:]
    assert len({t.f_cnt for t in sent}) == 2  # the long frame once, then the next one
    assert all(len(t.transmit.payload) <= 59 + 5 for t in sent[1:])
    assert [e.reason for e in pair.of(Dropped) if isinstance(e, Dropped)][-1] == "payload_too_long"


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


@pytest.mark.parametrize("version", [Version.V1_0_3, Version.V1_0_4, Version.V1_1], ids=str)
def test_a_request_for_the_time_is_refused_by_name_and_the_uplink_accepted(version: Version) -> None:
    pair = joined(version)
    pair.feed(RequestTime())
    pair.send(b"x")
    assert [u.payload for u in pair.app_uplinks] == [b"x"]
    assert [e.reason for e in pair.server_effects if isinstance(e, Dropped)] == ["device_time"]
