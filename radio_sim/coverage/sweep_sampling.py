"""Terrain along a straight line over a raster: bilinear samples, holes, and the grid of distances all modes share."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from radio_sim.compiled import kernel
from radio_sim.model import Floats

Raster = npt.NDArray[np.float32]
Zones = npt.NDArray[np.int8]

# A path this many samples long or shorter is divided into five equal parts: P.1812 wants a profile, not a chord.
SHORT_PATH = 4.5
SHORT_PATH_PARTS = 5


@kernel
def bilinear(raster: Raster, row: float, col: float) -> float:
    """Value at a pixel coordinate, whole numbers being pixel centres; beyond the outermost centres the edge's value.

    NaN when a pixel that has a share in the value is NaN. The raster is 2 × 2 or larger.
    """
    ny, nx = raster.shape
    row = min(max(row, 0.0), ny - 1.0)
    col = min(max(col, 0.0), nx - 1.0)
    r, q = min(int(row), ny - 2), min(int(col), nx - 2)
    fr, fq = row - r, col - q
    # Unsigned, so that no index is tested for counting from the end.
    r0, q0 = np.uint64(r), np.uint64(q)
    r1, q1 = np.uint64(r + 1), np.uint64(q + 1)
    top = raster[r0, q0] * (1.0 - fq) + raster[r0, q1] * fq
    bottom = raster[r1, q0] * (1.0 - fq) + raster[r1, q1] * fq
    value: float = top * (1.0 - fr) + bottom * fr
    if math.isnan(value):
        # A NaN of weight zero has no say.
        value = 0.0
        for at_row, share_row in ((r, 1.0 - fr), (r + 1, fr)):
            for at_col, share_col in ((q, 1.0 - fq), (q + 1, fq)):
                if share_row * share_col > 0.0:
                    value += share_row * share_col * raster[at_row, at_col]
    return value


@kernel
def zone_at(zones: Zones, row: int, col: int) -> int:
    """Radio-climatic zone of a pixel, as wide as every other integer here."""
    zone: int = zones[row, col] + np.int64(0)
    return zone


@kernel
def nearest_zone(zones: Zones, row: float, col: float) -> int:
    """Radio-climatic zone of the pixel a coordinate lies in."""
    ny, nx = zones.shape
    return zone_at(zones, min(max(int(row + 0.5), 0), ny - 1), min(max(int(col + 0.5), 0), nx - 1))


@kernel
def intermediate_count(total: float, step: float) -> int:
    """Samples between the antennas at multiples of step: the last interval is 0.5 to 1.5 steps long."""
    if total < SHORT_PATH * step:
        return SHORT_PATH_PARTS - 1
    return int(total / step - 0.5)


@kernel
def spacing(total: float, step: float) -> float:
    """Distance between the samples of a path: the step, or a fifth of a short path."""
    return total / SHORT_PATH_PARTS if total < SHORT_PATH * step else step


@kernel
def fill_holes(values: Floats, last: int, max_hole: int) -> int:
    """Bridge runs of at most max_hole NaN in values[0 … last] by a straight line; values[0] is finite.

    Returns the index of the last value before the first run that stays.
    """
    i = 1
    while i <= last:
        if not math.isnan(values[i]):
            i += 1
            continue
        end = i
        while end <= last and math.isnan(values[end]):
            end += 1
        if end > last or end - i > max_hole:
            return i - 1
        slope = (values[end] - values[i - 1]) / (end - i + 1)
        for j in range(i, end):
            values[j] = values[i - 1] + slope * (j - i + 1)
        i = end
    return last


@kernel
def sample_line(
    raster: Raster, values: Floats, row: float, col: float, d_row: float, d_col: float, first: int, last: int
) -> None:
    """values[i] = raster at (row, col) + i·(d_row, d_col) for i = first … last."""
    for i in range(first, last + 1):
        values[i] = bilinear(raster, row + i * d_row, col + i * d_col)
