"""Every pixel from its own profile: slower, and the yardstick of the sweep."""

from __future__ import annotations

import math

import numpy as np

from radio_sim.compiled import kernel
from radio_sim.coverage.sweep_sampling import (
    Raster,
    Zones,
    bilinear,
    fill_holes,
    intermediate_count,
    nearest_zone,
    sample_line,
    spacing,
)
from radio_sim.propagation.p1812.climate import Constants
from radio_sim.propagation.p1812.evaluate import L_B, L_BFS, L_D50, VALUES, evaluate


@kernel
def exact_pixels(
    c: Constants,
    heights: Raster,
    clutter: Raster,
    zones: Zones,
    pixel_km: float,
    tx_row: float,
    tx_col: float,
    tx_height: float,
    rx_height: float,
    max_km: float,
    max_hole: int,
    diffraction_only: bool,
    rows: np.ndarray,
    cols: np.ndarray,
    out: Raster,
) -> None:
    """out[k] = loss in dB at pixel (rows[k], cols[k]), NaN beyond max_km, on and behind holes.

    clutter and zones of shape (0, 0) are none. Source: ITU-R P.1812-8; with diffraction_only free space and
    delta-Bullington alone, ITU-R P.526-15 §4.5.4.
    """
    longest = int(math.hypot(heights.shape[0], heights.shape[1])) + 16
    d, h, g = np.empty(longest), np.empty(longest), np.empty(longest)
    cover = np.zeros(longest)
    zone = np.empty(longest if zones.size > 0 else 0, np.int8)
    values = np.empty(VALUES)
    start = bilinear(heights, tx_row, tx_col)
    for k in range(len(rows)):
        out[k] = np.nan
        row, col = rows[k], cols[k]
        d_row, d_col = row - tx_row, col - tx_col
        total = max(math.sqrt(d_row * d_row + d_col * d_col) * pixel_km, 1e-3)
        if total > max_km or math.isnan(heights[row, col]):
            continue
        n = intermediate_count(total, pixel_km)
        step = spacing(total, pixel_km)
        share = step / total
        h[0] = start
        sample_line(heights, h, tx_row, tx_col, d_row * share, d_col * share, 1, n)
        h[n + 1] = heights[row, col]
        if fill_holes(h, n + 1, max_hole) <= n:
            continue
        for i in range(n + 1):
            d[i] = i * step
        d[n + 1] = total
        rx_clutter = 0.0
        if clutter.size > 0:
            sample_line(clutter, cover, tx_row, tx_col, d_row * share, d_col * share, 1, n)
            rx_clutter = clutter[row, col]
            if math.isnan(rx_clutter):
                rx_clutter = 0.0
        for i in range(n + 2):
            g[i] = h[i]
            if 1 <= i <= n and cover[i] > 0.0:
                g[i] += cover[i]
        if zones.size > 0:
            for i in range(n + 1):
                zone[i] = nearest_zone(zones, tx_row + i * d_row * share, tx_col + i * d_col * share)
            zone[n + 1] = zones[row, col]
        evaluate(
            c,
            d[: n + 2],
            h[: n + 2],
            g[: n + 2],
            zone[: n + 2] if zones.size > 0 else zone,
            tx_height,
            rx_height,
            rx_clutter,
            values,
        )
        out[k] = values[L_BFS] + values[L_D50] if diffraction_only else values[L_B]
