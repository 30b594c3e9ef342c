"""Loss between the street and the device's antenna, by how the device is mounted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from radio_sim.model import Floats

BuildingType = Literal["traditional", "thermally_efficient"]

# r, s, t, u, v, w, x, y, z. Source: Recommendation ITU-R P.2109-1 table 1.
_P2109: Mapping[BuildingType, tuple[float, ...]] = MappingProxyType(
    {
        "traditional": (12.64, 3.72, 0.96, 9.6, 2.0, 9.1, -3.0, 4.5, -2.0),
        "thermally_efficient": (28.19, -3.00, 8.48, 13.5, 3.8, 27.8, -2.9, 9.4, -2.1),
    }
)


def building_entry_loss_db(
    probability: npt.ArrayLike, freq_hz: float, building: BuildingType, elevation_deg: npt.ArrayLike = 0.0
) -> Floats:
    """Building entry loss not exceeded with the given probability (0 < p < 1), at 80 MHz–100 GHz.

    elevation_deg: of the path at the façade, 0 for horizontal incidence. The floor of −3 dB in the sum allows a small
    gain, so low probabilities give values below zero.

    Source: Recommendation ITU-R P.2109-1 §3.
    """
    r, s, t, u, v, w, x, y, z = _P2109[building]
    log_f = np.log10(freq_hz / 1e9)
    deviate = ndtri(np.asarray(probability, float))
    mu_1 = r + s * log_f + t * log_f**2 + 0.212 * np.abs(np.asarray(elevation_deg, float))
    a = deviate * (u + v * log_f) + mu_1
    b = deviate * (y + z * log_f) + w + x * log_f
    loss: Floats = 10.0 * np.log10(10.0 ** (0.1 * a) + 10.0 ** (0.1 * b) + 10.0**-0.3)
    return loss


@dataclass(frozen=True, slots=True)
class Placement:
    """A class of mounting and the distribution of its loss over devices.

    Either a normal law (mean_db, sigma_db), cut at 0 dB from below, or `building`: the law of ITU-R P.2109.
    """

    name: str
    mean_db: float = 0.0
    sigma_db: float = 0.0
    building: BuildingType | None = None
    source: str = ""

    def loss_db(self, probability: npt.ArrayLike, freq_hz: float) -> Floats:
        """The loss not exceeded by this share of the devices: the quantile function, for 0 < p < 1."""
        if self.building is not None:
            return building_entry_loss_db(probability, freq_hz, self.building)
        loss: Floats = np.maximum(self.mean_db + self.sigma_db * ndtri(np.asarray(probability, float)), 0.0)
        return loss


_PIT = "[assumption]; no measured 868 MHz figure could be read in full: calibrate the class from its uplinks"

PLACEMENTS: Mapping[str, Placement] = MappingProxyType(
    {
        placement.name: placement
        for placement in (
            Placement("outdoor", source="by definition"),
            Placement("pit_plastic", 10.0, 4.0, source=_PIT),
            Placement("pit_concrete", 15.0, 5.0, source=_PIT),
            Placement("pit_cast_iron", 25.0, 7.0, source=_PIT),
            Placement("indoor_traditional", building="traditional", source="ITU-R P.2109-1"),
            Placement("indoor_efficient", building="thermally_efficient", source="ITU-R P.2109-1"),
        )
    }
)
"""The placement classes by name."""
