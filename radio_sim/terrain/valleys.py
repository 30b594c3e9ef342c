"""Valleys from lines: where the floors lie, how high they are, and how far their slopes reach into the upland."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rasterio.features import geometry_mask
from scipy.spatial import cKDTree

from radio_sim.terrain.area import GridFrame

Floats = npt.NDArray[np.float64]

REACH_M = 4_500.0  # beyond, a valley is felt by less than a centimetre: exp(−10)


@dataclass(frozen=True, slots=True)
class ValleyLaw:
    """The cross-section of a valley: share of the drop from upland to floor, reach · exp(−distance / slope_m).

    half_floor_m: half width of the level floor. reach: share right at the floor's edge, below 1 where the line is so
    uncertain that the expected ground is not the floor. floor_above_water_m. All assumptions, chosen by leave-out.
    """

    slope_m: float
    reach: float
    half_floor_m: float = 0.0
    floor_above_water_m: float = 3.0


PLAIN = ValleyLaw(slope_m=280.0, reach=0.9, floor_above_water_m=3.0)
SURVEYED = ValleyLaw(slope_m=400.0, reach=1.0, half_floor_m=80.0, floor_above_water_m=2.0)
ESTIMATED = ValleyLaw(slope_m=450.0, reach=0.75, half_floor_m=40.0)

FOOT_RISE_M, FOOT_RISE_REACH_M = 5.0, 250.0
"""Slope wash at the foot of the bluff, above the plain [assumption: towns at the foot stand 3–9 m above it]."""
BED_HALF_WIDTH_M = {"Loire": 150.0, "Cher": 40.0}


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line in metres, a point every 40 m or closer. xy: [n, 2]; level_m: water level [n], 0 for bluff feet."""

    name: str
    xy: Floats
    level_m: Floats

    @classmethod
    def through(cls, name: str, xy: Floats, level_m: Floats) -> Line:
        """The line through corners, levels linear along it."""
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
        at = np.linspace(0.0, along[-1], int(along[-1] // 40) + 2)
        points = np.column_stack([np.interp(at, along, xy[:, 0]), np.interp(at, along, xy[:, 1])])
        return cls(name, points, np.interp(at, along, level_m))


@dataclass(frozen=True, slots=True, eq=False)
class Valleys:
    """Floors and laws: the plain with its rivers, the outline of the plain as rings of corners, the side valleys."""

    plain_rivers: Sequence[Line]
    plain_outline: Sequence[Line]
    upland_within: Line
    side_valleys: Sequence[tuple[Line, ValleyLaw]]

    def over(self, frame: GridFrame) -> tuple[Floats, Floats]:
        """Share of the drop and floor height in m at each pixel centre of a grid, both [rows, cols]."""
        rows, cols = np.mgrid[0 : frame.rows, 0 : frame.cols] + 0.5
        x, y = frame.west_m + cols * frame.pixel_size_m, frame.north_m - rows * frame.pixel_size_m
        share, floor = self.at(np.column_stack([x.ravel(), y.ravel()]), self._in_plain(frame).ravel())
        return share.reshape(x.shape), floor.reshape(x.shape)

    def at(self, xy: Floats, in_plain: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """As `over`, at points [n, 2] in m of which it is known whether they lie in the plain."""
        kept, weight, weighted = np.ones(len(xy)), np.zeros(len(xy)), np.zeros(len(xy))

        def add(at: npt.NDArray[np.intp], part: Floats, floor: Floats) -> None:
            kept[at] *= 1.0 - part
            weight[at] += part
            weighted[at] += part * floor

        foot = np.vstack([line.xy for line in (*self.plain_outline, self.upland_within)])
        near = _near(foot, xy)
        to_foot, _ = cKDTree(foot).query(xy[near])
        inside = in_plain[near]
        floor, room = self._plain_floor(xy[near])
        rise = FOOT_RISE_M * room * np.exp(-np.where(inside, to_foot, 0.0) / FOOT_RISE_REACH_M)
        share = np.where(inside, 1.0, PLAIN.reach * np.exp(-to_foot / PLAIN.slope_m))
        add(near, share, floor + rise)
        for line, law in self.side_valleys:
            near = _near(line.xy, xy)
            distance, nearest = cKDTree(line.xy).query(xy[near])
            share = law.reach * np.exp(-np.maximum(distance - law.half_floor_m, 0.0) / law.slope_m)
            add(near, share, line.level_m[nearest] + law.floor_above_water_m)
        return 1.0 - kept, weighted / np.maximum(weight, 1e-12)

    def _plain_floor(self, xy: Floats) -> tuple[Floats, Floats]:
        """Height of the plain in m, and 0 in a river bed … 1 where there is room for slope wash."""
        total, weights = np.zeros(len(xy)), np.zeros(len(xy))
        above, room = np.full(len(xy), PLAIN.floor_above_water_m), np.ones(len(xy))
        for river in self.plain_rivers:
            distance, nearest = cKDTree(river.xy).query(xy)
            weight = np.maximum(distance, 60.0) ** -2.0
            total += weight * river.level_m[nearest]
            weights += weight
            bed = BED_HALF_WIDTH_M[river.name]
            above = np.minimum(above, PLAIN.floor_above_water_m * np.clip((distance - bed) / bed, 0.0, 1.0))
            room = np.minimum(room, np.clip((distance - bed) / 500.0, 0.0, 1.0))
        return total / weights + above, room

    def _in_plain(self, frame: GridFrame) -> npt.NDArray[np.bool_]:
        north, south = self.plain_outline
        ring = np.vstack([north.xy, south.xy[::-1]])
        shapes = [{"type": "Polygon", "coordinates": [[*ring.tolist(), ring[0].tolist()]]}]
        hole = self.upland_within.xy
        holes = [{"type": "Polygon", "coordinates": [[*hole.tolist(), hole[0].tolist()]]}]
        size = {"out_shape": (frame.rows, frame.cols), "transform": frame.transform, "invert": True}
        inside: npt.NDArray[np.bool_] = geometry_mask(shapes, **size) & ~geometry_mask(holes, **size)
        return inside


def _near(line: Floats, xy: Floats) -> npt.NDArray[np.intp]:
    """Which points lie within REACH_M of the box around a line."""
    low, high = line.min(axis=0) - REACH_M, line.max(axis=0) + REACH_M
    return np.flatnonzero(((xy > low) & (xy < high)).all(axis=1))
