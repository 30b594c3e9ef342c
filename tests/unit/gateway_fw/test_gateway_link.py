"""The gateway end of Semtech UDP by itself."""

from __future__ import annotations

import json

import pytest

from gateway_fw.gwmp import (
    AckDownlink,
    DatagramReceived,
    DownlinkRequested,
    GatewayLinkCore,
    PullAck,
    PullResp,
    PushAck,
    Rxpk,
    SendStat,
    SendUplinks,
    Stat,
    TxError,
    Txpk,
    encode,
)
from gateway_fw.gwmp.gateway import SendDatagram
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import CodingRate, LoraModulation

EUI = Eui64(0xAA555A0000000101)
RXPK = Rxpk(1, 868_100_000, LoraModulation(7), CodingRate.CR_4_5, -90.0, 5.0, b"\x01\x02")
TXPK = Txpk(freq_hz=868_100_000, modulation=LoraModulation(7), payload=b"\x60", imme=True)


def sent(effects: object) -> SendDatagram:
    assert isinstance(effects, tuple)
    (effect,) = effects
    assert isinstance(effect, SendDatagram)
    return effect


def dropped(effects: object) -> Dropped:
    assert isinstance(effects, tuple)
    (effect,) = effects
    assert isinstance(effect, Dropped)
    return effect


def test_it_keeps_alive_from_the_start_on_the_downstream_socket() -> None:
    core = GatewayLinkCore(EUI, keepalive_us=5_000_000, first_token=0xFFFF)
    assert core.wake_at == 0
    first = sent(core.wake(0))
    assert first == SendDatagram(b"\x02\xff\xff\x02" + bytes.fromhex("aa555a0000000101"), upstream=False)
    assert core.wake_at == 5_000_000
    assert core.wake(4_999_999) == ()
    assert sent(core.wake(5_000_000)).data[:4] == b"\x02\x00\x00\x02"
    assert core.pull_sent == 2


def test_missed_keepalives_are_not_made_up_for() -> None:
    core = GatewayLinkCore(EUI, keepalive_us=1_000)
    core.wake(0)
    assert len(core.wake(10_500)) == 1
    assert core.wake_at == 11_500


def test_uplinks_share_a_datagram_on_the_upstream_socket() -> None:
    core = GatewayLinkCore(EUI, first_token=7)
    effect = sent(core.handle(SendUplinks((RXPK, RXPK)), 0))
    assert effect.upstream
    assert effect.data[:4] == b"\x02\x00\x07\x00"
    assert len(json.loads(effect.data[12:])["rxpk"]) == 2


def test_acknowledgements_are_counted_by_kind() -> None:
    core = GatewayLinkCore(EUI)
    core.wake(0)  # token 0
    core.handle(SendUplinks((RXPK,)), 0)  # token 1
    core.handle(SendStat(Stat(rxnb=1)), 0)  # token 2, lost
    assert core.handle(DatagramReceived(encode(PullAck(2, 0))), 0) == ()
    assert core.handle(DatagramReceived(encode(PushAck(2, 1))), 0) == ()
    assert (core.pull_sent, core.pull_acked, core.push_sent, core.push_acked) == (1, 1, 2, 1)


def test_a_second_acknowledgement_of_the_same_datagram_is_dropped() -> None:
    core = GatewayLinkCore(EUI)
    core.handle(SendUplinks((RXPK,)), 0)
    core.handle(DatagramReceived(encode(PushAck(2, 0))), 0)
    assert dropped(core.handle(DatagramReceived(encode(PushAck(2, 0))), 0)).reason == "unexpected_ack"
    assert core.push_acked == 1


def test_push_ack_in_answer_to_pull_data_is_dropped_and_the_gateway_goes_on() -> None:
    core = GatewayLinkCore(EUI)
    core.wake(0)
    assert dropped(core.handle(DatagramReceived(encode(PushAck(2, 0))), 0)).reason == "unexpected_ack"
    assert core.handle(DatagramReceived(encode(PullAck(2, 0))), 0) == ()


def test_an_acknowledgement_of_long_ago_is_no_longer_awaited() -> None:
    core = GatewayLinkCore(EUI)
    for _ in range(65):
        core.handle(SendUplinks((RXPK,)), 0)
    assert dropped(core.handle(DatagramReceived(encode(PushAck(2, 0))), 0)).reason == "unexpected_ack"
    assert core.handle(DatagramReceived(encode(PushAck(2, 1))), 0) == ()


@pytest.mark.parametrize("error", list(TxError))
def test_a_downlink_is_asked_for_and_answered_with_its_token(error: TxError) -> None:
    core = GatewayLinkCore(EUI)
    asked = core.handle(DatagramReceived(encode(PullResp(2, 0xCAFE, TXPK))), 0)
    assert asked == (DownlinkRequested(0xCAFE, 2, TXPK),)
    answer = sent(core.handle(AckDownlink(0xCAFE, error), 0))
    assert not answer.upstream
    assert answer.data[:12] == b"\x02\xca\xfe\x05" + EUI.to_bytes(8, "big")
    expected = b"" if error is TxError.NONE else b'{"txpk_ack":{"error":"%s"}}' % error.value.encode()
    assert answer.data[12:] == expected


def test_version_1_has_no_tx_ack() -> None:
    core = GatewayLinkCore(EUI, version=1)
    assert sent(core.wake(0)).data[0] == 1
    assert core.handle(DatagramReceived(encode(PullResp(1, 0, TXPK))), 0) == (DownlinkRequested(0, 1, TXPK),)
    assert core.handle(AckDownlink(0, TxError.TOO_LATE), 0) == ()


def test_another_version_is_dropped() -> None:
    core = GatewayLinkCore(EUI, version=2)
    assert dropped(core.handle(DatagramReceived(encode(PullResp(1, 0, TXPK))), 0)).reason == "version"


@pytest.mark.parametrize("kind", [0, 2, 5])
def test_what_gateways_send_is_not_for_a_gateway(kind: int) -> None:
    data = bytes([2, 0, 0, kind]) + EUI.to_bytes(8, "big") + (b"{}" if kind == 0 else b"")
    assert dropped(GatewayLinkCore(EUI).handle(DatagramReceived(data), 0)).reason == "unexpected_type"


def test_a_downlink_that_cannot_be_read_is_dropped_without_an_answer() -> None:
    effect = dropped(GatewayLinkCore(EUI).handle(DatagramReceived(b'\x02\0\0\x03{"txpk":{"imme":true}}'), 0))
    assert effect.reason == "malformed"
    assert "freq" in effect.detail


def test_a_keepalive_that_would_never_let_go_is_refused() -> None:
    with pytest.raises(ValueError, match="keepalive"):
        GatewayLinkCore(EUI, keepalive_us=0)
