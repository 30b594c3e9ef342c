"""Delta-Bullington diffraction written from ITU-R P.526-15 alone, for the kernels of P.1812 to agree with.

Distances from the transmitter and heights above sea level in metres, unless a name says otherwise; earth radii are
effective ones. It shares no code with the project. Source throughout: Recommendation ITU-R P.526-15 (10/2019).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

AVERAGE_GROUND = (22.0, 0.003)
"""Relative permittivity and conductivity in S/m of land. Source: ITU-R P.1812-7 §4.3.3, which takes them for P.526."""


def _knife_edge(nu: float) -> float:
    """J(ν). Source: ITU-R P.526-15 §4.1, eq. 31."""
    if nu <= -0.78:
        return 0.0
    return 6.9 + 20.0 * math.log10(math.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1)


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


def _height_gain(y: float, beta: float, admittance: float) -> float:
    b = beta * y
    if b > 2.0:
        gain = 17.6 * math.sqrt(b - 1.1) - 5.0 * math.log10(b - 1.1) - 8.0
    else:
        gain = 20.0 * math.log10(b + 0.1 * b**3)
    return max(gain, 2.0 + 20.0 * math.log10(admittance))


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
