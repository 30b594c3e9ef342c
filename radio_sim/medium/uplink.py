"""An uplink in the air, as the medium keeps it."""

from __future__ import annotations

from lorawan.machine import Instant
from lorawan.phy import Transmit
from radio_sim.medium.receivers import Flags
from radio_sim.model import Floats


class Uplink:
    """A frame between its start and its end. Arrays are over gateways; energies in mW·µs.

    able: the power reaches the gateway's sensitivity, and it is up; down: the power reaches it, but it is down. energy
    [SF, gateway]: of interferers within the critical section; lock_energy: of the same SF within the last preamble
    symbols. sent_over: the gateway sent during some part of the frame. taken_any, taken_low: it holds a demodulator of
    that pool; unserved: it would have, but none was free. None stands for "nowhere yet".
    """

    __slots__ = (
        "able",
        "channel",
        "critical_at",
        "device",
        "down",
        "end",
        "energy",
        "frame_index",
        "lock_at",
        "lock_energy",
        "mw",
        "power",
        "sent_over",
        "sf_row",
        "taken_any",
        "taken_low",
        "transmit",
        "unserved",
    )

    able: Flags
    channel: tuple[int, int]
    critical_at: Instant
    device: int
    down: Flags | None
    end: Instant
    energy: Floats | None
    frame_index: int
    lock_at: Instant
    lock_energy: Floats | None
    mw: Floats
    power: Floats
    sent_over: Flags | None
    sf_row: int
    taken_any: Flags | None
    taken_low: Flags | None
    transmit: Transmit
    unserved: Flags | None

    def __init__(self, device: int, frame_index: int, transmit: Transmit) -> None:
        self.device, self.frame_index, self.transmit = device, frame_index, transmit
        self.energy = self.lock_energy = None
        self.down = self.sent_over = self.taken_any = self.taken_low = self.unserved = None
