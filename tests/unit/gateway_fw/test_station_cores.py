"""What each core of Basics Station refuses, and what it says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway_fw.gwmp import DownlinkUnsent, SendDownlink, Txpk
from gateway_fw.station import (
    DownlinkUnconfirmed,
    GatewayConnected,
    GatewayGone,
    SendDnMsg,
    StationGatewayConfig,
    StationGatewayCore,
    StationServerCore,
    TellTime,
    encode,
    eu868_config,
    parse,
)
from gateway_fw.station.events import Close, Closed, Connected, Opened, SendText, TextReceived
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import Heard, LoraModulation

EUI = Eui64(0x58A0CBFFFE800019)
VERSION = '{"msgtype":"version","station":"2.0.6","protocol":2}'
UPLINK = bytes.fromhex("40010000008002000155AA11223344")
UPDF = (
    '{"msgtype":"propdf","FRMPayload":"E0","DR":5,"Freq":868100000,'
    '"upinfo":{"rctx":3,"xtime":281474977710656,"rssi":-50,"snr":9}}'
)
CONFIG = eu868_config()


def reasons(effects: Any) -> list[str]:
    return [effect.reason for effect in effects if isinstance(effect, Dropped)]


def server(**options: Any) -> StationServerCore:
    core = StationServerCore(CONFIG, **options)
    core.handle(Opened(1, f"/router-{EUI}", "lns:1"), 0)
    return core


def connected_server() -> StationServerCore:
    core = server()
    core.handle(TextReceived(1, VERSION), 0)
    return core


def test_a_router_config_follows_the_version_and_carries_the_servers_time() -> None:
    core = server(origin_unix_us=1_764_000_000_000_000)
    text, connected = core.handle(TextReceived(1, VERSION), 500_000)
    assert isinstance(text, SendText)
    assert parse(text.text) == replace(CONFIG, mux_time_s=1_764_000_000.5)
    assert isinstance(connected, GatewayConnected)


def test_discovery_names_the_way_the_gateway_came() -> None:
    core = StationServerCore(CONFIG)
    core.handle(Opened(1, "/router-info", "lns.example.org:3001", secure=True), 0)
    told, closed = core.handle(TextReceived(1, '{"router":"58a0:cbff:fe80:19"}'), 0)
    assert told == SendText(
        1, f'{{"router":"58a0:cbff:fe80:19","muxs":"::0","uri":"wss://lns.example.org:3001/router-{EUI}"}}'
    )
    assert closed == Close(1)


@pytest.mark.parametrize("path", ["/", "/router-", "/router-1", "/router-58A0CBFFFE800019", f"/router-{EUI}/", "/x"])
def test_another_path_is_closed(path: str) -> None:
    effects = StationServerCore(CONFIG).handle(Opened(1, path, "lns:1"), 0)
    assert [type(effect) for effect in effects] == [Close, Dropped]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (UPDF, "before_version"),
        (VERSION.replace("2}", "1}"), "version"),
        ("{", "malformed"),
        ('{"msgtype":"event"}', "unknown_msgtype"),
    ],
)
def test_what_comes_before_a_version_is_refused(text: str, reason: str) -> None:
    assert reasons(server().handle(TextReceived(1, text), 0)) == [reason]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (UPDF.replace('"DR":5', '"DR":7'), "data_rate"),
        (UPDF.replace('"DR":5', '"DR":15'), "data_rate"),
        ('{"msgtype":"dntxed","diid":1,"DevEui":1}', "unexpected_dntxed"),
        ('{"msgtype":"runcmd","command":"x"}', "unexpected_msgtype"),
        ('{"msgtype":"timesync","txtime":1,"gpstime":1}', "unexpected_msgtype"),
    ],
)
def test_a_record_that_makes_no_sense_to_a_server_is_dropped(text: str, reason: str) -> None:
    assert reasons(connected_server().handle(TextReceived(1, text), 0)) == [reason]


def test_the_newer_of_two_connections_counts() -> None:
    core = connected_server()
    closed, gone = core.handle(Opened(2, f"/router-{EUI}", "lns:1"), 0)
    assert isinstance(closed, Close)
    assert closed.connection == 1
    assert isinstance(gone, GatewayGone)
    assert core.handle(Closed(1), 0) == ()
    assert core.gateways == (EUI,)
    assert reasons(core.handle(TextReceived(1, VERSION), 0)) == ["no_connection"]


def txpk(**changes: Any) -> Txpk:
    fields: dict[str, Any] = {
        "freq_hz": 868_100_000,
        "modulation": LoraModulation(7),
        "payload": bytes(12),
        "tmst": 2_000_000,
        "inverted_polarity": True,
        "no_crc": True,
    }
    return Txpk(**fields | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"modulation": 50_000},
        {"modulation": LoraModulation(6)},
        {"freq_hz": 900_000_000},
        {"inverted_polarity": False},
    ],
)
def test_a_downlink_that_no_dnmsg_can_say_comes_back_unsent(changes: dict[str, Any]) -> None:
    core = connected_server()
    core.handle(TextReceived(1, UPDF), 0)
    effects = core.handle(SendDownlink(EUI, txpk(**changes), 5), 0)
    assert reasons(effects) == ["not_expressible"]
    assert effects[-1] == DownlinkUnsent(EUI, 5)


def test_without_an_uplink_no_time_can_be_given() -> None:
    effects = connected_server().handle(SendDownlink(EUI, txpk(), 5), 0)
    assert effects[-1] == DownlinkUnsent(EUI, 5)


@pytest.mark.parametrize(
    ("tmst", "xtime", "delay_s"),
    [
        (2_000_000, 281474977710656, 1),
        (6_000_000, 281474977710656, 5),
        (17_000_000, 281474977710656 + 15_000_000, 1),
        (2_000_500, 281474977710656 + 500, 1),
    ],
)
def test_a_counter_value_becomes_the_uplinks_xtime_and_a_delay(tmst: int, xtime: int, delay_s: int) -> None:
    core = connected_server()
    core.handle(TextReceived(1, UPDF), 0)
    (sent,) = core.handle(SendDownlink(EUI, txpk(tmst=tmst), 5), 0)
    assert isinstance(sent, SendText)
    message: Any = parse(sent.text)
    assert (message.xtime, message.rx_delay_s, message.rctx) == (xtime, delay_s, 3)


def test_immediate_and_gps_downlinks_become_class_c_and_b() -> None:
    core = connected_server()
    (immediate,) = core.handle(SendDownlink(EUI, txpk(tmst=None, imme=True), 1), 0)
    (slot,) = core.handle(SendDownlink(EUI, txpk(tmst=None, tmms=5_000), 2), 0)
    assert isinstance(immediate, SendText)
    assert isinstance(slot, SendText)
    c: Any = parse(immediate.text)
    b: Any = parse(slot.text)
    assert (c.device_class, c.rx2.freq_hz, c.xtime) == (2, 868_100_000, None)
    assert (b.device_class, b.slot.dr, b.gpstime_us) == (1, 5, 5_000_000)


def test_a_gateway_that_is_not_there_gets_nothing() -> None:
    core = server()  # connected, but it has not said what it is
    assert core.handle(SendDownlink(EUI, txpk(), 5), 0) == (DownlinkUnsent(EUI, 5),)
    assert reasons(core.handle(TellTime(EUI, 1, 1), 0)) == ["no_connection"]
    assert core.handle(SendDownlink(Eui64(1), txpk(), 5), 0) == (DownlinkUnsent(Eui64(1), 5),)


def test_silence_is_taken_for_failure_and_told_once() -> None:
    core = connected_server()
    core.handle(TextReceived(1, UPDF), 0)
    core.handle(SendDownlink(EUI, txpk(), 5), 0)
    at = core.wake_at
    assert at == 5_000_000  # RX1 after a second, RX2 after two, and three more
    assert core.wake(at - 1) == []
    assert core.wake(at) == [DownlinkUnconfirmed(EUI, 5)]
    assert core.wake_at is None
    late = '{"msgtype":"dntxed","diid":1,"DevEui":1}'
    assert reasons(core.handle(TextReceived(1, late), at)) == ["unexpected_dntxed"]


# -- gateway -----------------------------------------------------------------------------------------------------------


def gateway(config: Any = CONFIG) -> StationGatewayCore:
    core = StationGatewayCore(StationGatewayConfig(EUI, "ws://lns:1"))
    core.wake(0)
    core.handle(Connected(1), 0)
    core.handle(TextReceived(1, '{"router":"::1","uri":"ws://lns:1/router"}'), 0)
    core.handle(Connected(2), 0)
    core.handle(TextReceived(2, encode(config)), 0)
    return core


def heard(payload: bytes = UPLINK, *, sf: int = 7, crc_ok: bool = True) -> Heard:
    return Heard(1_000_000, payload, 868_100_000, LoraModulation(sf), -80.0, 9.0, 50_000, crc_ok)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (heard(crc_ok=False), "crc"),
        (heard(sf=6), "data_rate"),
        (heard(b""), "no_lorawan_frame"),
        (heard(b"\x41" + UPLINK[1:]), "no_lorawan_frame"),
        (heard(UPLINK[:11]), "no_lorawan_frame"),
        (heard(b"\xc0" + bytes(18)), "no_lorawan_frame"),
    ],
)
def test_frames_that_station_keeps_to_itself_are_dropped(frame: Heard, reason: str) -> None:
    core = gateway()
    assert reasons(core.handle(frame, 1_000_000)) == [reason]
    assert (core.counters.heard, core.counters.refused, core.counters.forwarded) == (1, 1, 0)


def test_net_ids_and_join_euis_are_filtered_as_the_server_wants() -> None:
    core = gateway(eu868_config(net_ids=(0x13, 0x80), join_euis=((Eui64(16), Eui64(31)),)))
    own, other = b"\x40\x00\x00\x00\x27" + UPLINK[5:], b"\x40\x00\x00\x00\x28" + UPLINK[5:]
    assert [reasons(core.handle(heard(frame), 1)) for frame in (own, other, UPLINK)] == [[], ["net_id"], []]
    for join_eui, expected in ((15, ["join_eui"]), (16, []), (31, []), (32, ["join_eui"])):
        join = b"\x00" + Eui64(join_eui).to_wire() + bytes(14)
        assert reasons(core.handle(heard(join), 1)) == expected


def test_nothing_is_heard_before_a_router_config() -> None:
    core = StationGatewayCore(StationGatewayConfig(EUI, "ws://lns:1"))
    assert reasons(core.handle(heard(), 1)) == ["no_router_config"]


def test_a_command_is_not_run_and_a_shell_not_opened() -> None:
    core = gateway()
    assert reasons(core.handle(TextReceived(2, '{"msgtype":"runcmd","command":"reboot"}'), 1)) == ["refused_command"]
    effects = core.handle(TextReceived(2, '{"msgtype":"rmtsh","user":"root","start":0}'), 1)
    assert reasons(effects) == ["refused_shell"]
    assert effects[0] == SendText(2, '{"msgtype":"rmtsh","rmtsh":[]}')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nonsense", "malformed"),
        ('{"msgtype":"upgrade"}', "unknown_msgtype"),
        ('{"msgtype":"error","error":"no"}', "server_error"),
        (VERSION, "unexpected_msgtype"),
        ('{"msgtype":"timesync","txtime":1}', "timesync"),
        ('{"msgtype":"timesync","xtime":1,"gpstime":1}', "obsolete_xtime"),
    ],
)
def test_a_record_that_makes_no_sense_to_a_gateway_is_dropped(text: str, reason: str) -> None:
    assert reasons(gateway().handle(TextReceived(2, text), 1)) == [reason]


DNMSG = '{"msgtype":"dnmsg","DevEui":1,"dC":%s,"diid":1,"pdu":"00",%s}'


@pytest.mark.parametrize(
    ("device_class", "fields", "reason"),
    [
        (0, '"xtime":281474977710656,"RX1DR":7,"RX1Freq":868100000', "window"),
        (0, '"xtime":281474977710656,"RX1DR":8,"RX1Freq":868100000', "window"),
        (0, '"xtime":281474977710656,"RX1DR":5,"RX1Freq":870000001', "window"),
        (0, '"xtime":281474977710656,"RX1DR":5,"RX1Freq":868100000,"RX2DR":0,"RX2Freq":1', "window"),
        (0, '"xtime":1000000,"RX1DR":5,"RX1Freq":868100000', "obsolete_xtime"),
        (0, '"xtime":9223372036854775807,"RX1DR":5,"RX1Freq":868100000', "obsolete_xtime"),
        (0, '"xtime":281475977710656,"RX1DR":5,"RX1Freq":868100000', "too_early"),
        (1, '"gpstime":5,"DR":5,"Freq":868100000', "no_gps_time"),
        (2, '"RX1DR":5,"RX1Freq":868100000,"RX2DR":0,"RX2Freq":869525000', "no_xtime"),
    ],
)
def test_a_downlink_without_a_place_is_lost_with_its_reason(device_class: int, fields: str, reason: str) -> None:
    core = gateway()
    assert reasons(core.handle(TextReceived(2, DNMSG % (device_class, fields)), 1_500_000)) == [reason]
    assert core.counters.lost == 1


def test_a_router_config_without_channels_closes_the_connection_and_leads_to_discovery() -> None:
    core = StationGatewayCore(StationGatewayConfig(EUI, "ws://lns:1"))
    core.wake(0)
    core.handle(Connected(1), 0)
    core.handle(TextReceived(1, '{"router":"::1","uri":"ws://lns:1/router"}'), 0)
    core.handle(Connected(2), 0)
    assert reasons(core.handle(TextReceived(2, UPDF), 0)) == ["unexpected_msgtype"]
    empty = replace(CONFIG, concentrators=(), up_channels=())
    effects = core.handle(TextReceived(2, encode(empty)), 0)
    assert reasons(effects) == ["router_config"]
    assert Close(2) in effects
    assert not core.connected


def test_a_downlink_before_the_router_config_is_refused() -> None:
    core = StationGatewayCore(StationGatewayConfig(EUI, "ws://lns:1"))
    core.wake(0)
    core.handle(Connected(1), 0)
    core.handle(TextReceived(1, '{"router":"::1","uri":"ws://lns:1/router"}'), 0)
    core.handle(Connected(2), 0)
    text = DNMSG % (2, '"RX2DR":0,"RX2Freq":869525000')
    assert reasons(core.handle(TextReceived(2, text), 1)) == ["before_router_config"]


def test_a_dnmsg_of_a_server_core_is_unsent_where_it_lacks_its_time() -> None:
    message: Any = parse(DNMSG % (2, '"RX2DR":0,"RX2Freq":869525000'))
    core = connected_server()
    effects = core.handle(SendDnMsg(EUI, replace(message, rx2=None), 9), 0)
    assert reasons(effects) == ["not_expressible"]
    assert effects[-1] == DownlinkUnsent(EUI, 9)
