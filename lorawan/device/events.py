"""What goes into and comes out of a device core, beside `Heard`, `Listen` and `Dropped`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lorawan.device.memory import DeviceMemory
from lorawan.frames.beacon import Beacon
from lorawan.ids import DevAddr
from lorawan.machine import Dropped, Instant
from lorawan.multicast import MulticastGroup
from lorawan.operating_class import OperatingClass
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
class SwitchClass:
    """Event: be of this class. A joined device begins in class A.

    periodicity: of class B's unicast ping slots, 0–7, None for what the network knows; it is told another before
    class B begins.
    """

    operating_class: OperatingClass
    periodicity: int | None = None


@dataclass(frozen=True, slots=True)
class RequestPingSlotInfo:
    """Event: tell the network in an uplink now how often class B's ping slots will come, 0–7; not from class B."""

    periodicity: int


@dataclass(frozen=True, slots=True)
class AddMulticast:
    """Event: listen to a group, in the class it belongs to. An equal group that is there already goes on."""

    group: MulticastGroup


@dataclass(frozen=True, slots=True)
class RemoveMulticast:
    """Event: listen to a group no more."""

    mc_addr: DevAddr


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
    """Effect: an application downlink, decrypted. f_pending: the network has more and waits for an uplink.

    multicast: the group's address, None for a frame to this device alone.
    """

    f_port: int
    payload: bytes
    f_cnt: int
    confirmed: bool
    f_pending: bool = False
    multicast: DevAddr | None = None


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


@dataclass(frozen=True, slots=True)
class ClassChanged:
    """Effect: the device is of this class now."""

    operating_class: OperatingClass


@dataclass(frozen=True, slots=True)
class BeaconReceived:
    """Effect: a beacon was received: what TS009 reports of it in BeaconRxStatusInd. count: since class B was wanted."""

    count: int
    freq_hz: int
    data_rate: int
    rssi_dbm: float
    snr_db: float
    beacon: Beacon


@dataclass(frozen=True, slots=True)
class BeaconMissed:
    """Effect: no beacon came in its window, for the n-th time in a row; class B goes on."""

    in_a_row: int


@dataclass(frozen=True, slots=True)
class BeaconLost:
    """Effect: no beacon for 120 minutes; class B ends."""


@dataclass(frozen=True, slots=True)
class BeaconNotFound:
    """Effect: class B was wanted and cannot begin; the device stays in class A."""


DeviceEvent: TypeAlias = (
    StartJoin
    | StartRejoin
    | SendRequest
    | RequestLinkCheck
    | RequestTime
    | SwitchClass
    | RequestPingSlotInfo
    | AddMulticast
    | RemoveMulticast
    | ReceptionStarted
    | Heard
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
    | ClassChanged
    | BeaconReceived
    | BeaconMissed
    | BeaconLost
    | BeaconNotFound
    | Dropped
)
