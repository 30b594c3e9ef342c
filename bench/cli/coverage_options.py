"""Options that the coverage commands share, and what they make of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.coverage.sites import Masts
    from bench.coverage.terrain_for import GroundAsked
    from radio_sim.coverage.loss_model import LossModel
    from radio_sim.terrain.grid import HeightGrid
    from scenarios.load import LoadedScenario
    from scenarios.schema import Radio

Sites = Annotated[
    Path | None,
    typer.Option(help="Gateways: CSV or workbook with id, lat, lon, antenna_height_m; the scenario's own by default."),
]
Dem = Annotated[
    list[str] | None,
    typer.Option(
        help="Elevation model: GeoTIFF, HGT, ASC, VRT, a folder or an http address; may be given several times. "
        "Without it the bundled terrain model of Touraine-Est Vallées."
    ),
]
Model = Annotated[
    str,
    typer.Option(help="p1812, itm, p526 (free space + diffraction), okumura-hata, log-distance or free-space."),
]
Scenario = Annotated[
    str, typer.Option(help="Whose radio values, placements, communes and households: a name or a TOML file.")
]
Pixel = Annotated[float | None, typer.Option(min=1, help="Side of a pixel in m: 30, or 60 on the bundled terrain.")]
RxHeight = Annotated[float, typer.Option(min=1, max=500, help="Device antenna above ground in m.")]
TimePercent = Annotated[
    float, typer.Option("--p", min=1, max=50, help="Per cent of time for which the loss is not exceeded.")
]
LocationPercent = Annotated[
    float, typer.Option("--pL", min=1, max=99, help="Per cent of places for which the loss is not exceeded.")
]
HataArea = Annotated[str, typer.Option(help="Of Okumura-Hata: urban, suburban, quasi-open or open.")]
Clutter = Annotated[
    list[str] | None, typer.Option(help="Land cover raster over a bare-earth model; may be given several times.")
]
ClutterTable = Annotated[
    str, typer.Option(help="Which table of heights fits the land cover: worldcover or corine, or one of your own file.")
]
ClutterHeights = Annotated[Path | None, typer.Option(help="A TOML file of clutter heights instead of the bundled one.")]
BareEarth = Annotated[bool, typer.Option("--bare-earth", help="The elevation model holds no trees and buildings.")]
Unit = Annotated[str | None, typer.Option(help="Of the heights where the file is wrong or silent: metre or foot.")]
SourceCrs = Annotated[
    str | None, typer.Option("--crs", help="Coordinate system of a file that names none, such as EPSG:4326.")
]
Nodata = Annotated[float | None, typer.Option(help="The value of holes where the file does not say.")]
Margin = Annotated[
    float, typer.Option(min=0, max=40, help="Kept above the SNR floor when a spreading factor is chosen, in dB.")
]
Only = Annotated[str, typer.Option(help="Ids of the sites to use, separated by commas; all by default.")]
Candidates = Annotated[bool, typer.Option("--candidates", help="Also rows whose stage is candidate.")]


def ground_asked(
    dem: list[str] | None,
    pixel: float | None,
    *,
    unit: str | None = None,
    source_crs: str | None = None,
    nodata: float | None = None,
    bare_earth: bool = False,
    clutter: list[str] | None = None,
    clutter_table: str = "worldcover",
    clutter_heights: Path | None = None,
) -> GroundAsked:
    """The options about the ground. Raises UsageError."""
    from bench.coverage.terrain_for import GroundAsked  # noqa: PLC0415 - brings numpy and GDAL

    return GroundAsked(
        dem=tuple(dem or ()),
        pixel_size_m=pixel,
        unit=unit_of(unit),
        source_crs=source_crs,
        nodata=nodata,
        bare_earth=bare_earth,
        clutter=tuple(clutter or ()),
        clutter_table=clutter_table,
        clutter_heights=clutter_heights,
    )


def unit_of(unit: str | None) -> Literal["metre", "foot"] | None:
    """The unit by its name. Raises UsageError."""
    if unit not in (None, "metre", "foot"):
        raise UsageError(f"--unit {unit}: no such unit", hint="metre or foot")
    return cast(Literal["metre", "foot"] | None, unit)


Around = Annotated[
    str | None,
    typer.Option(
        help="What stands around every receiver, by ITU-R P.2108 (none, open_rural, suburban, urban, trees_forest, "
        "dense_urban): P.1812 and P.526 over bare ground. The scenario's by default."
    ),
]


def loss_model(
    name: str, p: float, p_l: float, area: str, lat: float, grid: HeightGrid, around: str | None, radio: Radio
) -> LossModel:
    """The propagation model. Raises UsageError for its name.

    A surface model holds what stands around a receiver, so nothing is added there.
    """
    from typing import get_args  # noqa: PLC0415

    from radio_sim.coverage.loss_model import MODELS, LossModel  # noqa: PLC0415 - brings numpy and numba
    from radio_sim.propagation.p2108 import CLUTTER_HEIGHT_M, ClutterType  # noqa: PLC0415
    from radio_sim.propagation.path_loss import HataArea as Area  # noqa: PLC0415

    if name not in MODELS:
        raise UsageError(f"--model {name}: no such model", hint=f"one of {', '.join(MODELS)}")
    environment = area.replace("-", "_")
    if environment not in get_args(Area):
        raise UsageError(f"--hata-area {area}: no such area", hint="urban, suburban, quasi-open or open")
    surroundings = radio.path_loss.terminal_clutter if around is None else around
    if surroundings != "none" and surroundings not in CLUTTER_HEIGHT_M:
        raise UsageError(f"--around {around}: no such clutter", hint=f"none, {', '.join(CLUTTER_HEIGHT_M)}")
    return LossModel(
        name,
        time_percent=p,
        location_percent=p_l,
        hata_area=cast(Area, environment),
        latitude_deg=lat,
        resolution_m=min(max(grid.pixel_size_m, 1.0), 1000.0),
        terminal_clutter=None if surroundings == "none" or grid.kind == "surface" else cast(ClutterType, surroundings),
    )


def masts_of(loaded: LoadedScenario, sites: Path | None, only: str, *, candidates: bool) -> Masts:
    """The gateways asked for. Raises TableError and UsageError."""
    from bench.coverage.sites import read_masts, scenario_masts  # noqa: PLC0415 - brings numpy

    if sites is None:
        masts = scenario_masts(loaded, every=candidates or bool(only))
    else:
        masts = read_masts(sites, loaded.scenario.radio, candidates=candidates or bool(only))
    wanted = [name.strip() for name in only.split(",") if name.strip()]
    return masts.only(wanted) if wanted else masts
