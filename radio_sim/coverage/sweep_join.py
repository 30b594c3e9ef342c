"""P.1812 of one pixel from the geometry of its path, with the mechanisms that cannot matter passed over."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from radio_sim.compiled import kernel
from radio_sim.coverage.sweep_diffraction import smooth_nu
from radio_sim.propagation.p1812.climate import Constants
from radio_sim.propagation.p1812.diffraction import bullington_total, knife_edge, spherical
from radio_sim.propagation.p1812.mechanisms import smooth_minimum

# Above this difference a loss joined by power (eq. 63) moves the result by less than 2·10⁻⁵ dB.
APART_DB = 25.0


@kernel
def delta_bullington(
    c: Constants, omega: float, nu: float, total: float, step: float, n: int, hte: float, hre: float, a_km: float
) -> float:
    """L_d in dB from the terrain's ν. Source: ITU-R P.1812-8 §4.3.4 eq. 37–39."""
    loss = bullington_total(knife_edge(nu), total)
    sphere = spherical(c, omega, total, hte, hre, a_km)
    if sphere > 0.0:
        smooth = bullington_total(knife_edge(smooth_nu(hte, hre, total, step, n, 500.0 / a_km, c.wavelength_m)), total)
        loss += max(sphere - smooth, 0.0)
    return loss


class Horizons(NamedTuple):
    """Horizon distances in km and elevation angles in mrad of the bare terrain."""

    hidden: bool
    dlt: float
    dlr: float
    theta_t: float
    theta_r: float


def shielding_balance(c: Constants, excess: float, horizon: float) -> float:
    """What a horizon `excess` mrad above its 0.1·d_l adds to the ducting loss, less what eq. 52a takes off again."""
    gain = 20.0 * math.log10(1.0 + 0.361 * excess * math.sqrt(c.freq_ghz * horizon))
    return gain + (0.264 * c.cbrt_f - c.gamma_d) * excess


def shielding_limit_mrad(c: Constants, step_km: float) -> float:
    """Largest excess up to which `shielding_balance` stays above −1 dB for every horizon from one sample on."""
    low, high = 0.0, 1000.0
    if shielding_balance(c, high, step_km) >= -1.0:
        return high
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if shielding_balance(c, middle, step_km) >= -1.0 else (low, middle)
    return low


def time_floor_db(c: Constants, longest_km: float) -> float:
    """A lower bound of A(p) of eq. 53 for every β up to the largest β0 of the latitude and every path up to longest_km.

    0 where p may lie below β0, since then A(p) can be negative and the bound is not used.
    """
    if c.time_percent < c.beta_scale:
        return 0.0
    log_beta = np.linspace(-8.0, math.log10(c.beta_scale), 400)[:, None]
    d = np.linspace(0.0, longest_km, 50)
    spread = (9.51 - 4.8 * log_beta + 0.198 * log_beta**2) * 1e-6 * d**1.13
    gamma = 1.076 / (2.0058 - log_beta) ** 1.012 * np.exp(-spread)
    log_ratio = math.log10(c.time_percent) - log_beta
    # 0.5 dB to spare [assumption] for what lies between the points; ten times as many find no lower minimum.
    return max(float((-12.0 + (1.2 + 3.7e-3 * d) * log_ratio + 12.0 * 10.0 ** (gamma * log_ratio)).min()) - 0.5, 0.0)


@kernel
def ducting_cannot_matter(
    limit_mrad: float,
    floor_db: float,
    step: float,
    free_space_db: float,
    omega: float,
    l_bd: float,
    total: float,
    hts: float,
    hrs: float,
) -> bool:
    """Whether L_ba stays above L_bd whatever the horizons are, so that eq. 61 leaves L_bd as it is.

    The horizons are half a step away at least. The angles of eq. 52 add up to zero or more but for what eq. 52a takes
    off, and up to limit_mrad the shielding of eq. 48 makes up for that to −1 dB a terminal. A horizon steeper than
    that costs more diffraction loss than the callers of this have.
    """
    if omega >= 0.75 or abs(hts - hrs) > 0.5 * limit_mrad * total:
        return False
    nearest = 20.0 * math.log10(min(total, step))
    # The two terminals at −1 dB each, and 0.5 dB to spare [assumption].
    return l_bd < 10.05 + free_space_db + nearest + floor_db - 2.5


@kernel
def smooth_join(l_ba: float, l_b0p: float, l_bd: float, f_k: float) -> float:
    """L_bda. Source: ITU-R P.1812-8 §4.6 eq. 60, 61."""
    l_minbap = smooth_minimum(l_ba, l_b0p)
    return l_minbap + (l_bd - l_minbap) * f_k if l_minbap <= l_bd else l_bd
