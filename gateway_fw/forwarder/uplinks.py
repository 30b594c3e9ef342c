"""The servers of a forwarder: a link for each, and what each has not acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec.json import Encoder

from gateway_fw.errors import GwmpError
from gateway_fw.forwarder.clock import WRAP_US, GatewayClock
from gateway_fw.forwarder.config import ForwarderConfig
from gateway_fw.forwarder.receptions import compact_utc
from gateway_fw.forwarder.spool import (
    TOKENS_KEPT,
    Persist,
    PersistAll,
    PersistDone,
    PersistFailed,
    PersistRecovered,
    Spool,
    SpoolRestored,
)
from gateway_fw.forwarder.spool_records import SpooledUplink
from gateway_fw.forwarder.statistics import IntervalCounters
from gateway_fw.gwmp.events import DatagramReceived
from gateway_fw.gwmp.gateway import (
    AckDownlink,
    DownlinkRequested,
    GatewayLinkCore,
    SendDatagram,
    SendStat,
    SendUplinks,
)
from gateway_fw.gwmp.rxpk import Rxpk, decode_rxpk, encode_rxpk
from gateway_fw.gwmp.stat import Stat
from lorawan.machine import Dropped, Instant

UplinkEffect = SendDatagram | DownlinkRequested | Dropped | Persist | PersistAll | PersistDone

STALE_TMST_US = 1 << 30  # some 18 minutes: half of what a 32-bit counter tells apart from the future
_encoder = Encoder()


class Uplinks:
    """What goes to the servers and what comes from them."""

    def __init__(self, config: ForwarderConfig) -> None:
        spooled = config.spool is not None
        self._config = config
        self._links = tuple(
            GatewayLinkCore(
                config.gateway_eui,
                keepalive_us=link.keepalive_us,
                version=link.version,
                first_token=link.first_token,
                server=index,
                **({"max_unanswered": TOKENS_KEPT} if spooled else {}),
            )
            for index, link in enumerate(config.all_links)
        )
        self._spools: tuple[Spool, ...] = ()
        if config.spool is not None:
            self._spools = tuple(
                Spool(index, config.spool, alive_for_us=link.alive_for_us)
                for index, link in enumerate(config.all_links)
            )
        self._moved_sent = self._moved_acked = 0

    @property
    def waiting(self) -> tuple[int, ...]:
        """Uplinks that each server has not acknowledged."""
        return tuple(map(len, self._spools)) or (0,) * len(self._links)

    @property
    def spools(self) -> tuple[Spool, ...]:
        """By server; empty where nothing is kept."""
        return self._spools

    @property
    def wake_at(self) -> Instant:
        """When a PULL_DATA or a frame that waits is due."""
        at = self._links[0].wake_at
        for link in self._links[1:]:
            at = min(at, link.wake_at)
        for spool in self._spools:
            due = spool.wake_at
            if due is not None and due < at:
                at = due
        return at

    def wake(self, now: Instant, clock: GatewayClock, unix_us: int) -> Sequence[UplinkEffect]:
        """Keep alive, and send again what is due."""
        effects: list[UplinkEffect] = []
        for link in self._links:
            effects.extend(link.wake(now))
        for server in range(len(self._spools)):
            effects.extend(self._resend(server, clock, unix_us, now))
        return effects

    def push(self, rxpk: Rxpk, unix_us: int, now: Instant) -> Sequence[UplinkEffect]:
        """Forward a frame to every server, and keep it until each has acknowledged it."""
        effects: list[UplinkEffect] = []
        body = _encoder.encode(encode_rxpk(rxpk)) if self._spools else b""
        for server, link in enumerate(self._links):
            number = 0
            if self._spools:
                number, persist = self._spools[server].add(body, unix_us, now)
                effects.extend(persist)
            effects.extend(link.handle(SendUplinks((rxpk,)), now))
            if self._spools:
                self._spools[server].sent(link.last_push_token, (number,), now)
        return effects

    def report(self, stat: Stat, now: Instant) -> Sequence[UplinkEffect]:
        """Send a status report to every server."""
        return [effect for link in self._links for effect in link.handle(SendStat(stat), now)]

    def answer(self, server: int, answer: AckDownlink, now: Instant) -> Sequence[UplinkEffect]:
        """Send a TX_ACK to the server that asked."""
        return self._links[server].handle(answer, now)

    def datagram(self, event: DatagramReceived, now: Instant) -> Sequence[UplinkEffect]:
        """Take a datagram of a server in."""
        if not 0 <= event.server < len(self._links):
            return (Dropped("unknown_server", "forwarder configuration", f"server {event.server}"),)
        link = self._links[event.server]
        push_acked, pull_acked = link.push_acked, link.pull_acked
        effects: list[UplinkEffect] = []
        effects.extend(link.handle(event, now))
        if self._spools:
            spool = self._spools[event.server]
            if link.push_acked > push_acked:
                effects.extend(spool.acknowledged(link.last_acked_push_token, now))
            elif link.pull_acked > pull_acked:
                spool.heard(now)
        return effects

    def spool_event(
        self, event: SpoolRestored | PersistFailed | PersistRecovered, unix_us: int, now: Instant
    ) -> Sequence[Persist | PersistAll | PersistDone | Dropped]:
        """What the files of a spool have to say."""
        if not 0 <= event.server < len(self._spools):
            return (Dropped("no_spool", "forwarder configuration", f"server {event.server}"),)
        spool = self._spools[event.server]
        if isinstance(event, SpoolRestored):
            return spool.restore(event, unix_us, now)
        return spool.failed(event) if isinstance(event, PersistFailed) else spool.recovered()

    def move_counts(self, counters: IntervalCounters) -> None:
        """Add what was sent and acknowledged since the last call, over all servers."""
        sent = acked = 0
        for link in self._links:
            sent += link.push_sent
            acked += link.push_acked
        counters.push_sent += sent - self._moved_sent
        counters.push_acked += acked - self._moved_acked
        self._moved_sent, self._moved_acked = sent, acked

    def _resend(self, server: int, clock: GatewayClock, unix_us: int, now: Instant) -> Sequence[UplinkEffect]:
        link, spool = self._links[server], self._spools[server]
        effects: list[UplinkEffect] = []
        while taken := spool.take_due(now):
            rxpks: list[Rxpk] = []
            numbers: list[int] = []
            for uplink in taken:
                try:
                    rxpk = decode_rxpk(uplink.body)
                except GwmpError as error:
                    effects.extend(spool.refuse(uplink.number))
                    effects.append(Dropped("spool_unreadable", error.clause, str(error)))
                    continue
                rxpks.append(late_rxpk(rxpk, uplink, clock.counter(now), unix_us))
                numbers.append(uplink.number)
            if rxpks:
                effects.extend(link.handle(SendUplinks(tuple(rxpks)), now))
                spool.sent(link.last_push_token, tuple(numbers), now, resent=True)
        return effects


def late_rxpk(rxpk: Rxpk, uplink: SpooledUplink, counter_now: int, unix_us: int) -> Rxpk:
    """A frame that is sent again: with the time of its reception, and a counter value that leads to no downlink.

    Its own value says the truth and is too late for any window, as long as it is unmistakably in the past (18 minutes)
    and of this run. Later it could mean the future, so it becomes one that stands 18 minutes back.
    """
    age_us = unix_us - uplink.unix_us
    tmst = rxpk.tmst
    in_this_run = 0 <= age_us < STALE_TMST_US and abs((counter_now - tmst) % WRAP_US - age_us) < STALE_TMST_US // 64
    if not in_this_run:
        tmst = (counter_now - STALE_TMST_US) % WRAP_US
    return replace(rxpk, tmst=tmst, time=rxpk.time or compact_utc(uplink.unix_us))
