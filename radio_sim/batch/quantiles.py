"""Random deviates by table: the quantiles of a law at 64 places in each octave of the probability, either side of ½.

Straight lines between them follow a normal deviate to 2·10⁻⁵ σ down to probabilities of 2⁻²⁵, where the tables end.
Also the logarithm the reports need, in plain IEEE arithmetic: no bit depends on a machine's library.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import chndtrix, ndtri

from radio_sim.compiled import part
from radio_sim.draws import Floats
from radio_sim.model import FrameFadingLaw

OCTAVES, STEPS = 24, 64
SIDE = OCTAVES * STEPS + 1
_LOWEST_EXPONENT = 52 - OCTAVES  # of the 52-bit distance from the nearer end
_FIRST = np.int64((127 + _LOWEST_EXPONENT) * STEPS)
_LEAST = np.float32(2.0**_LOWEST_EXPONENT)
_S11, _S17 = np.uint64(11), np.uint32(17)
_HALF, _ALL = np.uint64(1 << 52), np.uint64((1 << 53) - 1)
_FRACTION = np.uint32((1 << 17) - 1)
_FRACTION_STEP = np.float32(2.0**-17)
_MANTISSA, _ONE_BITS = np.uint64((1 << 52) - 1), np.uint64(0x3FF0000000000000)
_S52 = np.uint64(52)

Table = npt.NDArray[np.float32]


def _probabilities() -> Floats:
    """The places of the lower side: 2⁻²⁵ … ½."""
    octave = np.repeat(np.arange(OCTAVES), STEPS)
    step = np.tile(np.arange(STEPS), OCTAVES)
    lower = 2.0 ** (octave + _LOWEST_EXPONENT) * (1 + step / STEPS) * 2.0**-53
    return np.append(lower, 0.5)


@lru_cache(maxsize=1)
def normal_table() -> Table:
    """Standard normal deviates."""
    lower = ndtri(_probabilities())
    return np.concatenate([lower, -lower]).astype(np.float32)


@lru_cache(maxsize=16)
def fade_table(law: FrameFadingLaw, sigma_db: float, k_db: float) -> Table:
    """Power factors of a frame's fading; of "none" they are all 1. Laws as `radio_sim.propagation.fading` has them."""
    lower = _probabilities()
    if law == "lognormal":
        half = 10.0 ** (sigma_db * ndtri(lower) / 10.0)
        return np.concatenate([half, 1.0 / half]).astype(np.float32)
    if law == "rice":
        k = 10.0 ** (k_db / 10.0)
        both = np.concatenate([lower, 1.0 - lower])
        powers: Floats = chndtrix(both, 2, 2.0 * k) / (2.0 * (1.0 + k))
        return powers.astype(np.float32)
    return np.ones(2 * SIDE, np.float32)


@part
def quantile(table: Table, draw: np.uint64) -> np.float32:
    """The deviate of a 64-bit draw."""
    cell = draw >> _S11
    side = np.int64(0)
    if cell >= _HALF:
        cell, side = _ALL - cell, np.int64(SIDE)
    distance = max(np.float32(np.int64(cell)), _LEAST)
    bits = np.float32(distance).view(np.uint32)
    place = np.int64(bits >> _S17) - _FIRST
    if place >= SIDE - 1:
        middle: np.float32 = table[side + SIDE - 1]
        return middle
    below = table[side + place]
    found: np.float32 = below + np.float32(bits & _FRACTION) * _FRACTION_STEP * (table[side + place + 1] - below)
    return found


@part
def decibels(ratio: float) -> float:
    """10·log₁₀ of a positive, normal double, within 10⁻¹² dB."""
    bits = np.float64(ratio).view(np.uint64)
    exponent = np.int64(bits >> _S52) - 1023
    m = np.uint64((bits & _MANTISSA) | _ONE_BITS).view(np.float64)
    if m > 1.4142135623730951:
        m, exponent = 0.5 * m, exponent + 1
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    tail = q * (1 / 9 + q * (1 / 11 + q * (1 / 13 + q * (1 / 15 + q * (1 / 17)))))
    series = 1.0 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + tail)))
    return 8.685889638065035 * s * series + 3.010299956639812 * exponent


@part
def natural_log(x: float) -> float:
    """ln of a positive, normal double."""
    return 0.23025850929940458 * decibels(x)
