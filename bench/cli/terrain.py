"""`lorabench terrain`: what an elevation model holds, tiles to fetch, and conversion to one clean GeoTIFF."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli import coverage_options as opt
from bench.cli.exits import ErrorGroup
from bench.errors import UsageError

if TYPE_CHECKING:
    from radio_sim.terrain.area import Area

app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Elevation models: look at them, fetch and convert them.")

Around = Annotated[str | None, typer.Option(help="lat,lon in degrees: the middle of a square area.")]
Radius = Annotated[float, typer.Option(min=0.1, max=1000, help="Half its side, or the margin around sites, in km.")]
AreaText = Annotated[str | None, typer.Option(help="south,west,north,east in degrees.")]
Sites = Annotated[Path | None, typer.Option(help="A table of sites: the area is the box around them.")]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a source holds, for reading and for JSON."""

    rows: tuple[tuple[str, str], ...]
    data: dict[str, Any]


@app.command(epilog="Example: lorabench terrain info dem.tif --at 47.42,0.85")
def info(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, addresses; the bundled terrain without.")
    ] = None,
    at: Annotated[str | None, typer.Option(help="lat,lon in degrees: print the height there.")] = None,
    source_crs: opt.SourceCrs = None,
    nodata: opt.Nodata = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Coordinate system, size, resolution, unit, holes and heights of an elevation model."""
    found = _facts_of(sources, source_crs, nodata) if sources else _bundled_facts()
    rows, data = list(found.rows), dict(found.data)
    if at is not None:
        height = _height_at(sources, at, source_crs, nodata)
        rows.append((f"height at {at}", "unknown: a hole" if height is None else f"{height:.1f} m"))
        data["height_at"] = {"at": at, "height_m": height}
    if as_json:
        typer.echo(json.dumps(data))
        return
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"{name:<{width}}  {value}")


def _bundled_facts() -> Facts:
    import numpy as np  # noqa: PLC0415

    from radio_sim.terrain.bundled import TEV_TERRAIN, tev_terrain  # noqa: PLC0415 - brings GDAL

    grid = tev_terrain()
    west, south, east, north = grid.bounds
    rows, cols = grid.shape
    corners = [grid.lat_lon_of(r, c) for r, c in ((-0.5, -0.5), (rows - 0.5, cols - 0.5))]
    low, high = float(np.nanmin(grid.heights)), float(np.nanmax(grid.heights))
    data = {
        "source": grid.source,
        "file": str(TEV_TERRAIN),
        "kind": grid.kind,
        "crs": grid.crs,
        "pixel_size_m": grid.pixel_size_m,
        "rows": rows,
        "cols": cols,
        "north": float(corners[0][0]),
        "west": float(corners[0][1]),
        "south": float(corners[1][0]),
        "east": float(corners[1][1]),
        "lowest_m": low,
        "highest_m": high,
    }
    return Facts(
        (
            ("source", grid.source),
            ("kind", "modelled: fitted to figures, not measured"),
            ("CRS", grid.crs),
            ("size", f"{cols} × {rows} pixels of {grid.pixel_size_m:g} m"),
            ("extent", f"{(east - west) / 1e3:.1f} × {(north - south) / 1e3:.1f} km"),
            ("north-west", f"{data['north']:.4f}, {data['west']:.4f}"),
            ("south-east", f"{data['south']:.4f}, {data['east']:.4f}"),
            ("heights", f"{low:.1f} … {high:.1f} m"),
        ),
        data,
    )  # fmt: skip


def _facts_of(sources: list[str], source_crs: str | None, nodata: float | None) -> Facts:
    from pyproj import CRS  # noqa: PLC0415 - brings GDAL

    from radio_sim.terrain.rasters import describe, gdal_settings, list_rasters  # noqa: PLC0415

    names = list_rasters(sources)
    with gdal_settings(names):
        rasters = [describe(name, 0.0, source_crs, nodata) for name in names]
    rows: list[tuple[str, str]] = []
    entries = []
    for raster in rasters:
        west, south, east, north = raster.bounds
        crs = CRS.from_wkt(raster.crs)
        axes = "degrees" if raster.is_geographic else "projected"
        unit = raster.unit or "not said, taken as metres"
        rows += [
            ("source", raster.name),
            ("CRS", f"{crs.to_string() if crs.to_epsg() else crs.name}, {axes}"),
            ("size", f"{raster.width} × {raster.height} pixels of about {raster.pixel_size_m:.1f} m"),
            ("west, south", f"{west:.6g}, {south:.6g}"),
            ("east, north", f"{east:.6g}, {north:.6g}"),
            ("nodata", "none declared" if raster.nodata is None else f"{raster.nodata:g}"),
            ("unit", unit),
            ("scale, offset", f"{raster.scale:g}, {raster.offset:g}"),
            ("kind", raster.kind or "not said, taken as a surface model"),
        ]  # fmt: skip
        entries.append(
            {
                "source": raster.name,
                "crs": crs.to_string(),
                "width": raster.width,
                "height": raster.height,
                "pixel_size_m": raster.pixel_size_m,
                "bounds": [west, south, east, north],
                "nodata": raster.nodata,
                "unit": raster.unit,
                "scale": raster.scale,
                "offset": raster.offset,
                "kind": raster.kind,
            }
        )
    return Facts(tuple(rows), {"rasters": entries})


def _height_at(sources: list[str] | None, at: str, source_crs: str | None, nodata: float | None) -> float | None:
    import math  # noqa: PLC0415

    from bench.coverage.terrain_for import parse_point  # noqa: PLC0415
    from radio_sim.terrain.area import Area  # noqa: PLC0415
    from radio_sim.terrain.bundled import TEV_TERRAIN  # noqa: PLC0415
    from radio_sim.terrain.read import read_terrain  # noqa: PLC0415

    lat, lon = parse_point(at)
    source: list[str | Path] = list(sources) if sources else [TEV_TERRAIN]
    grid = read_terrain(source, Area.around(lat, lon, 500.0), pixel_size_m=10.0, source_crs=source_crs, nodata=nodata)
    height = float(grid.height_at(lat, lon))
    return height if math.isfinite(height) else None


def _area(area: str | None, around: str | None, radius_km: float, sites: Path | None) -> Area:
    from bench.coverage.sites import POSITION  # noqa: PLC0415 - brings numpy
    from bench.coverage.table import read_table  # noqa: PLC0415
    from bench.coverage.terrain_for import parse_area, parse_point  # noqa: PLC0415
    from radio_sim.model import DeviceSite  # noqa: PLC0415
    from radio_sim.terrain.area import Area  # noqa: PLC0415

    if sum(one is not None for one in (area, around, sites)) != 1:
        raise UsageError(
            "no area", hint="give one of --area south,west,north,east, --around lat,lon, --sites sites.csv"
        )
    if area is not None:
        return parse_area(area)
    if around is not None:
        return Area.around(*parse_point(around), 1000.0 * radius_km)
    if sites is None:
        raise UsageError("no area")
    rows = read_table(sites).renamed(POSITION, ("lat", "lon")).rows
    places = [
        DeviceSite(str(row.number), row.number_of("lat", -90, 90), row.number_of("lon", -180, 180)) for row in rows
    ]
    return Area.of_sites(places, 1000.0 * radius_km)


def cache_folder() -> Path:
    """Where fetched tiles lie: lorabench/glo30 in XDG_CACHE_HOME. Source: XDG Base Directory Specification 0.8."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lorabench" / "glo30"


@app.command(epilog="Example: lorabench terrain fetch --around 47.42,0.85 --radius 30")
def fetch(
    area: AreaText = None,
    around: Around = None,
    sites: Sites = None,
    radius: Radius = 20.0,
    out: Annotated[Path | None, typer.Option(help="Folder of the tiles; a cache by default.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Address of the tiles with {tile}, instead of Copernicus' own.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Fetch Copernicus GLO-30 tiles (surface model, 30 m, worldwide) by HTTP; what is there already is kept.

    Prints the files, one a line, ready for --dem.
    """
    from radio_sim.terrain.fetch import GLO30_URL, fetch_glo30  # noqa: PLC0415 - brings pyproj

    wanted = _area(area, around, radius, sites)
    folder = out or cache_folder()
    on_terminal = sys.stderr.isatty() and not quiet

    def progress(tile: str, had: int, total: int) -> None:
        if on_terminal:
            share = f"{100 * had / total:.0f} % of {total / 1e6:.1f} MB" if total else f"{had / 1e6:.1f} MB"
            sys.stderr.write(f"\r\x1b[K{tile}: {share}" + ("\n" if total and had >= total else ""))
            sys.stderr.flush()

    for path in fetch_glo30(wanted, folder, url=url or GLO30_URL, progress=progress):
        typer.echo(str(path))


@app.command(epilog="Example: lorabench terrain convert tiles/ dem.tif --around 47.42,0.85 --radius 25 --pixel 30")
def convert(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders or addresses, and at last the GeoTIFF to write.")
    ],
    area: AreaText = None,
    around: Around = None,
    sites: Sites = None,
    radius: Radius = 20.0,
    pixel: Annotated[float, typer.Option(min=0.5, help="Side of a pixel in m.")] = 30.0,
    to_crs: Annotated[str | None, typer.Option(help="Projected system in metres; by default the UTM zone.")] = None,
    source_crs: opt.SourceCrs = None,
    unit: opt.Unit = None,
    nodata: opt.Nodata = None,
    bare_earth: opt.BareEarth = False,
) -> None:
    """Cut, join and warp elevation models into one GeoTIFF in metres, with its kind and source in its tags."""
    import numpy as np  # noqa: PLC0415

    from radio_sim.terrain.read import read_terrain  # noqa: PLC0415 - brings GDAL
    from radio_sim.terrain.write import write_geotiff  # noqa: PLC0415

    if len(sources) < 2:
        raise UsageError(
            "what to convert, and the file to write: both are needed", hint="terrain convert dem.hgt dem.tif …"
        )
    *read, target = sources
    path = Path(target)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise UsageError(
            f"{target}: not the name of a GeoTIFF", hint="the last name is the file to write; end it in .tif"
        )
    grid = read_terrain(
        read,
        _area(area, around, radius, sites),
        pixel_size_m=pixel,
        grid_crs=to_crs,
        source_crs=source_crs,
        unit=opt.unit_of(unit),
        nodata=nodata,
        kind="bare earth" if bare_earth else None,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_geotiff(grid, path)
    rows, cols = grid.shape
    holes = float(np.isnan(grid.heights).mean())
    typer.echo(
        f"{path}: {cols} × {rows} pixels of {pixel:g} m, {grid.crs}, "
        f"{np.nanmin(grid.heights):.1f} … {np.nanmax(grid.heights):.1f} m, {100 * holes:.1f} % holes, {grid.kind}"
    )
