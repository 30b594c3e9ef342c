"""A HeightGrid as a GeoTIFF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio

from radio_sim.terrain.grid import HeightGrid

HOLE = -32768


def write_geotiff(grid: HeightGrid, path: Path) -> None:
    """Write heights rounded to decimetres as 16-bit integers with scale 0.1, compressed; float32 above 3,276 m.

    `read_terrain` gives the same heights, kind and holes back. Written aside and renamed. Raises OSError.
    """
    decimetres = np.round(grid.heights.astype(float) * 10)
    fits = bool(np.nanmax(np.abs(decimetres), initial=0) < 32768)
    stored = np.where(np.isnan(decimetres), HOLE, decimetres).astype(np.int16) if fits else grid.heights
    aside = path.with_name(path.name + ".part")
    with rasterio.open(
        aside,
        "w",
        driver="GTiff",
        width=grid.shape[1],
        height=grid.shape[0],
        count=1,
        dtype="int16" if fits else "float32",
        crs=grid.crs,
        transform=grid.transform,
        nodata=HOLE if fits else np.nan,
        compress="deflate",
        predictor=2 if fits else 3,
        zlevel=9,
        tiled=True,
        blockxsize=256,
        blockysize=256,
    ) as dataset:
        dataset.write(stored, 1)
        if fits:
            dataset.scales = (0.1,)
        dataset.units = ("m",)
        dataset.update_tags(TERRAIN_KIND=grid.kind, TERRAIN_SOURCE=grid.source, AREA_OR_POINT="Area")
    aside.replace(path)
