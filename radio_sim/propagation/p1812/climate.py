"""Radio climate of a path: β0 from the zones it crosses, effective Earth radii, the inverse normal law; and the
constants of one parameter set, computed once."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from radio_sim.compiled import kernel
from radio_sim.model import Floats
from radio_sim.propagation.p1812.model import INLAND, SEA, P1812Parameters

EARTH_RADIUS_KM = 6371.0
# k-factor exceeded for β0 % of time. Source: ITU-R P.1812-8 §3.5 eq. 7b.
K_BETA = 3.0
# Speed of light in m·GHz as ITU-R P.2001 rounds it, which the ITU-R reference results of P.1812 are made with.
LIGHT_M_GHZ = 0.2998
# No sea within reach: beyond 5 km the coupling corrections vanish. Source: ITU-R P.1812-8 §4.5 eq. 49.
NO_COAST_KM = 500.0


class Constants(NamedTuple):
    """What a parameter set fixes for every path, as the kernels want it. km, GHz, m."""

    freq_ghz: float
    wavelength_m: float
    ae_km: float
    ab_km: float
    time_percent: float
    log_p_50: float
    i_p: float
    median: bool
    beta_scale: float
    mu4_exponent: float
    k_land: float
    k_sea: float
    x_scale: float
    y_scale: float
    tropo_db: float
    a_lf_db: float
    gamma_d: float
    cbrt_f: float
    free_space_db: float
    i_location: float
    location_sigma_db: float
    height_sigma: bool
    entry_db: float
    entry_sigma_db: float
    tx_coast_km: float
    rx_coast_km: float


@kernel
def inverse_normal(x: float) -> float:
    """I(x): deviate exceeded with probability x, 10⁻⁶ ≤ x ≤ 1 − 10⁻⁶. Source: ITU-R P.1812-8 Att. 2, eq. 96, 97."""
    x = min(max(x, 1e-6), 1.0 - 1e-6)
    tail = min(x, 1.0 - x)
    t = math.sqrt(-2.0 * math.log(tail))
    fit = ((0.010328 * t + 0.802853) * t + 2.515516698) / (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1.0)
    return t - fit if x <= 0.5 else fit - t


def surface_admittance(freq_ghz: float, permittivity: float, conductivity: float, vertical: bool) -> float:
    """K·a^(1/3) of the first-term formula. Source: ITU-R P.1812-8 §4.3.3 eq. 29a, 29b."""
    loss = 18.0 * conductivity / freq_ghz
    k: float = 0.036 * freq_ghz ** (-1 / 3) * ((permittivity - 1.0) ** 2 + loss**2) ** -0.25
    return k * math.sqrt(permittivity**2 + loss**2) if vertical else k


def constants(params: P1812Parameters) -> Constants:
    """The constants of a parameter set.

    Source: ITU-R P.1812-8 eq. 4, 5 (β0), 6, 7 (radii), 8, 29–32, 44, 45, 47a, 51, 66; ground: §4.3.3, relative
    permittivity 22 and 0.003 S/m over land, 80 and 5 S/m over sea.
    """
    f, p = params.freq_hz / 1e9, params.time_percent
    ae = EARTH_RADIUS_KM * 157.0 / (157.0 - params.delta_n)
    phi = abs(params.latitude_deg)
    vertical = params.polarisation == "vertical"
    tropo_f = 25.0 * math.log10(f) - 2.5 * math.log10(f / 2.0) ** 2
    sigma = params.location_sigma_db
    return Constants(
        freq_ghz=f,
        wavelength_m=LIGHT_M_GHZ / f,
        ae_km=ae,
        ab_km=EARTH_RADIUS_KM * K_BETA,
        time_percent=p,
        log_p_50=math.log10(p / 50.0),
        i_p=float(inverse_normal(p / 100.0)),
        median=p == 50.0,
        beta_scale=10.0 ** (1.67 - 0.015 * phi) if phi <= 70.0 else 4.17,
        mu4_exponent=-0.935 + 0.0176 * phi if phi <= 70.0 else 0.3,
        k_land=surface_admittance(f, 22.0, 0.003, vertical),
        k_sea=surface_admittance(f, 80.0, 5.0, vertical),
        x_scale=21.88 * f ** (1 / 3),
        y_scale=0.9575 * f ** (2 / 3),
        tropo_db=190.1 + tropo_f - 0.15 * params.n0 - 10.125 * math.log10(50.0 / p) ** 0.7,
        a_lf_db=45.375 - 137.0 * f + 92.5 * f * f if f < 0.5 else 0.0,
        gamma_d=5e-5 * ae * f ** (1 / 3),
        cbrt_f=f ** (1 / 3),
        free_space_db=92.4 + 20.0 * math.log10(f),
        # Half of the places: exactly none of the spread, where the approximation of I(0.5) leaves 10⁻⁹.
        i_location=0.0 if params.location_percent == 50.0 else float(inverse_normal(params.location_percent / 100.0)),
        location_sigma_db=(0.024 * f + 0.52) * params.resolution_m**0.28 if sigma is None else sigma,
        height_sigma=sigma is None,
        entry_db=params.building_entry_db,
        entry_sigma_db=params.building_entry_sigma_db,
        tx_coast_km=-1.0 if params.tx_coast_m is None else params.tx_coast_m / 1000.0,
        rx_coast_km=-1.0 if params.rx_coast_m is None else params.rx_coast_m / 1000.0,
    )


@kernel
def inland_tau(dlm_km: float) -> float:
    """τ of the longest inland section. Source: ITU-R P.1812-8 §3.6 eq. 3."""
    return 1.0 - math.exp(-4.12e-4 * dlm_km**2.41)


@kernel
def beta0(c: Constants, dtm_km: float, dlm_km: float) -> float:
    """Per cent of time with lapse rates above 100 N-units/km near the ground. Source: ITU-R P.1812-8 §3.6 eq. 2–5."""
    tau = inland_tau(dlm_km)
    mu1 = (10.0 ** (-dtm_km / (16.0 - 6.6 * tau)) + 10.0 ** (-5.0 * (0.496 + 0.354 * tau))) ** 0.2
    mu1 = min(mu1, 1.0)
    percent: float = c.beta_scale * mu1 * mu1**c.mu4_exponent
    return percent


@kernel
def zone_lengths(d_km: Floats, zones: npt.NDArray[np.int8]) -> tuple[float, float, float, float, float]:
    """Fraction of the path over sea; longest land and longest inland section, distance from each end to the sea, km.

    A zone ends half way between two samples. A path without sea is 500 km from the coast.
    Source: ITU-R P.1812-8 §3.3 eq. 1 and §3.6.
    """
    n = len(d_km)
    sea = land = inland = longest_land = longest_inland = 0.0
    total = d_km[n - 1]
    first_sea, last_sea = NO_COAST_KM, total - NO_COAST_KM
    for i in range(n):
        before = 0.5 * (d_km[i] - d_km[i - 1]) if i > 0 else 0.0
        after = 0.5 * (d_km[i + 1] - d_km[i]) if i < n - 1 else 0.0
        share = before + after
        if zones[i] == SEA:
            sea += share
            land = inland = 0.0
            first_sea = min(first_sea, d_km[i])
            last_sea = max(last_sea, d_km[i])
        else:
            land += share
            inland = inland + share if zones[i] == INLAND else 0.0
            longest_land = max(longest_land, land)
            longest_inland = max(longest_inland, inland)
    return sea / total, longest_land, longest_inland, first_sea, total - last_sea
