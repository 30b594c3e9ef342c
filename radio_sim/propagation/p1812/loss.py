"""P.1812 of one path: the typed face of the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from radio_sim.propagation.p1812.climate import constants
from radio_sim.propagation.p1812.evaluate import VALUES, evaluate
from radio_sim.propagation.p1812.model import ANTENNA_HEIGHT_M, DISTANCE_M, P1812Parameters, P1812Result, Profile

_NO_ZONES = np.zeros(0, np.int8)


def p1812_loss(profile: Profile, params: P1812Parameters) -> P1812Result:
    """Basic transmission loss in dB not exceeded for p % of time and pL % of places, with what led to it.

    Everything is checked when profile and parameters are made, so nothing is raised here. The first call of a process
    loads the compiled kernels (the first on a machine compiles them, some seconds).

    Source: ITU-R P.1812-8 Annex 1; loss: §4.9 eq. 69.
    """
    d = np.asarray(profile.distance_m, np.float64) / 1000.0
    h = np.ascontiguousarray(profile.ground_m, np.float64)
    g, rx_clutter = h, 0.0
    zones = _NO_ZONES if profile.zones is None else np.ascontiguousarray(profile.zones, np.int8)
    if profile.clutter_m is not None:
        g = h + profile.clutter_m
        g[0], g[-1] = h[0], h[-1]
        rx_clutter = float(profile.clutter_m[-1])
    if len(d) == 2:
        d, h, g = (np.insert(values, 1, values.mean()) for values in (d, h, g))
        zones = zones[[0, 0, 1]] if len(zones) else zones
    out = np.empty(VALUES)
    evaluate(constants(params), d, h, g, zones, profile.tx_height_m, profile.rx_height_m, rx_clutter, out)
    values: list[Any] = out.tolist()
    low, high = ANTENNA_HEIGHT_M
    inside = (
        DISTANCE_M[0] <= profile.distance_m[-1] <= DISTANCE_M[1]
        and low <= profile.tx_height_m <= high
        and low <= profile.rx_height_m <= high
    )
    values[-1:] = [values[-1] == 1.0, not inside]
    return P1812Result(*values)
