"""What a device's own clock knows of GPS time, and how far that may be off."""

from __future__ import annotations

from dataclasses import dataclass

from lorawan.machine import Instant

BEACON_ERROR_US = 100
"""How well a radio times the end of a beacon [assumption]: a fraction of an SF9 symbol (4096 µs)."""

DEVICE_TIME_ERROR_US = 100_000  # DeviceTimeAns is right within ±100 ms: LoRaWAN 1.1 §5.12


@dataclass(frozen=True, slots=True)
class BeaconClock:
    """At the device's own instant `at` it was gps_us, ± error_us; since then the crystal drifts by ± crystal_ppm."""

    at: Instant
    gps_us: int
    error_us: int
    crystal_ppm: int

    def gps_at(self, at: Instant) -> int:
        """GPS time at an instant of the device's clock, as far as is known."""
        return self.gps_us + at - self.at

    def instant_of(self, gps_us: int) -> Instant:
        """The instant of a GPS time."""
        return self.at + gps_us - self.gps_us

    def error_at(self, at: Instant) -> int:
        """By how much `instant_of` may be off by then, µs, rounded up.

        A device that runs slow or fast by p ppm counts 1 ± p µs for each µs, so 1/(1 − p) bounds what it misses.
        """
        elapsed = abs(at - self.at)
        return self.error_us - (-elapsed * self.crystal_ppm // (1_000_000 - self.crystal_ppm))
