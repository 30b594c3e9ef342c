"""Clutter heights above ground from a land-cover raster and a table of heights by class."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from radio_sim.terrain.area import GridFrame
from radio_sim.terrain.errors import ClutterError
from radio_sim.terrain.grid import HeightGrid, Heights
from radio_sim.terrain.rasters import Source
from radio_sim.terrain.read import read_classes

CLUTTER_HEIGHTS = Path(__file__).parent / "data" / "clutter_heights.toml"
"""The bundled tables: "worldcover" and "corine". Source: Rec. ITU-R P.1812-8 §3.2.1, and assumptions marked there."""

HIGHEST_CLUTTER_M = 100.0
_CLASS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class ClutterTable:
    """Representative clutter heights of a land-cover product.

    heights_m: class number to metres above ground, 0 … 100. numbered_from_1: rasters may number the classes 1, 2, …
    in ascending order instead, as CORINE's do. path: where it was read, for errors.
    """

    title: str
    heights_m: Mapping[int, float]
    numbered_from_1: bool = False
    path: str = ""

    @classmethod
    def load(cls, name: str, path: Path = CLUTTER_HEIGHTS) -> ClutterTable:
        """A table of a TOML file. Raises ClutterError for what is not there or not a height, OSError."""
        try:
            tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:  # also for more digits, or more depth, than Python reads
            raise ClutterError(f"not TOML: {error}", path=str(path)) from error
        table = tables.get(name)
        if not isinstance(table, dict) or not isinstance(table.get("classes"), dict):
            raise ClutterError(f"no table [{name}.classes]", path=str(path), hint=f"there are {', '.join(tables)}")
        heights = {}
        for number, entry in table["classes"].items():
            height: Any = entry.get("height_m") if isinstance(entry, dict) else entry
            good = isinstance(height, int | float) and not isinstance(height, bool)
            if not _CLASS.fullmatch(number) or not good or not 0 <= height <= HIGHEST_CLUTTER_M:
                raise ClutterError(
                    f"[{name}.classes] {number[:20]} = {_shown(entry)} is not a class with a height of 0 … 100 m",
                    path=str(path),
                    hint='write: 10 = { height_m = 15.0, name = "tree cover" }',
                )
            heights[int(number)] = float(height)
        return cls(str(table.get("title", name)), heights, table.get("numbered_from_1") is True, str(path))

    def heights_of(self, classes: Heights) -> Heights:
        """Heights in m of class numbers, float32; NaN stays. Raises ClutterError for a class without a height."""
        present = [int(number) for number in np.unique(classes[np.isfinite(classes)])]
        heights = dict(self.heights_m)
        if self.numbered_from_1 and present and max(present) <= len(heights):
            heights = {index + 1: heights[code] for index, code in enumerate(sorted(heights))}
        unknown = [number for number in present if number not in heights]
        if unknown:
            raise ClutterError(
                f"land-cover class {', '.join(map(str, unknown))} has no height in the table of {self.title}",
                path=self.path,
                hint="add it to the table, or name the table that fits the raster",
            )
        result = np.full(classes.shape, np.nan, np.float32)
        for number in present:
            result[classes == number] = heights[number]
        return result


def _shown(value: object) -> str:
    try:
        return repr(value)[:80]
    except (ValueError, RecursionError):  # a hexadecimal number, or a key of many dots, may be more than Python writes
        return "more than can be shown"


def read_clutter(
    source: Source,
    grid: HeightGrid,
    table: ClutterTable,
    *,
    source_crs: str | None = None,
    elsewhere_m: float | None = None,
) -> Heights:
    """Clutter heights in m above ground on the pixels of a height grid, float32 [ny, nx], from a land-cover raster.

    source: as `read_terrain`. A pixel takes the commonest class within it. elsewhere_m: where the raster has no class.
    Raises ClutterError on a surface model, which already holds trees and buildings, for classes without a height, and
    for missing classes when elsewhere_m is None; TerrainError as `read_terrain`.
    """
    if grid.kind == "surface":
        raise ClutterError(
            "clutter heights would count trees and buildings twice: the heights are a surface model",
            path=grid.source,
            hint="leave the land cover out, or give a bare-earth model",
        )
    rows, cols = grid.shape
    frame = GridFrame(grid.crs, grid.west_m, grid.north_m, grid.pixel_size_m, rows, cols)
    heights = table.heights_of(read_classes(source, frame, source_crs=source_crs))
    missing = np.isnan(heights)
    if missing.any():
        if elsewhere_m is None:
            raise ClutterError(
                f"{missing.mean():.1%} of the area has no land-cover class",
                path=str(source),
                hint="give the tiles that cover it, or the height to assume there",
            )
        heights[missing] = elsewhere_m
    return heights
