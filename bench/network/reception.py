"""One gateway's copy of an uplink, and the collection of copies into one frame."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lorawan.ids import Eui64
from lorawan.machine import Instant
from lorawan.phy import LoraModulation


@dataclass(frozen=True, slots=True)
class Reception:
    """A copy. tmst: the gateway's counter at the end of the frame; arrived_at: when the server got it.

    gps_us: GPS time at the end of the frame, µs, of a gateway that knows it (to 1 ms, Semtech UDP's "tmms").
    """

    gateway_eui: Eui64
    tmst: int
    freq_hz: int
    modulation: LoraModulation
    rssi_dbm: float
    snr_db: float
    arrived_at: Instant
    gps_us: int | None = None


class Deduplicator:
    """Collects the copies of a frame for a window after the first; a frame is its bytes and its frequency.

    A copy that comes later begins a new collection: the session knows it for a repeat.
    """

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._open: dict[tuple[bytes, int], list[Reception]] = {}

    @property
    def wake_at(self) -> Instant | None:
        """When the oldest collection closes: dicts keep the order of opening, and every window is as long."""
        for receptions in self._open.values():
            return receptions[0].arrived_at + self._window_us
        return None

    def add(self, phy_payload: bytes, reception: Reception) -> None:
        """Take a copy in. Two copies of one gateway (two antennas) count as one, the better."""
        receptions = self._open.setdefault((phy_payload, reception.freq_hz), [])
        for i, other in enumerate(receptions):
            if other.gateway_eui == reception.gateway_eui:
                if reception.snr_db > other.snr_db:
                    receptions[i] = replace(reception, arrived_at=other.arrived_at)  # the window is the first's
                return
        receptions.append(reception)

    def closed(self, now: Instant) -> list[tuple[bytes, tuple[Reception, ...]]]:
        """The frames whose window has ended, copies best first: by SNR, then RSSI, then gateway."""
        done = []
        while (wake_at := self.wake_at) is not None and wake_at <= now:
            key = next(iter(self._open))
            receptions = self._open.pop(key)
            receptions.sort(key=lambda r: (-r.snr_db, -r.rssi_dbm, r.gateway_eui))
            done.append((key[0], tuple(receptions)))
        return done
