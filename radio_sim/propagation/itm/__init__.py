"""The ITS Irregular Terrain Model (Longley-Rice), version 1.2.2: point-to-point and area prediction."""

from radio_sim.propagation.itm.parameters import (
    Climate,
    ItmError,
    ItmParameters,
    ItmResult,
    ItmWarning,
    Polarisation,
    PropagationMode,
    Siting,
    Variability,
    VariabilityMode,
)
from radio_sim.propagation.itm.predict import ItmConstants, itm_area, itm_constants, itm_p2p, p2p_loss_db

__all__ = [
    "Climate",
    "ItmConstants",
    "ItmError",
    "ItmParameters",
    "ItmResult",
    "ItmWarning",
    "Polarisation",
    "PropagationMode",
    "Siting",
    "Variability",
    "VariabilityMode",
    "itm_area",
    "itm_constants",
    "itm_p2p",
    "p2p_loss_db",
]
