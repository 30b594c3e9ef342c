"""Devices of other regions than EU868, back to back with their network: join, send, obey."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mac_pairs import clear_f_opts, data_up, hear_commands

from lorawan import mac_commands as mac
from lorawan.device import DeviceConfig, SendDone, SendRequest
from lorawan.device.session import DeviceSession
from lorawan.errors import MisuseError
from lorawan.frames import DataDown, parse
from lorawan.frames.cf_list import encode_cf_list
from lorawan.ids import NetId
from lorawan.machine import Dropped
from lorawan.phy import Listen, LoraModulation
from lorawan.regions import AS923_1, AS923_2, AU915, CN470_20A, KR920, REGIONS, US915, Region
from lorawan.server import JoinSettings
from lorawan.testing import Pair, Script, abp_device, otaa_device, silent
from lorawan.version import Version

V104 = Version.V1_0_4


def pair_in(region: Region, version: Version = V104, *, cf_list: bytes = b"", **changes: object) -> Pair:
    config = otaa_device(version, **{"region": region, "join_data_rates": (), **changes})
    return Pair(config, settings=JoinSettings(NetId(0x13), rx2_dr=region.rx2_dr, cf_list=cf_list))


def joined_in(region: Region, version: Version = V104, *, cf_list: bytes = b"", **changes: object) -> Pair:
    pair = pair_in(region, version, cf_list=cf_list, **changes)
    pair.join()
    return pair


def session_of(pair: Pair) -> DeviceSession:
    assert pair.device.session is not None
    return pair.device.session


def listens(pair: Pair) -> list[Listen]:
    return [effect for effect in pair.device_effects if isinstance(effect, Listen)]


def type_1(masks: list[int]) -> bytes:
    return b"".join(mask.to_bytes(2, "little") for mask in masks).ljust(15, b"\0") + b"\x01"


def answer_bits(pair: Pair) -> str:
    """The answers of the next uplink, in hex."""
    pair.send(b"")
    return data_up(pair)[-1].f_opts.hex()


@pytest.mark.parametrize("version", list(Version), ids=str)
@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("name", sorted(REGIONS))
def test_a_device_joins_and_both_ends_agree_on_the_windows_in_every_region(
    name: str, window: int, version: Version
) -> None:
    pair = pair_in(REGIONS[name], version)
    pair.window = window
    pair.join()
    for k in range(5):
        pair.send(bytes([k]), confirmed=True)
    assert [uplink.payload for uplink in pair.app_uplinks] == [bytes([k]) for k in range(5)]
    done = [effect for effect in pair.of(SendDone) if isinstance(effect, SendDone)]
    assert [effect.acknowledged for effect in done] == [True] * 5
    assert pair.missed == []


class TestUs915:
    def test_the_join_goes_round_the_blocks_and_the_accept_comes_on_channel_modulo_eight(self) -> None:
        pair = pair_in(US915)
        pair.up = Script([()] * 9)
        pair.join()
        sent = [t.transmit for t in pair.sent]
        assert len(sent) == 10
        channels = [(t.freq_hz - 902_300_000) / 200_000 for t in sent[:8]]
        assert [int(channel) // 8 for channel in channels] == list(range(8))
        assert {t.modulation for t in sent[:8]} == {LoraModulation(10)}
        assert (sent[8].freq_hz, sent[8].modulation) == (903_000_000, LoraModulation(8, 500_000))
        windows = listens(pair)
        for k in range(8):
            assert windows[2 * k].freq_hz == 923_300_000 + 600_000 * (int(channels[k]) % 8)
            assert windows[2 * k].modulation == LoraModulation(10, 500_000)  # DR0 is answered at DR10
            assert (windows[2 * k + 1].freq_hz, windows[2 * k + 1].modulation) == (
                923_300_000,
                LoraModulation(12, 500_000),
            )

    def test_a_type_1_list_leaves_one_block(self) -> None:
        pair = joined_in(US915, cf_list=type_1([0xFF00, 0, 0, 0, 2]))
        for k in range(40):
            pair.send(bytes([k]))
        freqs = {t.transmit.freq_hz for t in pair.sent if t.kind == "data"}
        assert freqs <= {902_300_000 + 200_000 * k for k in range(8, 16)}
        assert len(freqs) >= 5
        assert len(pair.app_uplinks) == 40

    def test_the_network_may_ask_for_one_block(self) -> None:
        pair = joined_in(US915)
        effects = hear_commands(
            pair,
            mac.LinkAdrReq(data_rate=3, tx_power=5, ch_mask=2, ch_mask_cntl=7, nb_trans=1),
            mac.LinkAdrReq(data_rate=3, tx_power=5, ch_mask=0xFF00, ch_mask_cntl=0, nb_trans=1),
        )
        assert not [effect for effect in effects if isinstance(effect, Dropped)]
        session = session_of(pair)
        assert (session.dr, session.plan.ch_mask) == (3, 0xFF00 | 1 << 65)
        assert answer_bits(pair) == "03070307"
        assert pair.sent[-1].transmit.power_dbm == 30 - 2 * 5  # the table is conducted power
        assert pair.sent[-1].transmit.modulation == LoraModulation(7)

    @pytest.mark.parametrize(
        ("request_", "bits"),
        [
            (
                mac.LinkAdrReq(data_rate=4, tx_power=0, ch_mask=0, ch_mask_cntl=6, nb_trans=1),
                "05",
            ),  # no 500 kHz channel
            (mac.LinkAdrReq(data_rate=0, tx_power=0, ch_mask=0, ch_mask_cntl=7, nb_trans=1), "06"),
            (mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=0xFF, ch_mask_cntl=6, nb_trans=1), "05"),  # LR-FHSS
            (mac.LinkAdrReq(data_rate=8, tx_power=0, ch_mask=0xFF, ch_mask_cntl=6, nb_trans=1), "05"),  # downlink only
            (mac.LinkAdrReq(data_rate=0, tx_power=14, ch_mask=0xFF, ch_mask_cntl=6, nb_trans=1), "07"),
        ],
    )
    def test_what_it_refuses(self, request_: mac.LinkAdrReq, bits: str) -> None:
        pair = joined_in(US915)
        hear_commands(pair, request_)
        assert answer_bits(pair) == "03" + bits

    def test_channels_cannot_be_defined_or_moved(self) -> None:
        pair = joined_in(US915)
        before = session_of(pair).plan
        hear_commands(
            pair,
            mac.NewChannelReq(ch_index=3, freq_hz=903_500_000, max_dr=3, min_dr=0),
            mac.DlChannelReq(ch_index=0, freq_hz=923_900_000),
            mac.TxParamSetupReq(downlink_dwell=True, uplink_dwell=True, max_eirp_index=0),
            mac.DevStatusReq(),
        )
        assert session_of(pair).plan == before
        assert answer_bits(pair).startswith("06")

    def test_the_networks_adr_raises_the_data_rate_to_dr3_and_keeps_the_block(self) -> None:
        pair = joined_in(US915, cf_list=type_1([0xFF00, 0, 0, 0, 2]))
        pair.snr_db = 20.0
        for k in range(8):
            pair.send(bytes([k]))
        session = session_of(pair)
        assert (session.dr, session.plan.ch_mask) == (3, 0xFF00 | 1 << 65)
        assert pair.sent[-1].transmit.modulation == LoraModulation(7)

    def test_a_mask_that_takes_more_requests_than_f_opts_hold_is_asked_for_on_port_0(self) -> None:
        pair = joined_in(US915, cf_list=type_1([1, 1, 1, 1, 0]))
        pair.snr_db = 20.0
        for k in range(3):
            pair.send(bytes([k]))
        session = session_of(pair)
        assert (session.dr, session.plan.ch_mask) == (3, 1 | 1 << 16 | 1 << 32 | 1 << 48)
        ports = [
            peek.f_port for answer in pair.answers if isinstance(peek := parse(answer.payload, uplink=False), DataDown)
        ]
        assert ports[0] == 0

    def test_a_long_payload_waits_for_a_faster_data_rate(self) -> None:
        pair = joined_in(US915)
        pair.send(bytes(12))
        assert "11 fit" in str(pair.of(Dropped)[-1])
        pair.send(bytes(11))
        assert pair.app_uplinks[-1].payload == bytes(11)


class TestAs923:
    def test_it_joins_inside_the_dwell_time(self) -> None:
        pair = joined_in(AS923_1)
        assert pair.sent[0].transmit.modulation == LoraModulation(10)
        assert pair.sent[0].transmit.airtime_us <= 400_000
        assert (listens(pair)[1].freq_hz, listens(pair)[1].modulation) == (923_200_000, LoraModulation(10))

    def test_a_slower_join_is_a_mistake_of_ours(self) -> None:
        with pytest.raises(MisuseError, match="AS923-1 joins"):
            otaa_device(V104, region=AS923_1, join_data_rates=(0,))

    def test_a_type_0_list_adds_channels(self) -> None:
        pair = joined_in(AS923_2, cf_list=encode_cf_list([922_000_000, 922_200_000]))
        for k in range(30):
            pair.send(bytes([k]))
        used = {t.transmit.freq_hz for t in pair.sent if t.kind == "data"}
        assert used == {921_400_000, 921_600_000, 922_000_000, 922_200_000}

    def test_dwell_time_off_gives_the_slow_data_rates_and_on_takes_them_away(self) -> None:
        pair = joined_in(AS923_1, adr=False)
        session = session_of(pair)
        pair.send(bytes(12))
        assert "11 fit" in str(pair.of(Dropped)[-1])
        slow = mac.LinkAdrReq(data_rate=0, tx_power=0, ch_mask=3, ch_mask_cntl=0, nb_trans=1)
        hear_commands(pair, slow)
        assert answer_bits(pair) == "0305"
        free = mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=4)
        hear_commands(pair, free)
        assert answer_bits(pair) == "09"
        hear_commands(pair, slow)
        pair.send(bytes(51))
        assert pair.sent[-1].transmit.modulation == LoraModulation(12)
        assert pair.sent[-1].transmit.power_dbm == 14 - 2.15
        assert pair.app_uplinks[-1].payload == bytes(51)
        hear_commands(pair, mac.TxParamSetupReq(downlink_dwell=True, uplink_dwell=True, max_eirp_index=5))
        assert session.dr == 2
        pair.send(bytes(11))
        assert pair.sent[-1].transmit.modulation == LoraModulation(10)
        assert pair.sent[-1].transmit.airtime_us <= 400_000

    def test_commands_alone_keep_to_the_longest_mac_payload(self) -> None:
        """M is 19 bytes at DR2 under dwell time (RP002-1.0.4, AS923): 7 of FHDR leave 12 for FOpts, not 15."""
        pair = joined_in(AS923_1, adr=False)
        assert session_of(pair).dr == 2
        hear_commands(pair, *[mac.DevStatusReq()] * 5)
        pair.send(b"")
        answered, _ = data_up(pair)[-2:]
        assert 7 + len(answered.f_opts) <= 19
        assert len(answered.f_opts) == 4 * 3

    @pytest.mark.parametrize(
        ("version", "speaks_1_1", "repeats"),
        [(V104, True, True), (Version.V1_1, False, True), (Version.V1_1, True, False)],
    )
    def test_tx_param_setup_ans_repeats_where_1_0_4_is_spoken(
        self, version: Version, speaks_1_1: bool, repeats: bool
    ) -> None:
        """TS001-1.0.4 §5.8 asks for it, LoRaWAN 1.1 §5.9 does not; a 1.1 device may have to speak 1.0.4."""
        settings = JoinSettings(NetId(0x13), rx2_dr=AS923_1.rx2_dr, speaks_1_1=speaks_1_1)
        pair = Pair(otaa_device(version, region=AS923_1, join_data_rates=()), settings=settings)
        pair.join()
        hear_commands(pair, mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=5))
        pair.up = silent
        for _ in range(2):
            pair.send(b"")
        session, frame = session_of(pair), data_up(pair)[-1]
        assert (mac.TxParamSetupAns().encode() in clear_f_opts(pair, frame, session.f_cnt_up - 1)) is repeats

    def test_downlink_dwell_time_lifts_rx1(self) -> None:
        pair = joined_in(AS923_1, adr=False)
        hear_commands(
            pair,
            mac.RxParamSetupReq(rx1_dr_offset=5, rx2_dr=2, freq_hz=923_200_000),
            mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=5),
        )
        pair.send(b"x")
        assert listens(pair)[-2].modulation == LoraModulation(12)
        hear_commands(pair, mac.TxParamSetupReq(downlink_dwell=True, uplink_dwell=True, max_eirp_index=5))
        pair.send(b"x")
        assert listens(pair)[-2].modulation == LoraModulation(10)

    def test_a_repeat_that_became_too_long_for_the_dwell_time_is_given_up(self) -> None:
        pair = joined_in(AS923_1, adr=False)
        hear_commands(pair, mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=5))
        session = session_of(pair)
        session.nb_trans, sent_before = 3, len(pair.sent)
        pair.up = silent
        pair.feed(SendRequest(10, bytes(100)))
        pair.run(pair.now + 3_000_000)
        assert len(pair.sent) == sent_before + 1
        session.replan(session.plan.with_tx_params(uplink_dwell=True, downlink_dwell=False, max_eirp_index=5))
        pair.run()
        assert len(pair.sent) == sent_before + 1
        dropped = [effect for effect in pair.of(Dropped) if isinstance(effect, Dropped)]
        assert dropped[-1].reason == "dwell_time"

    def test_an_offset_that_leads_to_fsk_is_refused(self) -> None:
        pair = joined_in(AS923_1, adr=False)
        hear_commands(pair, mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=3, ch_mask_cntl=0, nb_trans=1))
        hear_commands(pair, mac.RxParamSetupReq(rx1_dr_offset=7, rx2_dr=2, freq_hz=923_200_000))
        assert "0503" in answer_bits(pair)
        hear_commands(pair, mac.LinkAdrReq(data_rate=4, tx_power=0, ch_mask=3, ch_mask_cntl=0, nb_trans=1))
        hear_commands(pair, mac.RxParamSetupReq(rx1_dr_offset=7, rx2_dr=2, freq_hz=923_200_000))
        assert "0507" in answer_bits(pair)
        hear_commands(pair, mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=3, ch_mask_cntl=0, nb_trans=1))
        assert "0305" in answer_bits(pair)


class TestOtherPlans:
    def test_au915_obeys_tx_param_setup(self) -> None:
        pair = joined_in(AU915)
        assert pair.sent[0].transmit.modulation == LoraModulation(10)  # DR2
        hear_commands(pair, mac.TxParamSetupReq(downlink_dwell=False, uplink_dwell=False, max_eirp_index=9))
        hear_commands(pair, mac.LinkAdrReq(data_rate=0, tx_power=1, ch_mask=0xFF, ch_mask_cntl=6, nb_trans=1))
        pair.send(bytes(51))
        sent = pair.sent[-1].transmit
        assert (sent.modulation, sent.power_dbm) == (LoraModulation(12), 24 - 2 - 2.15)
        assert listens(pair)[-2].modulation == LoraModulation(12, 500_000)  # DR0 is answered at DR8

    def test_cn470_keeps_the_rx2_of_its_join_channel(self) -> None:
        pair = joined_in(CN470_20A)
        joined_at = pair.sent[0].transmit.freq_hz
        rx2 = listens(pair)[1].freq_hz
        pair.send(b"x")
        assert listens(pair)[-1].freq_hz == rx2
        assert rx2 - listens(pair)[0].freq_hz == 800_000, joined_at

    def test_korea_sends_with_10_dbm_below_922_mhz(self) -> None:
        pair = joined_in(KR920, cf_list=encode_cf_list([921_500_000]))
        for _ in range(20):
            pair.send(b"x")
        powers = {t.transmit.freq_hz: t.transmit.power_dbm for t in pair.sent if t.transmit.freq_hz < 922_000_000}
        assert powers == {921_500_000: pytest.approx(10 - 2.15)}

    def test_an_abp_device_begins_at_a_data_rate_the_plan_has(self) -> None:
        config: DeviceConfig = replace(abp_device(V104), region=AS923_1)
        pair = Pair(config)
        assert session_of(pair).dr == 2
        pair.send(b"x")
        assert pair.app_uplinks[-1].payload == b"x"

    def test_the_back_off_in_us915_brings_all_channels_back(self) -> None:
        pair = joined_in(US915, cf_list=type_1([0xFF00, 0, 0, 0, 2]))
        session = session_of(pair)
        session.dr, session.adr_ack_cnt = 3, 64
        pair.up = silent
        seen = []
        for _ in range(32 * 4 + 1):
            pair.send(b"x")
            seen.append((session.dr, session.plan.ch_mask == US915.default_ch_mask))
        assert list(dict.fromkeys(seen)) == [(3, False), (2, False), (1, False), (0, False), (0, True)]
