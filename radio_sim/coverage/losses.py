"""Loss between the antennas for every pixel and every gateway: the one input of all coverage results."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np

from radio_sim.antennas import Mounted
from radio_sim.coverage.budgets import Losses
from radio_sim.coverage.itm_raster import ROWS_AT_ONCE, itm_raster
from radio_sim.coverage.loss_model import LOWEST_DEVICE_M, LossModel
from radio_sim.coverage.self_check import SelfCheck, sampled_errors
from radio_sim.coverage.sweep import Options, Surroundings, Transmitter, exact_losses, sweep_losses
from radio_sim.model import Floats, GatewaySite
from radio_sim.propagation.p1812 import P1812Parameters
from radio_sim.terrain.grid import HeightGrid, Profile

MOST_HOLES_M = 300.0
"""A gap in a single link's profile up to this long is bridged by a straight line, as the sweep does in its rasters."""

Mounts = Mapping[str, Mounted]
"""Antenna patterns by gateway id; the others radiate alike in every direction."""

Told = Callable[[str, int, int], None]
"""Called with a gateway's id, how many are done, and of how many."""


def silent(_id: str, _done: int, _all: int) -> None:
    """Tell nothing."""


def loss_rasters(
    grid: HeightGrid,
    gateways: Sequence[GatewaySite],
    model: LossModel,
    *,
    rx_height_m: float = LOWEST_DEVICE_M,
    clutter: Losses | None = None,
    mounts: Mounts | None = None,
    max_distance_m: float | None = None,
    exact: bool = False,
    threads: int = 1,
    told: Told = silent,
    pool: Executor | None = None,
    share: Callable[[Any], Any] = lambda value: value,
) -> tuple[Losses, SelfCheck]:
    """Loss in dB, float32 [gateway, ny, nx] between antenna peaks: path loss + what a pattern lacks in that direction.

    clutter: heights above ground on the grid, for P.1812. exact: each pixel over its own profile instead of the sweep.
    NaN where unknown: holes, what lies behind them, beyond max_distance_m. Raises a TerrainError for a gateway beyond
    the grid or over a hole. pool: computes gateways side by side, a thread each, on this machine or a cluster;
    share: brings there what all of them take. The result depends neither on threads nor on the pool.
    """
    grid.check_sites(gateways)
    jobs = [(gateway, (mounts or {}).get(gateway.id)) for gateway in gateways]
    how: dict[str, Any] = {
        "model": model,
        "rx_height_m": max(rx_height_m, LOWEST_DEVICE_M),
        "max_distance_m": max_distance_m,
        "exact": exact,
    }
    pending = []
    if pool:
        there, how["clutter"] = share(grid), share(clutter)
        pending = [pool.submit(gateway_raster, there, *job, threads=1, **how) for job in jobs]
    how["clutter"] = clutter
    stack = np.empty((len(gateways), *grid.shape), np.float32)
    checks: list[Losses] = []
    for index, job in enumerate(jobs):
        told(job[0].id, index, len(gateways))
        stack[index], errors = pending[index].result() if pool else gateway_raster(grid, *job, threads=threads, **how)
        checks.append(errors)
    told("", len(gateways), len(gateways))
    return stack, SelfCheck.of(checks)


def gateway_raster(
    grid: HeightGrid,
    gateway: GatewaySite,
    mounted: Mounted | None,
    *,
    model: LossModel,
    rx_height_m: float,
    clutter: Losses | None,
    max_distance_m: float | None,
    exact: bool,
    threads: int,
) -> tuple[Losses, Losses]:
    """One gateway's raster, and swept − exact at a sample of its pixels where it was swept."""
    row, col = (float(value) for value in grid.pixel_of(gateway.lat, gateway.lon))
    height = gateway.antenna_height_m
    errors = np.zeros(0, np.float32)
    if model.name in ("p1812", "p526"):
        reach_m = model.path_height_m(rx_height_m, mapped_clutter=clutter is not None)
        loss, errors = _swept(grid, (row, col), height, reach_m, model, clutter, max_distance_m, exact, threads)
        loss += np.float32(model.terminal_loss_db(rx_height_m, mapped_clutter=clutter is not None))
    elif model.name == "itm":
        loss = itm_raster(
            grid.heights,
            grid.pixel_size_m,
            row,
            col,
            model.itm_parameters(height, rx_height_m),
            max_distance_m=max_distance_m,
            threads=threads,
        )
    else:
        loss = _by_distance(grid, (row, col), height, rx_height_m, model, max_distance_m)
    if mounted is not None:
        loss += pattern_loss(grid, (row, col), height, rx_height_m, mounted)
    return loss, errors


def _offsets(grid: HeightGrid, pixel: tuple[float, float]) -> tuple[Floats, Floats]:
    """Metres south and east of a pixel coordinate, [ny, 1] and [1, nx]."""
    rows, cols = grid.shape
    south: Floats = (np.arange(rows, dtype=float) - pixel[0])[:, None] * grid.pixel_size_m
    east: Floats = (np.arange(cols, dtype=float) - pixel[1])[None, :] * grid.pixel_size_m
    return south, east


def _by_distance(
    grid: HeightGrid,
    pixel: tuple[float, float],
    height: float,
    rx_height: float,
    model: LossModel,
    most_m: float | None,
) -> Losses:
    ground = np.hypot(*_offsets(grid, pixel))
    top = float(grid.height_at_pixel(*pixel)) + height
    slant = np.hypot(ground, top - grid.heights - rx_height)
    loss = model.by_distance(ground, slant, height, rx_height).astype(np.float32)
    loss[np.isnan(grid.heights)] = np.nan
    if most_m is not None:
        loss[ground > most_m] = np.nan
    return loss


def pattern_loss(
    grid: HeightGrid, pixel: tuple[float, float], height: float, rx_height: float, mounted: Mounted
) -> Losses:
    """Peak gain minus gain towards every pixel, in dB ≥ 0; the direction is the straight line. NaN over holes."""
    south, east = _offsets(grid, pixel)
    bearing = np.degrees(np.arctan2(east, -south))
    top = float(grid.height_at_pixel(*pixel)) + height
    elevation = np.degrees(np.arctan2(grid.heights + rx_height - top, np.hypot(south, east)))
    return (mounted.antenna.peak_dbi - mounted.gain_dbi(bearing, elevation)).astype(np.float32)


def bridged(profile: Profile) -> Floats | None:
    """The profile's heights with short gaps filled by a straight line; None where a gap is long or at an end."""
    heights = profile.height_m
    hole = np.isnan(heights)
    if not hole.any():
        return heights
    if hole[0] or hole[-1]:
        return None
    known = profile.distance_m[~hole]
    if float(np.diff(known).max()) > MOST_HOLES_M:
        return None
    return np.interp(profile.distance_m, known, heights[~hole])


def link_loss(
    grid: HeightGrid,
    gateway: GatewaySite,
    lat: float,
    lon: float,
    model: LossModel,
    *,
    rx_height_m: float = LOWEST_DEVICE_M,
    mounted: Mounted | None = None,
    clutter: HeightGrid | None = None,
) -> float:
    """Loss of one link over its own profile, as `loss_rasters` counts it; NaN where the profile has a long gap."""
    profile = grid.profile(gateway.lat, gateway.lon, lat, lon)
    ground = bridged(profile)
    if ground is None:
        return float("nan")
    cover = None if clutter is None else np.nan_to_num(clutter.height_at(profile.lat, profile.lon))
    distance = profile.distance_m
    if distance[-1] < 1.0:  # at the foot of the mast: the height of the antenna is the path
        distance = np.linspace(0.0, max(1.0, gateway.antenna_height_m - rx_height_m), len(distance))
    if len(distance) < 6:  # P.1812 wants a profile, not a chord
        fine = np.linspace(0.0, distance[-1], 6)
        ground = np.interp(fine, distance, ground)
        cover = None if cover is None else np.interp(fine, distance, cover)
        distance = fine
    loss = model.over(distance, ground, gateway.antenna_height_m, rx_height_m, cover)
    if mounted is not None:
        south, east = _towards(grid, gateway, lat, lon)
        rise = float(ground[-1]) + rx_height_m - float(ground[0]) - gateway.antenna_height_m
        bearing, elevation = np.degrees(np.arctan2(east, -south)), np.degrees(np.arctan2(rise, np.hypot(south, east)))
        loss += mounted.antenna.peak_dbi - float(mounted.gain_dbi(bearing, elevation))
    return loss


def _towards(grid: HeightGrid, gateway: GatewaySite, lat: float, lon: float) -> tuple[float, float]:
    """Metres south and east from a gateway to a point."""
    x0, y0 = grid.xy_of(gateway.lat, gateway.lon)
    x, y = grid.xy_of(lat, lon)
    return float(y0 - y), float(x - x0)


def _swept(
    grid: HeightGrid,
    pixel: tuple[float, float],
    height: float,
    rx_height: float,
    model: LossModel,
    clutter: Losses | None,
    max_distance_m: float | None,
    exact: bool,
    threads: int,
) -> tuple[Losses, Losses]:
    """A gateway's raster, and swept − exact at a sample of its pixels."""
    around = Surroundings(grid.heights, grid.pixel_size_m, clutter)
    options = Options(
        max_distance_m=math.inf if max_distance_m is None else max_distance_m,
        diffraction_only=model.name == "p526",
    )
    mast = Transmitter(*pixel, height)
    parameters = model.p1812_parameters()
    if exact:
        return _exact(around, mast, rx_height, parameters, options, threads), np.zeros(0, np.float32)
    loss = sweep_losses(around, [mast], rx_height, parameters, options, threads=threads)[0]
    errors, _ = sampled_errors(loss, around, mast, rx_height, parameters, options)
    return loss, errors


def _exact(
    around: Surroundings,
    mast: Transmitter,
    rx_height: float,
    parameters: P1812Parameters,
    options: Options,
    threads: int,
) -> Losses:
    rows, cols = around.heights.shape
    out = np.empty(around.heights.shape, np.float32)

    def part(first: int) -> None:
        last = min(first + ROWS_AT_ONCE, rows)
        at = np.divmod(np.arange(first * cols, last * cols), cols)
        out[first:last] = exact_losses(around, mast, rx_height, parameters, *at, options).reshape(-1, cols)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(part, range(0, rows, ROWS_AT_ONCE)))
    return out
