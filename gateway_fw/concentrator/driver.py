"""What a host driver is to whoever runs it, whichever board it drives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway_fw.concentrator.events import DriverEffect, DriverEvent
from lorawan.machine import Core, Instant


class HostDriver(Core[DriverEvent, DriverEffect], Protocol):
    """A core that takes DriverEvent and gives DriverEffect."""

    @property
    def ahead_us(self) -> int:
        """Concentrator time minus host time, as far as known; 0 before Started."""

    @property
    def pps_at(self) -> Instant | None:
        """The concentrator time of the last pulse per second, None where there is none."""


class Shifted:
    """A driver on another origin of time: its instants count from `origin` of the outer clock's."""

    def __init__(self, driver: HostDriver, origin: Instant) -> None:
        self._driver, self._origin = driver, origin

    @property
    def wake_at(self) -> Instant | None:
        """In the outer caller's time."""
        at = self._driver.wake_at
        return None if at is None else at - self._origin

    def wake(self, now: Instant) -> Sequence[DriverEffect]:
        """Call the driver's."""
        return self._driver.wake(now + self._origin)

    def handle(self, event: DriverEvent, now: Instant) -> Sequence[DriverEffect]:
        """Call the driver's."""
        return self._driver.handle(event, now + self._origin)
