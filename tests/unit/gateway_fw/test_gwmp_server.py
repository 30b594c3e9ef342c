"""The server end of Semtech UDP by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway_fw.gwmp import (
    DatagramReceived,
    DownlinkAnswered,
    DownlinkUnsent,
    GwmpServerCore,
    PullAck,
    PullData,
    PullResp,
    PushAck,
    PushData,
    Rxpk,
    SendDownlink,
    Stat,
    StatReceived,
    TxAck,
    TxError,
    Txpk,
    UplinkReceived,
    decode,
    encode,
)
from gateway_fw.gwmp.server import GwmpServerEffect, SendDatagram
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import CodingRate, LoraModulation

EUI = Eui64(0xAA555A0000000101)
OTHER = Eui64(0xAA555A0000000102)
UP, DOWN, ELSEWHERE = ("192.0.2.1", 4001), ("192.0.2.1", 4002), ("192.0.2.9", 9)
RXPK = Rxpk(1, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, -90.0, 5.0, b"\x01\x02")
TXPK = Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=b"\x60", tmst=5)


def reasons(effects: Sequence[GwmpServerEffect]) -> list[str]:
    return [effect.reason for effect in effects if isinstance(effect, Dropped)]


def pulled(core: GwmpServerCore, eui: Eui64 = EUI, *, version: int = 2) -> None:
    (effect,) = core.handle(DatagramReceived(encode(PullData(version, 9, eui)), DOWN), 0)
    assert effect == SendDatagram(encode(PullAck(version, 9)), DOWN)


@pytest.mark.parametrize("version", [1, 2])
def test_an_uplink_is_acknowledged_first_with_its_token_and_version(version: int) -> None:
    stat = Stat(rxnb=3)
    data = encode(PushData(version, 0xABCD, EUI, (RXPK, replace(RXPK, tmst=2)), stat))
    assert list(GwmpServerCore().handle(DatagramReceived(data, UP), 0)) == [
        SendDatagram(bytes([version, 0xAB, 0xCD, 1]), UP),
        UplinkReceived(EUI, RXPK),
        UplinkReceived(EUI, replace(RXPK, tmst=2)),
        StatReceived(EUI, stat),
    ]


def test_downlinks_go_where_pull_data_came_from_and_not_push_data() -> None:
    core = GwmpServerCore()
    pulled(core)
    core.handle(DatagramReceived(encode(PushData(2, 1, EUI, (RXPK,))), UP), 1)
    (effect,) = core.handle(SendDownlink(EUI, TXPK, 1), 2)
    assert isinstance(effect, SendDatagram)
    assert effect.destination == DOWN
    packet = decode(effect.data)
    assert isinstance(packet, PullResp)
    assert packet.txpk == TXPK


def test_a_gateway_that_moved_is_followed() -> None:
    core = GwmpServerCore()
    pulled(core)
    core.handle(DatagramReceived(encode(PullData(2, 1, EUI)), ELSEWHERE), 1)
    (effect,) = core.handle(SendDownlink(EUI, TXPK, 1), 2)
    assert isinstance(effect, SendDatagram)
    assert effect.destination == ELSEWHERE


def test_without_pull_data_there_is_no_way_down() -> None:
    core = GwmpServerCore()
    core.handle(DatagramReceived(encode(PushData(2, 1, EUI, (RXPK,))), UP), 0)
    assert core.handle(SendDownlink(EUI, TXPK, 7), 0) == (DownlinkUnsent(EUI, 7),)


@pytest.mark.parametrize("error", list(TxError))
def test_the_answer_finds_its_request_also_from_the_upstream_socket(error: TxError) -> None:
    core = GwmpServerCore(first_token=0xFFFF)
    pulled(core)
    tokens = []
    for reference in (10, 11):
        (effect,) = core.handle(SendDownlink(EUI, TXPK, reference), 0)
        assert isinstance(effect, SendDatagram)
        tokens.append(decode(effect.data).token)
    assert tokens == [0xFFFF, 0]
    for token, reference in zip(reversed(tokens), (11, 10), strict=True):
        (answer,) = core.handle(DatagramReceived(encode(TxAck(2, token, EUI, error)), UP), 1)
        assert answer == DownlinkAnswered(EUI, reference, error, None, None)


def test_a_power_warning_is_a_success_with_the_power_used() -> None:
    core = GwmpServerCore()
    pulled(core)
    core.handle(SendDownlink(EUI, TXPK, 5), 0)
    (effect,) = core.handle(DatagramReceived(encode(TxAck(2, 0, EUI, TxError.NONE, "TX_POWER", 27.0)), DOWN), 1)
    assert effect == DownlinkAnswered(EUI, 5, TxError.NONE, "TX_POWER", 27.0)


def test_an_answer_nobody_waits_for_is_dropped() -> None:
    core = GwmpServerCore()
    pulled(core)
    core.handle(SendDownlink(EUI, TXPK, 5), 0)
    ack = DatagramReceived(encode(TxAck(2, 0, EUI)), DOWN)
    stranger = DatagramReceived(encode(TxAck(2, 0, OTHER)), DOWN)
    assert reasons(core.handle(stranger, 1)) == ["unexpected_tx_ack"]
    assert reasons(core.handle(ack, 1)) == []
    assert reasons(core.handle(ack, 1)) == ["unexpected_tx_ack"]


@pytest.mark.parametrize("kind", [1, 3, 4])
def test_pull_ack_instead_of_tx_ack_and_other_server_datagrams_are_dropped(kind: int) -> None:
    core = GwmpServerCore()
    pulled(core)
    core.handle(SendDownlink(EUI, TXPK, 5), 0)
    assert reasons(core.handle(DatagramReceived(bytes([2, 0, 0, kind]), DOWN), 1)) == ["unexpected_type"]


def test_a_version_1_gateway_is_answered_in_version_1_and_not_waited_for() -> None:
    core = GwmpServerCore(first_token=77)
    pulled(core, version=1)
    for _ in range(2):
        (effect,) = core.handle(SendDownlink(EUI, TXPK, 1), 0)
        assert isinstance(effect, SendDatagram)
        assert effect.data[:4] == b"\x01\x00\x00\x03"  # the token is unused
    assert reasons(core.handle(DatagramReceived(encode(TxAck(1, 0, EUI)), DOWN), 1)) == ["unexpected_tx_ack"]


@pytest.mark.parametrize("packet", [PushData(2, 1, OTHER, (RXPK,)), PullData(2, 1, OTHER), TxAck(2, 1, OTHER)])
def test_an_unknown_gateway_gets_no_answer(packet: PushData | PullData | TxAck) -> None:
    core = GwmpServerCore({EUI})
    (effect,) = core.handle(DatagramReceived(encode(packet), UP), 0)
    assert isinstance(effect, Dropped)
    assert (effect.reason, effect.detail) == ("unknown_gateway", str(OTHER))
    assert core.handle(SendDownlink(OTHER, TXPK, 1), 0) == (DownlinkUnsent(OTHER, 1),)
    pulled(core)


def test_a_resent_datagram_is_acknowledged_again_and_its_frame_dropped() -> None:
    core = GwmpServerCore()
    first = DatagramReceived(encode(PushData(2, 1, EUI, (RXPK,))), UP)
    again = DatagramReceived(encode(PushData(2, 2, EUI, (RXPK,))), UP)
    core.handle(first, 0)
    effects = core.handle(again, 2_000_000)
    assert effects[0] == SendDatagram(encode(PushAck(2, 2)), UP)
    assert reasons(effects) == ["duplicate_rxpk"]
    assert len(effects) == 2


@pytest.mark.parametrize(
    "twin",
    [
        replace(RXPK, tmst=2),  # a real retransmission
        replace(RXPK, antenna=1),
        replace(RXPK, rf_chain=1),
        replace(RXPK, rssi_dbm=-95.0),
        replace(RXPK, channel=8),
    ],
)
def test_a_second_antenna_or_a_real_repeat_is_no_duplicate(twin: Rxpk) -> None:
    core = GwmpServerCore()
    effects = core.handle(DatagramReceived(encode(PushData(2, 1, EUI, (RXPK, twin))), UP), 0)
    assert [effect.rxpk for effect in effects if isinstance(effect, UplinkReceived)] == [RXPK, twin]


def test_the_same_frame_from_two_gateways_is_no_duplicate() -> None:
    core = GwmpServerCore()
    for eui in (EUI, OTHER):
        assert reasons(core.handle(DatagramReceived(encode(PushData(2, 1, eui, (RXPK,))), UP), 0)) == []


def test_the_counter_may_come_back_to_a_value_after_it_has_wrapped() -> None:
    core = GwmpServerCore()
    data = DatagramReceived(encode(PushData(2, 1, EUI, (RXPK,))), UP)
    core.handle(data, 0)
    assert reasons(core.handle(data, 1 << 32)) == []


def test_json_that_cannot_be_read_is_acknowledged_so_that_nobody_resends_it() -> None:
    data = b"\x02\x00\x07\x00" + EUI.to_bytes(8, "big") + b"{rxpk"
    effects = GwmpServerCore().handle(DatagramReceived(data, UP), 0)
    assert effects[0] == SendDatagram(encode(PushAck(2, 7)), UP)
    assert reasons(effects) == ["malformed"]


def test_good_frames_beside_a_bad_one_are_delivered_and_the_bad_one_reported() -> None:
    good = encode(PushData(2, 7, EUI, (RXPK,)))
    data = good[:-2] + b',{"tmst":"soon"}]}'
    effects = GwmpServerCore().handle(DatagramReceived(data, UP), 0)
    assert UplinkReceived(EUI, RXPK) in effects
    assert reasons(effects) == ["malformed_element"]


def test_an_iso_time_in_a_report_is_taken_and_can_be_told() -> None:
    data = encode(PushData(2, 7, EUI, (), Stat(time="2015-11-24T10:11:12Z", rxnb=1)))
    effects = GwmpServerCore().handle(DatagramReceived(data, UP), 0)
    received = effects[1]
    assert isinstance(received, StatReceived)
    assert received.stat.time_is_iso


@pytest.mark.parametrize(
    "data", [b"", b"\x02", b"\x05\x00\x00\x00" + bytes(8), b"\x02\x00\x00\x09", b"\x02\x00\x00\x02\x01"]
)
def test_what_has_no_header_is_dropped(data: bytes) -> None:
    assert reasons(GwmpServerCore().handle(DatagramReceived(data, UP), 0)) == ["malformed"]


def test_it_has_no_timers() -> None:
    core = GwmpServerCore()
    assert core.wake_at is None
    assert core.wake(10) == ()
