"""The terrain that comes with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio

from radio_sim.terrain.grid import HeightGrid, Heights

DATA = Path(__file__).parent / "data"
TEV_TERRAIN = DATA / "tev_terrain.tif"


def tev_terrain() -> HeightGrid:
    """Touraine-Est Vallées and 12 km around it and more: 50 × 50 km at 60 m, modelled, made by `model_tev`."""
    with rasterio.open(TEV_TERRAIN) as dataset:
        heights: Heights = np.round(dataset.read(1) * np.float64(dataset.scales[0]), 1).astype(np.float32)
        tags, transform = dataset.tags(), dataset.transform
        return HeightGrid(
            heights,
            dataset.crs.to_string(),
            float(transform.c),
            float(transform.f),
            float(transform.a),
            kind="modelled",
            source=tags["TERRAIN_SOURCE"],
        )
