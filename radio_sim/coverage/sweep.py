"""Path loss rasters, one call for one transmitter: swept, exact, and the check of one against the other.

`sweep_losses` takes several transmitters at once; all names of the sweep are importable from here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lorawan.draws import Draws
from radio_sim.coverage.sweep_many import (
    DEFAULT,
    MAX_HOLE_SAMPLES,
    Options,
    Surroundings,
    SweepError,
    Transmitter,
    exact_losses,
    sweep_losses,
)
from radio_sim.coverage.sweep_sampling import Raster, Zones
from radio_sim.draws import integer, keys_at
from radio_sim.propagation.p1812.model import P1812Parameters

__all__ = [
    "Options",
    "Surroundings",
    "SweepCheck",
    "SweepError",
    "Transmitter",
    "check_sample",
    "exact_losses",
    "exact_p1812",
    "sweep_free_space_diffraction",
    "sweep_losses",
    "sweep_p1812",
]

# Pixels every sweep compares with their own profiles, about 20 µs each, and what no sound sweep exceeds on average.
CHECK_PIXELS = 64
# 2 dB [assumption] is ten times the mean error that tests/properties/test_p1812_laws.py allows over any hills.
CHECK_MEAN_DB = 2.0


@dataclass(frozen=True, slots=True)
class SweepCheck:
    """|swept − exact| in dB over `pixels` drawn pixels; differing: of them known to one of the two alone."""

    pixels: int
    mean_db: float
    p99_db: float
    max_db: float
    differing: int


def check_sample(
    loss_db: Raster,
    around: Surroundings,
    tx: Transmitter,
    rx_height_agl_m: float,
    parameters: P1812Parameters,
    options: Options = DEFAULT,
    *,
    pixels: int = CHECK_PIXELS,
    draws: Draws | None = None,
) -> SweepCheck:
    """Compare a sweep with exact profiles at drawn pixels that have a height and are within reach.

    The draws are keyed: the same pixels for the same raster size unless other draws are given.
    """
    ny, nx = loss_db.shape
    flat = integer(keys_at(draws or Draws.of_seed(0), "sweep check"), ny * nx, np.arange(pixels))
    rows, cols = flat // nx, flat % nx
    exact = exact_losses(around, tx, rx_height_agl_m, parameters, rows, cols, options)
    swept = loss_db[rows, cols]
    error = np.abs(swept - exact)
    error = error[~np.isnan(error)]
    differing = int((np.isnan(swept) != np.isnan(exact)).sum())
    if len(error) == 0:
        return SweepCheck(0, 0.0, 0.0, 0.0, differing)
    return SweepCheck(len(error), float(error.mean()), float(np.percentile(error, 99)), float(error.max()), differing)


def _swept(
    around: Surroundings,
    tx: Transmitter,
    rx_height_agl_m: float,
    parameters: P1812Parameters,
    options: Options,
    threads: int | None,
    check_pixels: int,
) -> Raster:
    loss = sweep_losses(around, [tx], rx_height_agl_m, parameters, options, threads=threads)[0]
    if check_pixels > 0:
        check = check_sample(loss, around, tx, rx_height_agl_m, parameters, options, pixels=check_pixels)
        if check.mean_db > CHECK_MEAN_DB:
            raise SweepError(
                f"the sweep is {check.mean_db:.1f} dB off its own profiles on average over {check.pixels} pixels: "
                "ask for more own_samples or use exact_p1812"
            )
    return loss


def sweep_p1812(
    heights: Raster,
    pixel_size_m: float,
    tx_row: float,
    tx_col: float,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    parameters: P1812Parameters,
    *,
    clutter: Raster | None = None,
    zones: Zones | None = None,
    max_distance_m: float | None = None,
    max_hole_samples: int = MAX_HOLE_SAMPLES,
    threads: int | None = None,
    check_pixels: int = CHECK_PIXELS,
) -> Raster:
    """Loss in dB of ITU-R P.1812-8 for every pixel, float32 [ny, nx]; see `Surroundings` and `sweep_losses`.

    check_pixels: how many are compared with exact profiles afterwards; raises SweepError where they disagree by more
    than 2 dB on average, and for rasters and transmitters it cannot use.
    """
    around = Surroundings(heights, pixel_size_m, clutter, zones)
    options = Options(math.inf if max_distance_m is None else max_distance_m, max_hole_samples)
    tx = Transmitter(tx_row, tx_col, tx_height_agl_m)
    return _swept(around, tx, rx_height_agl_m, parameters, options, threads, check_pixels)


def sweep_free_space_diffraction(
    heights: Raster,
    pixel_size_m: float,
    tx_row: float,
    tx_col: float,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    parameters: P1812Parameters,
    *,
    clutter: Raster | None = None,
    zones: Zones | None = None,
    max_distance_m: float | None = None,
    max_hole_samples: int = MAX_HOLE_SAMPLES,
    threads: int | None = None,
    check_pixels: int = CHECK_PIXELS,
) -> Raster:
    """Free-space loss plus median delta-Bullington diffraction for every pixel, in dB; otherwise as `sweep_p1812`.

    Of the parameters frequency, polarisation and ΔN count. Source: ITU-R P.525-4 §2.3; P.526-15 §4.5.4.
    """
    around = Surroundings(heights, pixel_size_m, clutter, zones)
    reach = math.inf if max_distance_m is None else max_distance_m
    options = Options(reach, max_hole_samples, diffraction_only=True)
    tx = Transmitter(tx_row, tx_col, tx_height_agl_m)
    return _swept(around, tx, rx_height_agl_m, parameters, options, threads, check_pixels)


def exact_p1812(
    heights: Raster,
    pixel_size_m: float,
    tx_row: float,
    tx_col: float,
    tx_height_agl_m: float,
    rx_height_agl_m: float,
    parameters: P1812Parameters,
    *,
    clutter: Raster | None = None,
    zones: Zones | None = None,
    max_distance_m: float | None = None,
    max_hole_samples: int = MAX_HOLE_SAMPLES,
) -> Raster:
    """As `sweep_p1812` with a profile for every pixel: about fifteen times the time, no approximation."""
    around = Surroundings(heights, pixel_size_m, clutter, zones)
    options = Options(math.inf if max_distance_m is None else max_distance_m, max_hole_samples)
    tx = Transmitter(tx_row, tx_col, tx_height_agl_m)
    rows, cols = np.divmod(np.arange(heights.size), heights.shape[1])
    losses = exact_losses(around, tx, rx_height_agl_m, parameters, rows, cols, options)
    return losses.reshape(heights.shape)
