"""What a network's command handlers work on, and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from lorawan.mac_commands import MacCommand
from lorawan.machine import Dropped, Instant
from lorawan.regions import Region
from lorawan.server.adr import AdrHistory
from lorawan.server.class_link import ClassLink
from lorawan.server.events import News, RequestDone, RequestRefused, UplinkHeard
from lorawan.server.memory import Request
from lorawan.server.picture import LinkSettings, Picture
from lorawan.server.requests import Requests
from lorawan.version import Version

CommandT = TypeVar("CommandT", bound=MacCommand)


@dataclass(slots=True)
class Answers:
    """What a block of commands leads to: one answer of each kind, however often it was asked for, refusals, and news.

    sticky: answers that the device repeats until a downlink comes.
    """

    given: dict[type[MacCommand], bytes] = field(default_factory=dict)
    refused: list[Dropped] = field(default_factory=list)
    news: list[News] = field(default_factory=list)
    sticky: set[type[MacCommand]] = field(default_factory=set)

    def add(self, command: MacCommand) -> None:
        """The answer of this kind; a later one stands in its place."""
        self.given[type(command)] = command.encode()

    def refuse(self, why: Dropped) -> None:
        """What is not done, once."""
        if why not in self.refused:
            self.refused.append(why)

    @property
    def encoded(self) -> bytes:
        """The answers, in the order of the requests."""
        return b"".join(self.given.values())


@dataclass(slots=True)
class ServerCommandContext:
    """The session as a handler sees it, with the uplink that brought the commands (f_cnt: its counter, 32 bits).

    version: whose commands the session has. link: the device's settings as last known, None where nothing is. asked:
    what ADR's LinkADRReq under way asks for; refused: what the device would not take. gps_at_origin_us: GPS time at
    instant 0, µs since 6 January 1980, None where the network has none.
    """

    event: UplinkHeard
    f_cnt: int
    version: Version
    region: Region
    now: Instant
    over_the_air: bool
    gps_at_origin_us: int | None
    history: AdrHistory
    requests: Requests
    picture: Picture
    link: LinkSettings | None
    asked: LinkSettings | None
    refused: LinkSettings | None
    classes: ClassLink
    out: Answers = field(default_factory=Answers)

    @property
    def gps_us(self) -> int | None:
        """GPS time at the end of the uplink, None where the network has none."""
        ended_at = self.now if self.event.ended_at is None else self.event.ended_at
        return None if self.gps_at_origin_us is None else self.gps_at_origin_us + ended_at

    def answered(
        self, kind: type[CommandT], answer: MacCommand, *, accepted: bool = True
    ) -> tuple[CommandT, ...] | None:
        """The request that this answers, where the device did as asked; else None. The operator is told either way."""
        request = self.requests.take(kind)
        if request is None:
            return None
        told: Request = request
        self.out.news.append(RequestDone(told, answer) if accepted else RequestRefused(told, answer))
        return request if accepted else None


def impossible(request: MacCommand) -> Dropped:
    """A device says that it did what its region does not have: the network cannot follow it there."""
    return Dropped("impossible_answer", request.clause, f"accepted {request}")
