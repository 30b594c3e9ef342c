"""Margin classes as GeoJSON polygons, for any GIS and for web maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.features import shapes, sieve
from rasterio.warp import transform_geom

from bench.coverage.layers import MARGIN
from bench.coverage.study import Map, thinned
from bench.store.atomic import write_text

SMALLEST_PIXELS = 6
"""Islands of fewer pixels take the class around them: they are below what the model knows."""
MOST_PIXELS = 400_000


def write_contours(found: Map, placement: str, path: Path) -> None:
    """`path` as a FeatureCollection (RFC 7946: WGS 84, longitude first), a feature a patch of one margin class."""
    write_text(path, json.dumps(contours(found, placement), separators=(",", ":")))


def contours(found: Map, placement: str) -> dict[str, Any]:
    """The margin classes of a placement class as GeoJSON; holes belong to no feature."""
    step, grid = thinned(found, MOST_PIXELS)
    classes = MARGIN.classes(found.by_placement[placement].thinned(step))
    known = np.ascontiguousarray(classes >= 0)
    indices = np.ascontiguousarray(np.where(known, classes, 255).astype(np.uint8))
    indices = sieve(indices, SMALLEST_PIXELS, mask=known)
    features = []
    for geometry, value in shapes(indices, mask=known, transform=grid.transform):
        band = MARGIN.bands[int(value)]
        last = int(value) + 1 == len(MARGIN.bands)
        features.append(
            {
                "type": "Feature",
                "properties": {
                    "class": band.label,
                    "margin_from_db": None if int(value) == 0 else band.low,
                    "margin_below_db": None if last else MARGIN.bands[int(value) + 1].low,
                    "placement": placement,
                    "fill": band.colour,
                    "fill-opacity": 0.6,
                    "stroke": band.colour,
                    "stroke-width": 1,
                },
                "geometry": transform_geom(grid.crs, "EPSG:4326", geometry, precision=6),
            }
        )
    return {
        "type": "FeatureCollection",
        "name": f"{MARGIN.title}, {placement}",
        "description": f"{found.title}; {found.model.title}{'; ' + found.mark if found.mark else ''}",
        "features": features,
    }
