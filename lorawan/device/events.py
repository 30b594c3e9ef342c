"""What goes into and comes out of a device core, beside `Heard`, `Listen` and `Dropped`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lorawan.device.memory import DeviceMemory
from lorawan.ids import DevAddr
from lorawan.machine import Dropped, Instant
from lorawan.phy.radio import Heard, Listen, Transmit
from lorawan.trace import FrameKind


@dataclass(frozen=True, slots=True)
class StartJoin:
    """Event: begin over-the-air activation, and keep trying until it succeeds."""


@dataclass(frozen=True, slots=True)
class StartRejoin:
    """Event: send a Rejoin-Request of type 0, 1 or 2 when its duty cycle allows; the session goes on meanwhile."""

    rejoin_type: int


@dataclass(frozen=True, slots=True)
class SendRequest:
    """Event: the application wants `payload` sent on FPort 1–223 (224 on a bench)."""

    f_port: int
    payload: bytes
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class RequestLinkCheck:
    """Event: put a LinkCheckReq into the next uplink."""


@dataclass(frozen=True, slots=True)
class RequestTime:
    """Event: put a DeviceTimeReq into the next uplink (1.0.3 onwards)."""


@dataclass(frozen=True, slots=True)
class ReceptionStarted:
    """Event: the radio locked on a preamble inside a window and stays with the frame until `ends_at`."""

    ends_at: Instant


@dataclass(frozen=True, slots=True)
class Persist:
    """Effect: write this durably; the effects after it wait until it is."""

    memory: DeviceMemory


@dataclass(frozen=True, slots=True)
class Transmission:
    """Effect: transmit, with what the frame is. repeat: 0 for the first transmission of this counter value.

    f_cnt: of a join its DevNonce, of a rejoin its RJcount.
    """

    transmit: Transmit
    kind: FrameKind
    dev_addr: int
    f_cnt: int
    f_port: int  # −1: none
    repeat: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class StopListening:
    """Effect: close the windows that are still open."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Effect: a JoinAccept was taken; a session exists.

    dev_nonce: of the request; of a Rejoin-Request (rejoin_type 0, 1 or 2) its RJcount.
    """

    dev_addr: DevAddr
    dev_nonce: int
    rejoin_type: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """Effect: an application downlink, decrypted. f_pending: the network has more and waits for an uplink."""

    f_port: int
    payload: bytes
    f_cnt: int
    confirmed: bool
    f_pending: bool = False


@dataclass(frozen=True, slots=True)
class SendDone:
    """Effect: a SendRequest has run its course. f_cnt: None where it never got a counter value.

    transmissions: 0 where it was dropped; acknowledged: None for unconfirmed ones.
    """

    f_cnt: int | None
    transmissions: int
    acknowledged: bool | None


@dataclass(frozen=True, slots=True)
class LinkChecked:
    """Effect: a LinkCheckAns arrived."""

    margin_db: int
    gw_cnt: int


@dataclass(frozen=True, slots=True)
class TimeReceived:
    """Effect: a DeviceTimeAns arrived: GPS time at the END of the uplink that asked."""

    gps_seconds: int
    fraction_256: int


DeviceEvent: TypeAlias = (
    StartJoin | StartRejoin | SendRequest | RequestLinkCheck | RequestTime | ReceptionStarted | Heard
)
DeviceEffect: TypeAlias = (
    Persist
    | Transmission
    | Listen
    | StopListening
    | Joined
    | Received
    | SendDone
    | LinkChecked
    | TimeReceived
    | Dropped
)
