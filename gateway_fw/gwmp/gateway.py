"""The gateway end of Semtech UDP: keepalive, tokens, acknowledgements. It knows no radio.

Source: Semtech PROTOCOL.md (sx1302_hal 2.1.0, protocol 1.6) §3 and §5; lora_pkt_fwd.c for what the text leaves open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_fw.errors import GwmpError
from gateway_fw.gwmp.events import DatagramReceived
from gateway_fw.gwmp.packets import PullAck, PullData, PullResp, PushAck, PushData, TxAck, TxError, decode, encode
from gateway_fw.gwmp.rxpk import Rxpk
from gateway_fw.gwmp.stat import Stat
from gateway_fw.gwmp.txpk import Txpk
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_S

KEEPALIVE_US = 5 * US_PER_S  # lora_pkt_fwd.c DEFAULT_KEEPALIVE; over 15 s some servers show the gateway as gone
MAX_UNANSWERED = 64  # assumption: an acknowledgement that is more than 64 datagrams late is of no use


@dataclass(frozen=True, slots=True)
class SendUplinks:
    """Event: forward these frames in one PUSH_DATA."""

    rxpks: tuple[Rxpk, ...]


@dataclass(frozen=True, slots=True)
class SendStat:
    """Event: send this status report."""

    stat: Stat


@dataclass(frozen=True, slots=True)
class AckDownlink:
    """Event: answer the PULL_RESP with this token. warning: "TX_POWER", with power_dbm the power used."""

    token: int
    error: TxError = TxError.NONE
    warning: str | None = None
    power_dbm: float | None = None


@dataclass(frozen=True, slots=True)
class SendDatagram:
    """Effect: send to the server, from the upstream socket (PUSH_DATA) or the downstream one (PULL_DATA, TX_ACK).

    server: of a gateway with several, which.
    """

    data: bytes
    upstream: bool
    server: int = 0


@dataclass(frozen=True, slots=True)
class DownlinkRequested:
    """Effect: the server wants a frame sent. Answer with AckDownlink and the same token, to the same server."""

    token: int
    version: int
    txpk: Txpk
    server: int = 0


GatewayLinkEvent = SendUplinks | SendStat | AckDownlink | DatagramReceived
GatewayLinkEffect = SendDatagram | DownlinkRequested | Dropped


class GatewayLinkCore:
    """One gateway's conversation with its server.

    keepalive_us: between two PULL_DATA; the first is due at `start`. version: 1 or 2; datagrams of another version are
    dropped, as the reference does. Version 1 has no TX_ACK, so AckDownlink is silent there. Tokens count up from
    first_token, modulo 2^16. Nothing is ever resent: acknowledgements are only counted, and the tokens told.
    server: a number that its datagrams carry, for a gateway with several. max_unanswered: how many datagrams may await
    their acknowledgement; the oldest are forgotten.
    """

    def __init__(
        self,
        gateway_eui: Eui64,
        *,
        keepalive_us: int = KEEPALIVE_US,
        version: int = 2,
        first_token: int = 0,
        start: Instant = 0,
        server: int = 0,
        max_unanswered: int = MAX_UNANSWERED,
    ) -> None:
        if keepalive_us <= 0:
            raise ValueError(f"a keepalive of {keepalive_us} µs would never end")
        self._eui, self._keepalive_us, self._version = gateway_eui, keepalive_us, version
        self._token = first_token & 0xFFFF
        self._server, self._max_unanswered = server, max_unanswered
        self._pull_at = start
        self._unanswered: dict[int, bool] = {}  # token: whether it was a PUSH_DATA; insertion order is age
        self.push_sent = self.push_acked = self.pull_sent = self.pull_acked = 0
        self.last_push_token = self.last_acked_push_token = -1  # of the latest PUSH_DATA, and of the latest PUSH_ACK

    @property
    def wake_at(self) -> Instant:
        """When the next PULL_DATA is due."""
        return self._pull_at

    def wake(self, now: Instant) -> Sequence[GatewayLinkEffect]:
        """Send PULL_DATA where it is due; a period that was missed is not made up for."""
        if now < self._pull_at:
            return ()
        self._pull_at += self._keepalive_us
        if self._pull_at <= now:
            self._pull_at = now + self._keepalive_us
        self.pull_sent += 1
        token = self._next_token(is_push=False)
        return (SendDatagram(encode(PullData(self._version, token, self._eui)), upstream=False, server=self._server),)

    def handle(self, event: GatewayLinkEvent, now: Instant) -> Sequence[GatewayLinkEffect]:  # noqa: ARG002  # contract
        """Take one event in."""
        if isinstance(event, DatagramReceived):
            return self._received(event.data)
        if isinstance(event, SendUplinks):
            return self._push(event.rxpks, None)
        if isinstance(event, SendStat):
            return self._push((), event.stat)
        if self._version == 1:
            return ()
        ack = TxAck(self._version, event.token, self._eui, event.error, event.warning, event.power_dbm)
        return (SendDatagram(encode(ack), upstream=False, server=self._server),)

    def _push(self, rxpks: tuple[Rxpk, ...], stat: Stat | None) -> Sequence[GatewayLinkEffect]:
        self.last_push_token = token = self._next_token(is_push=True)
        data = encode(PushData(self._version, token, self._eui, rxpks, stat))
        self.push_sent += 1
        return (SendDatagram(data, upstream=True, server=self._server),)

    def _received(self, data: bytes) -> Sequence[GatewayLinkEffect]:
        try:
            packet = decode(data)
        except GwmpError as error:
            return (Dropped("malformed", error.clause, str(error)),)
        if packet.version != self._version:
            return (Dropped("version", "PROTOCOL.md 1.6 §3", f"{packet.version}, not {self._version}"),)
        if isinstance(packet, PullResp):
            return (DownlinkRequested(packet.token, packet.version, packet.txpk, self._server),)
        if not isinstance(packet, PushAck | PullAck):
            return (Dropped("unexpected_type", "PROTOCOL.md 1.6 §5", f"{type(packet).__name__} is not for a gateway"),)
        is_push = isinstance(packet, PushAck)
        if self._unanswered.get(packet.token) is not is_push:
            return (Dropped("unexpected_ack", "PROTOCOL.md 1.6 §3", f"{type(packet).__name__} token {packet.token}"),)
        del self._unanswered[packet.token]
        if is_push:
            self.push_acked += 1
            self.last_acked_push_token = packet.token
        else:
            self.pull_acked += 1
        return ()

    def _next_token(self, *, is_push: bool) -> int:
        token = self._token
        self._token = (token + 1) & 0xFFFF
        self._unanswered.pop(token, None)
        self._unanswered[token] = is_push
        if len(self._unanswered) > self._max_unanswered:
            del self._unanswered[next(iter(self._unanswered))]
        return token
