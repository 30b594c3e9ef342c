"""Both ends of Basics Station joined in memory: frames come through, downlinks are on time, connections come back."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from station_pair import StationPair
from station_values import up_frames

from gateway_fw.gwmp import DownlinkAnswered, SendDownlink, TxError, Txpk, UplinkReceived
from gateway_fw.station import (
    Configured,
    DeviceClass,
    Disconnected,
    DnMsg,
    DnSched,
    DownlinkOnAir,
    DownlinkUnconfirmed,
    GatewayConnected,
    GatewayGone,
    Scheduled,
    SendDnMsg,
    SendDnSched,
    StationGatewayConfig,
    StationGatewayCore,
    StationServerCore,
    StationUplink,
    TellTime,
    Window,
    eu868_config,
)
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import Heard, LoraModulation, Transmit

EUI = Eui64(0x58A0CBFFFE800019)
DEVICE = Eui64(0x70B3D57ED0000001)
ORIGIN_UNIX_US = 1_764_000_000_000_000
S = 1_000_000
UPLINK = bytes.fromhex("40010000008002000155AA11223344")


def pair(*, no_duty_cycle: bool | None = True, known: Any = None, **options: Any) -> StationPair:
    server = StationServerCore(
        eu868_config(no_duty_cycle=no_duty_cycle),
        known,
        origin_unix_us=ORIGIN_UNIX_US,
        rx2=Window(0, 869_525_000),
    )
    return StationPair(server, StationGatewayCore(StationGatewayConfig(EUI, "ws://lns:3001", **options)))


def heard(at: int, payload: bytes = UPLINK, freq_hz: int = 868_100_000, sf: int = 7) -> Heard:
    return Heard(at, payload, freq_hz, LoraModulation(sf), -101.4, 6.3, 56_576)


def of(kind: type, found: list[tuple[int, Any]]) -> list[Any]:
    return [effect for _, effect in found if isinstance(effect, kind)]


def answer_in_rx1(effect: Any) -> Iterable[Any]:
    """A Semtech UDP downlink a second after every uplink; its payload begins with the tmst it is for."""
    if isinstance(effect, UplinkReceived):
        rxpk = effect.rxpk
        tmst = (rxpk.tmst + S) & 0xFFFFFFFF
        yield SendDownlink(
            effect.gateway_eui,
            Txpk(
                freq_hz=rxpk.freq_hz,
                modulation=rxpk.modulation,
                payload=tmst.to_bytes(4, "big") + bytes(8),
                tmst=tmst,
                inverted_polarity=True,
                no_crc=True,
            ),
            rxpk.tmst,
        )


def test_a_gateway_finds_its_way_and_is_set_up() -> None:
    net = pair()
    net.run(1 * S)
    assert net.attempts == ["ws://lns:3001/router-info", f"ws://lns:3001/router-{EUI}"]
    (connected,) = of(GatewayConnected, net.at_server)
    assert (connected.gateway_eui, connected.version.protocol) == (EUI, 2)
    (configured,) = of(Configured, net.at_gateway)
    assert configured.config.concentrators == eu868_config().concentrators
    assert net.gateway.connected
    assert not of(Dropped, net.at_server + net.at_gateway)


def test_an_uplink_arrives_as_it_was_heard_with_the_chips_resolution() -> None:
    net = pair(counter_offset_us=(1 << 32) - 5)
    net.run(1 * S)
    net.to_gateway(heard(net.now))
    net.run(2 * S)
    (uplink,) = of(StationUplink, net.at_server)
    info = uplink.uplink.upinfo
    assert (uplink.uplink.payload, uplink.uplink.dr, uplink.uplink.freq_hz) == (UPLINK, 5, 868_100_000)
    assert (info.rssi_dbm, info.snr_db) == (-101.0, 6.25)
    assert info.xtime == 1 << 48 | (1 * S + (1 << 32) - 5)
    (received,) = of(UplinkReceived, net.at_server)
    assert received.rxpk.tmst == 1 * S - 5
    assert (received.rxpk.payload, received.rxpk.modulation) == (UPLINK, LoraModulation(7))
    session = net.server.session(EUI)
    assert session is not None
    assert session.round_trip_us == pytest.approx(2 * 3_000, abs=2)  # the MuxTime it came with, and back
    assert info.rx_unix_s == pytest.approx((ORIGIN_UNIX_US + 1 * S) / S, abs=0.004)


def test_a_downlink_of_a_semtech_udp_network_core_is_sent_at_its_microsecond_and_answered_when_on_air() -> None:
    net = pair()
    net.react = answer_in_rx1
    net.run(1 * S)
    net.to_gateway(heard(net.now))
    net.run(4 * S)
    ((programmed_at, transmit),) = [(at, e) for at, e in net.at_gateway if isinstance(e, Transmit)]
    assert transmit.at == 2 * S
    assert programmed_at == 2 * S - 20_000
    assert (transmit.freq_hz, transmit.modulation, transmit.inverted_iq, transmit.crc) == (
        868_100_000,
        LoraModulation(7),
        True,
        False,
    )
    assert transmit.power_dbm == 16.0
    ((answered_at, answered),) = [(at, e) for at, e in net.at_server if isinstance(e, DownlinkAnswered)]
    assert answered == DownlinkAnswered(EUI, 1 * S, TxError.NONE, None, None)
    assert answered_at == 2 * S + 5_000 + 3_000
    (on_air,) = of(DownlinkOnAir, net.at_server)
    assert on_air.dntxed.xtime == 1 << 48 | 2 * S
    assert on_air.dntxed.tx_time_s == pytest.approx((ORIGIN_UNIX_US + 2 * S) / S, abs=0.004)


def class_a(xtime: int | None, **changes: Any) -> DnMsg:
    fields: dict[str, Any] = {
        "dev_eui": DEVICE,
        "device_class": DeviceClass.A,
        "diid": 0,
        "pdu": bytes(12),
        "rx1": Window(5, 868_100_000),
        "rx2": Window(0, 869_525_000),
        "xtime": xtime,
    }
    return DnMsg(**fields | changes)


def test_a_frame_that_comes_too_late_for_rx1_goes_in_rx2_with_its_power() -> None:
    net = pair()
    net.run(1 * S)
    net.to_gateway(heard(net.now))
    net.run(2 * S - 10_000)
    net.to_server(SendDnMsg(EUI, class_a(1 << 48 | 1 * S), 5))
    net.run(9 * S)
    (transmit,) = of(Transmit, net.at_gateway)
    assert (transmit.at, transmit.freq_hz, transmit.modulation.sf) == (3 * S, 869_525_000, 12)
    assert transmit.power_dbm == 27.0
    (on_air,) = of(DownlinkOnAir, net.at_server)
    assert (on_air.reference, on_air.dntxed.window) == (5, Window(0, 869_525_000))


def test_a_frame_too_late_for_both_windows_is_lost_and_the_server_says_so() -> None:
    net = pair()
    net.run(5 * S)
    net.to_server(SendDnMsg(EUI, class_a(1 << 48 | 1 * S), 5))
    net.run(20 * S)
    assert [drop.reason for drop in of(Dropped, net.at_gateway)] == ["too_late"]
    assert of(DownlinkUnconfirmed, net.at_server) == [DownlinkUnconfirmed(EUI, 5)]


def test_an_xtime_of_an_earlier_session_is_refused() -> None:
    net = pair()
    net.run(1 * S)
    net.cut()
    net.run(5 * S)
    net.to_server(SendDnMsg(EUI, class_a(1 << 48 | 5 * S), 5))
    net.run(7 * S)
    assert "obsolete_xtime" in [drop.reason for drop in of(Dropped, net.at_gateway)]
    assert not of(Transmit, net.at_gateway)


def test_class_c_is_sent_at_once() -> None:
    net = pair()
    net.run(1 * S)
    message = class_a(None, device_class=DeviceClass.C, rx1=None)
    net.to_server(SendDnMsg(EUI, message, 1))
    net.run(9 * S)
    (transmit,) = of(Transmit, net.at_gateway)
    assert transmit.at == 1 * S + 3_000 + 20_000
    assert len(of(DownlinkOnAir, net.at_server)) == 1


def test_gps_time_is_learned_from_the_server_to_the_microsecond_and_class_b_uses_it() -> None:
    net = pair(pps_phase_us=ORIGIN_PPS_PHASE_US)
    net.run(3 * S)
    net.to_gateway(heard(net.now))
    net.run(4 * S)
    (uplink,) = of(StationUplink, net.at_server)
    assert uplink.uplink.upinfo.gpstime_us == gps_us(3 * S)
    slot = DnMsg(
        dev_eui=DEVICE,
        device_class=DeviceClass.B,
        diid=0,
        pdu=bytes(12),
        slot=Window(3, 869_525_000),
        gpstime_us=gps_us(9 * S + 123),
    )
    net.to_server(SendDnMsg(EUI, slot, 1))
    net.run(10 * S)
    (transmit,) = of(Transmit, net.at_gateway)
    assert transmit.at == 9 * S + 123
    assert of(DownlinkOnAir, net.at_server)[0].dntxed.gpstime_us == gps_us(9 * S + 123)


def gps_us(at: int) -> int:
    return at + ORIGIN_UNIX_US - 315_964_800 * S + 18 * S


ORIGIN_PPS_PHASE_US = -(ORIGIN_UNIX_US) % S


def test_a_server_may_tell_the_time_of_an_xtime_and_schedule_frames_for_groups() -> None:
    net = pair()
    net.run(1 * S)
    net.to_server(SendDnSched(EUI, DnSched((Scheduled(pdu=bytes(5), window=Window(5, 868_100_000), gpstime_us=7),))))
    net.run(2 * S)
    assert [drop.reason for drop in of(Dropped, net.at_gateway)] == ["no_gps_time"]
    net.to_server(TellTime(EUI, 1 << 48 | 2 * S, 1_000_000_000 * S))
    frame = Scheduled(pdu=bytes(5), window=Window(5, 868_100_000), gpstime_us=1_000_000_003 * S)
    later = Scheduled(pdu=bytes(6), window=Window(5, 868_300_000), xtime=1 << 48 | 6 * S)
    net.to_server(SendDnSched(EUI, DnSched((frame, later))))
    net.run(9 * S)
    assert [(t.at, len(t.payload)) for t in of(Transmit, net.at_gateway)] == [(5 * S, 5), (6 * S, 6)]
    assert not of(DownlinkOnAir, net.at_server)  # nobody waits for these


def test_frames_heard_while_the_server_is_away_wait_and_arrive_in_order() -> None:
    net = pair()
    net.run(1 * S)
    net.reachable = False
    net.cut()
    payloads = [b"\xe0" + bytes((index,)) for index in range(70)]
    for payload in payloads:
        net.run(net.now + 100_000)
        net.to_gateway(heard(net.now, payload))
    net.reachable = True
    net.run(net.now + 120 * S)
    assert [effect.uplink.payload for effect in of(StationUplink, net.at_server)] == payloads[6:]
    assert net.gateway.counters.overflowed == 6
    assert {drop.reason for drop in of(Dropped, net.at_gateway)} == {"rx_queue_full", "connection"}
    assert len(of(GatewayGone, net.at_server)) == 1
    assert len(of(Disconnected, net.at_gateway)) == 1


def test_an_unknown_gateway_is_told_why_and_asks_again_ever_more_slowly() -> None:
    net = pair(known=[Eui64(1)])
    net.run(100 * S)
    assert set(net.attempts) == {"ws://lns:3001/router-info"}
    refused = [drop for drop in of(Dropped, net.at_gateway) if drop.reason == "refused"]
    assert {drop.detail for drop in refused} == {"unknown gateway"}
    assert len(net.attempts) == 5  # then 0, 10, 20, 30, 40 s after each refusal


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(30_000, 4_000_000), up_frames, st.booleans(), st.integers(0, 2_500_000)),
        min_size=1,
        max_size=12,
    )
)
def test_every_uplink_arrives_and_every_downlink_is_sent_at_its_instant_over_any_reconnects(
    steps: list[tuple[int, bytes, bool, int]],
) -> None:
    net = pair()
    net.react = answer_in_rx1
    net.run(1 * S)
    sent: list[tuple[int, bytes]] = []
    cuts: list[int] = []
    for wait_us, payload, cut, cut_after_us in steps:
        net.run(net.now + wait_us)
        sent.append((net.now, payload))
        net.to_gateway(heard(net.now, payload))
        if cut:
            net.run(net.now + 4_000 + cut_after_us)  # after what is under way arrived: a websocket loses the rest
            cuts.append(net.now)
            net.cut()
    net.run(net.now + 100 * S)
    assert [effect.uplink.payload for effect in of(StationUplink, net.at_server)] == [payload for _, payload in sent]
    transmits = of(Transmit, net.at_gateway)
    for transmit in transmits:
        late_us = transmit.at - int.from_bytes(transmit.payload[:4], "big")
        assert (late_us, transmit.freq_hz) in ((0, 868_100_000), (1 * S, 869_525_000))  # RX1, else RX2
    for one, other in pairwise(sorted(transmits, key=lambda transmit: transmit.at)):
        assert other.at >= one.at + one.airtime_us + 10_000
    for at, _ in sent:
        alone = not any(
            other != at and abs(at - other) < 3 * S for other, _ in sent
        )  # RX2 of another may be in its way
        if alone and not any(at - 40 * S <= cut <= at + 1_100_000 for cut in cuts):
            assert any(transmit.at == at + S for transmit in transmits)
