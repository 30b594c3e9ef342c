"""LoRaWAN 1.0 frames, joins and keys beside pamoja's Rust core (the engine under pamoja-gateway), both ways."""

from __future__ import annotations

from random import Random

import pytest
from frame_cases import DataCase, damaged, data_cases, join_cases, key
from pamoja import raw

from lorawan.crypto import derive_keys_10
from lorawan.frames import JoinRequest, encode_cf_list, parse, parse_cf_list
from lorawan.secured import (
    join_accept_mic_ok_10,
    join_request_mic_ok,
    open_join_accept,
    seal_join_accept_10,
    seal_join_request,
)

FRAMES, JOINS = 4000, 2000


def session(case: DataCase) -> raw.LorawanSession:
    return raw.LorawanSession(int(case.dev_addr), case.keys.f_nwk_s_int_key, case.keys.app_s_key)


def cases_it_speaks(seed: int) -> list[DataCase]:
    """pamoja refuses FOpts beside FPort 0 also where the payload is empty; TS001-1.0.4 §4.3.1.6 only where both are."""
    return [case for case in data_cases(seed, FRAMES, is_1_1=False) if not (case.f_port == 0 and case.f_opts)]


def test_it_builds_the_same_data_frames() -> None:
    built = 0
    for case in cases_it_speaks(31):
        if case.f_port is None or (case.uplink and case.bit_4):  # its encoder has no frame without FPort, nor class B
            continue
        named = {"confirmed": case.confirmed, "adr": case.adr, "ack": case.ack, "fopts": case.f_opts}
        if case.uplink:
            phy = session(case).encode_uplink(case.f_cnt, case.f_port, case.payload, adr_ack_req=case.bit_6, **named)
        else:
            phy = session(case).encode_downlink(case.f_cnt, case.f_port, case.payload, fpending=case.bit_4, **named)
        assert phy == case.sealed(), case
        built += 1
    assert built > FRAMES // 2


def test_it_reads_our_data_frames() -> None:
    for case in cases_it_speaks(32):
        found = session(case).decode(case.sealed(), case.f_cnt)
        assert (found.dev_addr, found.fcnt) == (case.dev_addr, case.f_cnt & 0xFFFF)
        assert (found.direction, found.confirmed) == ("Uplink" if case.uplink else "Downlink", case.confirmed)
        bit_4 = found.class_b if case.uplink else found.fpending
        assert (found.adr, found.adr_ack_req, found.ack, bit_4) == (case.adr, case.bit_6, case.ack, case.bit_4)
        assert (found.fopts, found.fport, found.payload) == (case.f_opts, case.f_port, case.payload)


def test_it_agrees_on_which_frames_are_damaged() -> None:
    random = Random(33)
    for case in cases_it_speaks(33):
        payload = damaged(random, case.sealed())
        assert not case.read(payload)[1]
        with pytest.raises(raw.PamojaError):
            session(case).decode(payload, case.f_cnt)


def test_join_requests_both_ways() -> None:
    for case in join_cases(34, JOINS):
        device = raw.LorawanDevice(case.dev_eui.to_bytes(8, "big"), case.join_eui.to_bytes(8, "big"), case.app_key)
        phy = seal_join_request(case.app_key, case.join_eui, case.dev_eui, case.dev_nonce)
        assert device.join_request(case.dev_nonce) == phy
        frame = parse(phy, uplink=True)
        assert isinstance(frame, JoinRequest)
        assert join_request_mic_ok(case.app_key, frame)
        found = raw.lorawan_parse_join_request(phy, case.app_key)
        assert int.from_bytes(found.dev_eui, "big") == case.dev_eui
        assert (int.from_bytes(found.app_eui, "big"), found.dev_nonce) == (case.join_eui, case.dev_nonce)


def test_join_accepts_and_session_keys_both_ways() -> None:
    for case in join_cases(35, JOINS):
        accept = case.accept
        if accept.opt_neg:
            continue
        settings = accept.rx1_dr_offset << 4 | accept.rx2_dr
        cf_list = accept.cf_list or None
        grant = raw.LorawanGrant(
            accept.join_nonce, accept.net_id, accept.dev_addr, settings, accept.rx_delay_s, cf_list
        )
        phy = seal_join_accept_10(case.app_key, accept)
        assert grant.accept(case.app_key, case.dev_nonce) == phy
        opened, mic, message = open_join_accept(case.app_key, phy)
        assert opened == accept
        assert join_accept_mic_ok_10(case.app_key, message, mic)

        device = raw.LorawanDevice(case.dev_eui.to_bytes(8, "big"), case.join_eui.to_bytes(8, "big"), case.app_key)
        found = device.accept_join(phy, case.dev_nonce)
        assert (found.dev_addr, found.net_id, found.rx_delay) == (accept.dev_addr, accept.net_id, accept.rx_delay_s)
        assert (found.rx1_dr_offset, found.rx2_data_rate) == (accept.rx1_dr_offset, accept.rx2_dr)
        if cf_list:
            assert found.cflist.frequencies_hz() == list(parse_cf_list(cf_list))
        # Its session gives no keys away: a frame of both ends compares them
        keys = derive_keys_10(case.app_key, accept.join_nonce, accept.net_id, case.dev_nonce)
        by_keys = raw.LorawanSession(int(accept.dev_addr), keys.f_nwk_s_int_key, keys.app_s_key)
        for theirs in (found.session(), grant.session(case.app_key, case.dev_nonce)):
            assert theirs.encode_uplink(1, 1, b"any") == by_keys.encode_uplink(1, 1, b"any")


def test_lists_of_frequencies() -> None:
    random = Random(36)
    for _ in range(500):
        freqs_hz = [random.choice((0, random.randrange(10**6, 1 << 24))) * 100 for _ in range(5)]  # below 100 MHz: RFU
        theirs = raw.LorawanCfList.from_frequencies(freqs_hz)
        assert theirs.bytes == encode_cf_list(freqs_hz)
        assert list(parse_cf_list(theirs.bytes)) == freqs_hz


def test_the_key_of_another_device_opens_nothing() -> None:
    random = Random(37)
    for case in cases_it_speaks(37)[:500]:
        stranger = raw.LorawanSession(int(case.dev_addr), key(random), case.keys.app_s_key)
        with pytest.raises(raw.PamojaError):
            stranger.decode(case.sealed(), case.f_cnt)
