"""LoRaWAN 1.0 frames, joins and keys beside liblora, a Python implementation out of Semtech's Basic MAC, both ways.

liblora keeps DevAddr and MIC as signed ints. Its 1.1 is that of a draft (one nonce in the accept's MIC, NetID in the
keys), so only 1.0 is compared.
"""

from __future__ import annotations

import struct
from random import Random

import loramsg
import pytest
from frame_cases import DataCase, damaged, data_cases, join_cases
from loracrypto import crypto
from rtlib import Eui

from lorawan.crypto import derive_keys_10
from lorawan.frames import JoinRequest, parse
from lorawan.phy import CodingRate, LoraModulation, lora_airtime_us
from lorawan.secured import (
    join_accept_mic_ok_10,
    join_request_mic_ok,
    open_join_accept,
    recover_f_cnt,
    seal_join_accept_10,
    seal_join_request,
)

FRAMES, JOINS = 4000, 2000


def signed(value: int) -> int:
    """A u32 as liblora takes it."""
    return value - (1 << 32) if value >> 31 else value


def f_ctrl(case: DataCase) -> int:
    return case.adr << 7 | case.bit_6 << 6 | case.ack << 5 | case.bit_4 << 4


def cases_it_speaks(seed: int) -> list[DataCase]:
    """Its MIC and cipher take the counter as a signed int too, but only up to 2^31 − 1."""
    return [case for case in data_cases(seed, FRAMES, is_1_1=False) if case.f_cnt < 1 << 31]


def test_it_builds_the_same_data_frames() -> None:
    for case in cases_it_speaks(41):
        phy = loramsg.pack_dataframe(
            mhdr=case.f_type << 5,
            devaddr=signed(case.dev_addr),
            fctrl=f_ctrl(case),
            fcnt=case.f_cnt,
            fopts=case.f_opts,
            port=case.f_port,
            payload=case.payload,
            nwkskey=case.keys.f_nwk_s_int_key,
            appskey=case.keys.app_s_key,
        )
        assert phy == case.sealed(), case


def test_it_reads_our_data_frames_and_recovers_the_same_counter() -> None:
    random = Random(42)
    for case in cases_it_speaks(42):
        last = max(0, case.f_cnt - random.choice((0, 1, 2, 0x7FFF, 0xFFFF)))
        phy = case.sealed()
        found = loramsg.unpack_dataframe(phy, last, case.keys.f_nwk_s_int_key, case.keys.app_s_key)
        assert found["FCnt"] == recover_f_cnt(last, case.f_cnt & 0xFFFF) == case.f_cnt
        assert (found["MHdr"], found["DevAddr"]) == (case.f_type << 5, signed(case.dev_addr))
        assert found["FCtrl"] == f_ctrl(case) | len(case.f_opts)
        assert (found["FOpts"], found["FRMPayload"]) == (case.f_opts, case.payload)
        assert found["FPort"] == (-1 if case.f_port is None else case.f_port)
        assert struct.pack("<i", found["MIC"]) == phy[-4:]


def test_it_agrees_on_which_frames_are_damaged() -> None:
    random = Random(43)
    for case in cases_it_speaks(43):
        payload = damaged(random, case.sealed())
        assert not case.read(payload)[1]
        with pytest.raises(loramsg.VerifyError):
            loramsg.unpack_dataframe(payload, case.f_cnt, case.keys.f_nwk_s_int_key)


def test_join_requests_both_ways() -> None:
    for case in join_cases(44, JOINS):
        phy = seal_join_request(case.app_key, case.join_eui, case.dev_eui, case.dev_nonce)
        theirs = loramsg.pack_jreq(case.app_key, Eui(int(case.join_eui)), Eui(int(case.dev_eui)), case.dev_nonce)
        assert theirs == phy
        loramsg.verify_jreq(case.app_key, phy)
        found = loramsg.unpack_jreq(phy)
        assert str(found["JoinEUI"]).replace("-", "").lower() == str(case.join_eui)
        assert str(found["DevEUI"]).replace("-", "").lower() == str(case.dev_eui)
        frame = parse(theirs, uplink=True)
        assert isinstance(frame, JoinRequest)
        assert frame.dev_nonce == found["DevNonce"] == case.dev_nonce
        assert join_request_mic_ok(case.app_key, frame)


def test_join_accepts_and_session_keys_both_ways() -> None:
    for case in join_cases(45, JOINS):
        accept = case.accept
        if accept.opt_neg:
            continue
        settings = accept.rx1_dr_offset << 4 | accept.rx2_dr
        phy = seal_join_accept_10(case.app_key, accept)
        theirs = loramsg.pack_jacc(
            case.app_key, accept.join_nonce, accept.net_id, signed(accept.dev_addr), settings, accept.rx_delay_s,
            accept.cf_list or None,
        )  # fmt: skip
        assert theirs == phy
        found = loramsg.unpack_jacc(case.app_key, phy, case.dev_nonce)
        assert (found["AppNonce"], found["NetID"]) == (accept.join_nonce, accept.net_id)
        assert (found["DevAddr"], found["DLSettings"]) == (signed(accept.dev_addr), settings)
        assert (found["RxDelay"], found["CFList"] or b"") == (accept.rx_delay_s, accept.cf_list)
        opened, mic, message = open_join_accept(case.app_key, theirs)
        assert opened == accept
        assert join_accept_mic_ok_10(case.app_key, message, mic)
        keys = derive_keys_10(case.app_key, accept.join_nonce, accept.net_id, case.dev_nonce)
        for kind, ours in ((loramsg.KD_NwkSKey, keys.f_nwk_s_int_key), (loramsg.KD_AppSKey, keys.app_s_key)):
            assert crypto.derive(case.app_key, case.dev_nonce, accept.join_nonce, accept.net_id, kind) == ours


@pytest.mark.parametrize("bandwidth_khz", [125, 250, 500])
@pytest.mark.parametrize("spreading_factor", range(7, 13))
def test_times_on_air(spreading_factor: int, bandwidth_khz: int) -> None:
    modulation = LoraModulation(spreading_factor, bandwidth_khz * 1000)
    for length in range(256):
        for coding_rate in range(1, 5):
            ours = lora_airtime_us(length, modulation, coding_rate=CodingRate(coding_rate))
            theirs = loramsg.airtime(bandwidth_khz, spreading_factor, length, coding_rate)
            assert ours in (theirs, theirs - 1), length  # it rounds a float up
