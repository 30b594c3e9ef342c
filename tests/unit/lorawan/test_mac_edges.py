"""Where the MAC meets its limits: room for commands, answers, duty cycle and memory, clause by clause."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from mac_pairs import (
    abp,
    clear_f_opts,
    data_up,
    downlink,
    hear,
    joined,
    otaa,
)

from lorawan import mac_commands as mac
from lorawan.device import (
    Persist,
    Received,
    RequestLinkCheck,
    SendDone,
    SendRequest,
    Transmission,
)
from lorawan.frames import DataDown, DataUp, FCtrlUp, parse
from lorawan.ids import NetId
from lorawan.machine import Dropped
from lorawan.phy import Listen
from lorawan.regions import EU868
from lorawan.secured import open_down, seal_up
from lorawan.server import Answer, JoinSettings, QueueDownlink, UplinkHeard
from lorawan.testing import Pair, silent
from lorawan.version import Version


class TestRoom:
    @pytest.mark.parametrize("version", Version, ids=str)
    def test_commands_that_leave_no_room_never_keep_the_payload_out(self, version: Version) -> None:
        pair = joined(version, join_data_rates=(0,))
        hear(pair, downlink(pair, mac.RxTimingSetupReq(delay_s=2)))  # a sticky answer
        pair.down = silent
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
        pair.send(b"first")  # in 1.1 the session begins with its RekeyInd
        device = pair.device.session
        payload = seal_up(
            device.keys,
            is_1_1=device.is_1_1,
            confirmed=False,
            dev_addr=device.dev_addr,
            f_ctrl=FCtrlUp(adr=False, adr_ack_req=False, ack=False, class_b=False),
            f_cnt=1,
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
        assert open_down(device.keys, is_1_1=device.is_1_1, frame=down, f_cnt=down.f_cnt).f_opts == b"\x02\x0c\x01"

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
            hear(pair, downlink(pair, mac.AdrParamSetupReq(limit_exp=3, delay_exp=2), mac.RekeyConf(minor=1)))
            pair.down = silent
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
            otaa(Version.V1_0_4),
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
        assert second.at - first.at < 5_000_000


class TestPersist:
    def test_data_counters_are_reserved_before_the_frame_that_needs_them(self) -> None:
        pair = Pair(abp(Version.V1_0_4))
        for _ in range(70):
            pair.send(b"x")
        reserved = 0
        for effect in pair.device_effects:
            if isinstance(effect, Persist):
                assert effect.memory.session is not None
                reserved = effect.memory.session.f_cnt_up_reserved
            elif isinstance(effect, Transmission):
                assert effect.f_cnt < reserved
        assert reserved == 128


def test_conducted_power_follows_the_configuration() -> None:
    weak = replace(otaa(Version.V1_0_3), eirp_offset_db=EU868.max_eirp_dbm - 3.0)
    pair = Pair(weak)
    pair.join()
    assert {t.transmit.power_dbm for t in pair.sent} == {3.0}
