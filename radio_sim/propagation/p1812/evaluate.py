"""The whole of P.1812 on the samples of one profile, compiled."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from radio_sim.compiled import kernel
from radio_sim.model import Floats
from radio_sim.propagation.p1812.climate import Constants, beta0, inverse_normal, zone_lengths
from radio_sim.propagation.p1812.diffraction import bullington, bullington_smooth, spherical
from radio_sim.propagation.p1812.mechanisms import (
    angle_blend,
    distance_blend,
    ducting_fixed,
    ducting_time,
    focusing,
    free_space,
    located,
    power_sum,
    smooth_minimum,
    troposcatter,
)
from radio_sim.propagation.p1812.model import SEA
from radio_sim.propagation.p1812.smooth_earth import (
    diffraction_surface,
    fitted_surface,
    horizons,
    obstruction,
    roughness,
)

# Values `evaluate` writes: the fields of P1812Result up to l_b_db in their order, then trans_horizon as 0 or 1.
L_BFS, L_D50, L_B, VALUES = 25, 31, 46, 48


@kernel
def delta_bullington(
    c: Constants, omega: float, d: Floats, g: Floats, hts: float, hrs: float, hstd: float, hsrd: float, a_km: float
) -> tuple[float, float, float, float]:
    """L_bulla, L_bulls, L_dsph and L_d in dB at one effective Earth radius. Source: ITU-R P.1812-8 §4.3.4 eq. 37–39."""
    hte, hre = hts - hstd, hrs - hsrd
    actual = bullington(d, g, hts, hrs, a_km, c.wavelength_m)
    smooth = bullington_smooth(d, hte, hre, a_km, c.wavelength_m)
    sphere = spherical(c, omega, d[len(d) - 1], hte, hre, a_km)
    return actual, smooth, sphere, actual + max(sphere - smooth, 0.0)


@kernel
def _store(out: Floats, at: int, values: tuple[float, ...]) -> None:
    for i in range(len(values)):
        out[at + i] = values[i]


@kernel
def evaluate(
    c: Constants,
    d: Floats,
    h: Floats,
    g: Floats,
    zones: npt.NDArray[np.int8],
    tx_height: float,
    rx_height: float,
    rx_clutter: float,
    out: Floats,
) -> None:
    """Write every value of P.1812 for the profile into `out` (VALUES long).

    d in km, h ground and g ground + clutter in m above sea level, g equal to h at both ends; zones empty for inland.
    Source: ITU-R P.1812-8 Annex 1.
    """
    n = len(d)
    total = d[n - 1]
    hts, hrs = h[0] + tx_height, h[n - 1] + rx_height
    omega, dtm, dlm, coast_t, coast_r = 0.0, total, total, 500.0, 500.0
    at_sea = False
    if len(zones) > 0:
        omega, dtm, dlm, coast_t, coast_r = zone_lengths(d, zones)
        at_sea = zones[n - 1] == SEA
    if c.tx_coast_km >= 0.0 and not (len(zones) > 0 and zones[0] == SEA):
        coast_t = c.tx_coast_km
    if c.rx_coast_km >= 0.0 and not at_sea:
        coast_r = c.rx_coast_km
    b0 = beta0(c, dtm, dlm)

    hst_raw, hsr_raw = fitted_surface(d, h)
    h_obs, a_t, a_r = obstruction(d, h, hts, hrs)
    hstd, hsrd = diffraction_surface(hst_raw, hsr_raw, h_obs, a_t, a_r, h[0], h[n - 1])
    hst, hsr = min(hst_raw, h[0]), min(hsr_raw, h[n - 1])
    hidden, lt, lr, theta_t, theta_r = horizons(c, d, h, hts, hrs)
    dlt, dlr = d[lt], total - d[lr]
    theta = 1000.0 * total / c.ae_km + theta_t + theta_r
    hte, hre = hts - hst, hrs - hsr
    hm = roughness(d, h, hst, hsr, lt, lr)

    l_bfs = free_space(c, total, hts, hrs)
    l_b0p = l_bfs + focusing(dlt + dlr, c.log_p_50)
    l_b0beta = l_bfs + focusing(dlt + dlr, math.log10(b0 / 50.0))

    actual, smooth, sphere, l_d50 = delta_bullington(c, omega, d, g, hts, hrs, hstd, hsrd, c.ae_km)
    actual_b, smooth_b, sphere_b, l_dbeta = delta_bullington(c, omega, d, g, hts, hrs, hstd, hsrd, c.ab_km)
    # F_i and L_dp: eq. 40, 41; L_bd50, L_bd: eq. 42, 43; L_minb0p: eq. 59.
    f_i = 1.0 if c.time_percent < b0 else c.i_p / inverse_normal(b0 / 100.0)
    l_dp = l_d50 if c.median else l_d50 + f_i * (l_dbeta - l_d50)
    l_bd50, l_bd = l_bfs + l_d50, l_b0p + l_dp
    if c.time_percent < b0:
        l_minb0p = l_b0p + (1.0 - omega) * l_dp
    else:
        l_minb0p = l_bd50 + (l_b0beta + (1.0 - omega) * l_dp - l_bd50) * f_i
    l_ba = ducting_fixed(c, total, dlt, dlr, theta_t, theta_r, coast_t, coast_r, omega, hts, hrs)
    l_ba += ducting_time(c, total, dlt, dlr, dlm, hte, hre, hm, b0)
    l_minbap = smooth_minimum(l_ba, l_b0p)
    f_j, f_k = angle_blend(theta), distance_blend(total)
    # L_bda, L_bam: eq. 61, 62.
    l_bda = l_minbap + (l_bd - l_minbap) * f_k if l_minbap <= l_bd else l_bd
    l_bam = l_bda + (l_minb0p - l_bda) * f_j
    l_bs = troposcatter(c, total, theta)
    l_bc = power_sum(l_bs, l_bam)
    l_b = located(c, l_bc, l_b0p, rx_height, rx_clutter, at_sea)

    # fmt: off
    _store(out, 0, (
        total, omega, dtm, dlm, b0, c.ae_km, hts, hrs, hst_raw, hsr_raw, hst, hsr, hstd, hsrd, hte, hre, hm,
        dlt, dlr, theta_t, theta_r, theta,
    ))
    _store(out, 22, (
        f_i, f_j, f_k, l_bfs, l_b0p, l_b0beta, actual, smooth, sphere, l_d50, actual_b, smooth_b, sphere_b, l_dbeta,
        l_dp, l_bd50, l_bd, l_minb0p,
    ))
    _store(out, 40, (l_ba, l_minbap, l_bda, l_bam, l_bs, l_bc, l_b, 1.0 if hidden else 0.0))
    # fmt: on
