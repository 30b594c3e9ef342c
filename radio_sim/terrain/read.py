"""Elevation models of any format, coordinate system and resolution, as a HeightGrid of the area of interest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, Literal

import numpy as np
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT

from radio_sim.terrain.area import Area, GridFrame, frame_of
from radio_sim.terrain.errors import HeightUnitError, ImplausibleHeightError, NoOverlapError, TerrainError
from radio_sim.terrain.grid import HeightGrid, Heights, Site, TerrainKind, hole_error, outside_error
from radio_sim.terrain.rasters import Raster, Source, describe, gdal_settings, joined, list_rasters, mosaic_vrt, opened

HeightUnit = Literal["metre", "foot"]
FOOT_M = 0.3048  # international foot; the US survey foot is 2e-6 longer. Source: ISO 80000-3
LOWEST_LAND_M, HIGHEST_LAND_M = -500.0, 9000.0
"""No land lies beyond: Dead Sea shore −430 m and sinking, Everest 8,849 m."""

KnownHeight = tuple[float, float, float]
"""Latitude, longitude in degrees, height in m."""


def read_terrain(
    source: Source,
    area: Area,
    *,
    pixel_size_m: float = 30.0,
    grid_crs: str | None = None,
    source_crs: str | None = None,
    unit: HeightUnit | None = None,
    nodata: float | None = None,
    kind: TerrainKind | None = None,
    sites: Iterable[Site] = (),
    known_heights: Sequence[KnownHeight] = (),
) -> HeightGrid:
    """Read heights about an area of interest, warped bilinearly to square pixels.

    source: a file, an HTTP address, a folder of tiles or a list of these; anything GDAL reads. Where rasters overlap
    the first named wins; holes of one are filled from the next. Only the area is read, through the coarsest overview
    that is no coarser than pixel_size_m, so memory follows the area and not the file.
    grid_crs: of the result; by default the UTM zone of the area. source_crs: of rasters that name none.
    unit: of the heights; by default metres, and heights that are in feet by their tag, or by about 3.3 times the
    known_heights, are refused. nodata: instead of the rasters' own. kind: by default the raster's TERRAIN_KIND tag,
    else "surface", which GLO-30 and SRTM are. sites: must stand on known heights.

    Raises the TerrainError of `radio_sim.terrain.errors` that fits.
    """
    frame = frame_of(area, pixel_size_m, grid_crs)
    sites = tuple(sites)
    names = list_rasters(source)
    label = names[0] if len(names) == 1 else f"{names[0]} … ({len(names)} rasters)"
    with gdal_settings(names):
        rasters = [describe(name, pixel_size_m, source_crs, nodata) for name in names]
        for site in sites:
            beyond = min(raster.beyond_m(site.lat, site.lon) for raster in rasters)
            if beyond > 0:
                raise outside_error(site, beyond, label)
        used = [raster for raster in rasters if raster.overlaps(area)]
        if not used:
            raise _no_overlap(area, rasters, label)
        factor = _metres_per_unit(used, unit)
        heights = _mosaic(joined(used), frame)
    if np.isnan(heights).all():
        raise NoOverlapError("there are only holes within the area of interest", path=label)
    heights *= np.float32(factor)
    _check_plausible(heights, label)
    grid = HeightGrid(
        heights, frame.crs, frame.west_m, frame.north_m, frame.pixel_size_m, kind or _kind_of(used), _text(used)
    )
    for site in sites:
        if math.isnan(float(grid.height_at(site.lat, site.lon))):
            raise hole_error(site, label)
    if unit is None:
        _check_against(grid, known_heights, label)
    return grid


def read_classes(source: Source, frame: GridFrame, *, source_crs: str | None = None) -> Heights:
    """Class numbers on a grid, NaN where none: the commonest within a pixel, the nearest where pixels are finer.

    Raises TerrainError as `read_terrain`.
    """
    names = list_rasters(source)
    with gdal_settings(names):
        rasters = [describe(name, 0.0, source_crs) for name in names]
        finer = max(raster.pixel_size_m for raster in rasters) < frame.pixel_size_m
        return _mosaic(joined(rasters), frame, Resampling.mode if finer else Resampling.nearest)


def _mosaic(
    groups: Sequence[Sequence[Raster]], frame: GridFrame, resampling: Resampling = Resampling.bilinear
) -> Heights:
    result: Heights | None = None
    for group in groups:
        heights = _warp_group(group, frame, resampling)
        if result is None:
            result = heights
        else:
            np.copyto(result, heights, where=np.isnan(result))
        if not np.isnan(result).any():
            break
    if result is None:
        raise TerrainError("there are no rasters")
    return result


def _warp_group(group: Sequence[Raster], frame: GridFrame, resampling: Resampling) -> Heights:
    first = group[0]
    if len(group) == 1:
        options: dict[str, Any] = {} if first.overview is None else {"overview_level": first.overview}
        with opened(first.path, first.name, **options) as dataset:
            heights = _warp(dataset, first.crs, first.nodata, frame, resampling)
    else:
        with MemoryFile(mosaic_vrt(group), ext=".vrt") as memory, opened(memory.name, first.name) as dataset:
            heights = _warp(dataset, first.crs, math.nan, frame, resampling)
    if (first.scale, first.offset) != (1.0, 0.0):
        heights = heights * np.float32(first.scale) + np.float32(first.offset)
    return heights


def _warp(dataset: Any, crs: str, nodata: float | None, frame: GridFrame, resampling: Resampling) -> Heights:
    with WarpedVRT(
        dataset,
        src_crs=crs,
        crs=CRS.from_user_input(frame.crs).to_wkt(),
        transform=frame.transform,
        width=frame.cols,
        height=frame.rows,
        resampling=resampling,
        src_nodata=nodata,
        nodata=math.nan,
        dtype="float32",
        warp_mem_limit=64,
    ) as warped:
        heights: Heights = warped.read(1)
        return heights


def _no_overlap(area: Area, rasters: Sequence[Raster], label: str) -> NoOverlapError:
    lat, lon = area.centre
    hint = "give the tiles that cover the area"
    for raster in rasters:
        if not raster.is_geographic:
            continue
        west, south, east, north = raster.bounds
        mistakes = (
            (lat, lon, "its axes look swapped: x is latitude, y longitude"),
            (-lon, lat, "it looks mirrored: east and west are exchanged"),
            (lon, -lat, "it looks mirrored: north and south are exchanged"),
        )
        for x, y, mistake in mistakes:
            if west <= x <= east and south <= y <= north:
                hint = f"{mistake}; set its georeference right (gdal_edit.py -a_ullr)"
    reach = min(raster.beyond_m(lat, lon) for raster in rasters)
    return NoOverlapError(
        f"the raster lies {reach / 1000:.0f} km away from {lat:.3f}, {lon:.3f}, the middle of the area of interest",
        path=label,
        hint=hint,
    )


def _metres_per_unit(rasters: Sequence[Raster], unit: HeightUnit | None) -> float:
    if unit is not None:
        return FOOT_M if unit == "foot" else 1.0
    for raster in rasters:
        word = raster.unit.lower()
        if word and word not in ("m", "metre", "meter", "metres", "meters"):
            feet = "ft" in word or "foot" in word or "feet" in word
            raise HeightUnitError(
                f"heights are in {raster.unit!r} by the file's own tag",
                path=raster.name,
                hint="pass --unit foot to convert, --unit metre if the tag is wrong" if feet else "convert to metres",
            )
    return 1.0


def _check_plausible(heights: Heights, label: str) -> None:
    lowest, highest = float(np.nanmin(heights)), float(np.nanmax(heights))
    if lowest < LOWEST_LAND_M or highest > HIGHEST_LAND_M:
        wrong = lowest if lowest < LOWEST_LAND_M else highest
        raise ImplausibleHeightError(
            f"a height of {wrong:.0f} m is on no land",
            path=label,
            hint="pass --nodata with the value of its holes, or --unit if the heights are in feet",
        )


def _check_against(grid: HeightGrid, known_heights: Sequence[KnownHeight], label: str) -> None:
    ratios = [
        here / known
        for lat, lon, known in known_heights
        if known > 10 and math.isfinite(here := float(grid.height_at(lat, lon)))
    ]
    if len(ratios) >= 3 and 2.6 < median(ratios) < 4.0:
        raise HeightUnitError(
            f"heights are {median(ratios):.1f} times the {len(ratios)} known ones: they look like feet",
            path=label,
            hint="pass --unit foot to convert, --unit metre if they are metres after all",
        )


def _kind_of(rasters: Sequence[Raster]) -> TerrainKind:
    kinds: dict[str, TerrainKind] = {"bare earth": "bare earth", "modelled": "modelled"}
    return kinds.get(rasters[0].kind, "surface")


def _text(rasters: Sequence[Raster]) -> str:
    first = rasters[0]
    name = first.name.rsplit("/", 1)[-1]
    more = f" and {len(rasters) - 1} more" if len(rasters) > 1 else ""
    return f"{name}{more}, read at {first.pixel_size_m:.0f} m"
