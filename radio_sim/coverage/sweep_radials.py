"""Which radial serves which pixel: a fan of lines from the transmitter through evenly spaced points of a square."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from radio_sim.compiled import kernel
from radio_sim.coverage.sweep_sampling import Raster

Indices = npt.NDArray[np.int32]


@kernel
def radial_of(d_row: float, d_col: float, per_side: int) -> int:
    """Number of the radial nearest to an offset from the transmitter; each side of the square has per_side + 1."""
    if abs(d_col) >= abs(d_row):
        side = 0 if d_col >= 0.0 else 2
        u = d_row / abs(d_col) if d_col != 0.0 else 0.0
    else:
        side = 1 if d_row > 0.0 else 3
        u = d_col / abs(d_row)
    return side * (per_side + 1) + int((u + 1.0) * 0.5 * per_side + 0.5)


@kernel
def direction_of(radial: int, per_side: int) -> tuple[float, float]:
    """Unit vector (rows, columns) of a radial."""
    side = radial // (per_side + 1)
    u = 2.0 * (radial % (per_side + 1)) / per_side - 1.0
    norm = 1.0 / math.sqrt(1.0 + u * u)
    if side == 0:
        return u * norm, norm
    if side == 1:
        return norm, u * norm
    if side == 2:
        return u * norm, -norm
    return -norm, u * norm


@kernel
def assign_pixels(
    heights: Raster, tx_row: float, tx_col: float, max_pixels: float, per_side: int
) -> tuple[Indices, Indices]:
    """Pixels by radial: flat indices in order of their radials, and where each radial's begin (one more than radials).

    Pixels without height or beyond max_pixels from the transmitter belong to none. Counting sort: O(pixels).
    """
    ny, nx = heights.shape
    radials = 4 * (per_side + 1)
    starts = np.zeros(radials + 1, np.int32)
    limit = max_pixels * max_pixels
    for row in range(ny):
        d_row = row - tx_row
        for col in range(nx):
            d_col = col - tx_col
            if d_row * d_row + d_col * d_col <= limit and not math.isnan(heights[row, col]):
                starts[radial_of(d_row, d_col, per_side) + 1] += 1
    for i in range(radials):
        starts[i + 1] += starts[i]
    order = np.empty(starts[radials], np.int32)
    ends = starts[:radials].copy()
    for row in range(ny):
        d_row = row - tx_row
        for col in range(nx):
            d_col = col - tx_col
            if d_row * d_row + d_col * d_col <= limit and not math.isnan(heights[row, col]):
                radial = radial_of(d_row, d_col, per_side)
                order[ends[radial]] = row * nx + col
                ends[radial] += 1
    return order, starts


@kernel
def sort_by_ring(pixels: Indices, ring: Indices, counts: Indices, out: Indices, rings: int) -> None:
    """out = pixels in order of ring (0 … rings), stable. counts: scratch of rings + 2, left dirty."""
    for i in range(rings + 2):
        counts[i] = 0
    for i in range(len(pixels)):
        counts[ring[i] + 1] += 1
    for i in range(rings + 1):
        counts[i + 1] += counts[i]
    for i in range(len(pixels)):
        at = counts[ring[i]]
        out[at] = pixels[i]
        counts[ring[i]] = at + 1
