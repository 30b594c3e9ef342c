"""Path profile analysis: horizons, smooth-Earth surface and terrain roughness."""

from __future__ import annotations

import math

from radio_sim.compiled import kernel
from radio_sim.model import Floats
from radio_sim.propagation.p1812.climate import Constants


@kernel
def horizons(c: Constants, d: Floats, h: Floats, hts: float, hrs: float) -> tuple[bool, int, int, float, float]:
    """Trans-horizon?, sample of each antenna's horizon, horizon elevation angles in mrad.

    On a line-of-sight path both horizons are the sample of the largest diffraction parameter.
    Source: ITU-R P.1812-8 Att. 1 §4.1–4.4, eq. 76–83.
    """
    n = len(d)
    total = d[n - 1]
    half_ce = 500.0 / c.ae_km
    at_receiver = (hrs - hts) / total - half_ce * total
    steepest, lt = -math.inf, 1
    for i in range(1, n - 1):
        slope = (h[i] - hts) / d[i] - half_ce * d[i]
        if slope > steepest:
            steepest, lt = slope, i
    if steepest > at_receiver:
        back, lr = -math.inf, 1
        for i in range(1, n - 1):
            e = total - d[i]
            slope = (h[i] - hrs) / e - half_ce * e
            if slope >= back:
                back, lr = slope, i
        return True, lt, lr, 1000.0 * math.atan(steepest / 1000.0), 1000.0 * math.atan(back / 1000.0)
    nu_max = -math.inf
    for i in range(1, n - 1):
        e = total - d[i]
        clearance = h[i] + half_ce * d[i] * e - (hts * e + hrs * d[i]) / total
        nu = clearance * math.sqrt(1.0 / (d[i] * e))
        if nu >= nu_max:
            nu_max, lt = nu, i
    to_transmitter = (hts - hrs) / total - half_ce * total
    return False, lt, lt, 1000.0 * math.atan(at_receiver / 1000.0), 1000.0 * math.atan(to_transmitter / 1000.0)


@kernel
def fitted_surface(d: Floats, h: Floats) -> tuple[float, float]:
    """Heights of the least-squares straight line through the terrain at both ends, m above sea level.

    Source: ITU-R P.1812-8 Att. 1 §5.6.1 eq. 85–88.
    """
    n = len(d)
    total = d[n - 1]
    v1 = v2 = 0.0
    for i in range(1, n):
        step = d[i] - d[i - 1]
        v1 += step * (h[i] + h[i - 1])
        v2 += step * (h[i] * (2.0 * d[i] + d[i - 1]) + h[i - 1] * (d[i] + 2.0 * d[i - 1]))
    return (2.0 * v1 * total - v2) / (total * total), (v2 - v1 * total) / (total * total)


@kernel
def obstruction(d: Floats, h: Floats, hts: float, hrs: float) -> tuple[float, float, float]:
    """h_obs in m, α_obt and α_obr in m/km: how far the terrain rises above the straight line between the antennas.

    Source: ITU-R P.1812-8 Att. 1 §5.6.2 eq. 89.
    """
    n = len(d)
    total = d[n - 1]
    h_obs = a_t = a_r = -math.inf
    for i in range(1, n - 1):
        e = total - d[i]
        over = h[i] - (hts * e + hrs * d[i]) / total
        h_obs = max(h_obs, over)
        a_t = max(a_t, over / d[i])
        a_r = max(a_r, over / e)
    return h_obs, a_t, a_r


@kernel
def diffraction_surface(
    hst: float, hsr: float, h_obs: float, a_t: float, a_r: float, h0: float, hn: float
) -> tuple[float, float]:
    """h_std, h_srd: the smooth surface for the diffraction model. Source: ITU-R P.1812-8 Att. 1 §5.6.2 eq. 90, 91."""
    if h_obs > 0.0:
        hst -= h_obs * a_t / (a_t + a_r)
        hsr -= h_obs * a_r / (a_t + a_r)
    return min(hst, h0), min(hsr, hn)


@kernel
def roughness(d: Floats, h: Floats, hst: float, hsr: float, lt: int, lr: int) -> float:
    """h_m in m: the highest terrain above the smooth surface between the horizons, both included.

    hst, hsr: limited to the ground. Source: ITU-R P.1812-8 Att. 1 §5.6.3 eq. 93, 95.
    """
    slope = (hsr - hst) / d[len(d) - 1]
    h_m = -math.inf
    for i in range(lt, lr + 1):
        h_m = max(h_m, h[i] - (hst + slope * d[i]))
    return h_m
