"""Horizons, roughness and obstruction height of one pixel's path, from the shared profile and its own last samples."""

from __future__ import annotations

import math

from radio_sim.compiled import kernel
from radio_sim.coverage.sweep_diffraction import BLOCK, smallest_clearance
from radio_sim.coverage.sweep_hull import Indices, highest_over, steepest_from
from radio_sim.coverage.sweep_join import Horizons
from radio_sim.model import Floats


@kernel
def find_horizons(
    y: Floats,
    maxima: Floats,
    hull: Indices,
    count: int,
    last: int,
    step: float,
    s_tim: float,
    dlt: float,
    own_d: Floats,
    own_h: Floats,
    own: int,
    total: float,
    hts: float,
    hrs: float,
    half_ce: float,
) -> Horizons:
    """Horizons over the bare terrain.

    y: bare shared profile less half_ce·d²; s_tim, dlt: steepest slope of all samples from the
    transmitter, and where. Source: ITU-R P.1812-8 Att. 1 §4, eq. 76–83.
    """
    lowered = hrs - half_ce * total * total
    line = (lowered - hts) / total
    if s_tim > line:
        s_rim, at = -math.inf, 0.0
        if last > 0:
            top = steepest_from(hull, count, y, step, total, lowered)
            at = top * step
            s_rim = (y[top] - lowered) / (total - at)
        for j in range(own):
            rise = own_h[j] - half_ce * own_d[j] * own_d[j] - lowered
            if rise >= s_rim * (total - own_d[j]):
                s_rim, at = rise / (total - own_d[j]), own_d[j]
        back = s_rim - 2.0 * half_ce * total
        return Horizons(True, dlt, total - at, 1000.0 * math.atan(s_tim / 1000.0), 1000.0 * math.atan(back / 1000.0))
    theta_t = 1000.0 * math.atan(line / 1000.0)
    theta_r = 1000.0 * math.atan(((hts - hrs) / total - half_ce * total) / 1000.0)
    best = math.inf
    for j in range(own):
        clear = hts + line * own_d[j] - (own_h[j] - half_ce * own_d[j] * own_d[j])
        q = clear * clear / (own_d[j] * (total - own_d[j]))
        if q < best:
            best, dlt = q, own_d[j]
    best, at_sample = smallest_clearance(y, maxima, last, step, total, hts, line, best, 0)
    if at_sample > 0:
        dlt = at_sample * step
    return Horizons(False, dlt, total - dlt, theta_t, theta_r)


@kernel
def roughness_between(
    u: Floats,
    maxima: Floats,
    last: int,
    step: float,
    own_d: Floats,
    own_h: Floats,
    own: int,
    dlt: float,
    dlr: float,
    total: float,
    hst: float,
    hsr: float,
) -> float:
    """h_m in m between the horizons. u: shared profile as it is. Source: ITU-R P.1812-8 Att. 1 §5.6.3 eq. 93, 95."""
    slope = (hsr - hst) / total
    from_d, to_d = dlt - 1e-6, total - dlr + 1e-6
    highest = -math.inf
    for j in range(own):
        if from_d <= own_d[j] <= to_d:
            highest = max(highest, own_h[j] - (hst + slope * own_d[j]))
    first, final = max(math.ceil(from_d / step), 1), min(int(to_d / step), last)
    block = first // BLOCK
    while block * BLOCK <= final:
        start, stop = max(block * BLOCK, first), min((block + 1) * BLOCK - 1, final)
        if maxima[block] - (hst + min(slope * start * step, slope * stop * step)) > highest:
            for i in range(start, stop + 1):
                highest = max(highest, u[i] - (hst + slope * i * step))
        block += 1
    return highest


@kernel
def obstruction_over(
    u: Floats,
    hull: Indices,
    count: int,
    last: int,
    step: float,
    s_max: float,
    own_d: Floats,
    own_h: Floats,
    own: int,
    total: float,
    hts: float,
    hrs: float,
) -> tuple[float, float, float]:
    """h_obs in m, α_obt and α_obr in m/km; (0, 0, 0) where nothing rises above the straight line.

    s_max: steepest slope of all samples from the transmitter, Earth flat.
    Source: ITU-R P.1812-8 Att. 1 §5.6.2 eq. 89.
    """
    line = (hrs - hts) / total
    if s_max <= line:
        return 0.0, 0.0, 0.0
    h_obs = a_r = -math.inf
    if last > 0:
        top = highest_over(hull, count, u, step, line)
        h_obs = u[top] - hts - line * top * step
        top = steepest_from(hull, count, u, step, total, hrs)
        a_r = (u[top] - hrs) / (total - top * step)
    for j in range(own):
        h_obs = max(h_obs, own_h[j] - hts - line * own_d[j])
        if own_h[j] - hrs > a_r * (total - own_d[j]):
            a_r = (own_h[j] - hrs) / (total - own_d[j])
    return h_obs, s_max - line, a_r + line
