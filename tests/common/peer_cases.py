"""Fully specified uplink scenarios with the figures of signetlabdei/lorawan (October 2024) on ns-3.44.

Figures and their standard errors were measured with that simulator, 10 to 40 seeds a case; nothing here is taken from
this project's own output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radio_sim.model import SX1301, UNLIMITED, Demodulators

SENSITIVITY_DBM = {7: -130.0, 8: -132.5, 9: -135.0, 10: -137.5, 11: -140.0, 12: -142.5}
DEVICE_SENSITIVITY_DBM = (-124.0, -127.0, -130.0, -133.0, -135.0, -137.0)
PERIOD_US, HOUR_US = 600_000_000, 3_600_000_000
ELEVEN_KM = ((0, 0), (5, 0), (-5, 0), (0, 5), (0, -5), (5, 5), (-5, 5), (5, -5), (-5, -5), (-10, 0), (0, -10))


@dataclass(frozen=True)
class Case:
    devices: int
    radius_m: float
    policy: str
    demodulators: Demodulators
    auto_sf: bool
    delivered: tuple[float, ...] = ()  # ns-3, SF7 … SF12
    error: tuple[float, ...] = ()  # standard error of the mean
    seed_sd: tuple[float, ...] = ()  # standard deviation over its seeds
    no_demodulator: tuple[float, ...] | None = None  # uplinks a seed
    gateways_km: tuple[tuple[float, float], ...] = ((0, 0),)

    def gains_and_sf(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Link gains in dB, [device, gateway], and each device's spreading factor."""
        i = np.arange(self.devices)
        r, theta = self.radius_m * np.sqrt((i + 0.5) / self.devices), i * math.pi * (3 - math.sqrt(5))
        x, y = r * np.cos(theta), r * np.sin(theta)
        distance_m = np.stack(
            [np.sqrt((x - 1e3 * a) ** 2 + (y - 1e3 * b) ** 2 + 13.8**2) for a, b in self.gateways_km], 1
        )
        gain_db = -(7.7 + 37.6 * np.log10(distance_m))
        if not self.auto_sf:
            return gain_db, 7 + i % 6
        fits = (14.0 + gain_db.max(axis=1))[:, None] > np.array(DEVICE_SENSITIVITY_DBM)
        return gain_db, np.where(fits.any(axis=1), 7 + fits.argmax(axis=1), 12)


CASES = {
    "A1200": Case(
        1200, 3000.0, "aloha", UNLIMITED, False,
        (0.98192, 0.97092, 0.9486, 0.90777, 0.79952, 0.66071),
        (0.00134, 0.00165, 0.00221, 0.00319, 0.00398, 0.00425),
        (0.00847, 0.01043, 0.014, 0.02016, 0.02515, 0.02688),
    ),
    "A6000": Case(
        6000, 3000.0, "aloha", UNLIMITED, False,
        (0.92364, 0.85923, 0.76158, 0.6027, 0.33295, 0.13303),
        (0.001, 0.00155, 0.00153, 0.00212, 0.00125, 0.00063),
        (0.00631, 0.00981, 0.00967, 0.01343, 0.00793, 0.004),
    ),
    "A8-6000": Case(
        6000, 3000.0, "aloha", SX1301, False,
        (0.8127, 0.75635, 0.66723, 0.53448, 0.30497, 0.12237),
        (0.0043, 0.00574, 0.00361, 0.00609, 0.003, 0.00115),
        (0.01361, 0.01814, 0.01142, 0.01926, 0.00949, 0.00362),
        no_demodulator=(761.3, 767.2, 805.0, 790.6, 776.4, 754.7),
    ),
    "M6000": Case(
        6000, 3000.0, "energy", UNLIMITED, False,
        (0.8649, 0.85465, 0.81282, 0.72148, 0.53058, 0.34252),
        (0.00202, 0.00201, 0.0019, 0.00364, 0.00211, 0.00169),
        (0.00638, 0.00636, 0.006, 0.0115, 0.00669, 0.00534),
    ),
    "B1000": Case(
        1000, 6400.0, "energy", SX1301, True,
        (0.99183, 0.99001, 0.97544, 0.93212, 0.8659, 0.73373),
        (0.00084, 0.0012, 0.00193, 0.00275, 0.0035, 0.00413),
        (0.00529, 0.00758, 0.01222, 0.0174, 0.02211, 0.02613),
    ),
}  # fmt: skip
CASE_C = Case(5000, 10_000.0, "energy", SX1301, True, gateways_km=ELEVEN_KM)
