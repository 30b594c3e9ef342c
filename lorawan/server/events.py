"""What goes into and comes out of a device's server cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lorawan.crypto import SessionKeys
from lorawan.frames import DataUp, JoinRequest, RejoinRequest, RejoinRequest02
from lorawan.ids import DevAddr
from lorawan.mac_commands import MacCommand
from lorawan.machine import Dropped, Instant
from lorawan.server.memory import JoinMemory, Request, ServerMemory
from lorawan.server.picture import Openings, Windows


@dataclass(frozen=True, slots=True)
class UplinkHeard:
    """Event: a data uplink, deduplicated.

    snr_db: at the best gateway. dr: its data rate; tx_ch: the index of its channel in the device's plan (both enter the
    1.1 MIC). n_gateways: how many heard it. ended_at: the end of the transmission, None for the instant of the event.
    freq_hz: where it is given, the session looks the channel up itself and passes tx_ch over.
    """

    frame: DataUp
    snr_db: float
    dr: int
    tx_ch: int
    n_gateways: int
    ended_at: Instant | None = None
    freq_hz: int | None = None


@dataclass(frozen=True, slots=True)
class JoinHeard:
    """Event: a join request for this device, at data rate `dr` on channel tx_ch; None is on none of the region's."""

    request: JoinRequest
    dr: int = 0
    tx_ch: int | None = 0


@dataclass(frozen=True, slots=True)
class RejoinHeard:
    """Event: a rejoin request of this device; dr and tx_ch as of a join."""

    request: RejoinRequest
    dr: int = 0
    tx_ch: int | None = 0


@dataclass(frozen=True, slots=True)
class RejoinGranted:
    """Effect of the session, event for the join server: a rejoin request of type 0 or 2 whose MIC and count are good.

    windows: as the device has them now; an accept of type 2 repeats them.
    """

    request: RejoinRequest02
    windows: Windows


@dataclass(frozen=True, slots=True)
class QueueDownlink:
    """Event: the application wants `payload` delivered, as soon as the device listens.

    priority: a higher one goes before all lower ones; equal ones go in the order of their coming.
    """

    f_port: int
    payload: bytes
    confirmed: bool = False
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """Event: the operator wants this of the device: one command, or LinkADRReqs that make one block."""

    request: Request


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """Effect of the join server: the accept, and the session it offers. f_cnt values start at 0.

    rejoin_type: of the request that it answers, None for a join. A session of type 2 keeps channels, windows and link.
    """

    accept: bytes
    dev_addr: DevAddr
    keys: SessionKeys
    is_1_1: bool
    rejoin_type: int | None = None


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    """Effect: send this accept after the join or rejoin request just handled.

    dev_addr: the one it gives. rejoin_type: of the request, None for a join.
    """

    phy_payload: bytes
    openings: Openings
    dev_addr: DevAddr
    rejoin_type: int | None = None


@dataclass(frozen=True, slots=True)
class PersistJoins:
    """Effect: write this durably; the accept after it waits until it is."""

    memory: JoinMemory


@dataclass(frozen=True, slots=True)
class ServerPersist:
    """Effect: write this durably; the effects after it wait until it is."""

    memory: ServerMemory


@dataclass(frozen=True, slots=True)
class AppUplink:
    """Effect: a new, genuine uplink, decrypted. f_port is None for a frame without payload; 0 carries MAC commands."""

    f_cnt: int
    f_port: int | None
    payload: bytes
    confirmed: bool
    ack: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """Effect: a genuine uplink whose counter was accepted before (NbTrans, or an acknowledgement that was lost)."""

    f_cnt: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Effect: send this PHYPayload in RX1 or RX2 of the uplink just handled."""

    phy_payload: bytes
    openings: Openings


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: send this PHYPayload to a device, or a group, that listens without an uplink.

    at: exactly when, the start of a ping slot; None as soon as possible.
    """

    phy_payload: bytes
    at: Instant | None
    freq_hz: int
    dr: int


@dataclass(frozen=True, slots=True)
class DownlinkAcknowledged:
    """Effect: the device has this confirmed downlink. f_cnt: its counter."""

    downlink: QueueDownlink
    f_cnt: int


@dataclass(frozen=True, slots=True)
class DownlinkUnacknowledged:
    """Effect: the device said nothing of this confirmed downlink, which is not sent again. tries: how often it was."""

    downlink: QueueDownlink
    f_cnt: int
    tries: int


@dataclass(frozen=True, slots=True)
class RequestDone:
    """Effect: the device did as asked. answer: None where a request has none (ForceRejoinReq)."""

    request: Request
    answer: MacCommand | None


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """Effect: the device would not, and left things as they were."""

    request: Request
    answer: MacCommand


@dataclass(frozen=True, slots=True)
class RequestUnanswered:
    """Effect: asked `tries` times in vain and given up."""

    request: Request
    tries: int


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Effect: a DevStatusAns. battery: 0 external, 1–254 level, 255 unknown; margin_db: SNR of the request, −32–31."""

    battery: int
    margin_db: int


News: TypeAlias = RequestDone | RequestRefused | RequestUnanswered | DeviceStatus
"""What a device's MAC commands tell the operator."""

SessionEvent: TypeAlias = UplinkHeard | RejoinHeard | QueueDownlink | Ask
SessionEffect: TypeAlias = (
    AppUplink
    | Repeated
    | Answer
    | Send
    | DownlinkAcknowledged
    | DownlinkUnacknowledged
    | News
    | RejoinGranted
    | Dropped
)
JoinEvent: TypeAlias = JoinHeard | RejoinHeard | RejoinGranted
JoinEffect: TypeAlias = PersistJoins | SessionCreated | Dropped
ServerEvent: TypeAlias = UplinkHeard | JoinHeard | RejoinHeard | QueueDownlink | Ask
ServerEffect: TypeAlias = (
    ServerPersist
    | JoinAnswer
    | AppUplink
    | Repeated
    | Answer
    | Send
    | DownlinkAcknowledged
    | DownlinkUnacknowledged
    | News
    | Dropped
)
