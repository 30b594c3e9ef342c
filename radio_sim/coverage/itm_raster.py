"""The Irregular Terrain Model for every pixel of a raster, each over its own profile."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from radio_sim.compiled import kernel
from radio_sim.coverage.budgets import Losses
from radio_sim.coverage.sweep_sampling import bilinear
from radio_sim.model import Floats
from radio_sim.propagation.itm import ItmParameters
from radio_sim.propagation.itm.predict import ItmConstants, itm_constants, p2p_loss_db

ROWS_AT_ONCE = 8


@kernel
def _rows(
    heights: Losses,
    pixel_m: float,
    tx_row: float,
    tx_col: float,
    most_m: float,
    constants: ItmConstants,
    first: int,
    last: int,
    profile: Floats,
    out: Losses,
) -> None:
    for row in range(first, last):
        for col in range(heights.shape[1]):
            out[row, col] = np.nan
            d_row, d_col = row - tx_row, col - tx_col
            length = max(math.hypot(d_row, d_col) * pixel_m, 1.0)
            if length > most_m:
                continue
            pieces = max(2, math.ceil(length / pixel_m - 1e-9))
            whole = True
            for i in range(pieces + 1):
                share = i / pieces
                height = bilinear(heights, tx_row + share * d_row, tx_col + share * d_col)
                if math.isnan(height):
                    whole = False
                    break
                profile[i] = height
            if whole:
                out[row, col] = p2p_loss_db(profile[: pieces + 1], length / pieces, constants)


def itm_raster(
    heights: Losses,
    pixel_size_m: float,
    tx_row: float,
    tx_col: float,
    parameters: ItmParameters,
    *,
    max_distance_m: float | None = None,
    threads: int = 1,
) -> Losses:
    """Loss in dB, float32 [ny, nx], from pixel (tx_row, tx_col); NaN on and behind holes and beyond the limit.

    heights: float32 [ny, nx] of 2 × 2 pixels or more. The result does not depend on threads.
    """
    out = np.empty(heights.shape, np.float32)
    constants = itm_constants(parameters)
    longest = math.ceil(math.hypot(*heights.shape)) + 4
    most_m = math.inf if max_distance_m is None else max_distance_m

    def part(first: int) -> None:
        profile = np.empty(longest)
        last = min(first + ROWS_AT_ONCE, heights.shape[0])
        _rows(heights, pixel_size_m, tx_row, tx_col, most_m, constants, first, last, profile, out)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(part, range(0, heights.shape[0], ROWS_AT_ONCE)))
    return out
