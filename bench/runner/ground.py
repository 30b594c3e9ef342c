"""The losses of a scenario over its terrain: the same numbers for coverage and for the network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from radio_sim.coverage.sweep import Surroundings, Transmitter, exact_losses
from radio_sim.model import DeviceSite, GatewaySite
from radio_sim.propagation.itm import ItmParameters, itm_p2p
from radio_sim.propagation.p1812 import P1812Parameters
from radio_sim.propagation.p2108 import CLUTTER_HEIGHT_M, ClutterType, height_gain_correction_db
from radio_sim.terrain.area import Area
from radio_sim.terrain.bundled import tev_terrain
from radio_sim.terrain.grid import HeightGrid
from radio_sim.terrain.read import read_terrain
from scenarios.schema import BUNDLED_TERRAIN, PathLoss

Floats = npt.NDArray[np.float64]

LOWEST_ANTENNA_M = (
    1.0  # P.1812 and P.2108 hold from here; lower ones count as this high, their placement carries the rest
)
MARGIN_M = 2_000.0  # of terrain around the outermost site or sensor
PIXEL_M = 50.0  # of a user's own terrain: finer relief than sensors are known to
ITM_STEP_M = 50.0
FREQ_HZ = 868_300_000.0


AntennaPlace: TypeAlias = tuple[float, float, float]
"""Latitude, longitude and height above ground: what a site's losses depend on."""


def place_of(site: GatewaySite) -> AntennaPlace:
    """Where its antenna is."""
    return site.lat, site.lon, site.antenna_height_m


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Median losses over terrain. loss_db [sensor, site], infinite where the terrain has a hole between them.

    places: where each site's antenna is. kind, source: of the terrain, for reports.
    """

    places: tuple[AntennaPlace, ...]
    loss_db: Floats
    kind: str
    source: str

    def missing(self, sites: Sequence[GatewaySite]) -> list[GatewaySite]:
        """The sites whose antennas stand where no column was computed."""
        return [site for site in sites if place_of(site) not in self.places]

    def of(self, sites: Sequence[GatewaySite]) -> Floats:
        """The columns of these sites. Raises KeyError for a missing one."""
        index = {place: i for i, place in enumerate(self.places)}
        columns: Floats = self.loss_db[:, [index[place_of(site)] for site in sites]]
        return columns

    def joined(self, other: Ground) -> Ground:
        """With the columns of another one over the same terrain and sensors."""
        return Ground((*self.places, *other.places), np.hstack([self.loss_db, other.loss_db]), self.kind, self.source)


def terrain_of(path: PathLoss, folder: Path, places: Sequence[GatewaySite | DeviceSite]) -> HeightGrid:
    """The terrain a scenario names, around these places. Raises a TerrainError."""
    if path.terrain == BUNDLED_TERRAIN:
        return tev_terrain()
    area = Area.of_sites(places, MARGIN_M)
    return read_terrain(folder / path.terrain, area, pixel_size_m=PIXEL_M)


def ground_losses(
    path: PathLoss,
    grid: HeightGrid,
    sites: Sequence[GatewaySite],
    devices: Sequence[DeviceSite],
    *,
    threads: int = 1,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> Ground:
    """Every device to every site, each over its own profile. The result does not depend on threads.

    P.1812 runs to the top of what stands around the sensor and P.2108 §3.1 takes it down to the antenna (§3.1: "the
    path computed to the top of the clutter"). A sensor counts as standing at the centre of its pixel.
    Raises a TerrainError for a site outside the terrain or over a hole.
    """
    grid.check_sites(sites)
    one = _p1812_column if path.model == "p1812" else _itm_column
    loss = np.empty((len(devices), len(sites)))
    with ThreadPoolExecutor(max_workers=max(1, threads)) as pool:
        columns = pool.map(lambda site: one(path, grid, site, devices), sites)
        for i, column in enumerate(columns):
            loss[:, i] = column
            told(i + 1, len(sites))
    loss[np.isnan(loss)] = np.inf
    return Ground(tuple(map(place_of, sites)), loss, grid.kind, grid.source)


def _pixels(
    grid: HeightGrid, devices: Sequence[DeviceSite]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    lat = np.array([device.lat for device in devices])
    lon = np.array([device.lon for device in devices])
    row, col = (np.rint(np.asarray(value)).astype(np.int64) for value in grid.pixel_of(lat, lon))
    inside = (row >= 0) & (row < grid.shape[0]) & (col >= 0) & (col < grid.shape[1])
    return np.where(inside, row, 0), np.where(inside, col, 0), inside


def _p1812_column(path: PathLoss, grid: HeightGrid, site: GatewaySite, devices: Sequence[DeviceSite]) -> Floats:
    row, col = (float(value) for value in grid.pixel_of(site.lat, site.lon))
    heights = np.maximum([device.antenna_height_m for device in devices], LOWEST_ANTENNA_M)
    clutter: ClutterType | None = None if path.terminal_clutter == "none" else path.terminal_clutter
    rows, cols, inside = _pixels(grid, devices)
    around = Surroundings(grid.heights, grid.pixel_size_m)
    transmitter = Transmitter(row, col, site.antenna_height_m)
    parameters = P1812Parameters(FREQ_HZ, time_percent=50.0, location_percent=50.0, latitude_deg=site.lat)
    out = np.empty(len(devices))
    tops = np.full(len(devices), 0.0 if clutter is None else CLUTTER_HEIGHT_M[clutter])
    reach = np.maximum(heights, tops)
    for height in np.unique(reach):
        chosen = reach == height
        out[chosen] = exact_losses(around, transmitter, float(height), parameters, rows[chosen], cols[chosen])
    if clutter is not None:
        out += height_gain_correction_db(heights, FREQ_HZ, clutter)
    out[~inside] = np.nan
    return out


def _itm_column(_path: PathLoss, grid: HeightGrid, site: GatewaySite, devices: Sequence[DeviceSite]) -> Floats:
    out = np.empty(len(devices))
    for i, device in enumerate(devices):
        profile = grid.profile(site.lat, site.lon, device.lat, device.lon, ITM_STEP_M)
        if np.isnan(profile.height_m).any() or len(profile.distance_m) < 3:
            out[i] = np.nan
            continue
        parameters = ItmParameters(site.antenna_height_m, max(device.antenna_height_m, LOWEST_ANTENNA_M), FREQ_HZ)
        step = float(profile.distance_m[1] - profile.distance_m[0])
        out[i] = itm_p2p(profile.height_m, step, parameters).loss_db
    return out
