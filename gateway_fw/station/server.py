"""The server end of Basics Station, for any number of gateways: an LNS without a network behind it.

Source: Basics Station 2.0.6 documentation, "The LNS Protocol"; tc.c and s2e.c for what a gateway does with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from gateway_fw.errors import StationError
from gateway_fw.forwarder.clock import GPS_AHEAD_OF_UTC_US
from gateway_fw.gps.reference import GPS_EPOCH_UNIX_US
from gateway_fw.gwmp.packets import TxError
from gateway_fw.gwmp.rxpk import CRC_OK, Rxpk
from gateway_fw.gwmp.server import DownlinkAnswered, DownlinkUnsent, SendDownlink, UplinkReceived
from gateway_fw.station.config import RouterConfig
from gateway_fw.station.control import (
    DISCOVERY_PATH,
    PROTOCOL_VERSION,
    RemoteShell,
    RouterInfo,
    StationUri,
    TimeSync,
    Version,
    discovery_of,
    encode_router_info,
)
from gateway_fw.station.downlink import DnMsg, DnSched, DnTxed, Window
from gateway_fw.station.events import Close, Closed, Connection, Opened, SendText, TextReceived
from gateway_fw.station.identifiers import id6
from gateway_fw.station.messages import Message, encode, parse, refusal_reason
from gateway_fw.station.server_events import (
    DownlinkOnAir,
    DownlinkUnconfirmed,
    GatewayConnected,
    GatewayGone,
    SendDnMsg,
    SendDnSched,
    StationServerEffect,
    StationServerEvent,
    StationUplink,
)
from gateway_fw.station.session import GatewaySession
from gateway_fw.station.translate import dnmsg_for
from gateway_fw.station.uplink import Uplink
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy.modulation import CodingRate
from lorawan.units import US_PER_MS, US_PER_S

MUXS_PATH = "/router-"
DNTXED_PATIENCE_US = (
    3 * US_PER_S
)  # [assumption] after RX2's start: a frame of SF12 lasts 2.8 s, dntxed comes 5 ms into it
POLICY_VIOLATION = 1008  # RFC 6455 §7.4.1
GOING_AWAY = 1001
_CLAUSE = 'Basics Station 2.0.6, "The LNS Protocol"'


@dataclass(slots=True)
class _Awaiting:
    gateway_eui: Eui64
    reference: int
    until: Instant


class StationServerCore:
    """Discovery, router_config, uplinks, downlinks and time for every gateway.

    config: the router_config, one for all or a function of the gateway's EUI (None refuses it). known: the gateways
    that are served, None for all. origin_unix_us: UTC at instant 0, for MuxTime and GPS time. rx2: what RX2 is in this
    network (data rate index and frequency); then a SendDownlink in class A's RX1 carries it along, so that the gateway
    may fall back by itself. None leaves fallbacks to whoever sends.

    It takes the SendDownlink and gives the UplinkReceived, DownlinkAnswered and DownlinkUnsent of the Semtech UDP
    server, so a network core works with either. The differences: an answer comes only when the frame is on the air, a
    refusal never (DownlinkUnconfirmed instead), and a gateway chooses the power itself.
    """

    def __init__(
        self,
        config: RouterConfig | Callable[[Eui64], RouterConfig | None],
        known: Iterable[Eui64] | None = None,
        *,
        origin_unix_us: int = 0,
        rx2: Window | None = None,
        first_diid: int = 1,
    ) -> None:
        self._config = config
        self._known = None if known is None else frozenset(known)
        self._origin_unix_us = origin_unix_us
        self._rx2 = rx2
        self._diid = first_diid
        self._discovery: dict[Connection, Opened] = {}
        self._routers: dict[Connection, Eui64] = {}
        self._sessions: dict[Eui64, GatewaySession] = {}
        self._awaiting: dict[int, _Awaiting] = {}

    @property
    def wake_at(self) -> Instant | None:
        """When the next dntxed is overdue."""
        return min((waiting.until for waiting in self._awaiting.values()), default=None)

    def wake(self, now: Instant) -> Sequence[StationServerEffect]:
        """Give up on the dntxed that are overdue."""
        overdue = [diid for diid, waiting in self._awaiting.items() if waiting.until <= now]
        lost = [self._awaiting.pop(diid) for diid in overdue]
        return [DownlinkUnconfirmed(waiting.gateway_eui, waiting.reference) for waiting in lost]

    def session(self, gateway_eui: Eui64) -> GatewaySession | None:
        """What is known of a connected gateway, or None."""
        return self._sessions.get(gateway_eui)

    @property
    def gateways(self) -> tuple[Eui64, ...]:
        """Those that have a data connection."""
        return tuple(self._sessions)

    def handle(self, event: StationServerEvent, now: Instant) -> Sequence[StationServerEffect]:
        """Take one event in."""
        match event:
            case TextReceived():
                return self._received(event, now)
            case Opened():
                return self._opened(event)
            case Closed():
                return self._closed(event)
            case SendDownlink():
                return self._send_compatible(event, now)
            case SendDnMsg():
                return self._send(event.gateway_eui, event.dnmsg, event.reference, now)
            case SendDnSched():
                return self._tell(event.gateway_eui, replace(event.dnsched, mux_time_s=self._mux_time_s(now)))
            case _:
                return self._tell(event.gateway_eui, TimeSync(None, event.gpstime_us, event.xtime))

    # -- connections -----------------------------------------------------------------------------------------------

    def _opened(self, event: Opened) -> Sequence[StationServerEffect]:
        if event.path == DISCOVERY_PATH:
            self._discovery[event.connection] = event
            return ()
        eui = _router_of_path(event.path)
        refusal = "no data connection" if eui is None else self._refusal(eui, event)
        if eui is None or refusal:
            detail = f"{event.path[:60]}: {refusal}"
            return (Close(event.connection, POLICY_VIOLATION, refusal), Dropped("refused_gateway", _CLAUSE, detail))
        effects: list[StationServerEffect] = []
        before = self._sessions.get(eui)
        if before is not None:  # its new connection counts: the old one may be dead without our knowing
            del self._routers[before.connection]
            effects += (Close(before.connection, GOING_AWAY, "a newer connection"), GatewayGone(eui, "it came again"))
        self._routers[event.connection] = eui
        self._sessions[eui] = GatewaySession(eui, event.connection)
        return effects

    def _refusal(self, eui: Eui64, opened: Opened) -> str:
        if self._known is not None and eui not in self._known:
            return "unknown gateway"
        if opened.allowed is not None and eui not in opened.allowed:
            return "the token is of another gateway"
        return "" if self._config_for(eui) is not None else "no configuration for this gateway"

    def _config_for(self, eui: Eui64) -> RouterConfig | None:
        return self._config if isinstance(self._config, RouterConfig) else self._config(eui)

    def _closed(self, event: Closed) -> Sequence[StationServerEffect]:
        self._discovery.pop(event.connection, None)
        eui = self._routers.pop(event.connection, None)
        if eui is None:
            return ()
        del self._sessions[eui]
        return (GatewayGone(eui, event.why),)

    def _discover(self, opened: Opened, event: TextReceived) -> Sequence[StationServerEffect]:
        try:
            eui = discovery_of(event.text)
            refusal = self._refusal(eui, opened)
            uri = StationUri.of(f"ws{'s' * opened.secure}://{opened.authority}{MUXS_PATH}{eui}")
        except StationError as error:
            answer = encode_router_info(RouterInfo(None, error="no router to be made out"))
            return (*_told(event.connection, answer), Dropped("malformed", error.clause, str(error)))
        if refusal:
            answer = encode_router_info(RouterInfo(eui, error=refusal))
            return (*_told(event.connection, answer), Dropped("refused_gateway", _CLAUSE, f"{eui}: {refusal}"))
        return _told(event.connection, encode_router_info(RouterInfo(eui, id6(Eui64(0)), str(uri))))

    # -- records ---------------------------------------------------------------------------------------------------

    def _received(self, event: TextReceived, now: Instant) -> Sequence[StationServerEffect]:
        opened = self._discovery.pop(event.connection, None)
        if opened is not None:
            return self._discover(opened, event)
        eui = self._routers.get(event.connection)
        if eui is None:
            return (Dropped("no_connection", _CLAUSE, f"a record on {event.connection}"),)
        try:
            message = parse(event.text)
        except StationError as error:
            return (Dropped(refusal_reason(error), error.clause, f"{eui}: {error}"),)
        return self._take(self._sessions[eui], message, now)

    def _take(self, session: GatewaySession, message: Message, now: Instant) -> Sequence[StationServerEffect]:
        eui = session.gateway_eui
        if isinstance(message, Version):
            return self._configure(session, message, now)
        if session.config is None:
            return (Dropped("before_version", _CLAUSE, f"{eui}: {type(message).__name__}"),)
        if isinstance(message, Uplink):
            return self._uplink(session, session.config, message, now)
        if isinstance(message, DnTxed):
            return self._on_air(eui, message)
        if isinstance(message, TimeSync) and message.txtime_us is not None and message.gpstime_us is None:
            answer = TimeSync(message.txtime_us, self._gps_us(now), None, self._mux_time_s(now))
            return (SendText(session.connection, encode(answer)),)
        if isinstance(message, RemoteShell):
            return ()  # the list of its shells; none was asked for
        return (Dropped("unexpected_msgtype", _CLAUSE, f"{eui}: {type(message).__name__} is not for a server"),)

    def _configure(self, session: GatewaySession, version: Version, now: Instant) -> Sequence[StationServerEffect]:
        eui = session.gateway_eui
        if version.protocol != PROTOCOL_VERSION:
            detail = f"{eui}: protocol {version.protocol}, not {PROTOCOL_VERSION}"
            return (Close(session.connection, POLICY_VIOLATION, "protocol"), Dropped("version", _CLAUSE, detail))
        config = self._config_for(eui)
        if config is None:
            return (Close(session.connection, POLICY_VIOLATION, "no configuration for this gateway"),)
        session.version, session.config = version, config
        record = encode(replace(config, mux_time_s=self._mux_time_s(now)))
        return (SendText(session.connection, record), GatewayConnected(eui, version))

    def _uplink(
        self, session: GatewaySession, config: RouterConfig, uplink: Uplink, now: Instant
    ) -> Sequence[StationServerEffect]:
        eui = session.gateway_eui
        modulation = config.modulation(uplink.dr)
        if modulation is None:
            return (Dropped("data_rate", _CLAUSE, f"{eui}: DR{uplink.dr} is not LoRa in its router_config"),)
        info = uplink.upinfo
        session.heard(
            uplink, round((self._mux_time_s(now) - uplink.ref_time_s) * US_PER_S) if uplink.ref_time_s else None
        )
        rxpk = Rxpk(
            info.xtime & 0xFFFFFFFF,
            uplink.freq_hz,
            modulation,
            CodingRate.CR_4_5,  # not told; the only one LoRaWAN has
            info.rssi_dbm,
            info.snr_db,
            uplink.payload,
            CRC_OK,  # Station keeps frames with a bad CRC to itself
            tmms=info.gpstime_us // US_PER_MS or None,
            ftime_ns=info.fine_ns,
        )
        return (StationUplink(eui, uplink), UplinkReceived(eui, rxpk))

    def _on_air(self, eui: Eui64, message: DnTxed) -> Sequence[StationServerEffect]:
        waiting = self._awaiting.get(message.diid)
        if waiting is None or waiting.gateway_eui != eui:
            return (Dropped("unexpected_dntxed", _CLAUSE, f"{eui}: diid {message.diid}"),)
        del self._awaiting[message.diid]
        answered = DownlinkAnswered(eui, waiting.reference, TxError.NONE, None, None)
        return (DownlinkOnAir(eui, waiting.reference, message), answered)

    # -- downlinks -------------------------------------------------------------------------------------------------

    def _send_compatible(self, event: SendDownlink, now: Instant) -> Sequence[StationServerEffect]:
        session = self._sessions.get(event.gateway_eui)
        if session is None or session.config is None:
            return (DownlinkUnsent(event.gateway_eui, event.reference),)
        try:
            dnmsg = dnmsg_for(event.txpk, session, session.config, self._rx2)
        except StationError as error:
            unsent = DownlinkUnsent(event.gateway_eui, event.reference)
            return (Dropped("not_expressible", error.clause, str(error)), unsent)
        return self._send(event.gateway_eui, dnmsg, event.reference, now)

    def _send(self, eui: Eui64, dnmsg: DnMsg, reference: int, now: Instant) -> Sequence[StationServerEffect]:
        session = self._sessions.get(eui)
        if session is None or session.config is None:
            return (DownlinkUnsent(eui, reference),)
        diid = self._diid
        try:
            record = encode(replace(dnmsg, diid=diid, mux_time_s=self._mux_time_s(now)))
        except StationError as error:
            return (Dropped("not_expressible", error.clause, str(error)), DownlinkUnsent(eui, reference))
        self._diid += 1
        self._awaiting[diid] = _Awaiting(eui, reference, self._overdue_at(dnmsg, now))
        return (SendText(session.connection, record),)

    def _overdue_at(self, dnmsg: DnMsg, now: Instant) -> Instant:
        delay_us = (dnmsg.rx_delay_s + 1) * US_PER_S
        if dnmsg.gpstime_us is not None:
            delay_us = max(0, dnmsg.gpstime_us - self._gps_us(now))
        return now + delay_us + DNTXED_PATIENCE_US

    def _tell(self, eui: Eui64, message: DnSched | TimeSync) -> Sequence[StationServerEffect]:
        session = self._sessions.get(eui)
        if session is None or session.config is None:
            return (Dropped("no_connection", _CLAUSE, f"{eui}: {type(message).__name__}"),)
        try:
            return (SendText(session.connection, encode(message)),)
        except StationError as error:
            return (Dropped("not_expressible", error.clause, str(error)),)

    def _mux_time_s(self, now: Instant) -> float:
        return (now + self._origin_unix_us) / US_PER_S

    def _gps_us(self, now: Instant) -> int:
        return max(0, now + self._origin_unix_us - GPS_EPOCH_UNIX_US + GPS_AHEAD_OF_UTC_US)


def _router_of_path(path: str) -> Eui64 | None:
    digits = path.removeprefix(MUXS_PATH)
    if digits == path or len(digits) != 16 or not all(digit in "0123456789abcdef" for digit in digits):
        return None
    return Eui64(int(digits, 16))


def _told(connection: Connection, text: str) -> tuple[StationServerEffect, ...]:
    return (SendText(connection, text), Close(connection))
