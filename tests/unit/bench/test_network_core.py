"""The fleet's core: copies of an uplink become one, and the answer leaves by the best way there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.network import (
    DataAccepted,
    DeviceJoined,
    DeviceProfile,
    DownlinkFailed,
    NetworkConfig,
    NetworkCore,
    NetworkDropped,
    SendToDevice,
)
from bench.network.events import NetworkEffect
from gateway_fw.gwmp import DownlinkAnswered, DownlinkUnsent, Rxpk, SendDownlink, TxError, UplinkReceived
from lorawan.crypto import SessionKeys, derive_keys_10
from lorawan.errors import MisuseError
from lorawan.frames import FCtrlUp
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.operating_class import OperatingClass
from lorawan.phy import CodingRate, LoraModulation, lora_airtime_us
from lorawan.ping_slots import next_ping_slot
from lorawan.secured import seal_join_request, seal_up
from lorawan.server import JoinSettings
from lorawan.version import Version

KEYS = SessionKeys.for_10(AesKey(b"n" * 16), AesKey(b"a" * 16))
OTHER_KEYS = SessionKeys.for_10(AesKey(b"N" * 16), AesKey(b"A" * 16))
APP_KEY = AesKey(b"k" * 16)
ADDR = DevAddr(0x26000001)
GATEWAYS = [Eui64(0xA0 + i) for i in range(3)]
CONFIG = NetworkConfig(JoinSettings(NetId(0x13)), channels_hz=(868_100_000, 868_300_000, 868_500_000))


def abp(eui: int, keys: SessionKeys = KEYS) -> DeviceProfile:
    return DeviceProfile(Eui64(eui), Version.V1_0_3, dev_addr=ADDR, session_keys=keys)


def data(f_cnt: int, *, confirmed: bool = False, keys: SessionKeys = KEYS) -> bytes:
    return seal_up(
        keys,
        is_1_1=False,
        confirmed=confirmed,
        dev_addr=ADDR,
        f_ctrl=FCtrlUp(adr=False, adr_ack_req=False, ack=False, class_b=False),
        f_cnt=f_cnt,
        f_port=5,
        payload=b"reading",
    )


def copy(gateway: int, payload: bytes, snr_db: float, *, tmst: int = 1_000_000, sf: int = 7) -> UplinkReceived:
    rxpk = Rxpk(tmst, 868_100_000, LoraModulation(sf), CodingRate.CR_4_5, -100.0, snr_db, payload)
    return UplinkReceived(GATEWAYS[gateway], rxpk)


def hear(core: NetworkCore, copies: Sequence[UplinkReceived], now: int) -> list[NetworkEffect]:
    """Copies 10 ms apart, then the end of the window."""
    effects: list[NetworkEffect] = []
    for i, event in enumerate(copies):
        effects += core.handle(event, now + 10_000 * i)
    assert effects == []
    assert core.wake_at == now + CONFIG.dedup_window_us
    return list(core.wake(core.wake_at))


def accepted(effects: Sequence[NetworkEffect]) -> list[DataAccepted]:
    return [e for e in effects if isinstance(e, DataAccepted)]


def requests(effects: Sequence[NetworkEffect]) -> list[SendDownlink]:
    return [e for e in effects if isinstance(e, SendDownlink)]


def test_copies_of_three_gateways_are_one_uplink_with_the_best_first() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    payload = data(0)
    (uplink,) = accepted(hear(core, [copy(0, payload, -3.0), copy(1, payload, 4.0), copy(2, payload, -9.0)], 0))
    assert [r.gateway_eui for r in uplink.receptions] == [GATEWAYS[1], GATEWAYS[0], GATEWAYS[2]]
    assert (uplink.payload, uplink.f_port, uplink.f_cnt) == (b"reading", 5, 0)


def test_a_second_antenna_does_not_hold_a_window_open_nor_the_frames_behind_it() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    core.handle(copy(0, data(1), -5.0), 0)
    core.handle(copy(1, data(2), -5.0), 10_000)
    core.handle(copy(0, data(1), 3.0), 190_000)
    assert core.wake_at == 200_000
    (first,) = accepted(core.wake(200_000))
    assert first.receptions[0].snr_db == 3.0
    assert core.wake_at == 210_000


def test_a_gateway_without_a_way_down_is_passed_over() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    (first,) = requests(hear(core, [copy(0, data(1, confirmed=True), 5.0), copy(1, data(1, confirmed=True), 1.0)], 0))
    assert first.gateway_eui == GATEWAYS[0]
    (second,) = core.handle(DownlinkUnsent(GATEWAYS[0], first.reference), 210_000)
    assert isinstance(second, SendDownlink)
    assert second.gateway_eui == GATEWAYS[1]


def test_an_untold_snr_is_taken_for_the_least_that_reception_needs() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    rxpk = replace(copy(0, data(1), 0.0, sf=12).rxpk, snr_db=None)
    core.handle(UplinkReceived(GATEWAYS[0], rxpk), 0)
    (found,) = accepted(core.wake(CONFIG.dedup_window_us))
    assert found.receptions[0].snr_db == -20.0  # SX1276 datasheet rev. 7, table 13


def test_a_copy_after_the_window_is_a_repeat_and_not_new_data() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    payload = data(0)
    hear(core, [copy(0, payload, 1.0)], 0)
    (late,) = hear(core, [copy(1, payload, 9.0)], 5_000_000)
    assert isinstance(late, NetworkDropped)
    assert late.reason == "f_cnt_repeated"


def test_an_acknowledgement_leaves_by_the_best_gateway_in_rx1_on_its_own_clock() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    payload = data(0, confirmed=True)
    (request,) = requests(hear(core, [copy(0, payload, -3.0, tmst=111), copy(1, payload, 4.0, tmst=0xFFFFFFF0)], 0))
    assert request.gateway_eui == GATEWAYS[1]
    assert request.txpk.tmst == (0xFFFFFFF0 + 1_000_000) % 2**32
    assert (request.txpk.freq_hz, request.txpk.modulation) == (868_100_000, LoraModulation(7))
    assert request.txpk.inverted_polarity
    assert request.txpk.no_crc


def test_a_refused_answer_goes_to_the_next_gateway_then_to_rx2_then_fails() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    payload = data(0, confirmed=True)
    effects = hear(core, [copy(0, payload, -3.0), copy(1, payload, 4.0)], 0)
    seen = []
    while requests(effects):
        (request,) = requests(effects)
        window = 2 if request.txpk.freq_hz == 869_525_000 else 1
        seen.append((request.gateway_eui, window))
        refused = DownlinkAnswered(request.gateway_eui, request.reference, TxError.COLLISION_PACKET, None, None)
        effects = list(core.handle(refused, 300_000))
    assert seen == [(GATEWAYS[1], 1), (GATEWAYS[0], 1), (GATEWAYS[1], 2), (GATEWAYS[0], 2)]
    assert effects == [DownlinkFailed(Eui64(1), "COLLISION_PACKET")]


def test_an_accepted_answer_is_not_sent_again() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    (request,) = requests(hear(core, [copy(0, data(0, confirmed=True), 1.0)], 0))
    queued = DownlinkAnswered(request.gateway_eui, request.reference, TxError.NONE, None, None)
    assert list(core.handle(queued, 300_000)) == []
    assert list(core.handle(queued, 300_000)) == []


def test_a_gateway_out_of_airtime_answers_in_rx2_whose_sub_band_is_another() -> None:
    """SF12 downlinks of 12 bytes last 1.155 s: 31 of them fill the 36 s of g1, 10 % of an hour in g3 is 360 s."""
    core = NetworkCore(CONFIG, [abp(1)])
    frequencies = []
    for n in range(40):
        now = n * 20_000_000
        (request,) = requests(hear(core, [copy(0, data(n, confirmed=True), 1.0, sf=12)], now))
        frequencies.append(request.txpk.freq_hz)
    airtime_us = lora_airtime_us(12, LoraModulation(12), crc=False)
    in_rx1 = 36_000_000 // airtime_us
    assert frequencies == [868_100_000] * in_rx1 + [869_525_000] * (40 - in_rx1)


def test_two_devices_of_one_address_are_told_apart_by_their_mic() -> None:
    core = NetworkCore(CONFIG, [abp(1), abp(2, OTHER_KEYS)])
    effects = hear(core, [copy(0, data(0, keys=OTHER_KEYS), 1.0)], 0)
    assert [e.dev_eui for e in accepted(effects)] == [Eui64(2)]


def test_a_frame_of_nobody_is_dropped_by_name() -> None:
    core = NetworkCore(CONFIG, [])
    (dropped,) = hear(core, [copy(0, data(0), 1.0)], 0)
    assert isinstance(dropped, NetworkDropped)
    assert dropped.reason == "unknown_device"


def test_an_application_downlink_goes_out_after_the_next_uplink() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    assert list(core.handle(SendToDevice(Eui64(1), 9, b"valve"), 0)) == []
    assert len(requests(hear(core, [copy(0, data(0), 1.0)], 0))) == 1
    assert requests(hear(core, [copy(0, data(1), 1.0)], 9_000_000)) == []


def test_a_downlink_for_a_device_without_session_fails_at_once() -> None:
    core = NetworkCore(CONFIG, [])
    (failed,) = core.handle(SendToDevice(Eui64(1), 9, b"valve"), 0)
    assert isinstance(failed, DownlinkFailed)


def test_a_join_is_answered_five_seconds_later_and_its_replay_is_not() -> None:
    core = NetworkCore(CONFIG, [DeviceProfile(Eui64(1), Version.V1_0_4, app_key=APP_KEY)])
    request = seal_join_request(APP_KEY, Eui64(2), Eui64(1), 7)
    effects = hear(core, [copy(0, request, 1.0, tmst=5)], 0)
    assert [e.dev_nonce for e in effects if isinstance(e, DeviceJoined)] == [7]
    (accept,) = requests(effects)
    assert accept.txpk.tmst == 5_000_005
    (refused,) = hear(core, [copy(0, request, 1.0)], 9_000_000)
    assert isinstance(refused, NetworkDropped)
    assert refused.reason == "dev_nonce_replay"


def test_a_dev_eui_cannot_be_registered_twice() -> None:
    with pytest.raises(MisuseError, match="0000000000000001"):
        NetworkCore(CONFIG, [abp(1), abp(1)])


def test_addresses_carry_the_nwk_id_of_their_net_id() -> None:
    # TS002 §13.1: type 0, NwkID 0x13 in bits 30…25
    assert NetId(0x000013).dev_addr(5) == DevAddr(0x13 << 25 | 5)


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(5, 12), st.sampled_from([125_000, 250_000, 500_000]))
def test_no_bytes_stop_the_network(payload: bytes, sf: int, bw_hz: int) -> None:
    core = NetworkCore(CONFIG, [abp(1), DeviceProfile(Eui64(9), Version.V1_1, app_key=APP_KEY, nwk_key=APP_KEY)])
    rxpk = Rxpk(1, 868_100_000, LoraModulation(sf, bw_hz), CodingRate.CR_4_5, -100.0, 1.0, payload)
    effects = [*core.handle(UplinkReceived(GATEWAYS[0], rxpk), 0), *core.wake(CONFIG.dedup_window_us)]
    assert [type(e) for e in effects] == [NetworkDropped]


@settings(max_examples=150)
@given(st.data())
def test_no_mutation_of_a_genuine_frame_is_accepted(draw: st.DataObject) -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    payload = bytearray(data(3))
    payload[draw.draw(st.integers(0, len(payload) - 1))] ^= draw.draw(st.integers(1, 255))
    effects = hear(core, [copy(0, bytes(payload), 1.0)], 0)
    assert [type(e) for e in effects] == [NetworkDropped]


def test_a_refused_downlink_costs_the_gateway_no_airtime() -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    for n in range(60):  # more than 31 transmissions of 1.155 s would fill RX1's 36 s
        now = n * 20_000_000
        (request,) = requests(hear(core, [copy(0, data(n, confirmed=True), 1.0, sf=12)], now))
        assert request.txpk.freq_hz == 868_100_000
        for _ in range(2):
            refused = DownlinkAnswered(GATEWAYS[0], request.reference, TxError.COLLISION_PACKET, None, None)
            core.handle(refused, now + 300_000)


def test_a_lost_accept_leaves_the_old_session_alive() -> None:
    core = NetworkCore(CONFIG, [DeviceProfile(Eui64(1), Version.V1_0_4, app_key=APP_KEY)])
    addr = NetId(0x13).dev_addr(0)

    def accept(nonce: int, now: int) -> SessionKeys:
        hear(core, [copy(0, seal_join_request(APP_KEY, Eui64(2), Eui64(1), nonce), 1.0)], now)
        return derive_keys_10(APP_KEY, nonce, NetId(0x13), nonce)  # JoinNonce counts as DevNonce does here

    def uplink(keys: SessionKeys, f_cnt: int, now: int) -> list[NetworkEffect]:
        f_ctrl = FCtrlUp(adr=False, adr_ack_req=False, ack=False, class_b=False)
        payload = seal_up(
            keys, is_1_1=False, confirmed=False, dev_addr=addr, f_ctrl=f_ctrl, f_cnt=f_cnt, f_port=1, payload=b"x"
        )
        return hear(core, [copy(0, payload, 1.0)], now)

    old = accept(1, 0)
    assert len(accepted(uplink(old, 0, 20_000_000))) == 1
    new = accept(2, 40_000_000)
    assert len(accepted(uplink(old, 1, 60_000_000))) == 1  # the accept was lost: the device goes on
    assert len(accepted(uplink(new, 0, 80_000_000))) == 1  # it was not: the new session begins
    assert accepted(uplink(old, 2, 100_000_000)) == []


def test_a_join_for_another_join_server_is_refused() -> None:
    core = NetworkCore(CONFIG, [DeviceProfile(Eui64(1), Version.V1_0_4, Eui64(2), app_key=APP_KEY)])
    (dropped,) = hear(core, [copy(0, seal_join_request(APP_KEY, Eui64(0xDEAD), Eui64(1), 7), 1.0)], 0)
    assert isinstance(dropped, NetworkDropped)
    assert dropped.reason == "join_eui"


def test_devices_by_personalisation_are_answered_in_their_factory_windows() -> None:
    slow = NetworkConfig(JoinSettings(NetId(0x13), rx_delay_s=5, rx1_dr_offset=2), channels_hz=CONFIG.channels_hz)
    core = NetworkCore(slow, [abp(1)])
    core.handle(copy(0, data(0, confirmed=True), 1.0, tmst=7), 0)
    (request,) = requests(core.wake(CONFIG.dedup_window_us))
    assert (request.txpk.tmst, request.txpk.modulation) == (1_000_007, LoraModulation(7))


@settings(max_examples=150)
@given(st.binary(max_size=15), st.one_of(st.none(), st.integers(0, 255)), st.binary(max_size=50), st.booleans())
def test_no_genuine_frame_stops_the_network(f_opts: bytes, f_port: int | None, payload: bytes, confirmed: bool) -> None:
    core = NetworkCore(CONFIG, [abp(1)])
    if f_port == 0:
        f_opts = b""
    frame = seal_up(
        KEYS,
        is_1_1=False,
        confirmed=confirmed,
        dev_addr=ADDR,
        f_ctrl=FCtrlUp(adr=True, adr_ack_req=True, ack=True, class_b=False),
        f_cnt=0,
        f_opts=f_opts,
        f_port=f_port,
        payload=payload if f_port is not None else b"",
    )
    effects = hear(core, [copy(0, frame, 9.0)], 0)
    assert len(accepted(effects)) == 1
    assert len(requests(effects)) == 1  # ADRACKReq wants an answer


@pytest.mark.parametrize(
    ("net_id", "dev_addr"),
    [  # TS002 §13, one of each type: prefix bits, NwkID, NwkAddr of ones
        (0x00003F, 0x7FFFFFFF),
        (0x20003F, 0xBFFFFFFF),
        (0x4001FF, 0xDFFFFFFF),
        (0x6007FF, 0xEFFFFFFF),
        (0x800FFF, 0xF7FFFFFF),
        (0xA01FFF, 0xFBFFFFFF),
        (0xC07FFF, 0xFDFFFFFF),
        (0xE1FFFF, 0xFEFFFFFF),
    ],
)
def test_addresses_of_every_type_of_net_id(net_id: int, dev_addr: int) -> None:
    assert NetId(net_id).dev_addr(0xFFFFFFFF) == DevAddr(dev_addr)


class TestBetweenUplinks:
    """Class B and C: by the gateway that heard the device last (LoRaWAN 1.1 §15.5)."""

    GPS = 1_400_000_000_000_000

    def heard(self, operating_class: OperatingClass, *, class_b: bool = False) -> NetworkCore:
        """A network that has heard the device by two gateways, the second better."""
        profile = replace(abp(1), operating_class=operating_class)
        core = NetworkCore(replace(CONFIG, gps_at_origin_us=self.GPS), [profile])
        payload = seal_up(
            KEYS,
            is_1_1=False,
            confirmed=False,
            dev_addr=ADDR,
            f_ctrl=FCtrlUp(class_b=class_b),
            f_cnt=1,
            f_port=5,
            payload=b"x",
        )
        core.handle(copy(0, payload, 1.0), 0)
        core.handle(copy(1, payload, 9.0), 0)
        assert core.wake_at is not None
        core.wake(core.wake_at)
        return core

    def test_class_c_is_sent_at_once_where_rx2_listens(self) -> None:
        core = self.heard(OperatingClass.C)
        (send,) = requests(core.handle(SendToDevice(Eui64(1), 10, b"now"), 60_000_000))
        assert isinstance(send, SendDownlink)
        txpk = send.txpk
        assert send.gateway_eui == GATEWAYS[1]
        assert (txpk.imme, txpk.tmst, txpk.tmms) == (True, None, None)
        assert (txpk.freq_hz, txpk.modulation, txpk.inverted_polarity) == (869_525_000, LoraModulation(12), True)

    def test_class_c_waits_for_the_class_a_windows(self) -> None:
        core = self.heard(OperatingClass.C)
        assert core.handle(SendToDevice(Eui64(1), 10, b"now"), 300_000) == []
        assert core.wake_at == 3_000_000  # RX2 after 2 s, and a second for it
        (send,) = requests(core.wake(3_000_000))
        assert isinstance(send, SendDownlink)
        assert core.wake_at is None

    def test_a_gateway_that_refuses_is_followed_by_the_next(self) -> None:
        core = self.heard(OperatingClass.C)
        (send,) = requests(core.handle(SendToDevice(Eui64(1), 10, b"now"), 60_000_000))
        assert isinstance(send, SendDownlink)
        refusal = DownlinkAnswered(GATEWAYS[1], send.reference, TxError.COLLISION_PACKET, None, None)
        (again,) = core.handle(refusal, 60_010_000)
        assert isinstance(again, SendDownlink)
        assert again.gateway_eui == GATEWAYS[0]

    def test_class_b_is_sent_as_gps_time_of_the_slot(self) -> None:
        core = self.heard(OperatingClass.A, class_b=True)
        assert core.handle(SendToDevice(Eui64(1), 10, b"slot"), 60_000_000) == []
        assert core.wake_at is not None
        (send,) = requests(core.wake(core.wake_at))
        assert isinstance(send, SendDownlink)
        txpk = send.txpk
        slot_us = next_ping_slot(ADDR, 7, self.GPS + 60_000_000)
        assert txpk.tmms is not None
        assert abs(txpk.tmms * 1000 - slot_us) <= 500
        assert (txpk.imme, txpk.tmst, txpk.freq_hz, txpk.modulation) == (False, None, 869_525_000, LoraModulation(9))

    def test_a_device_in_class_a_is_not_reached(self) -> None:
        core = self.heard(OperatingClass.A)
        assert core.handle(SendToDevice(Eui64(1), 10, b"later"), 60_000_000) == []
        assert core.wake_at is None
