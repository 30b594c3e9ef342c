"""The gateway's way to its server: discovery, data connection, and how long it waits after each failure.

Source: Basics Station 2.0.6, tc.c (tc_start, tc_info_request, tc_muxs_connection, tc_continue).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from gateway_fw.errors import StationError
from gateway_fw.station.control import DISCOVERY_PATH, StationUri, encode_discovery, router_info_of
from gateway_fw.station.events import Close, Closed, Connect, Connected, SendText, TextReceived
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.units import US_PER_S

TIMEOUT_US = 60 * US_PER_S  # s2conf.h, TC_TIMEOUT
MAX_DATA_RETRIES = 4  # then discovery again
MAX_DISCOVERY_STEPS = 6  # of 10 s each
_CLAUSE = "Basics Station 2.0.6, tc.c"


class Phase(Enum):
    """Where a gateway stands with its server."""

    WAITING = "waiting"  # for the next attempt
    DISCOVERY_CONNECTING = "discovery connecting"
    DISCOVERY = "discovery"  # asked, no answer yet
    DATA_CONNECTING = "data connecting"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Up:
    """The data connection is open."""


@dataclass(frozen=True, slots=True)
class Down:
    """The data connection is gone, or is to be given up."""

    why: str


LinkEffect: TypeAlias = Connect | SendText | Close | Up | Down | Dropped


class StationLink:
    """tc_uri: the server's address as tc.uri has it, "ws://host:port" (a path is kept before /router-info).

    The waits: after a lost data connection 1, 2, 4, 8, 16 s and then discovery again; after a failed discovery 0, 10,
    20 … 60 s. `configured` starts them over; Station itself never does, so that its sixth lost connection in a run
    always leads to discovery. Raises StationError for a tc_uri that is none.
    """

    def __init__(self, router: Eui64, tc_uri: str, *, start: Instant = 0) -> None:
        base = tc_uri.rstrip("/") + DISCOVERY_PATH
        self._router, self._tc_uri = router, str(StationUri.of(base, "tc.uri"))
        self._data_uri: str | None = None
        self.phase = Phase.WAITING
        self.connection = 0
        self.retries = 0
        self._due: Instant = start

    @property
    def wake_at(self) -> Instant | None:
        """The next attempt, or when an answer is overdue; None while connected."""
        return None if self.phase is Phase.DATA else self._due

    def wake(self, now: Instant) -> Sequence[LinkEffect]:
        """Try again, or give up an attempt without an answer."""
        if self.phase is Phase.DATA or now < self._due:
            return ()
        if self.phase is not Phase.WAITING:
            given_up = Close(self.connection)
            self._failed(now, lost_data=False)
            return (given_up, Dropped("timeout", _CLAUSE, f"no answer within {TIMEOUT_US // US_PER_S} s"))
        return (self._attempt(now),)

    def configured(self) -> None:
        """The server accepted this gateway: waits start over."""
        self.retries = 0

    def abandon(self, now: Instant, why: str) -> Sequence[LinkEffect]:
        """Close the data connection ourselves, as after a router_config that cannot be used; discovery follows."""
        closing = Close(self.connection)
        self._data_uri = None
        self._failed(now, lost_data=False)
        return (closing, Down(why))

    def handle(self, event: Connected | TextReceived | Closed, now: Instant) -> Sequence[LinkEffect]:
        """Take an event of the current attempt in. Records of the data connection are not for here."""
        if event.connection != self.connection or self.phase is Phase.WAITING:
            return ()  # of an attempt that was given up
        if isinstance(event, Connected):
            return self._connected(now)
        if isinstance(event, Closed):
            was_data = self.phase is Phase.DATA
            self._failed(now, lost_data=was_data)
            why = event.why or "closed by the server"
            return (Down(why),) if was_data else (Dropped("connection", _CLAUSE, why),)
        return self._answered(event, now)

    def _connected(self, now: Instant) -> Sequence[LinkEffect]:
        if self.phase is Phase.DISCOVERY_CONNECTING:
            self.phase, self._due = Phase.DISCOVERY, now + TIMEOUT_US
            return (SendText(self.connection, encode_discovery(self._router)),)
        if self.phase is Phase.DATA_CONNECTING:
            self.phase = Phase.DATA
            return (Up(),)
        return ()

    def _answered(self, event: TextReceived, now: Instant) -> Sequence[LinkEffect]:
        closing = Close(self.connection)
        try:
            info = router_info_of(event.text)
        except StationError as error:
            self._failed(now, lost_data=False)
            return (closing, Dropped("malformed", error.clause, str(error)))
        if info.error or not info.uri:
            self._failed(now, lost_data=False)
            return (closing, Dropped("refused", _CLAUSE, info.error or "no uri"))
        self._data_uri = info.uri
        return (closing, self._attempt(now))

    def _attempt(self, now: Instant) -> Connect:
        self.connection += 1
        self._due = now + TIMEOUT_US
        self.phase = Phase.DISCOVERY_CONNECTING if self._data_uri is None else Phase.DATA_CONNECTING
        return Connect(self.connection, self._tc_uri if self._data_uri is None else self._data_uri)

    def _failed(self, now: Instant, *, lost_data: bool) -> None:
        self.phase = Phase.WAITING
        if self._data_uri is not None and lost_data and self.retries <= MAX_DATA_RETRIES:
            self._due = now + (1 << self.retries) * US_PER_S
        else:
            if self._data_uri is not None:
                self._data_uri, self.retries = None, 1
            self._due = now + 10 * min(self.retries, MAX_DISCOVERY_STEPS) * US_PER_S
        self.retries += 1
