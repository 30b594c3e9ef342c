"""The ground a study stands on: the user's elevation model, or the bundled one, cut to the area of interest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.errors import UsageError
from radio_sim.coverage.budgets import Losses
from radio_sim.terrain.area import Area
from radio_sim.terrain.grid import HeightGrid, Site
from radio_sim.terrain.read import read_terrain

DEFAULT_PIXEL_M = 30.0
HeightUnit = Literal["metre", "foot"]


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
        if self.clutter is None:
            return None
        grid = self.grid
        return HeightGrid(self.clutter, grid.crs, grid.west_m, grid.north_m, grid.pixel_size_m, grid.kind, "clutter")


def parse_area(text: str) -> Area:
    """`south,west,north,east` in degrees. Raises UsageError."""
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--area {text}: not four numbers", hint="south,west,north,east in degrees, such as 47.25,0.60,47.60,1.10"
        ) from None
    return Area(south, west, north, east)


def area_for(sites: Sequence[Site], area: str | None, radius_m: float) -> Area:
    """The area asked for, or the box around the sites with a margin."""
    return parse_area(area) if area else Area.of_sites(sites, radius_m)


def ground_for(
    dem: Sequence[str],
    area: Area,
    sites: Sequence[Site],
    *,
    pixel_size_m: float | None = None,
    unit: HeightUnit | None = None,
    source_crs: str | None = None,
) -> Ground:
    """Read the ground. Raises the TerrainError that fits, with what to do."""
    if dem:
        size = DEFAULT_PIXEL_M if pixel_size_m is None else pixel_size_m
        grid = read_terrain(list(dem), area, pixel_size_m=size, unit=unit, source_crs=source_crs, sites=sites)
        return Ground(grid, notes=(f"terrain: {grid.source}, {grid.kind}",))
    from radio_sim.terrain.bundled import TEV_TERRAIN, tev_terrain  # noqa: PLC0415 - only where no other is given

    whole = tev_terrain()
    whole.check_sites(sites)
    size = whole.pixel_size_m if pixel_size_m is None else pixel_size_m
    grid = replace(read_terrain(TEV_TERRAIN, area, pixel_size_m=size, grid_crs=whole.crs), source=whole.source)
    note = f"terrain: no --dem was given, so this is the {whole.source}: modelled, not measured"
    return Ground(grid, notes=(note,))
