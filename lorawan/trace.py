"""The one stream of what happened: records, their columns, units and outcomes.

Log, PCAP, Parquet, checks, KPIs and report are readers of these records; nobody keeps a second account. Every record
is a flat frozen dataclass, so a table of them has one column per field (`columns_of`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from lorawan.machine import Instant


class Outcome(StrEnum):
    """What became of an uplink frame. Exactly one holds for each frame: the furthest stage that any gateway reached.

    The furthest stands first. GATEWAY_DOWN: too weak for every gateway that was up, but not for one that was down.
    """

    DELIVERED = "delivered"
    COLLIDED = "collided"
    GATEWAY_TRANSMITTING = "gateway transmitting"
    NO_DEMODULATOR = "no demodulator"
    GATEWAY_DOWN = "gateway down"
    BELOW_SENSITIVITY = "below sensitivity"
    DUTY_LIMITED = "duty limited"


class DownlinkOutcome(StrEnum):
    """What became of a downlink frame."""

    DELIVERED = "delivered"
    COLLIDED = "collided"
    BELOW_SENSITIVITY = "below sensitivity"
    NOT_LISTENING = "not listening"


class FrameKind(StrEnum):
    """What a frame carries."""

    JOIN = "join"
    DATA = "data"
    REJOIN = "rejoin"


@dataclass(frozen=True, slots=True)
class UplinkRecord:
    """One uplink frame on the air, repeats included, with what became of it.

    t_us: start of the frame. repeat: 0 for the first transmission of a counter value. n_gateways: how many gateways
    received it. best_*: at the gateway with the highest SNR; NaN and "" where none received it. accepted: the network
    core took it as a new data uplink with FPort 1–223. payload_ok: the decrypted payload equals the one sent.
    f_port: −1 where there is none.
    """

    t_us: Instant
    device: str
    kind: str
    dev_addr: int
    f_cnt: int
    f_port: int
    repeat: int
    confirmed: bool
    sf: int
    freq_hz: int
    tx_power_dbm: float
    airtime_us: int
    outcome: str
    n_gateways: int
    best_gateway: str
    best_rssi_dbm: float
    best_snr_db: float
    accepted: bool
    payload_ok: bool
    phy_payload: bytes


@dataclass(frozen=True, slots=True)
class DownlinkRecord:
    """One downlink frame on the air. window: 1 or 2. rssi and snr at the device, NaN where it was not received."""

    t_us: Instant
    gateway: str
    device: str
    kind: str
    window: int
    sf: int
    freq_hz: int
    tx_power_dbm: float
    airtime_us: int
    outcome: str
    rssi_dbm: float
    snr_db: float
    phy_payload: bytes


@dataclass(frozen=True, slots=True)
class JoinedRecord:
    """A device has joined: it accepted a JoinAccept."""

    t_us: Instant
    device: str
    dev_addr: int
    dev_nonce: int


@dataclass(frozen=True, slots=True)
class DropRecord:
    """A core refused something. where: "device", "forwarder", "gwmp server" or "network"; who: which one."""

    t_us: Instant
    where: str
    who: str
    reason: str
    clause: str


Record = UplinkRecord | DownlinkRecord | JoinedRecord | DropRecord
RECORD_TYPES: tuple[type[Record], ...] = (UplinkRecord, DownlinkRecord, JoinedRecord, DropRecord)


def columns_of(record_type: type[Record]) -> dict[str, str]:
    """Column name to type name ("int", "float", "str", "bool", "bytes") of a record's table, in order."""
    return {f.name: {"Instant": "int"}.get(str(f.type), str(f.type)) for f in fields(record_type)}
