"""The bundled terrain of Touraine-Est Vallées, fitted to published figures because no elevation model may be bundled.

Method: valleys are drawn from river lines with water levels and from the feet of the bluffs (`valleys`); between them
lies the smoothest upland that agrees with commune altitudes and spot heights (`upland`). It is a model: hills and side
valleys that the figures do not show are not in it. A real elevation model replaces it whenever one is given.

`python -m radio_sim.terrain.model_tev OUT.tif` writes it again; `--check` prints its leave-out errors instead.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

from radio_sim.terrain.area import GridFrame
from radio_sim.terrain.bundled import DATA
from radio_sim.terrain.grid import HeightGrid
from radio_sim.terrain.upland import (
    SIGMA_ESTIMATE_M,
    SIGMA_TOWN_M,
    CommuneSamples,
    Nodes,
    Samples,
    Spots,
    fit_upland,
)
from radio_sim.terrain.valleys import ESTIMATED, SURVEYED, Line, Valleys
from radio_sim.terrain.write import write_geotiff

Floats = npt.NDArray[np.float64]

CRS = "EPSG:32631"
PIXEL_M = 60.0
FRAME = GridFrame(CRS, 312_840.0, 5_279_100.0, PIXEL_M, rows=834, cols=834)
"""50 × 50 km about 47.42 N 0.85 E."""
EVERY = 5  # pixels between the samples that commune altitudes are compared at: 300 m
SOURCE = "bundled terrain model of Touraine-Est Vallées, fitted to commune altitudes, town heights and river levels"


@dataclass(frozen=True, slots=True)
class CommuneRelief:
    """A commune's centre in degrees, area, lowest and highest altitude."""

    name: str
    lat: float
    lon: float
    area_km2: float
    lowest_m: float
    highest_m: float


@dataclass(frozen=True, slots=True)
class SpotHeight:
    """A height at a point in degrees; estimated: our own, else a town's."""

    name: str
    lat: float
    lon: float
    height_m: float
    estimated: bool


@dataclass(frozen=True, slots=True)
class TevInputs:
    """All the figures the model is made of."""

    communes: tuple[CommuneRelief, ...]
    spots: tuple[SpotHeight, ...]
    valleys: Valleys

    @classmethod
    def load(cls, folder: Path = DATA) -> TevInputs:
        """Read tev_communes.csv, tev_spot_heights.csv and tev_valleys.geojson. Raises OSError, KeyError, ValueError."""
        with (folder / "tev_communes.csv").open(encoding="utf-8", newline="") as file:
            communes = tuple(_commune(row) for row in csv.DictReader(file))
        with (folder / "tev_spot_heights.csv").open(encoding="utf-8", newline="") as file:
            spots = tuple(_spot(row) for row in csv.DictReader(file))
        return cls(communes, spots, _valleys(folder / "tev_valleys.geojson"))


def _commune(row: dict[str, str]) -> CommuneRelief:
    return CommuneRelief(
        name=row["name"],
        lat=float(row["lat_centre"]),
        lon=float(row["lon_centre"]),
        area_km2=float(row["area_km2"]),
        lowest_m=float(row["altitude_min_m"]),
        highest_m=float(row["altitude_max_m"]),
    )


def _spot(row: dict[str, str]) -> SpotHeight:
    estimated = row["status"].startswith("estimated")
    return SpotHeight(row["what"], float(row["lat"]), float(row["lon"]), float(row["elevation_m"]), estimated)


def _valleys(path: Path) -> Valleys:
    lines: dict[str, list[Line]] = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        corners = [(*corner, 0.0)[:3] for corner in feature["geometry"]["coordinates"]]
        lon, lat, level = np.array(corners, float).T
        line = Line.through(feature["properties"]["name"], _xy(lat, lon), level)
        lines.setdefault(feature["properties"]["role"], []).append(line)
    north, south, within = lines["bluff foot"]
    return Valleys(
        plain_rivers=lines["plain river"],
        plain_outline=(north, south),
        upland_within=within,
        side_valleys=[
            *((line, SURVEYED) for line in lines["surveyed valley"]),
            *((line, ESTIMATED) for line in lines["estimated valley"]),
        ],
    )


def _xy(lat: Floats, lon: Floats) -> Floats:
    return np.column_stack(Transformer.from_crs("EPSG:4326", CRS, always_xy=True).transform(lon, lat))


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """The inputs laid on the grid once, for one fit or many."""

    nodes: Nodes
    share: Floats
    floor: Floats
    samples: Samples
    communes: tuple[CommuneSamples, ...]
    spots: Spots

    @classmethod
    def of(cls, inputs: TevInputs) -> _Problem:
        share, floor = inputs.valleys.over(FRAME)
        xy = _pixel_centres()
        pick = np.zeros(share.shape, bool)
        pick[EVERY // 2 :: EVERY, EVERY // 2 :: EVERY] = True
        samples = Samples(xy[pick.ravel()], share[pick], floor[pick])
        return cls(
            nodes=Nodes(*_box()),
            share=share,
            floor=floor,
            samples=samples,
            communes=_members(inputs.communes, samples.xy),
            spots=_spots(inputs.spots, share, floor),
        )

    def upland(self, communes: Sequence[CommuneSamples], spots: Spots) -> Floats:
        return fit_upland(self.nodes, self.samples, communes, spots)


@lru_cache(maxsize=1)
def _problem(inputs: TevInputs) -> _Problem:
    """Most of the time goes into laying valleys on the grid; a fit and its cross-validation share it."""
    return _Problem.of(inputs)


def _box() -> tuple[float, float, float, float]:
    width, height = FRAME.cols * PIXEL_M, FRAME.rows * PIXEL_M
    return FRAME.west_m, FRAME.north_m - height, FRAME.west_m + width, FRAME.north_m


def _pixel_centres() -> Floats:
    rows, cols = np.mgrid[0 : FRAME.rows, 0 : FRAME.cols] + 0.5
    return np.column_stack([(FRAME.west_m + cols * PIXEL_M).ravel(), (FRAME.north_m - rows * PIXEL_M).ravel()])


def _members(communes: Sequence[CommuneRelief], xy: Floats) -> tuple[CommuneSamples, ...]:
    """Give each sample to the commune of the nearest centre, less its radius as a disc: outlines are not known."""
    centres = _xy(np.array([c.lat for c in communes]), np.array([c.lon for c in communes]))
    radius2 = np.array([c.area_km2 for c in communes]) * 1e6 / np.pi
    distance2 = ((xy[:, None, :] - centres[None]) ** 2).sum(axis=2)
    owner = np.argmin(distance2 - radius2, axis=1)
    relative = np.sqrt(distance2[np.arange(len(xy)), owner] / radius2[owner])
    west, south, east, north = _box()
    return tuple(
        CommuneSamples(
            commune.lowest_m,
            commune.highest_m,
            members=np.flatnonzero((owner == index) & (relative < 1.25)),
            core=np.flatnonzero((owner == index) & (relative < 0.9)),
        )
        if west + 1500 < centres[index, 0] < east - 1500 and south + 1500 < centres[index, 1] < north - 1500
        else CommuneSamples(commune.lowest_m, commune.highest_m, np.zeros(0, np.intp), np.zeros(0, np.intp))
        for index, commune in enumerate(communes)
    )


def _spots(spots: Sequence[SpotHeight], share: Floats, floor: Floats) -> Spots:
    xy = _xy(np.array([spot.lat for spot in spots]), np.array([spot.lon for spot in spots]))
    col = np.clip(((xy[:, 0] - FRAME.west_m) // PIXEL_M).astype(int), 0, FRAME.cols - 1)
    row = np.clip(((FRAME.north_m - xy[:, 1]) // PIXEL_M).astype(int), 0, FRAME.rows - 1)
    return Spots(
        Samples(xy, share[row, col], floor[row, col]),
        np.array([spot.height_m for spot in spots]),
        np.array([SIGMA_ESTIMATE_M if spot.estimated else SIGMA_TOWN_M for spot in spots]),
    )


def _inside(xy: Floats) -> npt.NDArray[np.bool_]:
    west, south, east, north = _box()
    return (xy[:, 0] > west) & (xy[:, 0] < east) & (xy[:, 1] > south) & (xy[:, 1] < north)


def _some(spots: Spots, chosen: npt.NDArray[np.bool_]) -> Spots:
    at = Samples(spots.at.xy[chosen], spots.at.share[chosen], spots.at.floor[chosen])
    return Spots(at, spots.height_m[chosen], spots.sigma_m[chosen])


def build_tev_terrain(inputs: TevInputs | None = None) -> HeightGrid:
    """Fit the model: 50 × 50 km at 60 m, heights rounded to decimetres. The same inputs give the same heights."""
    problem = _problem(inputs or TevInputs.load())
    nodes = problem.upland(problem.communes, _some(problem.spots, _inside(problem.spots.at.xy)))
    upland = (problem.nodes.bilinear(_pixel_centres()) @ nodes).reshape(problem.share.shape)
    # Where a valley head is drawn above the upland, the upland stands; the plain keeps its level everywhere.
    drop = np.where(problem.share < 1.0, np.maximum(upland - problem.floor, 0.0), upland - problem.floor)
    heights = np.round((upland - problem.share * drop) * 10.0) / 10.0
    return HeightGrid(
        heights.astype(np.float32), CRS, FRAME.west_m, FRAME.north_m, PIXEL_M, kind="modelled", source=SOURCE
    )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A height the model was not told, and what it says: in m. share: 1 on a valley floor, 0 on the upland."""

    spot: SpotHeight
    modelled_m: float
    share: float

    @property
    def error_m(self) -> float:
        """Modelled minus stated."""
        return self.modelled_m - self.spot.height_m


def leave_out(inputs: TevInputs | None = None, folds: int = 8) -> list[LeftOut]:
    """Cross-validation: each town's height, and its commune's altitudes, predicted by a fit without them.

    The estimated spots lie on the river lines the model is made of and are not judged.
    """
    inputs = inputs or TevInputs.load()
    problem = _problem(inputs)
    inside, fold = _inside(problem.spots.at.xy), np.arange(len(inputs.spots)) % folds
    at_spots = problem.nodes.bilinear(problem.spots.at.xy)
    result = []
    for part in range(folds):
        judged = inside & (fold == part)
        names = {inputs.spots[index].name for index in np.flatnonzero(judged)}
        communes = [
            own for own, known in zip(problem.communes, inputs.communes, strict=True) if known.name not in names
        ]
        nodes = problem.upland(communes, _some(problem.spots, inside & ~judged))
        ground = problem.spots.at.ground(at_spots @ nodes)
        result += [
            LeftOut(inputs.spots[index], float(ground[index]), float(problem.spots.at.share[index]))
            for index in np.flatnonzero(judged)
            if not inputs.spots[index].estimated
        ]
    return result


def main(arguments: Sequence[str]) -> int:
    """Write the terrain to the path given, or print the leave-out errors for --check."""
    if list(arguments) == ["--check"]:
        errors = leave_out()
        for name, low, high in (("all", -1.0, 2.0), ("upland", -1.0, 0.3), ("slope", 0.3, 0.85), ("floor", 0.85, 2.0)):
            values = np.array([one.error_m for one in errors if low < one.share <= high])
            rmse = float(np.sqrt(np.mean(values**2)))
            line = f"{name:7}{len(values):4d} towns  RMSE {rmse:5.1f} m  mean {values.mean():+5.1f} m"
            sys.stdout.write(f"{line}  median |error| {np.median(np.abs(values)):4.1f} m\n")
        return 0
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m radio_sim.terrain.model_tev OUT.tif | --check\n")
        return 2
    write_geotiff(build_tev_terrain(), Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
