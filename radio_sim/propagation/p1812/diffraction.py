"""Delta-Bullington diffraction over terrain and over the spherical Earth."""

from __future__ import annotations

import math

from radio_sim.compiled import kernel
from radio_sim.model import Floats
from radio_sim.propagation.p1812.climate import Constants


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
    if not 0.0 < d_bp < total:
        # Both rays are the line of sight itself, to the last bit: it grazes the terrain.
        return 0.0
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


# 20·log10(x) = DB_20·ln x. The natural logarithm is the faster one, and one of a product does for two.
DB_20 = 20.0 / math.log(10.0)


@kernel
def _tall(b: float, k: float) -> float:
    """G(Y) in dB for B = β·Y above 2. Source: ITU-R P.1812-8 §4.3.3 eq. 34, 35."""
    gain = 17.6 * math.sqrt(b - 1.1) - 0.25 * DB_20 * math.log(b - 1.1) - 8.0
    # Below K = 2 the floor of eq. 34 lies under the least gain of this branch.
    return gain if k < 2.0 else max(gain, 2.0 + DB_20 * math.log(k))


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
    # x^1.425, through the logarithm that is there already.
    loss = 17.6 * x - 11.0 - 0.5 * DB_20 * ln_x if x >= 1.6 else DB_20 * ln_x + 5.6488 * math.exp(1.425 * ln_x)
    # Gains up to B = 2 are 20·log10(B + 0.1·B³), at least 2 + 20·log10 K.
    floor = k * 1.2589254117941673
    low = 1.0
    for height in (hte, hre):
        b = y * height
        if b > 2.0:
            loss -= _tall(b, k)
        else:
            low *= max(b + 0.1 * b * b * b, floor)
    return loss if low == 1.0 else loss - DB_20 * math.log(low)


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
def _reflection(c: float, m: float) -> float:
    """b of eq. 24c for c ≥ 0: the least root of m·b³ − (m + 1)·b + c, which eq. 24c writes with an arc cosine.

    The cubic is convex and falls from b = 0 to the root, so Newton's steps from below cannot pass it; on a
    line-of-sight path m is at most 1. Source: ITU-R P.1812-8 §4.3.2 eq. 24c–24e.
    """
    b = c / (m + 1.0)
    for _ in range(60):
        step = (m * b * b * b - (m + 1.0) * b + c) / (m + 1.0 - 3.0 * m * b * b)
        b += step
        if not step > 1e-9 * b:
            break
    return b


@kernel
def spherical(c: Constants, omega: float, total: float, hte: float, hre: float, a_km: float) -> float:
    """Spherical-Earth diffraction loss in dB. Source: ITU-R P.1812-8 §4.3.2 eq. 22–27."""
    root_t, root_r = math.sqrt(hte), math.sqrt(hre)
    if total >= math.sqrt(0.002 * a_km) * (root_t + root_r):
        return first_term_mixed(c, omega, total, hte, hre, a_km)
    ratio = (hte - hre) / (hte + hre)
    b = _reflection(abs(ratio), 250.0 * total * total / (a_km * (hte + hre)))
    b = b if ratio >= 0.0 else -b
    d1 = 0.5 * total * (1.0 + b)
    d2 = total - d1
    clearance = ((hte - 500.0 * d1 * d1 / a_km) * d2 + (hre - 500.0 * d2 * d2 / a_km) * d1) / total
    required = 17.456 * math.sqrt(d1 * d2 * c.wavelength_m / total)
    if clearance > required:
        return 0.0
    marginal_km = 500.0 * (total / (root_t + root_r)) ** 2
    loss = first_term_mixed(c, omega, total, hte, hre, marginal_km)
    return (1.0 - clearance / required) * loss if loss > 0.0 else 0.0
