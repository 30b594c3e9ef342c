"""What the medium is told, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lorawan.machine import Instant
from lorawan.phy import Heard, Listen, Transmit
from lorawan.trace import DownlinkOutcome, Outcome


@dataclass(frozen=True, slots=True)
class UplinkStarts:
    """Event: a device's frame goes on the air now. frame_index counts the device's frames: it keys their fading."""

    device: int
    frame_index: int
    transmit: Transmit


@dataclass(frozen=True, slots=True)
class DownlinkStarts:
    """Event: a gateway's frame goes on the air now. reference: the caller's own unique number; it keys the fading."""

    gateway: int
    reference: int
    transmit: Transmit


@dataclass(frozen=True, slots=True)
class DeviceListens:
    """Event: a device opens, or will open, a receive window. It may be told before or after the window opens."""

    device: int
    listen: Listen


@dataclass(frozen=True, slots=True)
class CancelListen:
    """Event: a device gives up all its windows, and the frame it may be receiving."""

    device: int


@dataclass(frozen=True, slots=True)
class UplinkEnded:
    """Effect: an uplink's last symbol is over. heard: (gateway, what its chip reports) for each that received it."""

    device: int
    frame_index: int
    transmit: Transmit
    outcome: Outcome
    heard: tuple[tuple[int, Heard], ...]


@dataclass(frozen=True, slots=True)
class DownlinkEnded:
    """Effect: a downlink's last symbol is over.

    receptions: every device that had a fitting window open, with what became of the frame there; Heard when delivered.
    A device that is not named was not listening.
    """

    gateway: int
    reference: int
    transmit: Transmit
    receptions: tuple[tuple[int, DownlinkOutcome, Heard | None], ...]


@dataclass(frozen=True, slots=True)
class DeviceLocked:
    """Effect: a device's radio has locked on a downlink and stays with it until `ends_at`."""

    device: int
    ends_at: Instant


MediumEvent: TypeAlias = UplinkStarts | DownlinkStarts | DeviceListens | CancelListen
MediumEffect: TypeAlias = UplinkEnded | DownlinkEnded | DeviceLocked
