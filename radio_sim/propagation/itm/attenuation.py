"""The reference attenuation: median below free space, by line of sight, diffraction or troposcatter.

Every distance and height in metres, frequency in MHz, pairs are (transmitter, receiver). Source throughout: Hufford,
"The ITS Irregular Terrain Model, version 1.2.2: the Algorithm" ("Alg."), and where it points to them Longley and Rice,
ERL 79-ITS 67, 1968 ("LR"), Vogler 1964, and NBS Technical Note 101 ("TN101").
"""

from __future__ import annotations

import math

from radio_sim.compiled import kernel
from radio_sim.propagation.itm.terrain import Pair, smooth_horizon

_FREQUENCY_PER_WAVENUMBER = 47.7  # MHz·m, c / 2π as the model rounds it. Source: Alg. §1
_EARTH_RADIUS_M = 6_370e3  # as Vogler's curves have it
_SQRT_2 = math.sqrt(2.0)


@kernel
def roughness(distance: float, irregularity: float) -> float:
    """Δh(d), the terrain irregularity over a finite distance. Source: LR eq. 3."""
    return irregularity * (1.0 - 0.8 * math.exp(-distance / 50e3))


@kernel
def height_deviation(irregularity: float) -> float:
    """σ_h, the standard deviation of heights within the first Fresnel zone of a reflection. Source: LR eq. 3.6a."""
    return 0.78 * irregularity * math.exp(-0.5 * irregularity**0.25)


@kernel
def knife_edge(v_squared: float) -> float:
    """Attenuation of one knife edge. Source: LR eq. 3.27."""
    if v_squared < 5.76:
        return 6.02 + 9.11 * math.sqrt(v_squared) - 1.27 * v_squared
    return 12.953 + 10.0 * math.log10(v_squared)


@kernel
def height_gain(x_km: float, k: float) -> float:
    """F(x, K) of an antenna near its horizon. Source: Alg. §6, after Vogler."""
    if x_km < 200.0:
        w = -math.log(k)
        if k < 1e-5 or x_km * w**3 > 5495.0:
            return 17.372 * math.log(x_km) - 117.0 if x_km > 1.0 else -117.0
        return 2.5e-5 * x_km * x_km / k - 8.686 * w - 15.0
    gain = 0.05751 * x_km - 4.343 * math.log(x_km)
    if x_km < 2000.0:
        w = 0.0134 * x_km * math.exp(-0.005 * x_km)
        gain = (1.0 - w) * gain + w * (17.372 * math.log(x_km) - 117.0)
    return gain


@kernel
def _vogler(radius: float, freq_mhz: float, impedance: float) -> Pair:
    """K and the scale of distances (x per km) on an earth of this radius. Source: Alg. §4.1; Vogler eq. 2, 6a."""
    c0 = (4.0 / 3.0 * _EARTH_RADIUS_M / radius) ** (1.0 / 3.0)
    k = 0.017778 * c0 * freq_mhz ** (-1.0 / 3.0) / impedance
    return k, (1.607 - k) * c0 * c0 * freq_mhz ** (1.0 / 3.0)


@kernel
def smooth_earth_diffraction(
    distance: float, freq_mhz: float, radius: float, los_angle: float, reaches: Pair, heights: Pair, impedance: float
) -> float:
    """Three-radii diffraction over a rounded earth; NaN where Vogler's curves are not defined.

    Source: Alg. eq. 4.20, after Vogler.
    """
    bent = distance / radius - los_angle
    path_radius = (distance - reaches[0] - reaches[1]) / bent
    _, scale = _vogler(path_radius, freq_mhz, impedance)
    tx_k, tx_scale = _vogler(0.5 * reaches[0] ** 2 / heights[0], freq_mhz, impedance)
    rx_k, rx_scale = _vogler(0.5 * reaches[1] ** 2 / heights[1], freq_mhz, impedance)
    tx_x, rx_x = tx_scale * reaches[0] / 1000.0, rx_scale * reaches[1] / 1000.0
    x = scale * path_radius * bent / 1000.0 + tx_x + rx_x
    if x <= 0.0:
        return math.nan
    return 0.05751 * x - 10.0 * math.log10(x) - height_gain(tx_x, tx_k) - height_gain(rx_x, rx_k) - 20.0


@kernel
def double_knife_edge(distance: float, freq_mhz: float, radius: float, los_angle: float, reaches: Pair) -> float:
    """Both horizons as knife edges. Source: Alg. §4.1; TN101 eq. I.1, I.7."""
    bent = distance / radius - los_angle
    beyond = distance - reaches[0] - reaches[1]
    scale = 0.0795775 * (freq_mhz / _FREQUENCY_PER_WAVENUMBER) * bent * bent * beyond
    return knife_edge(scale * reaches[0] / (beyond + reaches[0])) + knife_edge(
        scale * reaches[1] / (beyond + reaches[1])
    )


@kernel
def diffraction(
    distance: float,
    freq_mhz: float,
    radius: float,
    los_angle: float,
    reaches: Pair,
    heights: Pair,
    antennas: Pair,
    impedance: float,
    irregularity: float,
    on_profile: bool,
) -> float:
    """Knife edges and rounded earth, weighted, with clutter. Source: Alg. §4.1; LR eq. 3.23 and 3.38c.

    A horizon a few metres off is no rounded earth: where that is not defined, the edges stand alone [assumption; the
    reference implementation falls back to free space].
    """
    smooth_reach = smooth_horizon(heights[0], radius) + smooth_horizon(heights[1], radius)
    deviation = height_deviation(roughness(smooth_reach, irregularity))
    product = antennas[0] * antennas[1]
    clutter = min(15.0, 5.0 * math.log10(1.0 + 1e-5 * product * freq_mhz * deviation))
    excess = heights[0] * heights[1] - product
    # C = 10 for low antennas on a known path. Source: LR p. 3-8.
    known = product + 10.0 if on_profile else product
    ratio = math.sqrt(1.0 + excess / known) + (reaches[0] + reaches[1] - los_angle * radius) / distance
    waves = min(roughness(distance, irregularity) * freq_mhz / _FREQUENCY_PER_WAVENUMBER, 6283.2)
    weight = 25.1 / (25.1 + math.sqrt(ratio * waves))
    rounded = smooth_earth_diffraction(distance, freq_mhz, radius, los_angle, reaches, heights, impedance)
    edges = double_knife_edge(distance, freq_mhz, radius, los_angle, reaches)
    if math.isnan(rounded):
        return edges + clutter
    return weight * rounded + (1.0 - weight) * edges + clutter


@kernel
def line_of_sight(
    distance: float,
    freq_mhz: float,
    heights: Pair,
    impedance: complex,
    irregularity: float,
    smooth_reach: float,
    slope: float,
    intercept: float,
) -> float:
    """Two rays weighted with the line of diffraction, slope·d + intercept. Source: Alg. eq. 4.46–4.50."""
    wavenumber = freq_mhz / _FREQUENCY_PER_WAVENUMBER
    deviation = height_deviation(roughness(distance, irregularity))
    height = heights[0] + heights[1]
    grazing = height / math.sqrt(distance * distance + height * height)
    reflection = (grazing - impedance) / (grazing + impedance) * math.exp(-min(10.0, wavenumber * deviation * grazing))
    power = reflection.real**2 + reflection.imag**2
    if power < 0.25 or power < grazing:
        reflection *= math.sqrt(grazing / power)
    phase = 2.0 * wavenumber * heights[0] * heights[1] / distance
    if phase > 0.5 * math.pi:
        phase = math.pi - (0.5 * math.pi) ** 2 / phase
    two_rays = complex(math.cos(phase), -math.sin(phase)) + reflection
    rays = -10.0 * math.log10(two_rays.real**2 + two_rays.imag**2)
    weight = 1.0 / (1.0 + freq_mhz * irregularity / max(10e3, smooth_reach))
    return weight * rays + (1.0 - weight) * (slope * distance + intercept)


@kernel
def line_of_sight_curve(
    distance: float,
    freq_mhz: float,
    reach: float,
    smooth_reach: float,
    heights: Pair,
    impedance: complex,
    irregularity: float,
    slope: float,
    intercept: float,
) -> float:
    """The curve a + k₁·d + k₂·ln d through the near field and the horizon. Source: Alg. §4.2; LR eq. 3.16–3.21."""
    at_reach = intercept + smooth_reach * slope
    near = 0.04 * freq_mhz * heights[0] * heights[1]
    if intercept >= 0.0:
        near = min(near, 0.5 * reach)
        middle = near + 0.25 * (reach - near)
    else:
        middle = max(-intercept / slope, 0.25 * reach)
    at_middle = line_of_sight(middle, freq_mhz, heights, impedance, irregularity, smooth_reach, slope, intercept)
    k1 = k2 = 0.0
    fitted = False
    if near < middle:
        at_near = line_of_sight(near, freq_mhz, heights, impedance, irregularity, smooth_reach, slope, intercept)
        log_reach = math.log(smooth_reach / near)
        rise, span = at_middle - at_near, middle - near
        whole_rise, whole_span = at_reach - at_near, smooth_reach - near
        k2 = (whole_span * rise - span * whole_rise) / (whole_span * math.log(middle / near) - span * log_reach)
        k2 = max(k2, 0.0)
        fitted = intercept > 0.0 or k2 > 0.0
        if fitted:
            k1 = (whole_rise - k2 * log_reach) / whole_span
            if k1 < 0.0:
                k1, k2 = 0.0, max(whole_rise, 0.0) / log_reach
                if k2 == 0.0:
                    k1 = slope
    if not fitted:
        k1, k2 = max(at_reach - at_middle, 0.0) / (smooth_reach - middle), 0.0
        if k1 == 0.0:
            k1 = slope
    return at_reach + k1 * (distance - smooth_reach) + k2 * math.log(distance / smooth_reach)


@kernel
def _h01(r: float, j: int) -> float:
    """Curve j of the frequency gain H₀ at η_s = j + 1. Source: Alg. eq. 6.13."""
    square = 1.0 / (r * r)
    a = (25.0, 80.0, 177.0, 395.0, 705.0)[j]
    b = (24.0, 45.0, 68.0, 80.0, 105.0)[j]
    return 10.0 * math.log10(1.0 + (a * square + b) * square)


@kernel
def frequency_gain(r: float, eta: float) -> float:
    """H₀(r, η_s) for 1 ≤ η_s ≤ 5, interpolated between the curves. Source: Alg. eq. 6.13."""
    eta = min(max(eta, 1.0), 5.0)
    j = int(eta)
    rest = eta - j
    gain = _h01(r, j - 1)
    return gain if rest == 0.0 else (1.0 - rest) * gain + rest * _h01(r, j)


@kernel
def scatter_attenuation(product: float) -> float:
    """F(θd), θd in metres. Source: Alg. eq. 6.9."""
    if product <= 10e3:
        return 133.4 + 0.332e-3 * product - 10.0 * math.log10(product)
    if product <= 70e3:
        return 104.6 + 0.212e-3 * product - 2.5 * math.log10(product)
    return 71.8 + 0.157e-3 * product + 5.0 * math.log10(product)


@kernel
def troposcatter(
    distance: float,
    freq_mhz: float,
    radius: float,
    los_angle: float,
    angles: Pair,
    reaches: Pair,
    heights: Pair,
    refractivity: float,
    farther_gain: float,
) -> Pair:
    """Scatter attenuation and its frequency gain H₀; 1001 dB where scatter is not defined.

    farther_gain: H₀ at the farther of the two distances the line is drawn through, negative when this is that one.
    Source: Alg. §4.3, eq. 4.63–4.67; TN101 §9.
    """
    wavenumber = freq_mhz / _FREQUENCY_PER_WAVENUMBER
    gain = farther_gain
    if farther_gain <= 15.0:
        asymmetry, ratio = reaches[0] - reaches[1], heights[1] / heights[0]
        if asymmetry < 0.0:
            asymmetry, ratio = -asymmetry, 1.0 / ratio
        angle = angles[0] + angles[1] + distance / radius
        r1, r2 = 2.0 * wavenumber * angle * heights[0], 2.0 * wavenumber * angle * heights[1]
        if r1 < 0.2 and r2 < 0.2:
            return 1001.0, farther_gain
        s = (distance - asymmetry) / (distance + asymmetry)
        q = min(max(0.1, ratio / s), 10.0)
        s = max(0.1, s)
        crossover = (distance - asymmetry) * (distance + asymmetry) * angle * 0.25 / distance
        thinning = (0.031 - 2.32e-3 * refractivity + 5.67e-6 * refractivity**2) * math.exp(
            -(min(1.7, crossover / 8.0e3) ** 6)
        )
        eta = crossover / 1.7556e3 * (1.0 + thinning)
        mean = 0.5 * (frequency_gain(r1, eta) + frequency_gain(r2, eta))
        correction = 6.0 * (0.6 - math.log10(max(eta, 1.0))) * math.log10(s) * math.log10(q)
        gain = max(mean + min(mean, correction), 0.0)
        if eta < 1.0:
            low = ((1.0 + _SQRT_2 / r1) * (1.0 + _SQRT_2 / r2)) ** 2 * (r1 + r2) / (r1 + r2 + 2.0 * _SQRT_2)
            gain = eta * gain + (1.0 - eta) * 10.0 * math.log10(low)
        if gain > 15.0 and farther_gain >= 0.0:
            gain = farther_gain
    bent = distance / radius - los_angle
    loss = scatter_attenuation(bent * distance) + 10.0 * math.log10(freq_mhz * bent**4)
    return loss - 0.1 * (refractivity - 301.0) * math.exp(-bent * distance / 40e3) + gain, gain


@kernel
def reference_attenuation(
    distance: float,
    freq_mhz: float,
    radius: float,
    refractivity: float,
    angles: Pair,
    reaches: Pair,
    heights: Pair,
    antennas: Pair,
    impedance: complex,
    irregularity: float,
    on_profile: bool,
) -> tuple[float, int]:
    """The median attenuation below free space, never negative, and its `PropagationMode`. Source: Alg. §4."""
    smooth_reach = smooth_horizon(heights[0], radius) + smooth_horizon(heights[1], radius)
    reach = reaches[0] + reaches[1]
    los_angle = -max(angles[0] + angles[1], -reach / radius)
    magnitude = abs(impedance)
    # Beyond the horizon attenuation is a straight line through two far points.
    unit = (radius * radius / freq_mhz) ** (1.0 / 3.0)
    d3 = max(smooth_reach, reach + 5.0 * unit)
    d4 = d3 + 10.0 * unit
    a3 = diffraction(d3, freq_mhz, radius, los_angle, reaches, heights, antennas, magnitude, irregularity, on_profile)
    a4 = diffraction(d4, freq_mhz, radius, los_angle, reaches, heights, antennas, magnitude, irregularity, on_profile)
    slope = (a4 - a3) / (d4 - d3)
    intercept = a3 - slope * d3
    if distance < smooth_reach:
        curve = line_of_sight_curve(
            distance, freq_mhz, reach, smooth_reach, heights, impedance, irregularity, slope, intercept
        )
        return max(curve, 0.0), 1
    d5, d6 = reach + 200e3, reach + 400e3
    a6, gain = troposcatter(d6, freq_mhz, radius, los_angle, angles, reaches, heights, refractivity, -1.0)
    a5, _ = troposcatter(d5, freq_mhz, radius, los_angle, angles, reaches, heights, refractivity, gain)
    if a5 < 1000.0:
        scatter_slope = (a6 - a5) / 200e3
        crossing = (a5 - intercept - scatter_slope * d5) / (slope - scatter_slope)
        change = max(smooth_reach, reach + 1.088 * unit * math.log(freq_mhz), crossing)
        if distance > change:
            return max(intercept + slope * change + scatter_slope * (distance - change), 0.0), 3
    elif distance > 10e6:
        return max(intercept + slope * distance, 0.0), 3
    return max(intercept + slope * distance, 0.0), 2
