"""Rejoin-Requests of a 1.1 device: what they are, when they go out, and what an accept does (LoRaWAN 1.1 §6.2.4)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC
from mac_pairs import APP_KEY, NWK_KEY, abp, clear_f_opts, downlink, frame_of, hear_commands, joined, otaa
from rejoin_network import NEW_ADDR, accept_for, hear_in, joined_1_1, next_out, rejoin_of

from lorawan import mac_commands as mac
from lorawan.device import (
    DeviceCore,
    DeviceMemory,
    Joined,
    Persist,
    SendDone,
    SendRequest,
    StartRejoin,
    Transmission,
)
from lorawan.draws import Draws
from lorawan.frames import RejoinRequest02, RejoinRequest1
from lorawan.ids import NetId
from lorawan.machine import Dropped
from lorawan.regions import AS923_1, AU915, IN865, US915, Region
from lorawan.server import JoinSettings
from lorawan.testing import Pair, perfect, silent
from lorawan.version import Version

CF_LIST = bytes.fromhex("184f84e85684b85e84886684586e8400")  # 867.1 … 867.9 MHz
JOIN_CHANNELS = {868_100_000, 868_300_000, 868_500_000}
S = 1_000_000


def aes(key: bytes, block: bytes) -> bytes:
    return Cipher(AES(key), ECB()).encryptor().update(block.ljust(16, b"\x00"))


def cmac(key: bytes, message: bytes) -> bytes:
    mac_of = CMAC(AES(key))
    mac_of.update(message)
    return mac_of.finalize()[:4]


def reasons(effects: list[object]) -> list[str]:
    return [e.reason for e in effects if isinstance(e, Dropped)]


class TestRequests:
    @pytest.mark.parametrize("rejoin_type", [0, 2])
    def test_types_0_and_2_carry_the_home_network_and_rjcount0_under_s_nwk_s_int_key(self, rejoin_type: int) -> None:
        """§6.2.4.1."""
        pair = joined_1_1()
        pair.feed(StartRejoin(rejoin_type))
        sent, _ = next_out(pair)
        frame = rejoin_of(sent)
        assert isinstance(frame, RejoinRequest02)
        assert (frame.rejoin_type, frame.net_id, frame.dev_eui, frame.rj_count) == (
            rejoin_type,
            NetId(0x13),
            pair.config.dev_eui,
            0,
        )
        session = pair.device.session
        assert session is not None
        payload = sent.transmit.payload
        assert payload[-4:] == cmac(session.keys.s_nwk_s_int_key, payload[:-4])
        assert (sent.kind, sent.f_cnt) == ("rejoin", 0)

    def test_type_1_carries_the_join_eui_and_rjcount1_under_js_int_key(self) -> None:
        """§6.2.4.2; JSIntKey §6.1.1.4."""
        pair = joined_1_1()
        pair.feed(StartRejoin(1))
        sent, _ = next_out(pair)
        frame = rejoin_of(sent)
        assert isinstance(frame, RejoinRequest1)
        assert (frame.join_eui, frame.dev_eui, frame.rj_count) == (pair.config.join_eui, pair.config.dev_eui, 0)
        js_int_key = aes(NWK_KEY, b"\x06" + pair.config.dev_eui.to_wire())
        payload = sent.transmit.payload
        assert payload[-4:] == cmac(js_int_key, payload[:-4])

    @pytest.mark.parametrize("rejoin_type", [0, 1, 2])
    def test_its_windows_are_those_of_a_join_at_the_regions_defaults(self, rejoin_type: int) -> None:
        """§6.2.3, §6.2.4: 5 s and 6 s; a device that lost step with its network's RX settings is reached there."""
        pair = joined_1_1()
        rx2 = mac.RxParamSetupReq(rx1_dr_offset=3, rx2_dr=5, freq_hz=869_100_000)
        hear_commands(pair, rx2, mac.RxTimingSetupReq(delay_s=9))
        hear_commands(pair, *(mac.DlChannelReq(ch_index=i, freq_hz=868_900_000) for i in range(3)))
        pair.feed(StartRejoin(rejoin_type))
        sent, (first, second) = next_out(pair)
        ends = sent.transmit.at + sent.transmit.airtime_us
        assert [round((w.opens_at - ends) / S, 1) for w in (first, second)] == [5.0, 6.0]
        assert (first.freq_hz, first.modulation) == (sent.transmit.freq_hz, sent.transmit.modulation)
        assert (second.freq_hz, second.modulation.sf) == (869_525_000, 12)

    @pytest.mark.parametrize(("rejoin_type", "n"), [(0, 3), (1, 3), (2, 8)])
    def test_types_0_and_1_keep_to_the_join_channels_and_type_2_takes_any(self, rejoin_type: int, n: int) -> None:
        """§6.2.4.3."""
        pair = Pair(otaa(Version.V1_1), settings=JoinSettings(NetId(0x13), cf_list=CF_LIST))
        pair.join()
        used = set()
        for _ in range(60):
            pair.feed(StartRejoin(rejoin_type))
            sent, _ = next_out(pair)
            used.add(sent.transmit.freq_hz)
            pair.run()
        assert len(used) == n
        assert used >= JOIN_CHANNELS

    @pytest.mark.parametrize(("rejoin_type", "divisor"), [(0, 1_000), (2, 1_000), (1, 10_000)])
    def test_its_duty_cycle_is_kept(self, rejoin_type: int, divisor: int) -> None:
        """§6.2.4.1 below 0.1 % for types 0 and 2, §6.2.4.2 below 0.01 % for type 1."""
        pair = joined_1_1()
        at = []
        for _ in range(4):
            pair.feed(StartRejoin(rejoin_type))
            sent, _ = next_out(pair)
            at.append((sent.transmit.at, sent.transmit.airtime_us))
            pair.run()
        assert all(b - a >= airtime * divisor for (a, airtime), (b, _) in pairwise(at))

    def test_rjcount0_counts_types_0_and_2_and_begins_again_with_an_accept(self) -> None:
        """§6.2.4.1."""
        pair = joined_1_1()
        counts = []
        for rejoin_type in (0, 2, 0):
            pair.feed(StartRejoin(rejoin_type))
            sent, (rx1, _) = next_out(pair)
            counts.append(sent.f_cnt)
            if len(counts) < 3:
                pair.run()
        hear_in(pair, rx1, accept_for(pair, sent, join_nonce=2))
        pair.feed(StartRejoin(0))
        counts.append(next_out(pair)[0].f_cnt)
        assert counts == [0, 1, 2, 0]

    def test_rjcount1_is_durable_before_it_is_sent_and_is_never_repeated(self) -> None:
        """§6.2.4.2."""
        pair, counts = joined_1_1(), []
        for life in range(3):
            pair.feed(StartRejoin(1))
            before = len(pair.device_effects)
            sent, _ = next_out(pair)
            counts.append(sent.f_cnt)
            effects = pair.device_effects[before:]
            durable = next(i for i, e in enumerate(effects) if isinstance(e, Persist))
            assert durable < next(i for i, e in enumerate(effects) if isinstance(e, Transmission))
            pair.device = DeviceCore(pair.config, Draws.of_seed(100 + life), pair.device.memory)
            pair.join()  # a new session: RJcount1 goes on all the same
        assert counts == [0, 1, 2]

    def test_a_counter_that_has_come_to_its_end_is_not_sent(self) -> None:
        """§6.2.4.1: RJcount0 stops at 2^16 − 1; §6.2.4.2: RJcount1 never wraps around."""
        pair = joined_1_1()
        assert pair.device.session is not None
        pair.device.session.rejoins.rj_count0 = 0xFFFE
        pair.up = silent
        for expected in ([], ["rj_count_exhausted"]):
            before = len(pair.device_effects)
            pair.now += 3600 * S  # past the duty cycle of the last one
            pair.feed(StartRejoin(0))
            pair.run()
            assert reasons(pair.device_effects[before:]) == expected
        pair.up = perfect
        pair.device = DeviceCore(pair.config, Draws.of_seed(3), DeviceMemory(next_rj_count1=0x10000))
        pair.join()
        pair.feed(StartRejoin(1))
        pair.run()
        assert reasons(pair.device_effects)[-1] == "rj_count_exhausted"
        assert not [e for e in pair.sent if e.kind == "rejoin" and e.f_cnt > 0xFFFF]

    @pytest.mark.parametrize("version", [Version.V1_0_2, Version.V1_0_3, Version.V1_0_4])
    def test_only_a_session_joined_in_1_1_form_rejoins(self, version: Version) -> None:
        assert reasons(list(joined(version).device.handle(StartRejoin(0), 0))) == ["not_joined"]
        assert reasons(list(Pair(abp(Version.V1_1)).device.handle(StartRejoin(0), 0))) == ["not_joined"]
        assert reasons(list(joined_1_1().device.handle(StartRejoin(3), 0))) == ["rejoin_type"]


@pytest.mark.parametrize("region", [US915, AU915, AS923_1, IN865], ids=lambda region: region.name)
@pytest.mark.parametrize("rejoin_type", [0, 1, 2])
def test_every_region_rejoins_where_it_joins(region: Region, rejoin_type: int) -> None:
    """§6.2.4.3 again: types 0 and 1 on the join channels of the region, at a data rate they join at."""
    settings = JoinSettings(NetId(0x13), rx2_dr=region.rx2_dr)
    pair = Pair(otaa(Version.V1_1, region=region, join_data_rates=()), settings=settings)
    pair.join()
    assert pair.device.session is not None
    joins = {pair.sent[0].transmit.freq_hz: pair.sent[0].transmit.modulation}
    for _ in range(80):
        pair.now += 400_000 * S
        pair.feed(StartRejoin(rejoin_type))
        sent, (rx1, rx2) = next_out(pair)
        pair.run()
        rx1_dr = region.rx1_dr(region.dr_of(sent.transmit.modulation), 0)
        assert rx1.modulation == region.modulation(rx1_dr)
        assert (rx2.freq_hz, rx2.modulation) == (region.rx2_freq_hz, region.modulation(region.rx2_dr))
        if rejoin_type != 2:
            assert region.dr_of(sent.transmit.modulation) in region.join_drs
            joins[sent.transmit.freq_hz] = sent.transmit.modulation
    if rejoin_type != 2:
        assert len(joins) == len(region.default_channels)


def test_the_networks_duty_cycle_holds_for_rejoins_too() -> None:
    """LoRaWAN 1.1 §5.4: the aggregated duty cycle is that of all transmissions."""
    pair = joined_1_1()
    hear_commands(pair, mac.DutyCycleReq(max_d_cycle=12))
    pair.send(b"answer")
    last = pair.sent[-1].transmit
    pair.feed(StartRejoin(0))
    sent, _ = next_out(pair)
    assert sent.transmit.at - last.at == last.airtime_us << 12


class TestAccepts:
    @pytest.mark.parametrize("rejoin_type", [0, 1, 2])
    def test_the_keys_are_derived_with_rjcount_in_place_of_dev_nonce(self, rejoin_type: int) -> None:
        """§6.2.4.4, §6.2.3."""
        pair = joined_1_1()
        pair.feed(StartRejoin(rejoin_type))
        next_out(pair)
        pair.run()
        pair.feed(StartRejoin(rejoin_type))
        sent, (rx1, _) = next_out(pair)
        effects = hear_in(pair, rx1, accept_for(pair, sent, join_nonce=0x0A0B0C))
        assert Joined(NEW_ADDR, 1, rejoin_type) in effects
        session = pair.device.session
        assert session is not None
        tail = bytes.fromhex("0c0b0a") + pair.config.join_eui.to_wire() + b"\x01\x00"
        assert [bytes(k) for k in (session.keys.f_nwk_s_int_key, session.keys.s_nwk_s_int_key)] == [
            aes(NWK_KEY, b"\x01" + tail),
            aes(NWK_KEY, b"\x03" + tail),
        ]
        assert bytes(session.keys.nwk_s_enc_key) == aes(NWK_KEY, b"\x04" + tail)
        assert bytes(session.keys.app_s_key) == aes(APP_KEY, b"\x02" + tail)
        assert (session.dev_addr, session.net_id, session.f_cnt_up) == (NEW_ADDR, NetId(0x24), 0)

    @pytest.mark.parametrize(("rejoin_type", "stays"), [(0, False), (1, False), (2, True)])
    def test_types_0_and_1_reset_the_radio_parameters_and_type_2_keeps_them(
        self, rejoin_type: int, stays: bool
    ) -> None:
        """§6.2.3: after type 2 only keys, address and counters are new."""
        pair = joined_1_1()
        channel = mac.NewChannelReq(ch_index=3, freq_hz=867_100_000, max_dr=5, min_dr=0)
        hear_commands(pair, channel, mac.RejoinParamSetupReq(max_time_n=3, max_count_n=5))
        hear_commands(pair, mac.LinkAdrReq(data_rate=4, tx_power=2, ch_mask=0xF, ch_mask_cntl=0, nb_trans=2))
        pair.send(b"answers")
        pair.feed(StartRejoin(rejoin_type))
        sent, (rx1, _) = next_out(pair)
        hear_in(pair, rx1, accept_for(pair, sent, join_nonce=2))
        session = pair.device.session
        assert session is not None
        kept = (session.tx_power_index, session.nb_trans, session.plan.ch_mask, session.rejoins.max_count)
        assert kept == ((2, 2, 0xF, 512) if stays else (0, 1, 0x7, None))
        rx = (session.rx1_delay_us, session.rx1_dr_offset, session.rx2_dr)
        assert rx == ((1 * S, 0, 0) if stays else (4 * S, 1, 3))
        assert session.dr == 4

    def test_a_cf_list_after_type_2_replaces_every_channel(self) -> None:
        """§6.2.3."""
        pair = joined_1_1()
        hear_commands(pair, mac.NewChannelReq(ch_index=9, freq_hz=866_100_000, max_dr=5, min_dr=0))
        pair.send(b"answer")
        pair.feed(StartRejoin(2))
        sent, (rx1, _) = next_out(pair)
        hear_in(pair, rx1, accept_for(pair, sent, join_nonce=2, cf_list=CF_LIST))
        assert pair.device.session is not None
        assert {ch.freq_hz for _, ch in pair.device.session.plan.enabled()} == JOIN_CHANNELS | {
            867_100_000 + 200_000 * i for i in range(5)
        }

    def test_the_old_session_goes_on_until_the_accept_and_the_new_one_announces_itself(self) -> None:
        """§6.2.4, §6.2.3: RekeyInd in every uplink until RekeyConf."""
        pair = joined_1_1()
        old = pair.device.session
        assert old is not None
        pair.feed(StartRejoin(0))
        next_out(pair)
        pair.run()
        pair.send(b"still the old session")
        assert pair.app_uplinks[-1].payload == b"still the old session"
        pair.feed(StartRejoin(0))
        sent, (rx1, _) = next_out(pair)
        hear_in(pair, rx1, accept_for(pair, sent, join_nonce=2))
        pair.up = silent
        for expected in (b"\x0b\x01", b"\x0b\x01"):
            pair.send(b"new")
            frame = frame_of(pair.sent[-1].transmit.payload)
            assert frame.dev_addr == NEW_ADDR
            assert clear_f_opts(pair, frame, frame.f_cnt) == expected
        hear_commands(pair, mac.RekeyConf(minor=1))
        pair.send(b"confirmed")
        assert frame_of(pair.sent[-1].transmit.payload).f_opts == b""

    def test_an_accept_for_another_type_or_with_an_old_join_nonce_is_refused(self) -> None:
        """§6.2.3: JoinReqType is under the MIC; JoinNonce must rise."""
        pair = joined_1_1()
        pair.feed(StartRejoin(0))
        sent, (rx1, _) = next_out(pair)
        before = pair.device.session
        for_a_join = accept_for(pair, sent, join_nonce=9, join_req_type=0xFF)
        assert reasons(hear_in(pair, rx1, for_a_join)) == ["mic"]
        replayed = accept_for(pair, sent, join_nonce=pair.device.memory.last_join_nonce)
        assert reasons(hear_in(pair, rx1, replayed)) == ["join_nonce_replay"]
        assert pair.device.session is before

    def test_a_downlink_in_its_windows_is_taken_as_any_other(self) -> None:
        """§6.2.4.4: the network may answer with a normal downlink."""
        pair = joined_1_1()
        pair.feed(StartRejoin(1))
        _, (rx1, _) = next_out(pair)
        assert pair.device.session is not None
        pair.device.session.adr_ack_cnt = 40
        hear_in(pair, rx1, downlink(pair, mac.RxTimingSetupReq(delay_s=7)))
        assert (pair.device.session.rx1_delay_us, pair.device.session.adr_ack_cnt) == (7 * S, 0)

    def test_what_the_application_queued_waits_for_the_rejoin_and_goes_in_the_new_session(self) -> None:
        pair = joined_1_1()
        pair.feed(StartRejoin(0))
        sent, (rx1, _) = next_out(pair)
        pair.feed(SendRequest(10, b"reading"))
        hear_in(pair, rx1, accept_for(pair, sent, join_nonce=2))
        pair.up = silent
        pair.run()
        assert pair.of(SendDone)[-1] == SendDone(0, 1, None)
        assert pair.sent[-1].dev_addr == NEW_ADDR
