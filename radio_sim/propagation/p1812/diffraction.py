"""Delta-Bullington diffraction over terrain and over the spherical Earth."""

from __future__ import annotations

import math

from radio_sim.model import Floats
from radio_sim.propagation.p1812.climate import Constants
from radio_sim.propagation.p1812.compiled import kernel


@kernel
def knife_edge(nu: float) -> float:
    """J(ν) in dB, 0 for ν ≤ −0.78. Source: ITU-R P.1812-8 §4.3 eq. 12."""
    if nu <= -0.78:
        return 0.0
    return 6.9 + 20.0 * math.log10(math.sqrt((nu - 0.1) ** 2 + 1.0) + nu - 0.1)


@kernel
def bullington_total(l_uc: float, total_km: float) -> float:
    """Bullington loss from its knife edge's. Source: ITU-R P.1812-8 §4.3.1 eq. 21."""
    if l_uc <= 0.0:
        return 0.0
    return l_uc + (1.0 - math.exp(-l_uc / 6.0)) * (10.0 + 0.02 * total_km)


@kernel
def bullington_point(s_tim: float, s_rim: float, hts: float, hrs: float, total: float, wavelength_m: float) -> float:
    """ν_b where the steepest rays of the two antennas meet. Slopes in m/km. Source: ITU-R P.1812-8 eq. 18–20."""
    d_bp = (hrs - hts + s_rim * total) / (s_tim + s_rim)
    height = hts + s_tim * d_bp - (hts * (total - d_bp) + hrs * d_bp) / total
    return height * math.sqrt(0.002 * total / (wavelength_m * d_bp * (total - d_bp)))


@kernel
def bullington(d: Floats, g: Floats, hts: float, hrs: float, a_km: float, wavelength_m: float) -> float:
    """Bullington loss in dB of a profile g (ground + clutter) at an effective Earth radius.

    Source: ITU-R P.1812-8 §4.3.1 eq. 13–21.
    """
    n = len(d)
    total = d[n - 1]
    half_ce = 500.0 / a_km
    s_tim = -math.inf
    for i in range(1, n - 1):
        s_tim = max(s_tim, (g[i] + half_ce * d[i] * (total - d[i]) - hts) / d[i])
    if s_tim < (hrs - hts) / total:
        nu = -math.inf
        for i in range(1, n - 1):
            e = total - d[i]
            clearance = g[i] + half_ce * d[i] * e - (hts * e + hrs * d[i]) / total
            nu = max(nu, clearance * math.sqrt(0.002 * total / (wavelength_m * d[i] * e)))
    else:
        s_rim = -math.inf
        for i in range(1, n - 1):
            e = total - d[i]
            s_rim = max(s_rim, (g[i] + half_ce * d[i] * e - hrs) / e)
        nu = bullington_point(s_tim, s_rim, hts, hrs, total, wavelength_m)
    return bullington_total(knife_edge(nu), total)


@kernel
def bullington_smooth(d: Floats, hte: float, hre: float, a_km: float, wavelength_m: float) -> float:
    """Bullington loss of the same path with all heights zero. Source: ITU-R P.1812-8 §4.3.4, §4.3.1."""
    n = len(d)
    total = d[n - 1]
    half_ce = 500.0 / a_km
    s_tim = -math.inf
    for i in range(1, n - 1):
        s_tim = max(s_tim, half_ce * (total - d[i]) - hte / d[i])
    if s_tim < (hre - hte) / total:
        nu = -math.inf
        for i in range(1, n - 1):
            e = total - d[i]
            clearance = half_ce * d[i] * e - (hte * e + hre * d[i]) / total
            nu = max(nu, clearance * math.sqrt(0.002 * total / (wavelength_m * d[i] * e)))
    else:
        s_rim = -math.inf
        for i in range(1, n - 1):
            s_rim = max(s_rim, half_ce * d[i] - hre / (total - d[i]))
        nu = bullington_point(s_tim, s_rim, hte, hre, total, wavelength_m)
    return bullington_total(knife_edge(nu), total)


@kernel
def _height_gain(b: float, floor: float) -> float:
    """G(Y) in dB from B = β·Y. Source: ITU-R P.1812-8 §4.3.3 eq. 34, 35."""
    if b > 2.0:
        gain = 17.6 * math.sqrt(b - 1.1) - 5.0 * math.log10(b - 1.1) - 8.0
    else:
        gain = 20.0 * math.log10(b + 0.1 * b * b * b)
    return max(gain, floor)


@kernel
def first_term(c: Constants, k_scale: float, total: float, hte: float, hre: float, a_km: float) -> float:
    """First term of the residue series in dB over ground of one kind. Source: ITU-R P.1812-8 §4.3.3 eq. 29–36."""
    inverse_cbrt = math.exp(-math.log(a_km) / 3.0)
    k = k_scale * inverse_cbrt
    k2 = k * k
    beta = (1.0 + 1.6 * k2 + 0.67 * k2 * k2) / (1.0 + 4.5 * k2 + 1.53 * k2 * k2)
    x = c.x_scale * beta * inverse_cbrt * inverse_cbrt * total
    y = c.y_scale * beta * beta * inverse_cbrt
    ln_x = math.log(x)
    log_x = 0.4342944819032518 * ln_x
    # x^1.425, through the logarithm that is there already.
    f_x = 11.0 + 10.0 * log_x - 17.6 * x if x >= 1.6 else -20.0 * log_x - 5.6488 * math.exp(1.425 * ln_x)
    floor = 2.0 + 20.0 * math.log10(k)
    return -f_x - _height_gain(y * hte, floor) - _height_gain(y * hre, floor)


@kernel
def first_term_mixed(c: Constants, omega: float, total: float, hte: float, hre: float, a_km: float) -> float:
    """First term over land and sea by their shares of the path. Source: ITU-R P.1812-8 §4.3.3 eq. 28."""
    loss = 0.0
    if omega < 1.0:
        loss += (1.0 - omega) * first_term(c, c.k_land, total, hte, hre, a_km)
    if omega > 0.0:
        loss += omega * first_term(c, c.k_sea, total, hte, hre, a_km)
    return loss


@kernel
def spherical(c: Constants, omega: float, total: float, hte: float, hre: float, a_km: float) -> float:
    """Spherical-Earth diffraction loss in dB. Source: ITU-R P.1812-8 §4.3.2 eq. 22–27."""
    root_t, root_r = math.sqrt(hte), math.sqrt(hre)
    if total >= math.sqrt(0.002 * a_km) * (root_t + root_r):
        return first_term_mixed(c, omega, total, hte, hre, a_km)
    ratio = (hte - hre) / (hte + hre)
    m = 250.0 * total * total / (a_km * (hte + hre))
    angle = math.acos(1.5 * ratio * math.sqrt(3.0 * m / (m + 1.0) ** 3)) / 3.0
    b = 2.0 * math.sqrt((m + 1.0) / (3.0 * m)) * math.cos(math.pi / 3.0 + angle)
    d1 = 0.5 * total * (1.0 + b)
    d2 = total - d1
    clearance = ((hte - 500.0 * d1 * d1 / a_km) * d2 + (hre - 500.0 * d2 * d2 / a_km) * d1) / total
    required = 17.456 * math.sqrt(d1 * d2 * c.wavelength_m / total)
    if clearance > required:
        return 0.0
    marginal_km = 500.0 * (total / (root_t + root_r)) ** 2
    loss = first_term_mixed(c, omega, total, hte, hre, marginal_km)
    return (1.0 - clearance / required) * loss if loss > 0.0 else 0.0
