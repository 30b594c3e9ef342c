"""A device and its network back to back: what each LoRaWAN version does, seen from outside."""

from __future__ import annotations

import pytest
from mac_pairs import (
    abp,
    channel_index,
    clear_f_opts,
    frame_of,
    hear,
    hear_commands,
    joined,
    otaa,
)

from lorawan import mac_commands as mac
from lorawan.device import (
    Joined,
    LinkChecked,
    Received,
    RequestLinkCheck,
    RequestTime,
    SendDone,
)
from lorawan.frames import DataUp, JoinRequest, parse
from lorawan.ids import AesKey, NetId
from lorawan.machine import Dropped
from lorawan.secured import seal_join_request
from lorawan.server import JoinHeard, JoinSettings, UplinkHeard
from lorawan.testing import Pair, losing, perfect, silent
from lorawan.version import Version

CF_LIST = bytes.fromhex("184f84e85684b85e84886684586e8400")  # 867.1 … 867.9 MHz


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
        pair.queue(b"open valve", 7, confirmed=True)
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
        dr, ch = 5, channel_index(pair, -3)
        (refused,) = pair.session.handle(UplinkHeard(old, 5.0, dr, ch, 1), pair.now)
        assert isinstance(refused, Dropped)
        assert refused.reason == "f_cnt_replay"
        assert len(pair.app_uplinks) == 3

    def test_a_flipped_bit_is_refused_by_the_server(self, version: Version) -> None:
        pair = joined(version)
        pair.up = silent
        pair.send(b"payload")
        assert pair.session is not None
        payload = bytearray(pair.sent[-1].transmit.payload)
        payload[-6] ^= 1
        frame = parse(bytes(payload), uplink=True)
        assert isinstance(frame, DataUp)
        (refused,) = pair.session.handle(UplinkHeard(frame, 5.0, 5, channel_index(pair, -1), 1), pair.now)
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
        pair.up = silent
        effects = hear(pair, b"\xff" * 20)
        assert [type(e) for e in effects] == [Dropped]


@pytest.mark.parametrize("version", Version, ids=str)
def test_nb_trans_0_is_the_default_value_and_in_1_1_no_change(version: Version) -> None:
    """LoRaWAN 1.0.3 §5.2: "should use the default value", 1.0.4 §5.2 says so too; 1.1 §5.3: no change."""
    pair = joined(version)
    session = pair.device.session
    assert session is not None
    session.nb_trans = 3
    hear_commands(pair, mac.LinkAdrReq(data_rate=5, tx_power=0, ch_mask=7, ch_mask_cntl=0, nb_trans=0))
    assert session.nb_trans == (3 if version.is_1_1 else 1)


class TestWhatOnlyOneVersionDoes:
    def test_1_0_2_knows_no_device_time(self) -> None:
        effects = {version: joined(version).device.handle(RequestTime(), 0) for version in Version}
        refused = [version for version, out in effects.items() if any(isinstance(e, Dropped) for e in out)]
        assert refused == [Version.V1_0_2]

    def test_1_0_3_alone_has_device_time_and_tries_a_confirmed_uplink_eight_times(self) -> None:
        eight_with_time = []
        for version in Version:
            pair = joined(version)
            pair.down = silent
            pair.send(b"alarm", confirmed=True)
            tries = pair.of(SendDone)[-1].transmissions  # type: ignore[union-attr]
            if tries == 8 and not pair.device.handle(RequestTime(), pair.now):
                eight_with_time.append(version)
        assert eight_with_time == [Version.V1_0_3]

    def test_1_1_alone_announces_itself_with_rekey_ind_until_it_is_confirmed(self) -> None:
        announced = []
        for version in Version:
            pair = joined(version)
            pair.down = silent
            pair.send(b"a")
            pair.send(b"b")
            pair.down = perfect
            pair.send(b"c")
            pair.send(b"d")
            commands = [
                clear_f_opts(pair, frame_of(t.transmit.payload), t.f_cnt) for t in pair.sent if t.kind == "data"
            ]
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
            if frame.f_opts != clear_f_opts(pair, frame_of(pair.sent[-1].transmit.payload), 0):
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

            pair.up = losing(lose_first_three)
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
            pair.queue(b"cmd", 7, confirmed=True)
            pair.send(b"a")
            again = pair.answers[-1].payload
            pair.up = silent
            effects = hear(pair, again)
            if any(isinstance(e, Dropped) and e.reason == "f_cnt_replay" for e in effects):
                refusing.append(version)
            assert not any(isinstance(e, Received) for e in effects)
        assert refusing == [Version.V1_0_4, Version.V1_1]


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
