"""Variability of the attenuation in time, location and situation.

Source: Hufford, "The ITS Irregular Terrain Model, version 1.2.2: the Algorithm", §5; its curves by climate are those
of NBS Technical Note 101, §10 and annex III.
"""

from __future__ import annotations

import math

from radio_sim.compiled import kernel
from radio_sim.propagation.itm.attenuation import roughness
from radio_sim.propagation.itm.terrain import Pair

_WAVENUMBER_FREQUENCY_MHZ = 47.7
_RADIUS_9000_KM = 9_000e3

# One row a climate, 1–7: c₁, c₂ in dB, x₁, x₂, x₃ in metres of
# curve(d) = (c₁ + c₂ / (1 + ((d − x₂) / x₃)²)) · (d/x₁)² / (1 + (d/x₁)²). Source: NBS Technical Note 101,
# fig. 10.13 and annex III, as the Algorithm's §5 fits them.
_MEDIAN = (
    (-9.67, 12.7, 144.9e3, 190.3e3, 133.8e3),
    (-0.62, 9.19, 228.9e3, 205.2e3, 143.6e3),
    (1.26, 15.5, 262.6e3, 185.2e3, 99.8e3),
    (-9.21, 9.05, 84.1e3, 101.1e3, 98.6e3),
    (-0.62, 9.19, 228.9e3, 205.2e3, 143.6e3),
    (-0.39, 2.86, 141.7e3, 315.9e3, 167.4e3),
    (3.15, 857.9, 2222.0e3, 164.8e3, 116.3e3),
)
_SIGMA_BELOW = (
    (2.13, 159.5, 762.2e3, 123.6e3, 94.5e3),
    (2.66, 7.67, 100.4e3, 172.5e3, 136.4e3),
    (6.11, 6.65, 138.2e3, 242.2e3, 178.6e3),
    (1.98, 13.11, 139.1e3, 132.7e3, 193.5e3),
    (2.68, 7.16, 93.7e3, 186.8e3, 133.5e3),
    (6.86, 10.38, 187.8e3, 169.6e3, 108.9e3),
    (8.51, 169.8, 609.8e3, 119.9e3, 106.6e3),
)
_SIGMA_ABOVE = (
    (2.11, 102.3, 636.9e3, 134.8e3, 95.6e3),
    (6.87, 15.53, 138.7e3, 143.7e3, 98.6e3),
    (10.08, 9.60, 165.3e3, 225.7e3, 129.7e3),
    (3.68, 159.3, 464.4e3, 93.1e3, 94.2e3),
    (4.75, 8.12, 93.2e3, 135.9e3, 113.4e3),
    (8.58, 13.97, 216.0e3, 152.0e3, 122.7e3),
    (8.43, 8.19, 136.2e3, 188.5e3, 122.9e3),
)
# C_D and z_D of the far tail. Source: the Algorithm, table 5.1.
_TAIL = (
    (1.224, 1.282),
    (0.801, 2.161),
    (1.380, 1.282),
    (1.000, 20.0),
    (1.224, 1.282),
    (1.518, 1.282),
    (1.518, 1.282),
)
# b₁, b₂, b₃ of g = b₁ + b₂ / (1 + (b₃·ln 0.133 k)²), how σ grows with frequency. Source: as above.
_GROWTH_BELOW = (
    (1.0, 0.0, 0.0),
    (1.0, 0.0, 0.0),
    (1.0, 0.0, 0.0),
    (1.0, 0.0, 0.0),
    (0.92, 0.25, 1.77),
    (1.0, 0.0, 0.0),
    (1.0, 0.0, 0.0),
)
_GROWTH_ABOVE = (
    (1.0, 0.0, 0.0),
    (0.93, 0.31, 2.00),
    (1.0, 0.0, 0.0),
    (0.93, 0.19, 1.79),
    (0.93, 0.31, 2.00),
    (1.0, 0.0, 0.0),
    (1.0, 0.0, 0.0),
)


@kernel
def standard_deviate(exceeded: float) -> float:
    """z of the complementary normal distribution, 0 < q < 1, within 4.5e-4.

    The model is defined with this approximation, so that better would be worse.
    Source: Hastings, in Abramowitz and Stegun 26.2.23, with the model's first constant.
    """
    t = math.sqrt(-2.0 * math.log(min(exceeded, 1.0 - exceeded)))
    top = (0.010328 * t + 0.802853) * t + 2.515516
    z = t - top / (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0)
    return -z if exceeded > 0.5 else z


@kernel
def _curve(c: tuple[float, float, float, float, float], distance: float) -> float:
    near = (distance / c[2]) ** 2
    return (c[0] + c[1] / (1.0 + ((distance - c[3]) / c[4]) ** 2)) * near / (1.0 + near)


@kernel
def _growth(b: tuple[float, float, float], log_wavenumber: float) -> float:
    return b[0] + b[1] / ((b[2] * log_wavenumber) ** 2 + 1.0)


@kernel
def attenuation_quantile(
    reference: float,
    distance: float,
    freq_mhz: float,
    heights: Pair,
    irregularity: float,
    climate: int,
    mode: int,
    no_location: bool,
    no_situation: bool,
    z_time: float,
    z_location: float,
    z_situation: float,
) -> float:
    """Attenuation below free space at these standard deviates. Source: the Algorithm, §5."""
    row = climate - 1
    wavenumber = freq_mhz / _WAVENUMBER_FREQUENCY_MHZ
    beyond = (
        math.sqrt(2.0 * _RADIUS_9000_KM * heights[0])
        + math.sqrt(2.0 * _RADIUS_9000_KM * heights[1])
        + (575.7e12 / wavenumber) ** (1.0 / 3.0)
    )
    effective = 130e3 * distance / beyond if distance < beyond else 130e3 + distance - beyond
    if mode == 0:
        z_time = z_location = z_situation
    elif mode == 1:
        z_location = z_situation
    elif mode == 2:
        z_location = z_time
    local = wavenumber * roughness(distance, irregularity)
    sigma_location = 0.0 if no_location else 10.0 * local / (local + 13.0)
    sigma_situation = 0.0 if no_situation else 5.0 + 3.0 * math.exp(-effective / 100e3)
    log_wavenumber = math.log(0.133 * wavenumber)
    if z_time < 0.0:
        sigma_time = _curve(_SIGMA_BELOW[row], effective) * _growth(_GROWTH_BELOW[row], log_wavenumber)
    else:
        sigma_time = _curve(_SIGMA_ABOVE[row], effective) * _growth(_GROWTH_ABOVE[row], log_wavenumber)
        ratio, knee = _TAIL[row]
        if z_time > knee:
            sigma_time *= ratio + (1.0 - ratio) * knee / z_time
    time, location = sigma_time * z_time, sigma_location * z_location
    square = z_situation * z_situation
    spread = sigma_situation**2 + time * time / (7.8 + square) + location * location / (24.0 + square)
    if mode == 0:
        departure = math.sqrt(sigma_time**2 + sigma_location**2 + spread) * z_situation
    elif mode == 1:
        departure = time + math.sqrt(sigma_location**2 + spread) * z_situation
    elif mode == 2:
        departure = math.sqrt(sigma_time**2 + sigma_location**2) * z_time + math.sqrt(spread) * z_situation
    else:
        departure = time + location + math.sqrt(spread) * z_situation
    attenuation = reference - _curve(_MEDIAN[row], effective) - departure
    # A signal above free space is held back. Source: the Algorithm, §5.
    if attenuation < 0.0:
        attenuation *= (29.0 - attenuation) / (29.0 - 10.0 * attenuation)
    return attenuation
