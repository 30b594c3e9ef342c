"""Diffraction loss: single knife edge, spherical earth, Bullington and delta-Bullington over a terrain profile.

Distances from the transmitter and heights above sea level in metres, unless a name says otherwise; earth radii are
effective ones, 8500 km in a median atmosphere. Source throughout: Recommendation ITU-R P.526-15 (10/2019).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from radio_sim.compiled import kernel
from radio_sim.model import Floats

SPEED_OF_LIGHT_M_S = 299_792_458.0
MEDIAN_EARTH_RADIUS_M = 8_500e3
"""Source: ITU-R P.526-15 §1 (the value where nothing better is known)."""
AVERAGE_GROUND = (22.0, 0.003)
"""Relative permittivity and conductivity in S/m of land. Source: ITU-R P.1812-7 §4.3.3, which takes them for P.526."""
SEA_WATER = (80.0, 5.0)
"""Source: as above."""


def diffraction_parameter(height_m: npt.ArrayLike, d1_m: npt.ArrayLike, d2_m: npt.ArrayLike, freq_hz: float) -> Floats:
    """ν of an edge height_m above the straight line (below: negative), d1_m and d2_m > 0 from its ends.

    Source: ITU-R P.526-15 §4.1, eq. 26.
    """
    wavelength = SPEED_OF_LIGHT_M_S / freq_hz
    inverse = 1.0 / np.asarray(d1_m, float) + 1.0 / np.asarray(d2_m, float)
    nu: Floats = np.asarray(height_m, float) * np.sqrt(2.0 / wavelength * inverse)
    return nu


def knife_edge_loss_db(nu: npt.ArrayLike) -> Floats:
    """J(ν), the loss over a single knife edge, 0 dB up to ν = −0.78. Source: ITU-R P.526-15 §4.1, eq. 31."""
    shifted = np.asarray(nu, float) - 0.1
    loss: Floats = np.where(
        shifted > -0.88, 6.9 + 20.0 * np.log10(np.sqrt(shifted**2 + 1.0) + np.maximum(shifted, -0.88)), 0.0
    )
    return loss


@kernel
def _knife_edge(nu: float) -> float:
    if nu <= -0.78:
        return 0.0
    return 6.9 + 20.0 * math.log10(math.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1)


@kernel
def bullington(distances: Floats, heights: Floats, tx: float, rx: float, wavelength: float, radius: float) -> float:
    """Bullington's loss; tx, rx above sea level. Source: ITU-R P.526-15 §4.5.1."""
    last = len(distances) - 1
    d = distances[last]
    drop = 0.5 / radius
    tx_slope = rx_slope = -math.inf
    for i in range(1, last):
        from_tx, from_rx = distances[i], d - distances[i]
        top = heights[i] + drop * from_tx * from_rx
        tx_slope = max(tx_slope, (top - tx) / from_tx)
        rx_slope = max(rx_slope, (top - rx) / from_rx)
    if last < 2:
        return 0.0
    if tx_slope < (rx - tx) / d:
        nu = -math.inf
        for i in range(1, last):
            from_tx, from_rx = distances[i], d - distances[i]
            above = heights[i] + drop * from_tx * from_rx - (tx * from_rx + rx * from_tx) / d
            nu = max(nu, above * math.sqrt(2.0 * d / (wavelength * from_tx * from_rx)))
    else:
        point = (rx - tx + rx_slope * d) / (tx_slope + rx_slope)
        above = tx + tx_slope * point - (tx * (d - point) + rx * point) / d
        nu = above * math.sqrt(2.0 * d / (wavelength * point * (d - point)))
    edge = _knife_edge(nu)
    loss: float = edge + (1.0 - math.exp(-edge / 6.0)) * (10.0 + 0.02 * d / 1000.0)
    return loss


@kernel
def _height_gain(y: float, beta: float, admittance: float) -> float:
    b = beta * y
    if b > 2.0:
        gain = 17.6 * math.sqrt(b - 1.1) - 5.0 * math.log10(b - 1.1) - 8.0
    else:
        gain = 20.0 * math.log10(b + 0.1 * b**3)
    return max(gain, 2.0 + 20.0 * math.log10(admittance))


@kernel
def _first_term(
    distance: float,
    tx: float,
    rx: float,
    freq_mhz: float,
    radius: float,
    permittivity: float,
    conductivity: float,
    vertical: bool,
) -> float:
    """Loss beyond the horizon by the first term of the residue series. Source: ITU-R P.526-15 §3.1.1, eq. 13–18."""
    radius_km = radius / 1000.0
    loss_term = 18_000.0 * conductivity / freq_mhz
    admittance = 0.36 * (radius_km * freq_mhz) ** (-1.0 / 3.0) * ((permittivity - 1.0) ** 2 + loss_term**2) ** -0.25
    if vertical:
        admittance *= math.sqrt(permittivity**2 + loss_term**2)
    square = admittance**2
    beta = (1.0 + 1.6 * square + 0.67 * square**2) / (1.0 + 4.5 * square + 1.53 * square**2)
    x = 2.188 * beta * freq_mhz ** (1.0 / 3.0) * radius_km ** (-2.0 / 3.0) * distance / 1000.0
    unit = 9.575e-3 * beta * freq_mhz ** (2.0 / 3.0) * radius_km ** (-1.0 / 3.0)
    along: float = 11.0 + 10.0 * math.log10(x) - 17.6 * x if x >= 1.6 else -20.0 * math.log10(x) - 5.6488 * x**1.425
    loss: float = -along - _height_gain(unit * tx, beta, admittance) - _height_gain(unit * rx, beta, admittance)
    return loss


@kernel
def spherical_earth(
    distance: float,
    tx: float,
    rx: float,
    freq_mhz: float,
    radius: float,
    permittivity: float,
    conductivity: float,
    vertical: bool,
) -> float:
    """Loss over a smooth earth at any distance, for 10 MHz and above. Source: ITU-R P.526-15 §3.2."""
    reach = math.sqrt(2.0 * radius) * (math.sqrt(tx) + math.sqrt(rx))
    if distance >= reach:
        return _first_term(distance, tx, rx, freq_mhz, radius, permittivity, conductivity, vertical)
    wavelength = 299.792458 / freq_mhz
    c = (tx - rx) / (tx + rx)
    m = distance**2 / (4.0 * radius * (tx + rx))
    third = math.acos(1.5 * c * math.sqrt(3.0 * m / (m + 1.0) ** 3)) / 3.0
    b = 2.0 * math.sqrt((m + 1.0) / (3.0 * m)) * math.cos(math.pi / 3.0 + third)
    d1 = 0.5 * distance * (1.0 + b)
    d2 = distance - d1
    clearance = ((tx - 0.5 * d1**2 / radius) * d2 + (rx - 0.5 * d2**2 / radius) * d1) / distance
    required = 0.552 * math.sqrt(d1 * d2 * wavelength / distance)
    if clearance > required:
        return 0.0
    # The earth on which this path would just graze.
    grazing = 0.5 * (distance / (math.sqrt(tx) + math.sqrt(rx))) ** 2
    loss = _first_term(distance, tx, rx, freq_mhz, grazing, permittivity, conductivity, vertical)
    return (1.0 - clearance / required) * loss if loss > 0.0 else 0.0


@kernel
def smooth_surface(distances: Floats, heights: Floats, tx: float, rx: float) -> tuple[float, float]:
    """Heights above sea level of the smooth surface below both antennas, never above the ground there.

    Source: ITU-R P.526-15 §4.5.2 and the fit it uses (ITU-R P.1812-7 attachment 1 §5.6.1, eq. 83–90).
    """
    last = len(distances) - 1
    d = distances[last]
    v1 = v2 = 0.0
    for i in range(1, last + 1):
        step = distances[i] - distances[i - 1]
        v1 += step * (heights[i] + heights[i - 1])
        v2 += step * (
            heights[i] * (2.0 * distances[i] + distances[i - 1])
            + heights[i - 1] * (distances[i] + 2.0 * distances[i - 1])
        )
    tx_surface, rx_surface = (2.0 * v1 * d - v2) / d**2, (v2 - v1 * d) / d**2
    obstruction = tx_slope = rx_slope = -math.inf
    for i in range(1, last):
        from_tx, from_rx = distances[i], d - distances[i]
        above = heights[i] - (tx * from_rx + rx * from_tx) / d
        obstruction = max(obstruction, above)
        tx_slope = max(tx_slope, above / from_tx)
        rx_slope = max(rx_slope, above / from_rx)
    if obstruction > 0.0:
        tx_surface -= obstruction * tx_slope / (tx_slope + rx_slope)
        rx_surface -= obstruction * rx_slope / (tx_slope + rx_slope)
    return min(tx_surface, heights[0]), min(rx_surface, heights[last])


@kernel
def delta_bullington(
    distances: Floats,
    heights: Floats,
    tx: float,
    rx: float,
    freq_mhz: float,
    radius: float,
    permittivity: float,
    conductivity: float,
    vertical: bool,
) -> float:
    """Bullington's loss and what a smooth earth adds to it; tx, rx above sea level. Source: ITU-R P.526-15 §4.5.2."""
    wavelength = 299.792458 / freq_mhz
    tx_surface, rx_surface = smooth_surface(distances, heights, tx, rx)
    tx_height, rx_height = tx - tx_surface, rx - rx_surface
    actual = bullington(distances, heights, tx, rx, wavelength, radius)
    smooth = bullington(distances, np.zeros_like(heights), tx_height, rx_height, wavelength, radius)
    sphere = spherical_earth(
        distances[-1], tx_height, rx_height, freq_mhz, radius, permittivity, conductivity, vertical
    )
    return actual + max(sphere - smooth, 0.0)


def _profile(distances_m: npt.ArrayLike, heights_m: npt.ArrayLike) -> tuple[Floats, Floats]:
    distances = np.ascontiguousarray(distances_m, dtype=np.float64)
    heights = np.ascontiguousarray(heights_m, dtype=np.float64)
    if distances.ndim != 1 or distances.shape != heights.shape or distances.size < 2:
        raise ValueError(
            f"a profile needs two equal columns of two points or more, not {distances.shape}, {heights.shape}"
        )
    if distances[0] != 0.0 or not np.all(np.diff(distances) > 0.0):
        raise ValueError("the distances of a profile rise from 0 m")
    if not (np.all(np.isfinite(distances)) and np.all(np.isfinite(heights))):
        raise ValueError("a profile has finite distances and heights")
    return distances, heights


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0.0 < value < math.inf:
            raise ValueError(f"{name} is {value:g}; it must be above zero")


def bullington_loss_db(
    distances_m: npt.ArrayLike,
    heights_m: npt.ArrayLike,
    *,
    tx_height_m: float,
    rx_height_m: float,
    freq_hz: float,
    earth_radius_m: float = MEDIAN_EARTH_RADIUS_M,
) -> float:
    """Diffraction loss of a profile as one equivalent knife edge, in dB.

    distances_m: rising from 0 to the receiver; heights_m: terrain above sea level there; antenna heights above ground,
    > 0. Raises ValueError for another profile or height.
    Source: ITU-R P.526-15 §4.5.1.
    """
    distances, heights = _profile(distances_m, heights_m)
    _positive(tx_height_m=tx_height_m, rx_height_m=rx_height_m, freq_hz=freq_hz, earth_radius_m=earth_radius_m)
    wavelength = SPEED_OF_LIGHT_M_S / freq_hz
    return bullington(
        distances, heights, heights[0] + tx_height_m, heights[-1] + rx_height_m, wavelength, earth_radius_m
    )


def spherical_earth_loss_db(
    distance_m: float,
    *,
    tx_height_m: float,
    rx_height_m: float,
    freq_hz: float,
    polarisation: Literal["horizontal", "vertical"] = "vertical",
    ground: tuple[float, float] = AVERAGE_GROUND,
    earth_radius_m: float = MEDIAN_EARTH_RADIUS_M,
) -> float:
    """Diffraction loss of a smooth earth, in dB, for 10 MHz and above.

    Heights above the smooth earth, > 0; ground: relative permittivity and conductivity in S/m. Near the horizon over
    very conductive ground it may be slightly negative. Raises ValueError below zero.
    Source: ITU-R P.526-15 §3.2.
    """
    _positive(distance_m=distance_m, tx_height_m=tx_height_m, rx_height_m=rx_height_m, freq_hz=freq_hz)
    vertical = polarisation == "vertical"
    return spherical_earth(
        distance_m, tx_height_m, rx_height_m, freq_hz / 1e6, earth_radius_m, ground[0], ground[1], vertical
    )


def delta_bullington_loss_db(
    distances_m: npt.ArrayLike,
    heights_m: npt.ArrayLike,
    *,
    tx_height_m: float,
    rx_height_m: float,
    freq_hz: float,
    polarisation: Literal["horizontal", "vertical"] = "vertical",
    ground: tuple[float, float] = AVERAGE_GROUND,
    earth_radius_m: float = MEDIAN_EARTH_RADIUS_M,
) -> float:
    """Diffraction loss of a general terrestrial path, in dB: the complete method.

    The profile as in `bullington_loss_db`, ground as in `spherical_earth_loss_db`. Raises ValueError as they do.
    Source: ITU-R P.526-15 §4.5.2.
    """
    distances, heights = _profile(distances_m, heights_m)
    _positive(tx_height_m=tx_height_m, rx_height_m=rx_height_m, freq_hz=freq_hz, earth_radius_m=earth_radius_m)
    vertical = polarisation == "vertical"
    return delta_bullington(
        distances,
        heights,
        heights[0] + tx_height_m,
        heights[-1] + rx_height_m,
        freq_hz / 1e6,
        earth_radius_m,
        ground[0],
        ground[1],
        vertical,
    )
