"""Heights of the ground on a metric, north-up grid, and the profile between two points of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from affine import Affine
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError

from radio_sim.terrain.errors import HoleUnderSiteError, SiteOutsideTerrainError, TerrainError

Floats = npt.NDArray[np.float64]
Heights = npt.NDArray[np.float32]
TerrainKind = Literal["surface", "bare earth", "modelled"]

_WGS84 = Geod(ellps="WGS84")


class Site(Protocol):
    """Anything that stands somewhere: a gateway, a device, a measurement point."""

    @property
    def id(self) -> str: ...
    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Heights along the geodesic between two points, both ends included.

    distance_m: from the first point, evenly spaced, float64 [n]. height_m: above the grid's vertical datum, float64
    [n], NaN where none is known. lat, lon: the points, degrees.
    """

    distance_m: Floats
    height_m: Floats
    lat: Floats
    lon: Floats


@dataclass(frozen=True, slots=True, eq=False)
class HeightGrid:
    """Heights in m on square pixels, row 0 in the north.

    heights: float32 [ny, nx], NaN where none is known. crs: any text pyproj reads ("EPSG:32631"); projected, in metres.
    west_m, north_m: the outer corner of pixel (0, 0) in that CRS. pixel_size_m > 0: side of a pixel. kind: "surface"
    holds trees and buildings, "bare earth" does not, "modelled" was not measured. source: one line for reports.

    Pixel coordinates (row, col) are floats whose whole numbers are pixel centres. Raises TerrainError when made of
    anything else.
    """

    heights: Heights
    crs: str
    west_m: float
    north_m: float
    pixel_size_m: float
    kind: TerrainKind
    source: str

    def __post_init__(self) -> None:
        if self.heights.ndim != 2 or 0 in self.heights.shape or self.heights.dtype != np.float32:
            raise TerrainError(f"heights are {self.heights.dtype} {self.heights.shape}, not float32 [ny, nx]")
        if not self.pixel_size_m > 0:
            raise TerrainError(f"pixel size {self.pixel_size_m} m is not above zero")
        if self.kind not in ("surface", "bare earth", "modelled"):
            raise TerrainError(f"kind {self.kind!r} is none of surface, bare earth, modelled")
        if not _is_metric(self.crs):
            raise TerrainError(f"{self.crs} is not a projected coordinate system in metres", hint="use the UTM zone")

    @property
    def transform(self) -> Affine:
        """From (col, row) of a pixel's upper left corner to (x, y) in the CRS, as rasterio has it."""
        return Affine(self.pixel_size_m, 0.0, self.west_m, 0.0, -self.pixel_size_m, self.north_m)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.heights.shape[0], self.heights.shape[1]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the outer edge in m of the CRS."""
        rows, cols = self.shape
        return (
            self.west_m,
            self.north_m - rows * self.pixel_size_m,
            self.west_m + cols * self.pixel_size_m,
            self.north_m,
        )

    def xy_of(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Easting and northing in m of the CRS, of points in degrees (WGS 84)."""
        x, y = _transformer(self.crs).transform(np.asarray(lon, float), np.asarray(lat, float))
        return np.asarray(x, float), np.asarray(y, float)

    def pixel_of(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Row and column, as floats, of points in degrees; whole numbers are pixel centres."""
        x, y = self.xy_of(lat, lon)
        return (self.north_m - y) / self.pixel_size_m - 0.5, (x - self.west_m) / self.pixel_size_m - 0.5

    def lat_lon_of(self, row: npt.ArrayLike, col: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Latitude and longitude in degrees of pixel coordinates; the inverse of `pixel_of`."""
        x = self.west_m + (np.asarray(col, float) + 0.5) * self.pixel_size_m
        y = self.north_m - (np.asarray(row, float) + 0.5) * self.pixel_size_m
        lon, lat = _transformer(self.crs).transform(x, y, direction="INVERSE")
        return np.asarray(lat, float), np.asarray(lon, float)

    def height_at(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> Floats:
        """Height in m by bilinear interpolation between pixel centres; shapes broadcast.

        NaN beyond the outer edge and beside a hole; within half a pixel of the edge the edge pixels hold.
        """
        return self.height_at_pixel(*self.pixel_of(lat, lon))

    def height_at_pixel(self, row: npt.ArrayLike, col: npt.ArrayLike) -> Floats:
        """`height_at` for pixel coordinates."""
        row, col = np.broadcast_arrays(np.asarray(row, float), np.asarray(col, float))
        rows, cols = self.shape
        with np.errstate(invalid="ignore"):
            inside = (row >= -0.5) & (row <= rows - 0.5) & (col >= -0.5) & (col <= cols - 0.5)
        r = np.clip(np.where(inside, row, 0.0), 0.0, rows - 1.0)
        c = np.clip(np.where(inside, col, 0.0), 0.0, cols - 1.0)
        r0, c0 = r.astype(np.intp), c.astype(np.intp)
        r1, c1 = np.minimum(r0 + 1, rows - 1), np.minimum(c0 + 1, cols - 1)
        fr, fc = r - r0, c - c0
        height = np.zeros(r.shape)
        for rr, cc, weight in (
            (r0, c0, (1 - fr) * (1 - fc)),
            (r0, c1, (1 - fr) * fc),
            (r1, c0, fr * (1 - fc)),
            (r1, c1, fr * fc),
        ):
            # A neighbour of weight zero may be a hole without making one here.
            height += np.where(weight > 0, weight * self.heights[rr, cc].astype(float), 0.0)
        return np.where(inside, height, np.nan)

    def profile(self, lat1: float, lon1: float, lat2: float, lon2: float, step_m: float | None = None) -> Profile:
        """Heights from point 1 to point 2 in degrees, no further apart than step_m > 0 (by default one pixel)."""
        step = self.pixel_size_m if step_m is None else step_m
        if not step > 0:
            raise TerrainError(f"step {step} m is not above zero")
        azimuth, _, length = _WGS84.inv(lon1, lat1, lon2, lat2)
        pieces = max(1, int(np.ceil(length / step - 1e-9)))
        distance = np.linspace(0.0, length, pieces + 1)
        count = pieces + 1
        lon, lat, _ = _WGS84.fwd(np.full(count, lon1), np.full(count, lat1), np.full(count, azimuth), distance)
        lat, lon = np.asarray(lat, float), np.asarray(lon, float)
        lat[-1], lon[-1] = lat2, lon2
        return Profile(distance, self.height_at(lat, lon), lat, lon)

    def window(self, row0: int, col0: int, rows: int, cols: int) -> HeightGrid:
        """The part of `rows` × `cols` pixels from (row0, col0), a view. Raises TerrainError when it sticks out."""
        ny, nx = self.shape
        if row0 < 0 or col0 < 0 or rows < 1 or cols < 1 or row0 + rows > ny or col0 + cols > nx:
            raise TerrainError(f"window {row0, col0} + {rows, cols} is not within {ny} × {nx} pixels", path=self.source)
        return replace(
            self,
            heights=self.heights[row0 : row0 + rows, col0 : col0 + cols],
            west_m=self.west_m + col0 * self.pixel_size_m,
            north_m=self.north_m - row0 * self.pixel_size_m,
        )

    def around(self, lat: float, lon: float, radius_m: float) -> HeightGrid:
        """The pixels touched by the square of half side radius_m about a point, cut at the edge."""
        row, col = (float(value) for value in self.pixel_of(lat, lon))
        reach = radius_m / self.pixel_size_m
        ny, nx = self.shape
        row0, row1 = max(0, int(np.floor(row - reach + 0.5))), min(ny, int(np.floor(row + reach + 0.5)) + 1)
        col0, col1 = max(0, int(np.floor(col - reach + 0.5))), min(nx, int(np.floor(col + reach + 0.5)) + 1)
        if row0 >= row1 or col0 >= col1:
            raise TerrainError(f"nothing within {radius_m:.0f} m of {lat:.5f}, {lon:.5f}", path=self.source)
        return self.window(row0, col0, row1 - row0, col1 - col0)

    def check_sites(self, sites: Iterable[Site]) -> None:
        """Raise SiteOutsideTerrainError or HoleUnderSiteError for the first site without a height."""
        west, south, east, north = self.bounds
        for site in sites:
            x, y = (float(value) for value in self.xy_of(site.lat, site.lon))
            beyond = float(np.hypot(max(west - x, 0.0, x - east), max(south - y, 0.0, y - north)))
            if beyond > 0 or not np.isfinite(beyond):
                raise outside_error(site, beyond, self.source)
            if not np.isfinite(self.height_at(site.lat, site.lon)):
                raise hole_error(site, self.source)


def outside_error(site: Site, beyond_m: float, path: str) -> SiteOutsideTerrainError:
    """The error for a site beyond the edge of the heights."""
    return SiteOutsideTerrainError(
        f"site {site.id} at {site.lat:.5f}, {site.lon:.5f} is {beyond_m / 1000:.1f} km beyond the edge of the heights",
        site=site.id,
        beyond_m=beyond_m,
        path=path,
        hint="give an elevation model (or one more tile) that covers it, or correct the site",
    )


def hole_error(site: Site, path: str) -> HoleUnderSiteError:
    """The error for a site over a hole."""
    return HoleUnderSiteError(
        f"no height is known under site {site.id} at {site.lat:.5f}, {site.lon:.5f}",
        site=site.id,
        path=path,
        hint="the elevation model has a hole there: fill it or give another source",
    )


def utm_crs(lat: float, lon: float) -> str:
    """EPSG name of the WGS 84 UTM zone of a point, by 6° zones; Norway's exceptions are not made."""
    if not (-80 <= lat <= 84 and -180 <= lon <= 180):
        raise TerrainError(f"{lat}, {lon} is in no UTM zone", hint="give the coordinate system of the grid")
    zone = min(int((lon + 180) // 6) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


@lru_cache(maxsize=64)
def _transformer(crs: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


@lru_cache(maxsize=64)
def _is_metric(crs: str) -> bool:
    try:
        known: Any = CRS.from_user_input(crs)
    except CRSError:
        raise TerrainError(f"{crs!r} is no coordinate system", hint="give it as EPSG:32631") from None
    return bool(known.is_projected) and all(axis.unit_name in ("metre", "meter") for axis in known.axis_info[:2])
