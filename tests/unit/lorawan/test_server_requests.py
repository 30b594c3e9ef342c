"""What the network asks of a device, and when it believes that the device did it: against the device's own state."""

from __future__ import annotations

import pytest
from mac_pairs import abp, clear_f_opts, data_up, joined, otaa

from lorawan import mac_commands as mac
from lorawan.device import DeviceCore, RequestTime, TimeReceived
from lorawan.draws import Draws
from lorawan.errors import MisuseError
from lorawan.frames import DataDown, parse
from lorawan.ids import NetId
from lorawan.machine import Dropped
from lorawan.regions import AS923_1, US915
from lorawan.secured import open_down
from lorawan.server import (
    AdrFixed,
    AdrInputs,
    AdrPolicy,
    AdrTarget,
    Ask,
    DeviceStatus,
    JoinSettings,
    Operation,
    RequestDone,
    RequestRefused,
    RequestUnanswered,
)
from lorawan.testing import Pair, Script, losing, silent
from lorawan.units import US_PER_HOUR
from lorawan.version import Version

LOST: tuple[int, ...] = ()


def down_commands(pair: Pair) -> list[bytes]:
    """The commands of every data downlink, in the clear."""
    session = pair.device.session
    assert session is not None
    found = []
    for answer in pair.answers:
        frame = parse(answer.payload, uplink=False)
        if isinstance(frame, DataDown):
            opened = open_down(session.keys, is_1_1=session.is_1_1, frame=frame, f_cnt=frame.f_cnt)
            found.append(opened.payload if frame.f_port == 0 else opened.f_opts)
    return found


def settled(version: Version, **changes: object) -> Pair:
    """Joined, and past what a join leads to (RekeyInd)."""
    pair = joined(version, **changes)
    pair.send(b"first")
    pair.answers.clear()
    return pair


class TestAnswered:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_the_windows_move_with_the_answer_and_both_ends_meet_there(self, version: Version) -> None:
        """LoRaWAN 1.0.4 §5.4, §5.7: the device moves at the request, the network at the answer."""
        pair = settled(version)
        first = mac.RxParamSetupReq(rx1_dr_offset=2, rx2_dr=3, freq_hz=869_500_000)
        pair.ask(first)
        pair.ask(mac.RxTimingSetupReq(delay_s=4))
        pair.send(b"asks")
        assert pair.session is not None
        assert pair.session.windows.rx1_delay_us == 1_000_000
        pair.send(b"answers", confirmed=True)
        windows = pair.session.windows
        assert (windows.rx1_dr_offset, windows.rx2_dr, windows.rx2_freq_hz) == (2, 3, 869_500_000)
        assert windows.rx1_delay_us == 4_000_000
        assert len(pair.of(RequestDone)) == 2
        for window in (1, 2):
            pair.window = window
            pair.queue(b"valve")
            pair.send(b"x")
        assert pair.received == [b"valve"] * 2
        assert pair.missed == []

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_device_that_lost_the_request_is_answered_in_its_old_windows(self, version: Version) -> None:
        pair = settled(version)
        pair.ask(mac.RxTimingSetupReq(delay_s=4))
        pair.down = Script([LOST])
        pair.send(b"lost")
        pair.send(b"x", confirmed=True)
        pair.send(b"x", confirmed=True)
        assert pair.missed == []
        assert [uplink.confirmed for uplink in pair.app_uplinks] == [False, False, True, True]
        assert pair.session is not None
        assert pair.session.windows.rx1_delay_us == 4_000_000

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_channels_come_and_go_and_their_rx1_moves(self, version: Version) -> None:
        """LoRaWAN 1.0.4 §5.6. The answer may come on the new channel, which the 1.1 MIC is over."""
        pair = settled(version)
        pair.ask(mac.NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0))
        pair.send(b"x")
        pair.ask(mac.DlChannelReq(ch_index=3, freq_hz=869_525_000))
        pair.send(b"x")
        only = mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=0b1000, ch_mask_cntl=0, nb_trans=1)
        pair.ask(only)
        for _ in range(4):
            pair.now += US_PER_HOUR
            pair.send(b"x", confirmed=True)
        assert pair.session is not None
        assert pair.device.session is not None
        assert pair.session.picture.plan == pair.device.session.plan
        assert pair.sent[-1].transmit.freq_hz == 867_100_000
        assert pair.answers[-1].freq_hz == 869_525_000
        assert pair.missed == []
        pair.ask(mac.NewChannelReq(ch_index=3, freq_hz=0, max_dr=5, min_dr=0))
        pair.now += US_PER_HOUR
        pair.send(b"x")
        pair.send(b"x")
        assert pair.session.picture.plan == pair.device.session.plan
        assert pair.session.picture.plan.channels[3] is None

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_refusal_is_told_and_changes_nothing(self, version: Version) -> None:
        pair = settled(version)
        assert pair.session is not None
        before = pair.session.picture
        pair.ask(mac.RxParamSetupReq(rx1_dr_offset=0, rx2_dr=0, freq_hz=915_000_000))
        pair.ask(mac.NewChannelReq(ch_index=0, freq_hz=867_100_000, max_dr=5, min_dr=0))
        pair.ask(mac.DlChannelReq(ch_index=9, freq_hz=867_100_000))
        pair.send(b"x")
        pair.send(b"x")
        assert [type(e.request[0]) for e in pair.of(RequestRefused)] == [
            mac.RxParamSetupReq,
            mac.NewChannelReq,
            mac.DlChannelReq,
        ]
        assert pair.session.picture == before

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_block_of_link_adr_requests_is_one_request(self, version: Version) -> None:
        """LoRaWAN 1.0.4 §5.2: masks in order, the rest from the last; before 1.1 one answer for each."""
        pair = Pair(otaa(version), operation=Operation(adr=None))
        pair.join()
        pair.ask(
            mac.LinkAdrReq(data_rate=0, tx_power=0, ch_mask=0b010, ch_mask_cntl=0, nb_trans=1),
            mac.LinkAdrReq(data_rate=4, tx_power=2, ch_mask=0b101, ch_mask_cntl=0, nb_trans=2),
        )
        pair.send(b"x")
        pair.send(b"x")
        assert pair.device.session is not None
        assert pair.session is not None
        device = pair.device.session
        assert (device.dr, device.tx_power_index, device.nb_trans, device.plan.ch_mask) == (4, 2, 2, 0b101)
        link = pair.session.link
        assert link is not None
        assert (link.dr, link.tx_power_index, link.nb_trans, link.ch_mask) == (4, 2, 2, 0b101)
        assert len(pair.of(RequestDone)) == 1

    def test_the_device_has_dwell_time_where_the_region_has_it(self) -> None:
        """LoRaWAN 1.0.4 §5.8; RP002-1.0.4 AS923."""
        pair = Pair(
            otaa(Version.V1_0_4, region=AS923_1, join_data_rates=()), settings=JoinSettings(NetId(0x13), rx2_dr=2)
        )
        pair.join()
        pair.ask(mac.TxParamSetupReq(downlink_dwell=True, uplink_dwell=True, max_eirp_index=5))
        for _ in range(3):
            pair.send(b"x", confirmed=True)
        assert pair.session is not None
        assert pair.device.session is not None
        assert pair.session.picture.plan == pair.device.session.plan
        assert pair.session.picture.plan.downlink_dwell
        assert pair.missed == []

    def test_1_1_takes_adr_and_rejoin_parameters(self) -> None:
        """LoRaWAN 1.1 §5.11."""
        pair = settled(Version.V1_1)
        pair.ask(mac.AdrParamSetupReq(limit_exp=3, delay_exp=2))
        pair.send(b"x")
        pair.send(b"x")
        assert pair.session is not None
        assert pair.session.picture.adr_ack_limit == 8
        assert len(pair.of(RequestDone)) == 1


class TestAsking:
    def test_what_is_unanswered_is_asked_again_and_given_up_at_last(self) -> None:
        pair = settled(Version.V1_0_4)
        pair.ask(mac.DutyCycleReq(max_d_cycle=3))
        pair.down = silent
        for _ in range(12):
            pair.send(b"x")
        assert [e.tries for e in pair.of(RequestUnanswered)] == [8]
        assert len(pair.answers) == 8

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_second_request_waits_until_the_old_answer_has_ended(self, version: Version) -> None:
        """LoRaWAN 1.0.4 §5.7: the answer stands in every uplink until a downlink; it must not be taken for the next."""
        pair = settled(version)
        pair.ask(mac.RxTimingSetupReq(delay_s=4))
        pair.send(b"asks 4")
        pair.ask(mac.RxTimingSetupReq(delay_s=7))
        pair.down = Script([LOST, LOST])  # what would end the answer is lost, twice
        for _ in range(3):
            pair.send(b"answers 4")
            assert pair.session is not None
            assert pair.session.windows.rx1_delay_us == 4_000_000
        for _ in range(3):
            pair.send(b"x", confirmed=True)
        assert pair.session.windows.rx1_delay_us == 7_000_000
        assert pair.missed == []

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_downlink_ends_the_repeating_of_an_answer(self, version: Version) -> None:
        pair = settled(version)
        pair.ask(mac.RxTimingSetupReq(delay_s=4))
        for _ in range(4):
            pair.send(b"x")
        answers = [clear_f_opts(pair, frame, frame.f_cnt) for frame in data_up(pair)]
        assert answers[1:] == [b"", b"\x08", b"", b""]

    def test_only_what_the_version_and_the_region_have_is_asked(self) -> None:
        old = settled(Version.V1_0_3)
        old.ask(mac.RejoinParamSetupReq(max_time_n=1, max_count_n=1))
        old.ask(mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=5))
        assert [e.reason for e in old.of(Dropped)] == ["version", "region"]
        fixed = Pair(otaa(Version.V1_0_4, region=US915, join_data_rates=()), settings=JoinSettings(NetId(1), rx2_dr=8))
        fixed.join()
        fixed.ask(mac.NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0))
        assert [e.reason for e in fixed.of(Dropped)] == ["region"]

    def test_what_no_network_asks_is_a_mistake_of_ours(self) -> None:
        pair = settled(Version.V1_1)
        for wrong in ((), (mac.LinkCheckReq(),), (mac.DevStatusReq(), mac.DevStatusReq()), (mac.RekeyConf(1),)):
            with pytest.raises(MisuseError):
                pair.server.handle(Ask(wrong), pair.now)

    def test_more_than_15_bytes_go_on_port_0_and_the_payload_waits_for_its_turn(self) -> None:
        """LoRaWAN 1.0.4 §4.3.1.6: FOpts have 15 bytes."""
        for version in Version:
            pair = settled(version)
            for index in range(3, 6):
                pair.ask(mac.NewChannelReq(ch_index=index, freq_hz=867_100_000 + 200_000 * index, max_dr=5, min_dr=0))
            pair.queue(b"valve")
            pair.send(b"x")
            assert pair.received == []
            first = parse(pair.answers[0].payload, uplink=False)
            assert isinstance(first, DataDown)
            assert (first.f_port, first.f_opts, len(first.frm_payload), first.f_ctrl.f_pending) == (0, b"", 18, True)
            pair.send(b"x")
            assert pair.received == [b"valve"]
            assert len(pair.of(RequestDone)) == 3

    def test_no_more_is_asked_than_one_uplink_can_answer(self) -> None:
        """LoRaWAN 1.1 §5. US915 DR0 has 11 bytes (RP002-1.0.4): three answers of 2 bytes and one of 3 fit, not more."""
        config = otaa(Version.V1_1, region=US915, join_data_rates=(), adr=False)
        pair = Pair(config, settings=JoinSettings(NetId(1), rx2_dr=8), operation=Operation(adr=None))
        pair.join()
        pair.send(b"x")
        pair.answers.clear()
        pair.ask(
            *[mac.LinkAdrReq(data_rate=0, tx_power=0, ch_mask=0xFFFF, ch_mask_cntl=k, nb_trans=1) for k in range(4)]
        )
        pair.ask(mac.RejoinParamSetupReq(max_time_n=1, max_count_n=1))
        pair.ask(mac.DevStatusReq())
        pair.send(b"x")
        (commands,) = down_commands(pair)
        asked = mac.parse_commands(commands, uplink=False).commands
        assert [type(command) for command in asked] == [*[mac.LinkAdrReq] * 4, mac.RejoinParamSetupReq]

    def test_a_reset_device_is_asked_again(self) -> None:
        """LoRaWAN 1.1 §5.1: ResetInd says that the MAC parameters are those of the factory."""
        pair = Pair(abp(Version.V1_1))
        pair.send(b"x")
        pair.ask(mac.RxTimingSetupReq(delay_s=4))
        pair.send(b"x")
        pair.send(b"x")
        assert pair.session is not None
        assert pair.session.windows.rx1_delay_us == 4_000_000
        pair.device = DeviceCore(pair.config, Draws.of_seed(5), pair.memory)
        pair.send(b"x", confirmed=True)
        assert pair.session.windows.rx1_delay_us == 1_000_000
        assert pair.missed == []


class TestDeviceStatus:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_a_device_is_asked_each_period_and_its_answer_told(self, version: Version) -> None:
        """LoRaWAN 1.0.4 §5.5."""
        pair = Pair(otaa(version, battery=127), operation=Operation(dev_status_period_us=10 * US_PER_HOUR))
        pair.join()
        for _ in range(40):
            pair.now += US_PER_HOUR
            pair.send(b"x")
        told = pair.of(DeviceStatus)
        assert len(told) == 4
        assert {status.battery for status in told} == {127}
        assert {status.margin_db for status in told} == {5}  # what the pair's downlinks are heard with


class TestDeviceTime:
    def test_the_time_is_that_of_the_end_of_the_uplink(self) -> None:
        """LoRaWAN 1.0.4 §5.9, 1.1 §5.12; the fraction counts 1/256 s."""
        origin_us = 1_139_322_288_500_000
        pair = Pair(otaa(Version.V1_0_4), operation=Operation(gps_at_origin_us=origin_us))
        pair.join()
        pair.up = Script([(400_000,)])  # 400 ms on its way to the server
        pair.feed(RequestTime())
        pair.send(b"x")
        (told,) = pair.of(TimeReceived)
        ended_at = pair.sent[-1].transmit.at + pair.sent[-1].transmit.airtime_us
        error_us = told.gps_seconds * 1_000_000 + told.fraction_256 * 1_000_000 // 256 - (origin_us + ended_at)
        assert -1_000_000 // 256 <= error_us <= 0

    def test_a_network_without_gps_time_refuses_by_name(self) -> None:
        pair = joined(Version.V1_0_4)
        pair.feed(RequestTime())
        pair.send(b"x")
        assert "device_time" in [e.reason for e in pair.of(Dropped)]


class TestAdrPolicies:
    def test_a_fixed_target_is_reached_and_held(self) -> None:
        pair = Pair(otaa(Version.V1_0_4), snr_db=20.0, operation=Operation(adr=AdrFixed(2, 3, 2)))
        pair.join()
        for _ in range(6):
            pair.now += US_PER_HOUR
            pair.send(b"x")
        session = pair.device.session
        assert session is not None
        assert (session.dr, session.tx_power_index, session.nb_trans) == (2, 3, 2)
        assert len(pair.answers) == 2  # the accept, and one request

    def test_without_an_algorithm_nothing_is_asked_and_the_bit_says_so(self) -> None:
        """LoRaWAN 1.1 §4.3.1.1: a downlink with the ADR bit clear tells that the network cannot."""
        pair = Pair(otaa(Version.V1_0_4), snr_db=20.0, operation=Operation(adr=None))
        pair.join()
        pair.send(b"x")
        assert len(pair.answers) == 1
        pair.send(b"x", confirmed=True)
        frame = parse(pair.answers[-1].payload, uplink=False)
        assert isinstance(frame, DataDown)
        assert not frame.f_ctrl.adr

    def test_an_operators_block_goes_before_adr(self) -> None:
        """LoRaWAN 1.1 §5.3: no more than one block in a downlink."""
        pair = Pair(otaa(Version.V1_1), snr_db=20.0)
        pair.join()
        pair.ask(mac.LinkAdrReq(data_rate=3, tx_power=1, ch_mask=7, ch_mask_cntl=0, nb_trans=1))
        pair.send(b"x")
        (commands,) = down_commands(pair)
        asked = mac.parse_commands(commands, uplink=False).commands
        assert [c.data_rate for c in asked if isinstance(c, mac.LinkAdrReq)] == [3]

    def test_any_object_with_a_target_is_a_policy(self) -> None:
        class Stay:
            def target(self, known: AdrInputs) -> AdrTarget:
                return AdrTarget(known.dr, known.tx_power_index, known.nb_trans)

        pair = Pair(otaa(Version.V1_0_4), snr_db=20.0, operation=Operation(adr=Stay()))
        pair.join()
        pair.send(b"x")
        assert len(pair.answers) == 1

    @pytest.mark.parametrize(
        ("snr_db", "dr", "power"),
        [  # Semtech 2016: (SNR − floor − 10) / 3 steps, data rate first (DR0's floor −20 dB), then 2 dB of power each
            (-10.0, 0, 0),
            (-7.0, 1, 0),
            (5.0, 5, 0),
            (8.0, 5, 1),
            (40.0, 5, 7),
        ],
    )
    def test_the_recommended_algorithm_takes_its_steps(self, snr_db: float, dr: int, power: int) -> None:
        known = AdrInputs(((0, snr_db),), 0, 0, 1, otaa(Version.V1_0_4).region)
        assert AdrPolicy().target(known) == AdrTarget(dr, power, 1)


def test_links_may_lose_any_answer_and_both_ends_still_agree() -> None:
    for version in Version:
        pair = settled(version)
        lost = iter([False, True, True, False] * 20)
        pair.down = losing(lambda _payload: next(lost))  # noqa: B023 - used within the turn of the loop
        for delay_s in (3, 5, 2):
            pair.ask(mac.RxTimingSetupReq(delay_s=delay_s))
            for _ in range(8):
                pair.send(b"x", confirmed=True)
            assert pair.session is not None
            assert pair.device.session is not None
            assert pair.session.windows.rx1_delay_us == pair.device.session.rx1_delay_us == delay_s * 1_000_000
        assert pair.missed == []
