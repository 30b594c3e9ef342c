"""Recommendation ITU-R P.1812-8: path-specific basic transmission loss over terrain, 30 MHz–6 GHz."""

from radio_sim.propagation.p1812.loss import p1812_loss
from radio_sim.propagation.p1812.model import (
    COASTAL_LAND,
    INLAND,
    SEA,
    P1812Error,
    P1812Parameters,
    P1812Result,
    Profile,
    path_centre_latitude_deg,
)

__all__ = [
    "COASTAL_LAND",
    "INLAND",
    "SEA",
    "P1812Error",
    "P1812Parameters",
    "P1812Result",
    "Profile",
    "p1812_loss",
    "path_centre_latitude_deg",
]
