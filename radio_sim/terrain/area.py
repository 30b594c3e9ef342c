"""The area of interest: a box in degrees, and the metric grid that covers it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, cos, floor, radians

from affine import Affine
from pyproj import Transformer

from radio_sim.terrain.errors import TerrainError
from radio_sim.terrain.grid import Site, utm_crs

METRES_PER_DEGREE = 111_195.0  # of latitude, on the mean sphere; margins and resolutions only
MOST_PIXELS = 200_000_000
"""More pixels than this (0.8 GB of heights) are refused: 14 × 14 km at 1 m, 425 × 425 km at 30 m."""


@dataclass(frozen=True, slots=True)
class Area:
    """A box in degrees (WGS 84), south < north and west < east; one across the 180° meridian is not possible."""

    south: float
    west: float
    north: float
    east: float

    def __post_init__(self) -> None:
        if not (-90 <= self.south < self.north <= 90 and -180 <= self.west < self.east <= 180):
            raise TerrainError(
                f"area {self.south}…{self.north} N, {self.west}…{self.east} E is empty or not on the globe",
                hint="south < north, west < east, in degrees",
            )

    @classmethod
    def around(cls, lat: float, lon: float, half_side_m: float) -> Area:
        """The square of sides 2·half_side_m > 0 about a point."""
        d_lat = half_side_m / METRES_PER_DEGREE
        d_lon = d_lat / max(cos(radians(lat)), 1e-6)
        return cls(lat - d_lat, lon - d_lon, lat + d_lat, lon + d_lon)

    @classmethod
    def of_sites(cls, sites: Iterable[Site], margin_m: float) -> Area:
        """The smallest box that holds every site and margin_m > 0 around it. Raises TerrainError without sites."""
        boxes = [cls.around(site.lat, site.lon, margin_m) for site in sites]
        if not boxes:
            raise TerrainError("no sites to lay an area around")
        return cls(
            min(box.south for box in boxes),
            min(box.west for box in boxes),
            max(box.north for box in boxes),
            max(box.east for box in boxes),
        )

    @property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude of the middle."""
        return (self.south + self.north) / 2, (self.west + self.east) / 2

    def utm_crs(self) -> str:
        """EPSG name of the UTM zone of the middle."""
        return utm_crs(*self.centre)


@dataclass(frozen=True, slots=True)
class GridFrame:
    """Where the pixels of a grid lie, before there are heights: as HeightGrid's fields of these names."""

    crs: str
    west_m: float
    north_m: float
    pixel_size_m: float
    rows: int
    cols: int

    @property
    def transform(self) -> Affine:
        """From (col, row) of a pixel's upper left corner to (x, y)."""
        return Affine(self.pixel_size_m, 0.0, self.west_m, 0.0, -self.pixel_size_m, self.north_m)


def frame_of(area: Area, pixel_size_m: float, crs: str | None = None) -> GridFrame:
    """The grid that covers an area, its corner on a multiple of the pixel size, in the area's UTM zone or `crs`.

    Raises TerrainError for more than MOST_PIXELS.
    """
    if not pixel_size_m > 0:
        raise TerrainError(f"pixel size {pixel_size_m} m is not above zero")
    name = crs or area.utm_crs()
    to_grid = Transformer.from_crs("EPSG:4326", name, always_xy=True)
    west, south, east, north = to_grid.transform_bounds(area.west, area.south, area.east, area.north)
    col0, row0 = floor(west / pixel_size_m + 1e-6), ceil(north / pixel_size_m - 1e-6)
    cols = max(1, ceil(east / pixel_size_m - 1e-6) - col0)
    rows = max(1, row0 - floor(south / pixel_size_m + 1e-6))
    if rows * cols > MOST_PIXELS:
        raise TerrainError(
            f"{rows} × {cols} pixels of {pixel_size_m:g} m are more than {MOST_PIXELS}",
            hint="choose larger pixels or a smaller area",
        )
    return GridFrame(name, col0 * pixel_size_m, row0 * pixel_size_m, pixel_size_m, rows, cols)
