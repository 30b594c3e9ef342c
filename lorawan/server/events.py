"""What goes into and comes out of a server session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from lorawan.frames import DataUp
from lorawan.machine import Dropped, Instant


@dataclass(frozen=True, slots=True)
class UplinkHeard:
    """Event: a data uplink, deduplicated.

    snr_db: at the best gateway. dr: its data rate; tx_ch: the index of its channel in the device's plan (both enter the
    1.1 MIC). n_gateways: how many heard it. ended_at: when its last symbol was over, None for now.
    """

    frame: DataUp
    snr_db: float
    dr: int
    tx_ch: int
    n_gateways: int
    ended_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class QueueDownlink:
    """Event: the application wants `payload` delivered, as soon as the device listens."""

    f_port: int
    payload: bytes
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class MovePingSlots:
    """Event: ask for ping slots elsewhere; until the device answers none is used. freq_hz 0: the region's own plan."""

    freq_hz: int
    data_rate: int


@dataclass(frozen=True, slots=True)
class MoveBeacon:
    """Event: ask the device to look for beacons on this frequency, 0 for the region's own plan."""

    freq_hz: int


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Data rate, TXPower index, transmissions per uplink and channel mask of a device."""

    dr: int
    tx_power_index: int
    nb_trans: int
    ch_mask: int


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


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: send this PHYPayload to a device, or a group, that listens without an uplink.

    at: exactly when, the start of a ping slot; None as soon as possible.
    """

    phy_payload: bytes
    at: Instant | None
    freq_hz: int
    dr: int


SessionEvent: TypeAlias = UplinkHeard | QueueDownlink | MovePingSlots | MoveBeacon
SessionEffect: TypeAlias = AppUplink | Repeated | Answer | Send | Dropped
