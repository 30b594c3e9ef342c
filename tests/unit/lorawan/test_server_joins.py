"""The network's side of joins and rejoins, against a device's half made with another library (`join_oracle`)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from join_oracle import Accepted, Oracle

from lorawan import mac_commands as mac
from lorawan.crypto import SessionKeys
from lorawan.frames import DataUp, FCtrlUp, JoinRequest, RejoinRequest02, RejoinRequest1, encode_cf_list, parse
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.machine import Dropped
from lorawan.regions import EU868
from lorawan.secured import seal_up
from lorawan.server import (
    AppUplink,
    Ask,
    JoinAnswer,
    JoinHeard,
    JoinSettings,
    Registration,
    RejoinHeard,
    RequestDone,
    ServerCore,
    ServerEffect,
    ServerPersist,
    UplinkHeard,
)
from lorawan.version import Version

DEV_EUI, JOIN_EUI, ADDR = Eui64(0x70B3D57ED0000001), Eui64(0x70B3D57ED0000000), DevAddr(0x26011234)
APP_KEY, NWK_KEY = AesKey(bytes(range(16))), AesKey(bytes(range(16, 32)))
NET_ID = NetId(0x000013)
ORACLE = Oracle(NWK_KEY, APP_KEY, JOIN_EUI.to_wire(), DEV_EUI.to_wire())
SETTINGS = JoinSettings(NET_ID, rx_delay_s=5, rx1_dr_offset=1, rx2_dr=3, cf_list=encode_cf_list([867_100_000]))
COUNTING, RANDOM = (Version.V1_0_4, Version.V1_1), (Version.V1_0_2, Version.V1_0_3)


def server(version: Version = Version.V1_1, **changes: object) -> ServerCore:
    device = Registration(version, EU868, DEV_EUI, ADDR, SETTINGS, app_key=APP_KEY, nwk_key=NWK_KEY)
    return ServerCore(replace(device, **changes))  # type: ignore[arg-type]  # fields of the registration


def root(version: Version) -> AesKey:
    return NWK_KEY if version.is_1_1 else APP_KEY


def hear(core: ServerCore, payload: bytes, *, tx_ch: int = 0) -> list[ServerEffect]:
    frame = parse(payload, uplink=True)
    match frame:
        case JoinRequest():
            return list(core.handle(JoinHeard(frame), 0))
        case RejoinRequest02() | RejoinRequest1():
            return list(core.handle(RejoinHeard(frame), 0))
        case DataUp():
            return list(core.handle(UplinkHeard(frame, 5.0, 5, tx_ch, 1), 0))
    raise AssertionError(frame)


def accept_of(effects: list[ServerEffect]) -> bytes:
    (answer,) = [effect for effect in effects if isinstance(effect, JoinAnswer)]
    return answer.phy_payload


def reasons(effects: list[ServerEffect]) -> list[str]:
    return [effect.reason for effect in effects if isinstance(effect, Dropped)]


def uplink(accepted: Accepted, f_cnt: int, *, rekey: bool = True, is_1_1: bool = True) -> bytes:
    keys = SessionKeys(*map(AesKey, accepted.keys))
    return seal_up(
        keys,
        is_1_1=is_1_1,
        confirmed=False,
        dev_addr=DevAddr(accepted.dev_addr),
        f_ctrl=FCtrlUp(),
        f_cnt=f_cnt,
        f_opts=mac.RekeyInd(1).encode() if rekey else b"",
        f_port=1,
        payload=b"reading",
        tx_dr=5,
        tx_ch=0,
    )


def joined(core: ServerCore, dev_nonce: int = 0) -> Accepted:
    """Join and send the first uplink."""
    accepted = ORACLE.accept_11(accept_of(hear(core, ORACLE.join_request(dev_nonce))), 0xFF, dev_nonce)
    assert delivered(hear(core, uplink(accepted, 0)))
    return accepted


def delivered(effects: list[ServerEffect]) -> bool:
    return any(isinstance(effect, AppUplink) for effect in effects)


class TestNonces:
    @pytest.mark.parametrize("version", RANDOM, ids=str)
    def test_a_random_dev_nonce_may_fall_and_never_returns(self, version: Version) -> None:
        """LoRaWAN 1.0.2 §6.2.4."""
        core = server(version)
        for nonce in (500, 3, 40_000):
            assert accept_of(hear(core, ORACLE.join_request(nonce, APP_KEY)))
        for nonce in (500, 3, 40_000):
            assert reasons(hear(core, ORACLE.join_request(nonce, APP_KEY))) == ["dev_nonce_replay"]

    @pytest.mark.parametrize("version", COUNTING, ids=str)
    def test_a_counting_dev_nonce_must_rise(self, version: Version) -> None:
        """LoRaWAN 1.0.4 §6.2.5, 1.1 §6.2.2."""
        core = server(version)
        outcomes = [reasons(hear(core, ORACLE.join_request(nonce, root(version)))) for nonce in (0, 5, 5, 4, 6)]
        assert outcomes == [[], [], ["dev_nonce_replay"], ["dev_nonce_replay"], []]

    @pytest.mark.parametrize("version", COUNTING, ids=str)
    def test_join_nonces_rise_by_one(self, version: Version) -> None:
        """LoRaWAN 1.1 §6.2.3: JoinNonce is incremented with every accept."""
        core, seen = server(version), []
        for nonce in range(3):
            answer = accept_of(hear(core, ORACLE.join_request(nonce, root(version))))
            opened = (
                ORACLE.accept_11(answer, 0xFF, nonce) if version.is_1_1 else ORACLE.accept_10(answer, nonce, APP_KEY)
            )
            seen.append(opened.join_nonce)
        assert seen == [1, 2, 3]

    def test_join_nonces_end_rather_than_return(self) -> None:
        core = server()
        assert core.joins is not None
        core.joins.memory = replace(core.joins.memory, join_nonce=0xFFFFFF)
        assert reasons(hear(core, ORACLE.join_request(0))) == ["join_nonce_exhausted"]

    @pytest.mark.parametrize("version", Version, ids=str)
    def test_what_was_taken_is_persisted_before_the_accept_and_outlives_a_restart(self, version: Version) -> None:
        core = server(version)
        persist, answer = hear(core, ORACLE.join_request(7, root(version)))
        assert isinstance(persist, ServerPersist)
        assert isinstance(answer, JoinAnswer)
        again = ServerCore(core.device, persist.memory)
        assert reasons(hear(again, ORACLE.join_request(7, root(version)))) == ["dev_nonce_replay"]

    def test_another_join_eui_is_refused(self) -> None:
        core = server(join_eui=Eui64(5))
        assert reasons(hear(core, ORACLE.join_request(0))) == ["join_eui"]

    def test_a_personalised_device_does_not_join(self) -> None:
        core = server(session_keys=SessionKeys.for_10(APP_KEY, NWK_KEY), version=Version.V1_0_4)
        assert reasons(hear(core, ORACLE.join_request(0, APP_KEY))) == ["activation"]


class TestOptNeg:
    def test_a_network_of_1_1_sets_it_and_both_ends_derive_the_same_keys(self) -> None:
        core = server()
        accepted = joined(core)
        assert accepted.opt_neg
        assert core.session is not None
        kept = core.session.settings.keys
        own = (kept.f_nwk_s_int_key, kept.s_nwk_s_int_key, kept.nwk_s_enc_key, kept.app_s_key)
        assert tuple(map(bytes, own)) == accepted.keys

    def test_a_network_of_1_0_clears_it_and_the_device_falls_back_to_its_nwk_key(self) -> None:
        """LoRaWAN 1.1 §6.1.1.3 and §6.2.3: every key from NwkKey, the MIC of the 1.0 form."""
        core = server(join=replace(SETTINGS, speaks_1_1=False))
        accepted = ORACLE.accept_10(accept_of(hear(core, ORACLE.join_request(9))), 9, NWK_KEY)
        assert not accepted.opt_neg
        assert delivered(hear(core, uplink(accepted, 0, rekey=False, is_1_1=False)))
        assert reasons(hear(core, ORACLE.rejoin_02(0, NET_ID, 0, accepted.keys[1]))) == ["version"]
        assert reasons(hear(core, ORACLE.rejoin_1(0))) == ["version"]


class TestRekey:
    def test_nothing_is_taken_in_a_new_session_before_a_rekey_ind(self) -> None:
        """LoRaWAN 1.1 §5.10."""
        core = server()
        accepted = ORACLE.accept_11(accept_of(hear(core, ORACLE.join_request(0))), 0xFF, 0)
        assert reasons(hear(core, uplink(accepted, 0, rekey=False))) == ["not_rekeyed"]
        assert delivered(hear(core, uplink(accepted, 1)))
        assert delivered(hear(core, uplink(accepted, 2, rekey=False)))

    def test_a_rekey_ind_after_adr_ack_limit_uplinks_is_passed_over(self) -> None:
        """LoRaWAN 1.1 §5.10: the device has gone back to joining by then; ADR_ACK_LIMIT 64 (RP002-1.0.4)."""
        core = server()
        accepted = ORACLE.accept_11(accept_of(hear(core, ORACLE.join_request(0))), 0xFF, 0)
        assert "rekey_late" in reasons(hear(core, uplink(accepted, 65)))
        assert delivered(hear(core, uplink(accepted, 63)))


class TestRejoin:
    @pytest.mark.parametrize("rejoin_type", [0, 2])
    def test_types_0_and_2_are_answered_with_the_keys_of_the_rejoin(self, rejoin_type: int) -> None:
        """LoRaWAN 1.1 §6.2.4.1, §6.2.4.4; §6.2.3 tables 13 and 14: JoinReqType, and JSEncKey enciphers the accept."""
        core = server()
        old = joined(core)
        effects = hear(core, ORACLE.rejoin_02(rejoin_type, NET_ID, 4, old.keys[1]))
        new = ORACLE.accept_11(accept_of(effects), rejoin_type, 4)
        assert new.join_nonce == old.join_nonce + 1
        assert delivered(hear(core, uplink(new, 0)))
        assert not delivered(hear(core, uplink(old, 1)))

    def test_type_1_restores_a_session_that_the_network_has_lost(self) -> None:
        """LoRaWAN 1.1 §6.2.4.2: its MIC is by JSIntKey, no session is needed."""
        core = server()
        new = ORACLE.accept_11(accept_of(hear(core, ORACLE.rejoin_1(0))), 1, 0)
        assert delivered(hear(core, uplink(new, 0)))

    def test_the_old_session_goes_on_until_the_first_uplink_of_the_new_one(self) -> None:
        """LoRaWAN 1.1 §6.2.4, note: both contexts are kept."""
        core = server()
        old = joined(core)
        new = ORACLE.accept_11(accept_of(hear(core, ORACLE.rejoin_02(0, NET_ID, 0, old.keys[1]))), 0, 0)
        assert delivered(hear(core, uplink(old, 1, rekey=False)))
        assert delivered(hear(core, uplink(new, 0)))
        assert reasons(hear(core, uplink(old, 2, rekey=False))) == ["mic"]

    def test_rj_count_0_must_rise_within_a_session_and_begins_anew_with_the_next(self) -> None:
        """LoRaWAN 1.1 §6.2.4.1."""
        core = server()
        old = joined(core)
        outcomes = [
            [r for r in reasons(hear(core, ORACLE.rejoin_02(0, NET_ID, count, old.keys[1]))) if r]
            for count in (3, 3, 2, 4)
        ]
        assert outcomes == [[], ["rj_count_replay"], ["rj_count_replay"], []]
        new = ORACLE.accept_11(accept_of(hear(core, ORACLE.rejoin_02(0, NET_ID, 5, old.keys[1]))), 0, 5)
        assert delivered(hear(core, uplink(new, 0)))
        assert accept_of(hear(core, ORACLE.rejoin_02(0, NET_ID, 0, new.keys[1])))

    def test_rj_count_1_must_rise_over_all_sessions_and_restarts(self) -> None:
        """LoRaWAN 1.1 §6.2.4.2."""
        core = server()
        joined(core)
        assert accept_of(hear(core, ORACLE.rejoin_1(8)))
        joined(core, 1)
        again = ServerCore(core.device, core.memory)
        assert reasons(hear(again, ORACLE.rejoin_1(8))) == ["rj_count_replay"]
        assert accept_of(hear(again, ORACLE.rejoin_1(9)))

    def test_a_rejoin_with_another_key_or_of_another_network_is_refused(self) -> None:
        core = server()
        old = joined(core)
        assert reasons(hear(core, ORACLE.rejoin_02(0, NET_ID, 0, old.keys[0]))) == ["mic"]
        assert reasons(hear(core, ORACLE.rejoin_02(0, 0x000077, 0, old.keys[1]))) == ["net_id"]
        forged = bytearray(ORACLE.rejoin_1(1))
        forged[-1] ^= 1
        assert reasons(hear(core, bytes(forged))) == ["mic"]

    def test_a_device_of_1_0_does_not_rejoin(self) -> None:
        core = server(Version.V1_0_4)
        hear(core, ORACLE.join_request(0, APP_KEY))
        assert reasons(hear(core, ORACLE.rejoin_1(0))) == ["version"]

    def test_type_0_resets_the_radio_and_type_2_keeps_it(self) -> None:
        """LoRaWAN 1.1 §6.2.3: after type 2 channels, windows and link stay as they are."""
        for rejoin_type in (0, 2):
            core = server()
            old = joined(core)
            assert core.session is not None
            core.session.picture = core.session.picture.after_rx_timing_setup(mac.RxTimingSetupReq(delay_s=9))
            effects = hear(core, ORACLE.rejoin_02(rejoin_type, NET_ID, 0, old.keys[1]))
            new = ORACLE.accept_11(accept_of(effects), rejoin_type, 0)
            assert new.rx_delay == (9 if rejoin_type == 2 else 5)
            assert len(new.cf_list) == (0 if rejoin_type == 2 else 16)
            assert delivered(hear(core, uplink(new, 0)))
            assert core.session.picture.windows.rx1_delay_us == new.rx_delay * 1_000_000
            assert core.session.picture.windows.rx1_dr_offset == new.rx1_dr_offset
            assert core.session.picture.plan.channels[3] is not None

    def test_a_rejoin_in_a_session_that_no_uplink_has_shown_yet_is_answered(self) -> None:
        core = server()
        first = ORACLE.accept_11(accept_of(hear(core, ORACLE.join_request(0))), 0xFF, 0)
        assert accept_of(hear(core, ORACLE.rejoin_02(0, NET_ID, 0, first.keys[1])))
        assert delivered(hear(core, uplink(first, 0)))  # the second accept was lost

    def test_force_rejoin_is_asked_until_the_device_rejoins(self) -> None:
        """LoRaWAN 1.1 §5.13: no answer but the rejoin request."""
        core = server()
        old = joined(core)
        request = (mac.ForceRejoinReq(period=0, max_retries=1, rejoin_type=0, data_rate=5),)
        assert list(core.handle(Ask(request), 0))
        hear(core, uplink(old, 1, rekey=False))
        hear(core, uplink(old, 2, rekey=False))
        effects = hear(core, ORACLE.rejoin_02(0, NET_ID, 0, old.keys[1]))
        assert RequestDone(request, None) in effects
        assert core.session is not None
        assert core.session.requests.sent == ()
