"""The Bullington parts of P.1812 from a shared profile and a path's own last samples, as a scan would find them."""

from __future__ import annotations

import math

from radio_sim.compiled import kernel
from radio_sim.coverage.sweep_hull import Indices, highest_over, steepest_from
from radio_sim.model import Floats
from radio_sim.propagation.p1812.diffraction import bullington_point

# Samples per block of the exact search for the largest ν.
BLOCK = 16


@kernel
def block_maxima(y: Floats, last: int, maxima: Floats) -> None:
    """maxima[b] = the largest of y[16·b … 16·b + 15], up to y[last]; y[0] does not count."""
    for b in range(last // BLOCK + 1):
        largest = -math.inf
        for i in range(max(b * BLOCK, 1), min((b + 1) * BLOCK, last + 1)):
            largest = max(largest, y[i])
        maxima[b] = largest


@kernel
def smallest_clearance(
    y: Floats, maxima: Floats, last: int, step: float, total: float, height: float, slope: float, best: float, at: int
) -> tuple[float, int]:
    """Least q = clearance² / (d·(D − d)) under the line height + slope·d, and its sample; else `best` at `at`.

    ν = −√(q·0.002·D/λ) where all of the profile lies below the line. Blocks that cannot hold less are passed over.
    """
    for b in range(last // BLOCK, -1, -1):
        start, stop = max(b * BLOCK, 1), min((b + 1) * BLOCK - 1, last)
        if stop < start:
            continue
        d0, d1 = start * step, stop * step
        clear = min(height + slope * d0, height + slope * d1) - maxima[b]
        middle = min(max(0.5 * total, d0), d1)
        if clear > 0.0 and clear * clear >= best * middle * (total - middle):
            continue
        for i in range(stop, start - 1, -1):
            d = i * step
            clear = height + slope * d - y[i]
            weight = d * (total - d)
            if clear * clear < best * weight:
                best, at = clear * clear / weight, i
    return best, at


@kernel
def terrain_nu(
    y: Floats,
    maxima: Floats,
    hull: Indices,
    count: int,
    last: int,
    step: float,
    s_tim: float,
    own_d: Floats,
    own_g: Floats,
    own: int,
    total: float,
    hts: float,
    hrs: float,
    half_ce: float,
    wavelength_m: float,
) -> float:
    """ν of the Bullington construction, −0.78 standing for all below.

    y: shared profile less half_ce·d², samples 1 … last with their hull. own_d, own_g: `own` further samples, not
    curved. s_tim: steepest slope of all samples from the transmitter, heights less half_ce·d².
    Source: ITU-R P.1812-8 §4.3.1 eq. 13–20.
    """
    lowered = hrs - half_ce * total * total
    line = (lowered - hts) / total
    if s_tim < line:
        limit = 0.6084 * wavelength_m / (0.002 * total)
        best = limit
        for j in range(own):
            clear = hts + line * own_d[j] - (own_g[j] - half_ce * own_d[j] * own_d[j])
            weight = own_d[j] * (total - own_d[j])
            if clear * clear < best * weight:
                best = clear * clear / weight
        if last > 0:
            top = highest_over(hull, count, y, step, line)
            clear = hts + line * top * step - y[top]
            if clear * clear < best * 0.25 * total * total:
                best, _ = smallest_clearance(y, maxima, last, step, total, hts, line, best, 0)
        return -0.78 if best >= limit else -math.sqrt(best * 0.002 * total / wavelength_m)
    s_rim = -math.inf
    if last > 0:
        top = steepest_from(hull, count, y, step, total, lowered)
        s_rim = (y[top] - lowered) / (total - top * step)
    for j in range(own):
        rise = own_g[j] - half_ce * own_d[j] * own_d[j] - lowered
        if rise > s_rim * (total - own_d[j]):
            s_rim = rise / (total - own_d[j])
    return bullington_point(s_tim + half_ce * total, s_rim - half_ce * total, hts, hrs, total, wavelength_m)


@kernel
def _least_of_two(at: float, hte: float, hre: float, total: float, step: float, n: int, half_ce: float) -> float:
    """The lesser q of the two samples around a distance, heights zero."""
    best = math.inf
    first = min(max(int(at / step), 1), n)
    for i in range(first, min(first + 1, n) + 1):
        d = i * step
        e = total - d
        clear = (hte * e + hre * d) / total - half_ce * d * e
        best = min(best, clear * clear / (d * e))
    return best


@kernel
def _smooth_minimum(w: float, hte: float, hre: float, total: float, step: float, n: int, half_ce: float) -> float:
    """The least q near w by guarded Newton steps from a flat Earth's mirror point to the middle of the path.

    With w² = d/(D − d) the clearance over √(d·(D − d)) is (hte/w + hre·w)/D − half_ce·D·w/(1 + w²).
    """
    mirror = math.sqrt(hte / hre)
    low, high = min(1.0, mirror), max(1.0, mirror)
    for _ in range(8):
        w2 = w * w
        inverse = 1.0 / (1.0 + w2)
        curved = half_ce * total * inverse * inverse
        gradient = (hre - hte / w2) / total - curved * (1.0 - w2)
        bend = 2.0 * hte / (w2 * w * total) - curved * inverse * w * (2.0 * w2 - 6.0)
        if gradient > 0.0:
            high = w
        else:
            low = w
        following = w - gradient / bend if bend > 0.0 else low
        if not low < following < high:
            following = math.sqrt(low * high)
        moved = abs(following - w)
        w = following
        if moved < 0.01 * w:
            break
    at = total * w * w / (1.0 + w * w)
    if min(at, total - at) > 8.0 * step:
        # Between samples this close together the minimum is flat: 0.002 dB at most.
        least = (hte / w + hre * w) / total - half_ce * total * w / (1.0 + w * w)
        return least * least
    return _least_of_two(at, hte, hre, total, step, n, half_ce)


@kernel
def smooth_nu(hte: float, hre: float, total: float, step: float, n: int, half_ce: float, wavelength_m: float) -> float:
    """ν of the Bullington construction with all of n samples at height zero, −0.78 standing for all below.

    The extremes over a smooth profile have closed forms or few Newton steps; the samples beside them decide, as a scan
    of all samples would. Source: ITU-R P.1812-8 §4.3.4, §4.3.1 eq. 13–20.
    """
    root_t, root_r = math.sqrt(hte), math.sqrt(hre)
    root_ce = math.sqrt(half_ce)
    first = min(max(int(root_t / (root_ce * step)), 1), n)
    second = min(first + 1, n)
    s_tim = max(
        half_ce * (total - first * step) - hte / (first * step),
        half_ce * (total - second * step) - hte / (second * step),
    )
    if s_tim >= (hre - hte) / total:
        first = min(max(int((total - root_r / root_ce) / step), 1), n)
        second = min(first + 1, n)
        s_rim = max(
            half_ce * first * step - hre / (total - first * step),
            half_ce * second * step - hre / (total - second * step),
        )
        return bullington_point(s_tim, s_rim, hte, hre, total, wavelength_m)
    best = _smooth_minimum(root_t / root_r, hte, hre, total, step, n, half_ce)
    # Near the limit of sight there may be a second minimum about the point of least clearance: in ln w the function is
    # A·cosh(t − t₀) − B/cosh t, convex for A ≥ 0.273·B.
    lowest = 0.5 * total + (hte - hre) / (2.0 * half_ce * total)
    if root_t * root_r < 0.0683 * half_ce * total * total and 0.0 < lowest < total:
        w = math.sqrt(lowest / (total - lowest))
        best = min(best, _smooth_minimum(w, hte, hre, total, step, n, half_ce))
    return max(-math.sqrt(best * 0.002 * total / wavelength_m), -0.78)
