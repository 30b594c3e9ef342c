"""Hillshade: the relief as grey light, under every map."""

from __future__ import annotations

import numpy as np

from bench.coverage.layers import Image
from radio_sim.coverage.budgets import Losses

_SUN_ALTITUDE_DEG = 42.0
_SUNS_DEG = (315.0, 255.0, 15.0)  # the north-western light cartography uses, softened from both sides
_SUN_WEIGHTS = (0.6, 0.2, 0.2)
_TYPICAL_SLOPE = 0.3  # exaggeration brings the 98th percentile of slopes here, so that flat country shows its valleys
_MOST_EXAGGERATION = 12.0


def hillshade(heights: Losses, pixel_size_m: float) -> Image:
    """Light on the ground, uint8 [ny, nx], 255 the brightest; holes are 200.

    Source: Horn, "Hill Shading and the Reflectance Map", Proc. IEEE 69(1), 1981.
    """
    ground = heights.astype(np.float64)
    hole = np.isnan(ground)
    if hole.all():
        return np.full(heights.shape, 200, np.uint8)
    ground[hole] = np.nanmean(ground)
    if min(ground.shape) < 2:
        return np.full(heights.shape, 230, np.uint8)
    south, east = np.gradient(ground, pixel_size_m)
    steep = float(np.percentile(np.hypot(south, east), 98))
    factor = min(max(_TYPICAL_SLOPE / max(steep, 1e-6), 1.0), _MOST_EXAGGERATION)
    south, east = south * factor, east * factor
    up = 1.0 / np.sqrt(1.0 + south**2 + east**2)
    altitude = np.radians(_SUN_ALTITUDE_DEG)
    light = np.zeros(ground.shape)
    for azimuth, weight in zip(np.radians(_SUNS_DEG), _SUN_WEIGHTS, strict=True):
        # The surface normal is (−east, south, 1) with y to the north.
        towards = -east * np.sin(azimuth) * np.cos(altitude) + south * np.cos(azimuth) * np.cos(altitude)
        light += weight * np.maximum((towards + np.sin(altitude)) * up, 0.0)
    level = np.sin(altitude)  # level ground
    shade = np.clip(240.0 + 150.0 * (light - level), 70.0, 255.0)
    shade[hole] = 200.0
    image: Image = shade.astype(np.uint8)
    return image
