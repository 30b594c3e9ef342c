"""The rasters behind a source: which files they are, what each holds, and several joined into one."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import rasterio
from affine import Affine
from pyproj import CRS, Geod, Transformer
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from radio_sim.terrain.area import METRES_PER_DEGREE, Area
from radio_sim.terrain.errors import NoCrsError, UnreadableTerrainError

RASTER_SUFFIXES = (".tif", ".tiff", ".hgt", ".asc", ".vrt", ".dem", ".bil", ".flt", ".img", ".jp2", ".dt2")
"""What counts as a tile in a folder."""

Source = str | Path | Sequence[str | Path]


@dataclass(frozen=True, slots=True)
class Raster:
    """One raster of one band, opened at one of its overviews.

    name: as the user gave it; path: as GDAL opens it; overview: level, or None for full resolution. crs: WKT.
    nodata: declared, or −32768 for undeclared 16-bit integers; scale, offset: stored value to height. unit: the band's
    or the vertical axis's own word, "" where none. kind: the `TERRAIN_KIND` tag, "" where none.
    """

    name: str
    path: str
    overview: int | None
    crs: str
    transform: Affine
    width: int
    height: int
    nodata: float | None
    scale: float
    offset: float
    unit: str
    kind: str

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the raster's own coordinates."""
        x0, y0 = float(self.transform.c), float(self.transform.f)
        x1, y1 = x0 + self.transform.a * self.width, y0 + self.transform.e * self.height
        return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)

    @property
    def is_geographic(self) -> bool:
        """Whether its coordinates are degrees."""
        return bool(CRS.from_wkt(self.crs).is_geographic)

    @property
    def pixel_size_m(self) -> float:
        """Height of a pixel in m, nearly."""
        crs: Any = CRS.from_wkt(self.crs)
        unit_m = METRES_PER_DEGREE if crs.is_geographic else float(crs.axis_info[0].unit_conversion_factor)
        return abs(float(self.transform.e)) * unit_m

    def overlaps(self, area: Area) -> bool:
        """Whether any of it may lie within the area."""
        to_raster = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        west, south, east, north = to_raster.transform_bounds(area.west, area.south, area.east, area.north)
        left, bottom, right, top = self.bounds
        # Coordinates beyond the projection come out infinite and overlap nothing.
        return bool(west < right and east > left and south < top and north > bottom and max(west, south) < 1e18)

    def beyond_m(self, lat: float, lon: float) -> float:
        """How far a point in degrees lies outside, in m; 0 within."""
        to_raster = Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)
        x, y = to_raster.transform(lon, lat)
        left, bottom, right, top = self.bounds
        near_x, near_y = min(max(x, left), right), min(max(y, bottom), top)
        if (near_x, near_y) == (x, y):
            return 0.0
        near_lon, near_lat = to_raster.transform(near_x, near_y, direction="INVERSE")
        return float(Geod(ellps="WGS84").inv(lon, lat, near_lon, near_lat)[2])


def is_remote(name: str) -> bool:
    """Whether a name is an HTTP address."""
    return name.startswith(("http://", "https://", "/vsicurl/"))


def list_rasters(source: Source) -> list[str]:
    """The names behind a file, an address, a folder of tiles or a list of these.

    Raises UnreadableTerrainError for a name that is not there and a folder without rasters.
    """
    if not isinstance(source, str | Path):
        return [name for one in source for name in list_rasters(one)]
    name = str(source)
    if is_remote(name) or name.startswith("/vsi"):
        return [name]
    path = Path(name)
    if path.is_dir():
        found = sorted(str(child) for child in path.iterdir() if child.suffix.lower() in RASTER_SUFFIXES)
        if not found:
            raise UnreadableTerrainError(
                "no rasters in this folder", path=name, hint=f"expected files ending in {', '.join(RASTER_SUFFIXES)}"
            )
        return found
    if not path.is_file():
        raise UnreadableTerrainError("there is no such file or folder", path=name)
    return [name]


@contextmanager
def gdal_settings(names: Sequence[str]) -> Iterator[None]:
    """GDAL with a bounded block cache; for HTTP, range requests alone, with retries."""
    options: dict[str, Any] = {"GDAL_CACHEMAX": 64}
    if any(is_remote(name) for name in names):
        # No listing of the remote folder, no search for side files: a COG holds everything.
        options |= {
            "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
            "GDAL_HTTP_CONNECTTIMEOUT": 10,
            "GDAL_HTTP_TIMEOUT": 60,
            "GDAL_HTTP_MAX_RETRY": 3,
            "GDAL_HTTP_RETRY_DELAY": 1,
            "VSI_CACHE": True,
        }
    with rasterio.Env(**options):
        yield


@contextmanager
def opened(raster_path: str, name: str, **options: Any) -> Iterator[Any]:
    """A rasterio dataset; every failure of GDAL, also while reading, is an UnreadableTerrainError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            dataset = rasterio.open(raster_path, **options)
        with dataset:
            yield dataset
    except RasterioError as error:
        raise UnreadableTerrainError(
            f"cannot be read as a raster ({error})", path=name, hint="give a GeoTIFF, HGT, ASC or VRT file"
        ) from error


def describe(name: str, pixel_size_m: float, crs: str | None = None, nodata: float | None = None) -> Raster:
    """What a raster holds, at its coarsest overview that is no coarser than pixel_size_m.

    crs: for a raster that names none. nodata: instead of its own. Raises NoCrsError, UnreadableTerrainError.
    """
    path = f"/vsicurl/{name}" if name.startswith(("http://", "https://")) else name
    with opened(path, name) as full:
        _check_georeference(full, name, crs)
        raster = _describe(full, name, path, None, crs, nodata)
        factors = full.overviews(1)
    wanted = pixel_size_m / raster.pixel_size_m
    levels = [level for level, factor in enumerate(factors) if factor <= wanted * (1 + 1e-6)]
    if not levels:
        return raster
    with opened(path, name, overview_level=levels[-1]) as overview:
        return _describe(overview, name, path, levels[-1], crs, nodata)


def _check_georeference(dataset: Any, name: str, crs: str | None) -> None:
    if dataset.crs is None and crs is None:
        raise NoCrsError(
            "the file does not say which coordinate system it is in",
            path=name,
            hint="pass it: --crs EPSG:4326 for degrees, EPSG:2154 for Lambert-93, …",
        )
    transform = dataset.transform
    if transform.is_identity:
        raise NoCrsError("the file does not say where it lies", path=name, hint="georeference it first")
    if transform.b or transform.d:
        raise UnreadableTerrainError(
            "the raster is rotated", path=name, hint="warp it north-up first: gdalwarp in.tif out.tif"
        )


def _describe(
    dataset: Any, name: str, path: str, overview: int | None, crs: str | None, nodata: float | None
) -> Raster:
    own = dataset.nodata if nodata is None else nodata
    if own is None and dataset.dtypes[0] == "int16":
        own = -32768.0  # the void of SRTM and of most 16-bit models, often undeclared
    wkt = dataset.crs.to_wkt() if dataset.crs is not None else CRS.from_user_input(crs).to_wkt()
    vertical = [axis.unit_name for axis in CRS.from_wkt(wkt).axis_info if axis.direction in ("up", "down")]
    return Raster(
        name=name,
        path=path,
        overview=overview,
        crs=wkt,
        transform=dataset.transform,
        width=dataset.width,
        height=dataset.height,
        nodata=own,
        scale=float(dataset.scales[0]),
        offset=float(dataset.offsets[0]),
        unit=(dataset.units[0] or (vertical[0] if vertical else "")).strip(),
        kind=dataset.tags().get("TERRAIN_KIND", ""),
    )


def joined(rasters: Sequence[Raster]) -> list[list[Raster]]:
    """Rasters in groups that share coordinates, pixel lattice and encoding, so that each can be read as one.

    One group has no seams: interpolation at the border of a tile sees the next tile.
    """
    groups: list[list[Raster]] = []
    for raster in rasters:
        for group in groups:
            if _same_lattice(group[0], raster):
                group.append(raster)
                break
        else:
            groups.append([raster])
    return groups


def _same_lattice(one: Raster, other: Raster) -> bool:
    def encoding(raster: Raster) -> tuple[object, ...]:
        return raster.crs, raster.scale, raster.offset, raster.unit, raster.transform.a, raster.transform.e

    if encoding(one)[:4] != encoding(other)[:4]:
        return False
    a, e = one.transform.a, one.transform.e
    if abs(other.transform.a - a) > 1e-6 * abs(a) or abs(other.transform.e - e) > 1e-6 * abs(e):
        return False
    col = (other.transform.c - one.transform.c) / a
    row = (other.transform.f - one.transform.f) / e
    return abs(col - round(col)) < 0.01 and abs(row - round(row)) < 0.01


def mosaic_vrt(group: Sequence[Raster]) -> bytes:
    """A GDAL virtual raster over a group of `joined`; where rasters overlap the first wins; gaps are NaN."""
    a, e = group[0].transform.a, group[0].transform.e
    origin_x = min(raster.transform.c for raster in group) if a > 0 else max(raster.transform.c for raster in group)
    origin_y = max(raster.transform.f for raster in group) if e < 0 else min(raster.transform.f for raster in group)
    sources, width, height = [], 0, 0
    for raster in reversed(group):
        col, row = round((raster.transform.c - origin_x) / a), round((raster.transform.f - origin_y) / e)
        width, height = max(width, col + raster.width), max(height, row + raster.height)
        size = f'xSize="{raster.width}" ySize="{raster.height}"'
        level = "" if raster.overview is None else f'<OOI key="OVERVIEW_LEVEL">{raster.overview}</OOI>'
        nodata = "" if raster.nodata is None else f"<NODATA>{raster.nodata!r}</NODATA>"
        sources.append(
            f'<ComplexSource><SourceFilename relativeToVRT="0">{escape(_absolute(raster.path))}</SourceFilename>'
            f"<OpenOptions>{level}</OpenOptions><SourceBand>1</SourceBand>"
            f'<SrcRect xOff="0" yOff="0" {size}/><DstRect xOff="{col}" yOff="{row}" {size}/>{nodata}</ComplexSource>'
        )
    transform = ", ".join(repr(float(value)) for value in (origin_x, a, 0, origin_y, 0, e))
    return (
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}"><SRS>{escape(group[0].crs)}</SRS>'
        f'<GeoTransform>{transform}</GeoTransform><VRTRasterBand dataType="Float32" band="1">'
        f"<NoDataValue>nan</NoDataValue>{''.join(sources)}</VRTRasterBand></VRTDataset>"
    ).encode()


def _absolute(path: str) -> str:
    return path if path.startswith("/vsi") else str(Path(path).absolute())
