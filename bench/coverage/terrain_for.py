"""The ground a study stands on: the user's elevation model, or the bundled one, cut to the area of interest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import UsageError
from radio_sim.coverage.budgets import Losses
from radio_sim.terrain.area import Area
from radio_sim.terrain.grid import HeightGrid, Site
from radio_sim.terrain.landcover import CLUTTER_HEIGHTS, ClutterTable, read_clutter
from radio_sim.terrain.read import HeightUnit, read_terrain

DEFAULT_PIXEL_M = 30.0


@dataclass(frozen=True, slots=True)
class GroundAsked:
    """What the user says about the ground.

    dem: files, folders or addresses; none is the bundled terrain. bare_earth: the model holds no trees and buildings,
    None where its own tag decides. clutter: land cover, with clutter_table and clutter_heights saying how high it is.
    """

    dem: Sequence[str] = ()
    pixel_size_m: float | None = None
    unit: HeightUnit | None = None
    source_crs: str | None = None
    nodata: float | None = None
    bare_earth: bool = False
    clutter: Sequence[str] = ()
    clutter_table: str = "worldcover"
    clutter_heights: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Heights, clutter heights above them or None, and what a reader should know of them."""

    grid: HeightGrid
    clutter: Losses | None = None
    notes: tuple[str, ...] = ()

    @property
    def modelled(self) -> bool:
        """Whether the heights were never measured: every picture says so."""
        return self.grid.kind == "modelled"

    @property
    def clutter_grid(self) -> HeightGrid | None:
        """The clutter heights as a grid, for profiles."""
        return None if self.clutter is None else replace(self.grid, heights=self.clutter, source="clutter")


def parse_area(text: str) -> Area:
    """`south,west,north,east` in degrees. Raises UsageError."""
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--area {text}: not four numbers", hint="south,west,north,east in degrees, such as 47.25,0.60,47.60,1.10"
        ) from None
    return Area(south, west, north, east)


def parse_point(text: str) -> tuple[float, float]:
    """`lat,lon` in degrees. Raises UsageError."""
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{text}: not a position", hint="write lat,lon in degrees, such as 47.45,0.87") from None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise UsageError(f"{text}: not on the globe", hint="latitude first, then longitude")
    return lat, lon


def area_for(sites: Sequence[Site], area: str | None, radius_m: float) -> Area:
    """The area asked for, or the box around the sites with a margin."""
    return parse_area(area) if area else Area.of_sites(sites, radius_m)


def ground_for(asked: GroundAsked, area: Area, sites: Sequence[Site]) -> Ground:
    """Read the ground. Raises the TerrainError that fits, with what to do."""
    if asked.dem:
        grid = read_terrain(
            list(asked.dem),
            area,
            pixel_size_m=DEFAULT_PIXEL_M if asked.pixel_size_m is None else asked.pixel_size_m,
            unit=asked.unit,
            source_crs=asked.source_crs,
            nodata=asked.nodata,
            kind="bare earth" if asked.bare_earth else None,
            sites=sites,
        )
        notes = [f"terrain: {grid.source}, {grid.kind}"]
    else:
        from radio_sim.terrain.bundled import TEV_TERRAIN, tev_terrain  # noqa: PLC0415 - only where no other is given

        whole = tev_terrain()
        whole.check_sites(sites)
        size = whole.pixel_size_m if asked.pixel_size_m is None else asked.pixel_size_m
        grid = replace(read_terrain(TEV_TERRAIN, area, pixel_size_m=size, grid_crs=whole.crs), source=whole.source)
        notes = [f"terrain: no --dem was given, so this is the {whole.source}: modelled, not measured"]
    if not asked.clutter:
        return Ground(grid, notes=tuple(notes))
    table = ClutterTable.load(asked.clutter_table, asked.clutter_heights or CLUTTER_HEIGHTS)
    clutter = read_clutter(list(asked.clutter), grid, table)
    notes.append(f"clutter: {table.title} in {', '.join(asked.clutter)}, {clutter.mean():.1f} m high on average")
    return Ground(grid, clutter, tuple(notes))
