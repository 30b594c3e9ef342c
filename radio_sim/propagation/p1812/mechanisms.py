"""Line of sight, troposcatter, ducting and layer reflection, and how P.1812 joins them."""

from __future__ import annotations

import math

from radio_sim.compiled import kernel
from radio_sim.propagation.p1812.climate import Constants, inland_tau

# Source: ITU-R P.1812-8 §4.6: Θ = 0.3 mrad and ξ = 0.8 (eq. 57), d_sw = 20 km and κ = 0.5 (eq. 58), η = 2.5 (eq. 60).
ETA = 2.5


@kernel
def free_space(c: Constants, total: float, hts: float, hrs: float) -> float:
    """Free-space loss over the slant distance, which counts as 1 m at least. Source: ITU-R P.1812-8 §4.2 eq. 8."""
    rise = (hts - hrs) / 1000.0
    return c.free_space_db + 10.0 * math.log10(max(total * total + rise * rise, 1e-6))


@kernel
def focusing(horizon_km: float, log_share: float) -> float:
    """E_s: multipath and focusing; log_share is log10(p/50) or log10(β0/50). Source: ITU-R P.1812-8 §4.2 eq. 9."""
    return 2.6 * (1.0 - math.exp(-0.1 * horizon_km)) * log_share


@kernel
def troposcatter(c: Constants, total: float, theta: float) -> float:
    """L_bs in dB; θ in mrad. Source: ITU-R P.1812-8 §4.4 eq. 44, 45."""
    return c.tropo_db + 20.0 * math.log10(total) + 0.573 * theta


@kernel
def _shielding(c: Constants, theta: float, horizon: float) -> float:
    """A_s of one terminal. Source: ITU-R P.1812-8 §4.5 eq. 48."""
    excess = theta - 0.1 * horizon
    if excess <= 0.0:
        return 0.0
    return 20.0 * math.log10(1.0 + 0.361 * excess * math.sqrt(c.freq_ghz * horizon)) + 0.264 * excess * c.cbrt_f


@kernel
def _coupling(coast: float, horizon: float, omega: float, h: float) -> float:
    """A_c of one terminal: over-sea surface duct coupling. Source: ITU-R P.1812-8 §4.5 eq. 49."""
    if coast > 5.0 or coast > horizon or omega < 0.75:
        return 0.0
    return -3.0 * math.exp(-0.25 * coast * coast) * (1.0 + math.tanh(0.07 * (50.0 - h)))


@kernel
def ducting_fixed(
    c: Constants,
    total: float,
    dlt: float,
    dlr: float,
    theta_t: float,
    theta_r: float,
    coast_t: float,
    coast_r: float,
    omega: float,
    hts: float,
    hrs: float,
) -> float:
    """A_f + γ_d·θ′: all of L_ba but its dependence on time, which is never negative for p ≥ β.

    Source: ITU-R P.1812-8 §4.5 eq. 47–52.
    """
    fixed = 10.05 + c.free_space_db + 20.0 * math.log10(dlt + dlr) + c.a_lf_db
    fixed += _shielding(c, theta_t, dlt) + _shielding(c, theta_r, dlr)
    fixed += _coupling(coast_t, dlt, omega, hts) + _coupling(coast_r, dlr, omega, hrs)
    angle = 1000.0 * total / c.ae_km + min(theta_t, 0.1 * dlt) + min(theta_r, 0.1 * dlr)
    return fixed + c.gamma_d * angle


@kernel
def ducting_time(
    c: Constants, total: float, dlt: float, dlr: float, dlm: float, hte: float, hre: float, hm: float, b0: float
) -> float:
    """A(p): time dependence of the anomalous loss, dB. Source: ITU-R P.1812-8 §4.5 eq. 53–56."""
    alpha = max(-0.6 - 3.5e-9 * total**3.1 * inland_tau(dlm), -3.4)
    mu2 = (500.0 / c.ae_km * total * total / (math.sqrt(hte) + math.sqrt(hre)) ** 2) ** alpha
    mu2 = min(mu2, 1.0)
    mu3 = 1.0
    if hm > 10.0:
        mu3 = math.exp(-4.6e-5 * (hm - 10.0) * (43.0 + 6.0 * min(total - dlt - dlr, 40.0)))
    beta = b0 * mu2 * mu3
    log_beta = math.log10(beta)
    spread = (9.51 - 4.8 * log_beta + 0.198 * log_beta * log_beta) * 1e-6 * total**1.13
    gamma = 1.076 / (2.0058 - log_beta) ** 1.012 * math.exp(-spread)
    ratio = c.time_percent / beta
    loss: float = -12.0 + (1.2 + 3.7e-3 * total) * math.log10(ratio) + 12.0 * ratio**gamma
    return loss


@kernel
def angle_blend(theta: float) -> float:
    """F_j. Source: ITU-R P.1812-8 §4.6 eq. 57."""
    return 1.0 - 0.5 * (1.0 + math.tanh(8.0 * (theta - 0.3)))


@kernel
def distance_blend(total: float) -> float:
    """F_k. Source: ITU-R P.1812-8 §4.6 eq. 58."""
    return 1.0 - 0.5 * (1.0 + math.tanh(1.5 * (total - 20.0) / 20.0))


@kernel
def smooth_minimum(l_ba: float, l_b0p: float) -> float:
    """L_minbap: η·ln(e^(L_ba/η) + e^(L_b0p/η)), written so that it cannot overflow. Source: P.1812-8 §4.6 eq. 60."""
    return max(l_ba, l_b0p) + ETA * math.log1p(math.exp(-abs(l_ba - l_b0p) / ETA))


@kernel
def power_sum(l_bs: float, l_bam: float) -> float:
    """L_bc: troposcatter and the rest joined. Source: ITU-R P.1812-8 §4.6 eq. 63."""
    apart = abs(l_bs - l_bam)
    lower = min(l_bs, l_bam)
    # Further apart than this the higher loss adds less than 10⁻⁷ dB.
    return lower if apart > 40.0 else lower - 5.0 * math.log10(1.0 + 10.0 ** (-0.2 * apart))


@kernel
def located(c: Constants, l_bc: float, l_b0p: float, rx_height: float, rx_clutter: float, at_sea: bool) -> float:
    """L_b: location variability and building entry on L_bc, never below L_b0p.

    Source: ITU-R P.1812-8 §4.7 eq. 65, 66 (σ_L, u_h), §4.8, §4.9 eq. 67–69.
    """
    if at_sea:
        return max(l_b0p, l_bc)
    sigma = c.location_sigma_db
    if c.height_sigma:
        sigma *= min(max(1.0 - (rx_height - rx_clutter) / 10.0, 0.0), 1.0)
    if c.entry_sigma_db > 0.0:
        sigma = math.sqrt(sigma * sigma + c.entry_sigma_db * c.entry_sigma_db)
    return max(l_b0p, l_bc + c.entry_db - c.i_location * sigma)
