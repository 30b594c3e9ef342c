"""What happens on a live air, as one stream: log, capture and summary are readers of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lorawan.ids import DevAddr
from lorawan.machine import Instant
from lorawan.phy import Heard, Transmit
from lorawan.trace import DownlinkOutcome, FrameKind, Outcome


@dataclass(frozen=True, slots=True)
class UplinkOver:
    """A device's frame is over. heard: (site, what its chip reports), for each gateway that received it."""

    at: Instant
    device: str
    kind: FrameKind
    f_cnt: int
    transmit: Transmit
    outcome: Outcome
    heard: tuple[tuple[str, Heard], ...]


@dataclass(frozen=True, slots=True)
class DownlinkOver:
    """A gateway's frame is over. device: who received it, "" where nobody did.

    after_uplink_us: from the end of that device's last uplink to the start of this frame: 1 000 000 is RX1 on the
    microsecond. None where no device was listening.
    """

    at: Instant
    site: str
    device: str
    transmit: Transmit
    outcome: DownlinkOutcome
    after_uplink_us: int | None
    heard: Heard | None


@dataclass(frozen=True, slots=True)
class DownlinkRefused:
    """A gateway asked for a frame whose start had passed. It was not sent, and not moved either."""

    at: Instant
    site: str
    transmit: Transmit
    late_us: int


@dataclass(frozen=True, slots=True)
class DeviceHasJoined:
    """A device took a JoinAccept."""

    at: Instant
    device: str
    dev_addr: DevAddr


@dataclass(frozen=True, slots=True)
class Submitted:
    """A device's application asked for a payload to be sent."""

    at: Instant
    device: str
    f_port: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class DownlinkTaken:
    """A device handed a decrypted downlink to its application."""

    at: Instant
    device: str
    f_port: int
    f_cnt: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """A device goes on with another data rate, power or number of transmissions: what ADR asked for."""

    at: Instant
    device: str
    dr: int
    tx_power_index: int
    nb_trans: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A core refused something. where: "device", "forwarder" or "concentrator"; who: which one."""

    at: Instant
    where: str
    who: str
    reason: str
    detail: str


AirEvent: TypeAlias = (
    UplinkOver
    | DownlinkOver
    | DownlinkRefused
    | DeviceHasJoined
    | Submitted
    | DownlinkTaken
    | SettingsChanged
    | Refused
)
