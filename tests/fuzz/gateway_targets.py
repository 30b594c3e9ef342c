"""Fuzz targets of gateways' network protocols (Semtech UDP, Basics Station) and of the network core behind them."""

from __future__ import annotations

from contextlib import suppress

from bench.live.monitor import MonitorCore
from bench.live.monitor_lines import facts, lines
from bench.network import DeviceProfile, NetworkConfig, NetworkCore
from gateway_fw import gwmp
from gateway_fw.errors import GwmpError, StationError
from gateway_fw.forwarder import DatagramReceived, ForwarderConfig, ForwarderCore
from gateway_fw.forwarder.spool_records import Damage, encode_done, encode_uplink, scan, waiting_of
from gateway_fw.forwarder.spool_records import SpooledUplink as Spooled
from gateway_fw.gwmp import GatewayLinkCore, GwmpServerCore, Rxpk
from gateway_fw.station import (
    StationGatewayConfig,
    StationGatewayCore,
    StationServerCore,
    StationUri,
    discovery_of,
    encode,
    eu868_config,
    eui_of,
    id6,
    parse,
    router_info_of,
)
from gateway_fw.station.events import Connect, Connected, Opened, TextReceived
from gateway_fw.station.fields import Fields
from gateway_fw.station.frames import frame_fields, frame_of
from lorawan.crypto import SessionKeys
from lorawan.frames import FCtrlUp
from lorawan.ids import AesKey, DevAddr, Eui64, NetId
from lorawan.phy import LoraModulation
from lorawan.regions import EU868
from lorawan.secured import seal_join_request, seal_up
from lorawan.server import JoinSettings
from lorawan.version import Version
from tests.fuzz.contract import Pieces, Target, as_text

EUI = Eui64(0x58A0CBFFFE800019)


def _gwmp_packets(data: bytes) -> None:
    packet = gwmp.decode(data)
    again = gwmp.decode(gwmp.encode(packet))
    assert (type(again), again.version, again.token) == (type(packet), packet.version, packet.token)


def _gwmp_cores(data: bytes) -> None:
    """Protocol version, then datagrams a second apart, each to all three cores."""
    pieces = Pieces(data)
    version = pieces.pick((2, 1))
    server, link = GwmpServerCore(), GatewayLinkCore(Eui64(1), version=version)
    forwarder = ForwarderCore(ForwarderConfig(Eui64(1), version=version, gps=True))
    now = 0
    for datagram in pieces.strings():
        now += 1_000_000
        for core in (server, link, forwarder):
            core.handle(DatagramReceived(datagram), now)
        link.wake(now)
        for _ in range(20):
            if forwarder.wake_at > now:
                break
            forwarder.wake(now)


def _monitor(data: bytes) -> None:
    core = MonitorCore()
    for effect in core.handle(gwmp.DatagramReceived(data, ("192.0.2.1", 5)), 0):
        if type(effect).__name__ == "Seen":
            facts(effect)
            assert all(line.isprintable() for line in lines(effect))


KEYS = SessionKeys.for_10(AesKey(bytes(16)), AesKey(bytes(range(16))))
PROFILES = (
    DeviceProfile(Eui64(1), Version.V1_0_2, dev_addr=DevAddr(7), session_keys=KEYS),
    DeviceProfile(Eui64(2), Version.V1_0_4, app_key=AesKey(bytes(16))),
)
NETWORK = NetworkConfig(JoinSettings(NetId(0)), tuple(channel.freq_hz for channel in EU868.default_channels))


def _network(data: bytes) -> None:
    """Reports of a gateway: tmst, frequency, rate, levels, kind of payload, payload."""
    pieces, core, now = Pieces(data), NetworkCore(NETWORK, PROFILES), 0
    while pieces:
        tmst, freq_hz = pieces.number(4), pieces.pick((868_100_000, 868_300_000, 869_525_000, pieces.number(4)))
        modulation = pieces.pick((*(LoraModulation(sf) for sf in range(5, 13)), LoraModulation(7, 500_000), 50_000))
        rssi_dbm, snr_db = -float(pieces.byte()), pieces.pick((None, 5.0, -20.0, pieces.byte() / 4))
        kind, payload = pieces.byte() % 3, pieces.string()
        if kind == 1:
            payload = seal_up(KEYS, is_1_1=False, confirmed=True, dev_addr=DevAddr(7), f_ctrl=FCtrlUp(adr=True),
                              f_cnt=sum(payload[:1]), f_opts=payload[1:16], f_port=1, payload=b"x")  # fmt: skip
        elif kind == 2:
            nonce = int.from_bytes(payload[:2], "little")
            payload = seal_join_request(AesKey(bytes(16)), Eui64(9), Eui64(2), nonce)
        rxpk = Rxpk(tmst=tmst, freq_hz=freq_hz, modulation=modulation, coding_rate=None, rssi_dbm=rssi_dbm,
                    snr_db=snr_db, payload=payload)  # fmt: skip
        effects = list(core.handle(gwmp.UplinkReceived(Eui64(5), rxpk), now))
        now += NETWORK.dedup_window_us
        for effect in [*effects, *core.wake(now)]:
            if isinstance(effect, gwmp.SendDownlink):
                gwmp.encode(gwmp.PullResp(2, 1, effect.txpk))


def _station_messages(data: bytes) -> None:
    text = as_text(data)
    for reader in (discovery_of, router_info_of):
        with suppress(StationError):
            reader(text)
    message = parse(data)
    assert parse(encode(message)) == message


def _station_cores(data: bytes) -> None:
    """Records a second apart, each to both ends. The gateway is connected to its server."""
    server, gateway = StationServerCore(eu868_config()), StationGatewayCore(StationGatewayConfig(EUI, "ws://a:1"))
    for connection, path in ((1, "/router-info"), (2, f"/router-{EUI}")):
        server.handle(Opened(connection, path, "a:1"), 0)
    link = 1
    gateway.wake(0)
    gateway.handle(Connected(1), 0)
    effects = gateway.handle(TextReceived(1, '{"router":"::1","uri":"ws://a:1/router"}'), 0)
    now = 0
    for record in Pieces(data).strings():
        for effect in effects:
            if isinstance(effect, Connect):
                link = effect.connection
                gateway.handle(Connected(link), now)
        now += 1_000_000
        text = as_text(record)
        for connection in (1, 2, 3):
            server.handle(TextReceived(connection, text), now)
        effects = [*gateway.handle(TextReceived(link, text), now), *gateway.wake(now)]
        server.wake(now)


def _station_names(data: bytes) -> None:
    text = as_text(data)
    with suppress(StationError):
        eui = eui_of(text, "router")
        assert eui_of(id6(eui), "router") == eui
    with suppress(StationError):
        uri = StationUri.of(text)
        assert StationUri.of(str(uri)) == uri
    wire = frame_fields(data)
    assert frame_of(wire["msgtype"], Fields(wire, "")) == data


def _spool(data: bytes) -> None:
    records = list(scan(data))
    assert sum(record.length for record in records if isinstance(record, Damage)) <= len(data)
    waiting_of(records)
    pieces = Pieces(data)
    number, unix_us, body = pieces.number(8), pieces.number(7), pieces.string()
    sound = encode_uplink(Spooled(number, unix_us, body)) + encode_done([number])
    assert waiting_of(scan(sound))[0] == []
    list(scan(sound[:20] + pieces.rest() + sound))


TARGETS = {
    "gwmp_packets": Target(_gwmp_packets, (GwmpError,), max_bytes=6_000),
    "gwmp_cores": Target(_gwmp_cores),
    "monitor": Target(_monitor),
    "network": Target(_network, max_bytes=400),
    "station_messages": Target(_station_messages, (StationError,), max_bytes=6_000),
    "station_cores": Target(_station_cores),
    "station_names": Target(_station_names, (StationError,), max_bytes=255),
    "spool": Target(_spool, max_bytes=400),
}
