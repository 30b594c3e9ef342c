"""What a host driver is to whoever runs it, whichever board it drives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway_fw.concentrator.events import DriverEffect, DriverEvent, TransmitRefused
from gateway_fw.concentrator.setup import RadioSetup
from lorawan.machine import Core, Instant
from lorawan.phy.radio import Transmit

MAX_PAYLOAD_BYTES = 255  # the length field of a LoRa header has 8 bits


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


def impossible(transmit: Transmit, setup: RadioSetup) -> TransmitRefused | None:
    """Why no board could ever send this as it is set up; None where it can."""
    chain = transmit.rf_chain
    if not 0 <= chain < len(setup.radios) or not setup.radios[chain].tx_enabled:
        return TransmitRefused(transmit, "tx_disabled", f"RF chain {chain}")
    if len(transmit.payload) > MAX_PAYLOAD_BYTES:
        return TransmitRefused(transmit, "too_long", f"{len(transmit.payload)} bytes")
    return None
