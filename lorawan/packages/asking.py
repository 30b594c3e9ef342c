"""The server side that all packages share: put a command, wait for its answer, put it again when none comes.

Class A gives a downlink only after an uplink, and either may be lost; so a command that has an answer is repeated until
that answer is there. Several may be outstanding; answers are matched by CID and by what they name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from lorawan.machine import Dropped, Instant
from lorawan.packages.commands import Package, PackageCommand, ParsedPackage
from lorawan.packages.events import PackageUplinkHeard, SendDownlink
from lorawan.units import US_PER_S

ASK_AGAIN_US: Final = 300 * US_PER_S  # an assumption: some uplinks of a sensor that sends each minute
TRIES: Final = 5  # an assumption


@dataclass(frozen=True, slots=True)
class Ask:
    """Event: put this command to the device."""

    command: PackageCommand


@dataclass(frozen=True, slots=True)
class Answered:
    """Effect: the device answered."""

    request: PackageCommand
    answer: PackageCommand


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Effect: it did not, however often it was asked."""

    request: PackageCommand
    tries: int


AskingEffect: TypeAlias = SendDownlink | Answered | Unanswered | Dropped
Match: TypeAlias = Callable[[PackageCommand, PackageCommand], bool]


@dataclass(slots=True)
class _Open:
    request: PackageCommand
    again_at: Instant
    tries: int = 1


def same_cid(request: PackageCommand, answer: PackageCommand) -> bool:
    """The rule of all packages: an answer has the number of its request."""
    return request.cid == answer.cid


class Asking:
    """Commands to one device that wait for their answers."""

    def __init__(
        self, package: Package, *, match: Match = same_cid, again_us: int = ASK_AGAIN_US, tries: int = TRIES
    ) -> None:
        self.package = package
        self._match = match
        self._again_us = again_us
        self._tries = tries
        self._open: list[_Open] = []

    @property
    def wake_at(self) -> Instant | None:
        """When the next command is to be repeated."""
        return min((entry.again_at for entry in self._open), default=None)

    def ask(self, command: PackageCommand, now: Instant) -> Sequence[AskingEffect]:
        """Send it; and keep it, where the package has an answer to it."""
        if (True, command.cid) in self.package.registry:
            self._open.append(_Open(command, now + self._again_us))
        return (SendDownlink(command.encode()),)

    def heard(self, payload: bytes) -> tuple[ParsedPackage, list[AskingEffect]]:
        """What the device sent, and which requests it answers."""
        parsed = self.package.parse(payload, uplink=True)
        effects: list[AskingEffect] = []
        for answer in parsed.commands:
            for entry in self._open:
                if self._match(entry.request, answer):
                    self._open.remove(entry)
                    effects.append(Answered(entry.request, answer))
                    break
        if parsed.rest:
            effects.append(Dropped("command", self.package.clause, f"not understood: {parsed.rest.hex()}"))
        return parsed, effects

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._open.clear()

    def wake(self, now: Instant) -> Sequence[AskingEffect]:
        """Repeat what is due, and give up what was asked too often."""
        effects: list[AskingEffect] = []
        for entry in [entry for entry in self._open if entry.again_at <= now]:
            if entry.tries >= self._tries:
                self._open.remove(entry)
                effects.append(Unanswered(entry.request, entry.tries))
            else:
                entry.tries += 1
                entry.again_at = now + self._again_us
                effects.append(SendDownlink(entry.request.encode()))
        return effects


class AskingServer:
    """The whole server side of a package that is only asked: firmware management, multicast setup, certification."""

    def __init__(
        self, package: Package, *, match: Match = same_cid, again_us: int = ASK_AGAIN_US, tries: int = TRIES
    ) -> None:
        self._asking = Asking(package, match=match, again_us=again_us, tries=tries)

    @property
    def wake_at(self) -> Instant | None:
        """When the next command is to be repeated."""
        return self._asking.wake_at

    def handle(self, event: Ask | PackageUplinkHeard, now: Instant) -> Sequence[AskingEffect]:
        """Take a command or an uplink in."""
        if isinstance(event, Ask):
            return self._asking.ask(event.command, now)
        return self._asking.heard(event.payload)[1]

    def wake(self, now: Instant) -> Sequence[AskingEffect]:
        """Repeat what is due."""
        return self._asking.wake(now)
