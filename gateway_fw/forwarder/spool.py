"""Uplinks that a server has not acknowledged yet: what is kept, what is sent again and when, what is let go.

Semtech UDP itself resends nothing. Here each uplink is kept, in memory and through `Persist` on disk, until its
PUSH_ACK has come. It is sent again no earlier than 20 s after its reception, when every receive window of its device
has closed, so a late frame never leads to a downlink; and only while the server shows that it is there. Number and
age of what is kept are bounded: the oldest are let go first, and counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gateway_fw.forwarder.spool_records import SpooledUplink
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_DAY, US_PER_S

RETRY_US = 20 * US_PER_S  # assumption: RX2 opens at most 16 s after the uplink (RxTimingSetup 15 s, TS001-1.0.4 §5.7)
RESENT_TOGETHER_BYTES = 1_100  # assumption: a datagram that mobile networks carry in one piece
RESENDS_UNDER_WAY = 4  # assumption: datagrams of old frames that may await their acknowledgement
TOKENS_KEPT = 4_096  # a PUSH_ACK that comes later than this many datagrams says nothing any more
_DONE_KEPT = 1_024  # entries of uplinks that are done with may stay in the line until there are so many
_CLAUSE = "spool"


@dataclass(frozen=True, slots=True)
class SpoolConfig:
    """max_bytes: of the rxpk objects that wait, for each server. max_age_us: after which one is let go.

    The default holds some 290,000 frames: three in a second, day and night.
    """

    max_bytes: int = 64 << 20
    max_age_us: int = 3 * US_PER_DAY


@dataclass(frozen=True, slots=True)
class Persist:
    """Effect: write this uplink to the spool of this server."""

    server: int
    uplink: SpooledUplink


@dataclass(frozen=True, slots=True)
class PersistDone:
    """Effect: write to the spool that these uplinks wait no longer."""

    server: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PersistAll:
    """Effect: write to the spool that these uplinks wait, and no others do."""

    server: int
    uplinks: tuple[SpooledUplink, ...]


@dataclass(frozen=True, slots=True)
class SpoolRestored:
    """Event: what waited in the spool of this server when it was opened, and the highest number in it."""

    server: int
    waiting: tuple[SpooledUplink, ...]
    highest: int


@dataclass(frozen=True, slots=True)
class PersistFailed:
    """Event: the spool of this server cannot be written (disk full, card gone). Forwarding goes on from memory."""

    server: int
    why: str


@dataclass(frozen=True, slots=True)
class PersistRecovered:
    """Event: the spool of this server can be written again, and holds nothing of what came in between."""

    server: int


@dataclass(slots=True)
class _Datagram:
    numbers: tuple[int, ...]
    resent: bool
    free_at: Instant


class Spool:
    """The uplinks that one server has not acknowledged."""

    def __init__(self, server: int, config: SpoolConfig, *, alive_for_us: int) -> None:
        self._server, self._config, self._alive_for_us = server, config, alive_for_us
        self._waiting: dict[int, SpooledUplink] = {}  # by number, which is by age
        self._due: deque[tuple[Instant, int]] = deque()  # when to be sent again; always in order
        self._tokens: dict[int, _Datagram] = {}
        self._under_way: set[int] = set()  # tokens of resent datagrams
        self._next_number = 1
        self._bytes = 0
        self._heard_at: Instant | None = None
        self.let_go = self.resent = self.write_failures = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """Of the rxpk objects that wait."""
        return self._bytes

    def add(self, body: bytes, unix_us: int, now: Instant) -> tuple[int, Sequence[Persist | PersistDone | Dropped]]:
        """Keep an uplink that is about to be sent for the first time: its number, and what to write."""
        uplink = SpooledUplink(self._next_number, unix_us, body)
        self._next_number += 1
        self._keep(uplink)
        self._due.append((now + RETRY_US, uplink.number))
        return uplink.number, (Persist(self._server, uplink), *self._limit(unix_us))

    def restore(self, event: SpoolRestored, unix_us: int, now: Instant) -> Sequence[Persist | PersistDone | Dropped]:
        """Take over what waited before a restart. Call it before the first `add`."""
        self._next_number = max(self._next_number, event.highest + 1)
        due: list[tuple[Instant, int]] = []
        for uplink in event.waiting:
            self._keep(uplink)
            age_us = min(max(0, unix_us - uplink.unix_us), RETRY_US)  # a clock without battery may be behind
            due.append((now + RETRY_US - age_us, uplink.number))
        self._due.extend(sorted(due))
        return self._limit(unix_us)

    def sent(self, token: int, numbers: tuple[int, ...], now: Instant, *, resent: bool = False) -> None:
        """These uplinks went out in a PUSH_DATA with this token."""
        self._forget_token(token)
        self._tokens[token] = _Datagram(numbers, resent, now + RETRY_US)
        if resent:
            self._under_way.add(token)
            self.resent += len(numbers)
        if len(self._tokens) > TOKENS_KEPT:
            self._forget_token(next(iter(self._tokens)))

    def acknowledged(self, token: int, now: Instant) -> Sequence[PersistDone]:
        """A PUSH_ACK has come."""
        self.heard(now)
        datagram = self._tokens.get(token)
        self._forget_token(token)
        done = self._drop(datagram.numbers if datagram is not None else ())
        return (PersistDone(self._server, done),) if done else ()

    def heard(self, now: Instant) -> None:
        """The server has shown that it is there."""
        self._heard_at = now

    def failed(self, event: PersistFailed) -> Sequence[Dropped]:
        """Count a failure to write."""
        self.write_failures += 1
        return (Dropped("spool_write", _CLAUSE, event.why),)

    def recovered(self) -> Sequence[PersistAll]:
        """Write everything that waits once more."""
        return (PersistAll(self._server, tuple(self._waiting.values())),)

    @property
    def wake_at(self) -> Instant | None:
        """When `take_due` may have something; None while the server is silent or nothing waits."""
        self._skip_done()
        if not self._due or self._heard_at is None:
            return None
        at = self._due[0][0]
        if len(self._under_way) >= RESENDS_UNDER_WAY:
            at = max(at, min(self._tokens[token].free_at for token in self._under_way))
        return at if at <= self._heard_at + self._alive_for_us else None

    def take_due(self, now: Instant) -> Sequence[SpooledUplink]:
        """The uplinks of one datagram to be sent again now; report it through `sent`. Empty where none is due."""
        if self._heard_at is None or now > self._heard_at + self._alive_for_us:
            return ()
        for token in [token for token in self._under_way if self._tokens[token].free_at <= now]:
            self._under_way.discard(token)
        if len(self._under_way) >= RESENDS_UNDER_WAY:
            return ()
        taken: list[SpooledUplink] = []
        size = 0
        self._skip_done()
        while self._due and self._due[0][0] <= now:
            uplink = self._waiting[self._due[0][1]]
            if taken and size + len(uplink.body) > RESENT_TOGETHER_BYTES:
                break
            size += len(uplink.body)
            taken.append(uplink)
            self._due.popleft()
            self._skip_done()
        self._due.extend((now + RETRY_US, uplink.number) for uplink in taken)
        return taken

    def refuse(self, number: int) -> Sequence[PersistDone]:
        """Let an uplink go that cannot be read."""
        self.let_go += 1
        return (PersistDone(self._server, self._drop((number,))),)

    def _keep(self, uplink: SpooledUplink) -> None:
        self._waiting[uplink.number] = uplink
        self._bytes += len(uplink.body)

    def _drop(self, numbers: Sequence[int]) -> tuple[int, ...]:
        done = []
        for number in numbers:
            uplink = self._waiting.pop(number, None)
            if uplink is not None:
                self._bytes -= len(uplink.body)
                done.append(number)
        if len(self._due) > 2 * len(self._waiting) + _DONE_KEPT:
            self._due = deque(entry for entry in self._due if entry[1] in self._waiting)
        return tuple(done)

    def _limit(self, unix_us: int) -> Sequence[PersistDone | Dropped]:
        oldest_unix_us = unix_us - self._config.max_age_us
        gone: list[int] = []
        size = self._bytes
        for uplink in self._waiting.values():
            if size <= self._config.max_bytes and uplink.unix_us >= oldest_unix_us:
                break
            size -= len(uplink.body)
            gone.append(uplink.number)
        if not gone:
            return ()
        self.let_go += len(gone)
        self._drop(gone)
        why = f"{len(gone)} let go: older than the spool keeps, or more than it holds"
        return (PersistDone(self._server, tuple(gone)), Dropped("spool_full", _CLAUSE, why))

    def _forget_token(self, token: int) -> None:
        self._tokens.pop(token, None)
        self._under_way.discard(token)

    def _skip_done(self) -> None:
        while self._due and self._due[0][1] not in self._waiting:
            self._due.popleft()
