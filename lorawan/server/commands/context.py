"""What a network's command handlers work on, and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.mac_commands import MacCommand
from lorawan.machine import Dropped, Instant
from lorawan.regions import Region
from lorawan.server.adr import AdrHistory
from lorawan.server.class_link import ClassLink
from lorawan.server.events import LinkSettings, UplinkHeard


@dataclass(slots=True)
class Answers:
    """What a block of commands leads to: one answer of each kind, however often it was asked for, and refusals."""

    given: dict[type[MacCommand], bytes] = field(default_factory=dict)
    refused: list[Dropped] = field(default_factory=list)

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
    """The session as a handler sees it, with the uplink that brought the commands.

    link: the device's settings as last known, None where nothing is. asked: what a LinkADRReq under way asks for;
    refused: what the device would not take. gps_us: GPS time at the end of the uplink, None where the network has none.
    """

    event: UplinkHeard
    region: Region
    now: Instant
    history: AdrHistory
    link: LinkSettings | None
    asked: LinkSettings | None
    refused: LinkSettings | None
    classes: ClassLink
    gps_us: int | None
    out: Answers = field(default_factory=Answers)
