"""What gateways and servers in the field have stumbled over, each by its own name.

Met elsewhere, by test: TX_ACK of twelve bytes or with a NUL (test_gwmp_downlink_codec:
test_tx_ack_of_twelve_bytes_or_with_a_nul_means_success); ISO time in stat (test_gwmp_server:
test_an_iso_time_in_a_report_is_taken_and_can_be_told); PULL_ACK in place of TX_ACK (test_gwmp_server:
test_pull_ack_instead_of_tx_ack_and_other_server_datagrams_are_dropped); PUSH_ACK in answer to PULL_DATA
(test_gateway_link: test_push_ack_in_answer_to_pull_data_is_dropped_and_the_gateway_goes_on); frequencies rounded
(test_gwmp_uplink_codec: test_the_frequencies_that_truncation_spoils_are_met); two antennas or a resent datagram
(test_gwmp_server: test_a_second_antenna_or_a_real_repeat_is_no_duplicate and
test_a_resent_datagram_is_acknowledged_again_and_its_frame_dropped).

Sources: the issues named beside each test; PROTOCOL.md 1.6.
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway_fw.errors import GwmpError
from gateway_fw.forwarder import ForwarderConfig, ForwarderCore
from gateway_fw.gwmp import (
    DatagramReceived,
    DownlinkAnswered,
    GatewayLinkCore,
    GwmpServerCore,
    PullData,
    PullResp,
    PushData,
    Rxpk,
    SendDownlink,
    StatReceived,
    TxAck,
    TxError,
    Txpk,
    UplinkReceived,
    decode,
    encode,
)
from gateway_fw.gwmp import gateway as gateway_end
from gateway_fw.gwmp import server as server_end
from gateway_fw.gwmp.gateway import KEEPALIVE_US
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import LoraModulation, Transmit

EUI = Eui64(0xAA555A0000000101)
UP, DOWN, ROAMED = ("192.0.2.1", 4000), ("192.0.2.1", 4001), ("192.0.2.1", 4002)
S = 1_000_000
LORA = LoraModulation(7)


def rxpk(tmst: int = 1, **others: Any) -> Rxpk:
    return Rxpk(tmst, 868_100_000, LORA, None, -80.0, 9.0, b"\x40" + bytes(15), **others)


def of(kind: type, effects: Any) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


def served() -> GwmpServerCore:
    core = GwmpServerCore()
    core.handle(DatagramReceived(encode(PullData(2, 1, EUI)), DOWN), 0)
    return core


def asked(core: GwmpServerCore, reference: int = 5) -> int:
    txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"\x60" * 12, tmst=S, power_dbm=14)
    (sent,) = core.handle(SendDownlink(EUI, txpk, reference), 0)
    assert isinstance(sent, server_end.SendDatagram)
    return decode(sent.data).token


@pytest.mark.parametrize("tail", [b"", b"\0", b"{}", b" \0", b'{"txpk_ack":{}}', b'{"txpk_ack":{"error":""}}'])
def test_an_empty_tx_ack_in_any_spelling_is_a_success(tail: bytes) -> None:
    """helium/semtech-udp #68, gateway-rs #272; Kerlink writes a NUL."""
    core = served()
    bare = encode(TxAck(2, asked(core), EUI))
    assert len(bare) == 12
    (answer,) = core.handle(DatagramReceived(bare + tail, DOWN), S)
    assert answer == DownlinkAnswered(EUI, 5, TxError.NONE, None, None)


def test_tx_ack_may_come_from_the_upstream_socket_or_a_third_address() -> None:
    """lorawan-stack #698, #699: Tektelic; the downlink route stays where PULL_DATA came from."""
    core = served()
    for source in (UP, ROAMED):
        (answer,) = core.handle(DatagramReceived(encode(TxAck(2, asked(core), EUI)), source), S)
        assert isinstance(answer, DownlinkAnswered)
    txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"\x60", imme=True)
    (sent,) = core.handle(SendDownlink(EUI, txpk, 6), S)
    assert isinstance(sent, server_end.SendDatagram)
    assert sent.destination == DOWN


def test_cumulative_counters_are_taken_as_they_are_told() -> None:
    """chirpstack-gateway-bridge #131: Microchip gateways count since they started, the reference per interval."""
    core = GwmpServerCore()
    found = []
    for count in (10, 25, 25):
        text = b'{"stat":{"time":"2014-01-12T08:59:28Z","rxnb":%d,"rxok":%d}}' % (count, count)
        datagram = encode(PushData(2, 3, EUI))[:12] + text
        found += [e.stat.rxnb for e in of(StatReceived, core.handle(DatagramReceived(datagram, UP), 0))]
    assert found == [10, 25, 25]


def test_a_gateway_without_any_acknowledgement_goes_on_for_an_hour() -> None:
    """lorawan-stack #7987: an unknown EUI gets no acknowledgement; that is no sign of a server that is away."""
    core = GatewayLinkCore(EUI)
    pulls = 0
    now = 0
    while now < 3_600 * S:
        now = core.wake_at
        pulls += len(of(gateway_end.SendDatagram, core.wake(now)))
        core.handle(gateway_end.SendUplinks((rxpk(),)), now)
    assert pulls == 721
    assert (core.pull_acked, core.push_acked) == (0, 0)


def test_an_unknown_gateway_is_acknowledged_by_nobody_and_a_known_one_before_its_frames_are_read() -> None:
    """lorawan-stack #7987, and PROTOCOL.md 1.6 §3: the acknowledgement comes first."""
    push = DatagramReceived(encode(PushData(2, 9, EUI, (rxpk(),))), UP)
    assert of(server_end.SendDatagram, GwmpServerCore(known=[Eui64(1)]).handle(push, 0)) == []
    first, second = GwmpServerCore(known=[EUI]).handle(push, 0)
    assert isinstance(first, server_end.SendDatagram)
    assert isinstance(second, UplinkReceived)


def test_the_keepalive_is_what_servers_expect() -> None:
    """The Things Stack shows a gateway as gone after 15 s without PULL_DATA, and expects one every 5 s (docs #1106)."""
    assert KEEPALIVE_US == 5 * S
    assert ForwarderConfig(EUI).keepalive_us == 5 * S


def test_a_resent_datagram_is_one_uplink_however_often_it_comes() -> None:
    """helium/packet-purchaser #29: a missing PUSH_ACK makes relays resend, also with a token of their own."""
    core = GwmpServerCore()
    uplinks = acks = 0
    for token in (1, 1, 2, 3):
        effects = core.handle(DatagramReceived(encode(PushData(2, token, EUI, (rxpk(),))), UP), token * S)
        uplinks += len(of(UplinkReceived, effects))
        acks += len(of(server_end.SendDatagram, effects))
    assert (uplinks, acks) == (1, 4)


@pytest.mark.parametrize("tmst", ["-1", "4294967296", "1e300", "0.5", '"7"'])
def test_a_counter_value_that_no_counter_has_is_refused_with_its_frame_alone(tmst: str) -> None:
    """Seen of Helium forwarders: negative and above 2^32."""
    text = '{"rxpk":[{"tmst":%s,"freq":868.1,"modu":"LORA","datr":"SF7BW125","codr":"4/5","rssi":-80,"data":""}]}'
    core = GwmpServerCore()
    effects = core.handle(DatagramReceived(encode(PushData(2, 3, EUI))[:12] + (text % tmst).encode(), UP), 0)
    assert len(of(server_end.SendDatagram, effects)) == 1
    assert of(UplinkReceived, effects) == []
    assert len(of(Dropped, effects)) == 1


def test_nothing_beyond_32_bits_is_ever_written() -> None:
    """A server that adds a second to tmst must wrap it."""
    with pytest.raises(GwmpError, match="32 bits"):
        encode(PushData(2, 1, EUI, (rxpk(1 << 32),)))
    txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"", tmst=(1 << 32) + 7)
    with pytest.raises(GwmpError, match="32 bits"):
        encode(PullResp(2, 1, txpk))


def test_a_downlink_across_the_wrap_of_the_counter_is_neither_late_nor_early() -> None:
    """tmst is compared modulo 2^32."""
    offset = (1 << 32) - 500_000
    core = ForwarderCore(ForwarderConfig(EUI, counter_offset_us=offset, stat_interval_us=None))
    txpk = Txpk(
        freq_hz=868_100_000, modulation=LORA, payload=b"\x60" * 12, tmst=500_000, power_dbm=14, inverted_polarity=True
    )
    (ack,) = core.handle(DatagramReceived(encode(PullResp(2, 8, txpk))), 0)
    answer = decode(ack.data)  # type: ignore[union-attr]
    assert isinstance(answer, TxAck)
    assert answer.error is TxError.NONE
    (transmit,) = of(Transmit, core.wake(960_000))
    assert transmit.at == S


def test_success_means_queued_and_a_later_loss_is_silent_towards_the_server() -> None:
    """lorawan-stack #18: TX_ACK comes when a frame is queued. What is missed afterwards is told to us alone."""
    core = ForwarderCore(ForwarderConfig(EUI, stat_interval_us=None))
    core.wake(0)
    txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"\x60" * 12, tmst=S, power_dbm=14)
    assert len(core.handle(DatagramReceived(encode(PullResp(2, 8, txpk))), 0)) == 1
    effects = core.wake(2 * S)
    assert [effect.reason for effect in of(Dropped, effects)] == ["missed"]
    assert of(gateway_end.SendDatagram, effects) == []


def test_a_server_that_never_hears_of_a_downlink_again_keeps_nothing_for_ever() -> None:
    """Version 2 tokens are 16 bits: the oldest question is forgotten when its token is used again."""
    core = served()
    for reference in range(70_000):
        asked(core, reference)
    token = asked(core, 70_000)
    (answer,) = core.handle(DatagramReceived(encode(TxAck(2, token, EUI)), DOWN), S)
    assert answer == DownlinkAnswered(EUI, 70_000, TxError.NONE, None, None)


def test_made_up_gateways_do_not_fill_memory() -> None:
    """Where no gateway is known beforehand, those that are met first are served, up to a bound."""
    core = GwmpServerCore(max_gateways=3)
    answered = 0
    for number in range(10):
        effects = core.handle(DatagramReceived(encode(PullData(2, 1, Eui64(number))), DOWN), 0)
        answered += len(of(server_end.SendDatagram, effects))
    assert answered == 3
    (still,) = core.handle(DatagramReceived(encode(PullData(2, 1, Eui64(2))), DOWN), 0)
    assert isinstance(still, server_end.SendDatagram)
