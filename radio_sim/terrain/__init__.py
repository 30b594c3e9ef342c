"""Ground heights and land cover: reading any raster, profiles, clutter heights, tiles to fetch, the TEV terrain."""

from radio_sim.terrain.errors import TerrainError
from radio_sim.terrain.grid import HeightGrid, Profile, utm_crs

__all__ = ["HeightGrid", "Profile", "TerrainError", "utm_crs"]
