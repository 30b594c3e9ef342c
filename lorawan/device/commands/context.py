"""What a device's command handlers work on, and what they leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from lorawan.device.config import DeviceConfig
from lorawan.device.events import LinkChecked, TimeReceived
from lorawan.device.session import Answer, DeviceSession
from lorawan.mac_commands import MacCommand
from lorawan.machine import Instant
from lorawan.regions import Region
from lorawan.version import Version, VersionRules


@dataclass(slots=True)
class Answers:
    """What a block of commands leads to: answers in the order of the requests, and news for the application."""

    given: tuple[Answer, ...] = ()
    news: tuple[LinkChecked | TimeReceived, ...] = ()

    def add(self, command: MacCommand, *, sticky: bool = False, times: int = 1) -> None:
        """One more answer, or several equal ones."""
        self.given += (Answer(command.encode(), sticky),) * times


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The device as a handler sees it: the session is changed in place, answers and news go to `out`."""

    session: DeviceSession
    config: DeviceConfig
    now: Instant  # the downlink was heard
    in_ping_slot: bool = False
    out: Answers = field(default_factory=Answers)

    @property
    def region(self) -> Region:
        """The device's regional plan."""
        return self.config.region

    @property
    def version(self) -> Version:
        """The version that this session speaks."""
        return self.config.version.in_session(is_1_1=self.session.is_1_1)

    @property
    def rules(self) -> VersionRules:
        """What that version does where others differ."""
        return self.version.rules
