"""The server end of Semtech UDP, for any number of gateways.

Source: Semtech PROTOCOL.md (sx1302_hal 2.1.0, protocol 1.6) §3 and §5; PROTOCOL.TXT 1.2 for version 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway_fw.errors import GwmpError
from gateway_fw.gwmp.events import Address, DatagramReceived
from gateway_fw.gwmp.packets import (
    Header,
    PacketType,
    PullAck,
    PullResp,
    PushAck,
    PushData,
    TxAck,
    TxError,
    decode_body,
    decode_header,
    encode,
)
from gateway_fw.gwmp.rxpk import Rxpk
from gateway_fw.gwmp.stat import Stat
from gateway_fw.gwmp.txpk import Txpk
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_S

DUPLICATE_WINDOW_US = 60 * US_PER_S  # assumption: longer than any relay resends, shorter than tmst takes to wrap
DUPLICATE_MEMORY = 64  # frames remembered for each gateway
MAX_GATEWAYS = 10_000  # where none is known beforehand: strangers who make EUIs up cannot fill memory [assumption]


@dataclass(frozen=True, slots=True)
class SendDownlink:
    """Event: have this gateway send a frame. reference comes back in DownlinkAnswered or DownlinkUnsent."""

    gateway_eui: Eui64
    txpk: Txpk
    reference: int


@dataclass(frozen=True, slots=True)
class SendDatagram:
    """Effect: send to this address."""

    data: bytes
    destination: Address


@dataclass(frozen=True, slots=True)
class UplinkReceived:
    """Effect: a gateway received a frame."""

    gateway_eui: Eui64
    rxpk: Rxpk


@dataclass(frozen=True, slots=True)
class StatReceived:
    """Effect: a gateway reported its status."""

    gateway_eui: Eui64
    stat: Stat


@dataclass(frozen=True, slots=True)
class DownlinkAnswered:
    """Effect: the gateway queued the frame (error NONE) or refused it; a queued frame may still not reach the air.

    warning: "TX_POWER" with power_dbm, the power it will be sent with. Never comes from a version 1 gateway.
    """

    gateway_eui: Eui64
    reference: int
    error: TxError
    warning: str | None
    power_dbm: float | None


GwmpServerEvent = DatagramReceived | SendDownlink


@dataclass(frozen=True, slots=True)
class DownlinkUnsent:
    """Effect: there is no way to this gateway: no PULL_DATA has come from it yet (PROTOCOL.md 1.6 §5.2)."""

    gateway_eui: Eui64
    reference: int


GwmpServerEffect = SendDatagram | UplinkReceived | StatReceived | DownlinkAnswered | DownlinkUnsent | Dropped


class GwmpServerCore:
    """The server's side of every gateway's conversation.

    known: the gateways that are served, or None for all, up to max_gateways; another gets no acknowledgement.
    PUSH_DATA is acknowledged before anything is made of it, also where its JSON turns out to be unreadable. Downlinks
    go to where the latest PULL_DATA came from, with its version; PUSH_DATA and TX_ACK may come from any address (some
    gateways send TX_ACK from the upstream socket).

    A frame that a gateway reports twice with every field equal is a datagram that was resent, and is dropped as
    "duplicate_rxpk". Reports that share tmst and payload but differ in channel, RF chain, level or antenna are two
    antennas of one gateway, and both count. PULL_RESP tokens count up from first_token; version 1 leaves them 0 and
    sends no TX_ACK, so no DownlinkAnswered is to be waited for.
    """

    def __init__(
        self, known: Iterable[Eui64] | None = None, *, first_token: int = 0, max_gateways: int = MAX_GATEWAYS
    ) -> None:
        self._known = None if known is None else frozenset(known)
        self._max_gateways = max_gateways
        self._met: set[Eui64] = set()
        self._token = first_token & 0xFFFF
        self._routes: dict[Eui64, tuple[Address, int]] = {}
        self._awaiting: dict[int, tuple[Eui64, int]] = {}
        self._seen: dict[Eui64, dict[Rxpk, Instant]] = {}

    @property
    def wake_at(self) -> None:
        """Never: the server end has no timers."""
        return

    def wake(self, now: Instant) -> Sequence[GwmpServerEffect]:  # noqa: ARG002  # contract
        """Nothing is ever due."""
        return ()

    def handle(self, event: GwmpServerEvent, now: Instant) -> Sequence[GwmpServerEffect]:
        """Take one event in."""
        if isinstance(event, SendDownlink):
            return self._send(event)
        try:
            header = decode_header(event.data)
        except GwmpError as error:
            return (Dropped("malformed", error.clause, str(error)),)
        eui = header.gateway_eui
        if eui is None:
            return (Dropped("unexpected_type", "PROTOCOL.md 1.6 §5", f"{header.packet_type.name} is not for a server"),)
        if self._known is not None and eui not in self._known:
            return (Dropped("unknown_gateway", "PROTOCOL.md 1.6 §3", str(eui)),)
        if eui not in self._met:
            if self._known is None and len(self._met) >= self._max_gateways:
                return (Dropped("too_many_gateways", "assumption: bounded memory", str(eui)),)
            self._met.add(eui)
        if header.packet_type is PacketType.PULL_DATA:
            self._routes[eui] = (event.source, header.version)
            return (SendDatagram(encode(PullAck(header.version, header.token)), event.source),)
        effects: list[GwmpServerEffect] = []
        if header.packet_type is PacketType.PUSH_DATA:
            effects.append(SendDatagram(encode(PushAck(header.version, header.token)), event.source))
        self._take(header, event.data, now, effects)
        return effects

    def _take(self, header: Header, data: bytes, now: Instant, effects: list[GwmpServerEffect]) -> None:
        try:
            packet = decode_body(header, data)
        except GwmpError as error:
            effects.append(Dropped("malformed", error.clause, str(error)))
            return
        if isinstance(packet, TxAck):
            effects.append(self._answered(packet))
        elif isinstance(packet, PushData):
            for rxpk in packet.rxpks:
                if self._is_resent(packet.gateway_eui, rxpk, now):
                    effects.append(Dropped("duplicate_rxpk", "PROTOCOL.md 1.6 §3", f"tmst {rxpk.tmst}"))
                else:
                    effects.append(UplinkReceived(packet.gateway_eui, rxpk))
            if packet.stat is not None:
                effects.append(StatReceived(packet.gateway_eui, packet.stat))
            effects.extend(Dropped("malformed_element", "PROTOCOL.md 1.6 §4", line) for line in packet.refused)

    def _is_resent(self, eui: Eui64, rxpk: Rxpk, now: Instant) -> bool:
        seen = self._seen.setdefault(eui, {})
        before = seen.get(rxpk)
        if before is not None:
            if now - before <= DUPLICATE_WINDOW_US:
                return True
            del seen[rxpk]
        seen[rxpk] = now
        if len(seen) > DUPLICATE_MEMORY:
            del seen[next(iter(seen))]
        return False

    def _answered(self, ack: TxAck) -> GwmpServerEffect:
        awaited = self._awaiting.get(ack.token)
        if awaited is None or awaited[0] != ack.gateway_eui:
            return Dropped("unexpected_tx_ack", "PROTOCOL.md 1.6 §5.5", f"{ack.gateway_eui} token {ack.token}")
        del self._awaiting[ack.token]
        return DownlinkAnswered(ack.gateway_eui, awaited[1], ack.error, ack.warning, ack.power_dbm)

    def _send(self, event: SendDownlink) -> Sequence[GwmpServerEffect]:
        route = self._routes.get(event.gateway_eui)
        if route is None:
            return (DownlinkUnsent(event.gateway_eui, event.reference),)
        destination, version = route
        token = 0
        if version > 1:
            token = self._token
            self._token = (token + 1) & 0xFFFF
            self._awaiting[token] = (event.gateway_eui, event.reference)
        return (SendDatagram(encode(PullResp(version, token, event.txpk)), destination),)
