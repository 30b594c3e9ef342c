"""Clutter loss at a terminal: of its surroundings, statistically along streets, and towards the sky.

Source throughout: Recommendation ITU-R P.2108-1 (09/2021).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from radio_sim.model import Floats

ClutterType = Literal["water_sea", "open_rural", "suburban", "urban", "trees_forest", "dense_urban"]

CLUTTER_HEIGHT_M: Mapping[ClutterType, float] = MappingProxyType(
    {"water_sea": 10.0, "open_rural": 10.0, "suburban": 10.0, "urban": 15.0, "trees_forest": 15.0, "dense_urban": 20.0}
)
"""Default representative clutter heights R. Source: ITU-R P.2108-1 §3.1, table 3."""
STREET_WIDTH_M = 27.0
"""Default street width w_s. Source: ITU-R P.2108-1 §3.1."""

TERRESTRIAL_MIN_DISTANCE_M = 250.0
"""Source: ITU-R P.2108-1 §3.2; 1 km where both terminals are in clutter."""


def _within(name: str, values: npt.ArrayLike, low: float, high: float, unit: str) -> None:
    array = np.asarray(values, float)
    if not np.all((array >= low) & (array <= high)):
        raise ValueError(f"ITU-R P.2108: {name} = {array} is outside {low:g}–{high:g} {unit}")


def _percentage(location_pct: npt.ArrayLike) -> Floats:
    share = np.asarray(location_pct, float) / 100.0
    if not np.all((share > 0.0) & (share < 1.0)):
        raise ValueError(f"ITU-R P.2108: location_pct = {100.0 * share} is outside 0 < p < 100 %")
    return share


def height_gain_correction_db(
    antenna_height_m: npt.ArrayLike,
    freq_hz: float,
    clutter: ClutterType,
    *,
    clutter_height_m: float | None = None,
    street_width_m: float = STREET_WIDTH_M,
) -> Floats:
    """Median loss a terminal takes from the clutter around it, in dB; 0 from the clutter's height upwards.

    antenna_height_m > 0 above ground; freq_hz 30 MHz–3 GHz; clutter_height_m: R > 0, the table's unless given;
    street_width_m > 0. Applies at either end, where the path itself was computed to the top of the clutter. Raises
    ValueError outside these ranges or for another type.
    Source: ITU-R P.2108-1 §3.1, eq. 2a–2g.
    """
    if clutter not in CLUTTER_HEIGHT_M:
        raise ValueError(f"{clutter!r} is none of P.2108's clutter types: {', '.join(CLUTTER_HEIGHT_M)}")
    _within("freq_hz", freq_hz, 30e6, 3e9, "Hz")
    top = CLUTTER_HEIGHT_M[clutter] if clutter_height_m is None else clutter_height_m
    height = np.asarray(antenna_height_m, float)
    for name, values in (("antenna_height_m", height), ("clutter_height_m", top), ("street_width_m", street_width_m)):
        if not np.all(np.asarray(values) > 0.0):
            raise ValueError(f"ITU-R P.2108: {name} = {values} is not above zero")
    freq_ghz = freq_hz / 1e9
    depth = np.maximum(top - height, 0.0)
    if clutter in ("water_sea", "open_rural"):
        loss = -(21.8 + 6.2 * math.log10(freq_ghz)) * np.log10(np.minimum(height, top) / top)
    else:
        nu = 0.342 * math.sqrt(freq_ghz) * np.sqrt(depth * np.degrees(np.arctan(depth / street_width_m)))
        loss = 6.9 + 20.0 * np.log10(np.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1) - 6.03
    masked: Floats = np.where(height >= top, 0.0, loss)
    return masked


def terrestrial_clutter_loss_db(distance_m: npt.ArrayLike, freq_hz: float, location_pct: npt.ArrayLike) -> Floats:
    """Loss not exceeded at this percentage of locations, one terminal in urban or suburban clutter, in dB.

    distance_m ≥ 250 m between the terminals; freq_hz 0.5–67 GHz; 0 < location_pct < 100; shapes broadcast. Beyond
    2 km it stays as it is. For both terminals in clutter and ≥ 1 km the loss counts at each. Raises ValueError
    outside these ranges.
    Source: ITU-R P.2108-1 §3.2, eq. 3a–6.
    """
    _within("freq_hz", freq_hz, 0.5e9, 67e9, "Hz")
    _within("distance_m", distance_m, TERRESTRIAL_MIN_DISTANCE_M, math.inf, "m")
    share = _percentage(location_pct)
    log_f = math.log10(freq_hz / 1e9)
    long_loss = -2.0 * math.log10(10.0 ** (-5.0 * log_f - 12.5) + 10.0**-16.5)

    def at(distance_km: Floats) -> Floats:
        short_loss = 32.98 + 23.9 * np.log10(distance_km) + 3.0 * log_f
        long_weight, short_weight = 10.0 ** (-0.2 * long_loss), 10.0 ** (-0.2 * short_loss)
        both = long_weight + short_weight
        sigma = np.sqrt((4.0**2 * long_weight + 6.0**2 * short_weight) / both)
        loss: Floats = -5.0 * np.log10(both) + sigma * ndtri(share)
        return loss

    distance_km = np.asarray(distance_m, float) / 1000.0
    bounded: Floats = np.minimum(at(distance_km), at(np.asarray(2.0)))
    return bounded


def earth_space_clutter_loss_db(elevation_deg: npt.ArrayLike, freq_hz: float, location_pct: npt.ArrayLike) -> Floats:
    """Loss not exceeded at this percentage of locations towards a satellite or an aircraft, in dB.

    elevation_deg 0–90 of the platform seen from the terminal in clutter; freq_hz 10–100 GHz; 0 < location_pct < 100;
    shapes broadcast. The fit dips below 0 dB for low percentages and stands so. Raises ValueError outside these ranges.
    Source: ITU-R P.2108-1 §3.3, eq. 7.
    """
    _within("freq_hz", freq_hz, 10e9, 100e9, "Hz")
    _within("elevation_deg", elevation_deg, 0.0, 90.0, "degrees")
    share = _percentage(location_pct)
    elevation = np.asarray(elevation_deg, float)
    factor = 93.0 * (freq_hz / 1e9) ** 0.175
    cotangent = 1.0 / np.tan(0.05 * (1.0 - elevation / 90.0) + np.radians(elevation))
    exponent = 0.5 * (90.0 - elevation) / 90.0
    loss: Floats = (-factor * np.log1p(-share) * cotangent) ** exponent - 1.0 + 0.6 * ndtri(share)
    return loss
