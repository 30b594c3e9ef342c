"""What both ends of the Basics Station protocol take in and give out about their connections."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeAlias

from lorawan.ids import Eui64

Connection: TypeAlias = Hashable
"""Which websocket: at the server whatever its shell numbers connections by, at the gateway the count of attempts."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Event, at the server: a gateway opened a websocket.

    path: of the request. authority: host and port as the gateway wrote them; secure: over TLS. allowed: the gateways
    that its token stands for, None for any.
    """

    connection: Connection
    path: str
    authority: str
    secure: bool = False
    allowed: frozenset[Eui64] | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """Event, at the gateway: the websocket that was asked for is open."""

    connection: Connection


@dataclass(frozen=True, slots=True)
class TextReceived:
    """Event: a text record came in."""

    connection: Connection
    text: str | bytes


@dataclass(frozen=True, slots=True)
class Closed:
    """Event: the websocket is closed, or could not be opened. why: in words."""

    connection: Connection
    why: str = ""


@dataclass(frozen=True, slots=True)
class Connect:
    """Effect, at the gateway: open a websocket; Connected or Closed with the same number is to follow."""

    connection: Connection
    uri: str


@dataclass(frozen=True, slots=True)
class SendText:
    """Effect: send a text record."""

    connection: Connection
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Effect: close the websocket. code: of RFC 6455 §7.4.1."""

    connection: Connection
    code: int = 1000
    reason: str = ""
