"""`lorabench coverage`: maps of an area, the account of one link, and the check of places before deployment."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import coverage_options as opt
from bench.cli.exits import NOT_HELD, ErrorGroup
from bench.errors import UsageError
from bench.executors import cpus, executor

if TYPE_CHECKING:
    from bench.coverage.study import Map
    from radio_sim.coverage.study import Checked

app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Radio coverage over terrain.")

FORMATS = ("tif", "png", "kmz", "geojson", "csv", "html")
PLACEMENTS = ("outdoor", "indoor", "pit-plastic", "pit-concrete", "pit-cast-iron")


@app.command(
    "map", epilog="Example: lorabench coverage map --sites sites.csv --dem dem.tif --model p1812 --out coverage/"
)
def map_(
    sites: opt.Sites = None,
    dem: opt.Dem = None,
    model: opt.Model = "p1812",
    out: Annotated[Path, typer.Option(help="Folder for the results; files of earlier maps there are replaced.")] = Path(
        "coverage"
    ),
    area: Annotated[str | None, typer.Option(help="south,west,north,east in degrees.")] = None,
    radius: Annotated[
        float, typer.Option(min=0.1, max=500, help="Without --area: margin around the sites, km.")
    ] = 10.0,
    pixel: opt.Pixel = None,
    rx_height: opt.RxHeight = 1.0,
    p: opt.TimePercent = 50.0,
    p_l: opt.LocationPercent = 50.0,
    around: opt.Around = None,
    placement: Annotated[
        list[str] | None,
        typer.Option(help="Placement class, may be given several times; pictures show the first. All by default."),
    ] = None,
    formats: Annotated[str, typer.Option(help=f"What to write, with commas: {', '.join(FORMATS)}.")] = ",".join(
        FORMATS
    ),
    max_distance: Annotated[
        float | None, typer.Option(min=0.1, help="Farthest link in km; no limit by default.")
    ] = None,
    margin: opt.Margin = 10.0,
    only: opt.Only = "",
    candidates: opt.Candidates = False,
    exact: Annotated[bool, typer.Option("--exact", help="Each pixel over its own profile: slower, no sweep.")] = False,
    clutter: opt.Clutter = None,
    clutter_table: opt.ClutterTable = "worldcover",
    clutter_heights: opt.ClutterHeights = None,
    bare_earth: opt.BareEarth = False,
    unit: opt.Unit = None,
    source_crs: opt.SourceCrs = None,
    nodata: opt.Nodata = None,
    hata_area: opt.HataArea = "suburban",
    scenario: opt.Scenario = "tev",
    title: Annotated[str, typer.Option(help="Heading of every picture.")] = "",
    threads: Annotated[int, typer.Option(min=0, help="0: one a CPU. The result does not depend on it.")] = 0,
    dask: Annotated[
        str, typer.Option(help='A dask scheduler, "tcp://…", or "local": gateways side by side on its workers.')
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Map the coverage of gateways: rasters, pictures, KMZ, contours, statistics and an offline HTML map.

    A sample of the pixels is held against exact profiles on every run, and the error is printed.
    """
    from bench.coverage.make import make_map  # noqa: PLC0415 - brings numpy, numba and GDAL
    from bench.coverage.outputs import write_outputs  # noqa: PLC0415
    from bench.coverage.terrain_for import area_for, ground_for  # noqa: PLC0415
    from scenarios.load import load  # noqa: PLC0415

    wanted = _formats(formats)
    loaded = load(scenario)
    placements = _placements(placement)
    masts = opt.masts_of(loaded, sites, only, candidates=candidates)
    asked = opt.ground_asked(
        dem,
        pixel,
        unit=unit,
        source_crs=source_crs,
        nodata=nodata,
        bare_earth=bare_earth,
        clutter=clutter,
        clutter_table=clutter_table,
        clutter_heights=clutter_heights,
    )
    where = area_for(masts.gateways, area, 1000.0 * radius)
    ground = ground_for(asked, where, masts.gateways)
    count = len(masts.gateways)
    whose = f"Coverage, {sites.name}" if sites else loaded.scenario.title or loaded.scenario.name
    name = title or f"{whose}, {count} gateway{'s' if count != 1 else ''}"
    say = _silent if quiet or as_json else _progress
    with executor(threads, dask) if dask else nullcontext() as pool:
        found = make_map(
            name,
            ground,
            masts,
            opt.loss_model(model, p, p_l, hata_area, where.centre[0], ground.grid, around, loaded.scenario.radio),
            loaded.scenario.radio,
            placements=placements,
            communes=loaded.communes,
            rx_height_m=rx_height,
            max_distance_m=None if max_distance is None else 1000.0 * max_distance,
            sf_margin_db=margin,
            exact=exact,
            threads=threads or cpus(),
            told=say,
            pool=pool,
        )
    written = write_outputs(found, loaded, out, wanted, threads=threads or cpus(), told=say)
    if as_json:
        typer.echo(json.dumps({**written.summary, "files": [str(path) for path in written.files]}))
        return
    _print_map(found, written.files, out)


def _formats(text: str) -> tuple[str, ...]:
    wanted = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    unknown = [word for word in wanted if word not in FORMATS]
    if unknown or not wanted:
        raise UsageError(f"--formats {text}: no such format", hint=f"one or more of {', '.join(FORMATS)}")
    return wanted


def _placements(asked: list[str] | None) -> tuple[str, ...]:
    from scenarios.errors import did_you_mean  # noqa: PLC0415
    from scenarios.schema import PLACEMENTS as KNOWN  # noqa: PLC0415 - brings pydantic

    chosen = tuple(dict.fromkeys(asked or PLACEMENTS))
    for name in chosen:
        if name not in KNOWN:
            raise UsageError(f"--placement {name}: no such class", hint=did_you_mean(name, list(KNOWN)))
    return chosen


def _silent(_what: str, _done: int, _all: int) -> None:
    return


def _progress(what: str, done: int, every: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{done}/{every} {what}" if done < every else "\r\x1b[K")
        sys.stderr.flush()
    elif what and done < every:
        sys.stderr.write(f"{done + 1} of {every}: {what}\n")


def _print_map(found: Map, files: tuple[Path, ...], out: Path) -> None:
    from rich.table import Table  # noqa: PLC0415 - keeps --help quick

    from bench.coverage.picture import receivers  # noqa: PLC0415
    from bench.report.terminal import console_for  # noqa: PLC0415
    from radio_sim.coverage.territory import share_of  # noqa: PLC0415

    console = console_for(sys.stdout.isatty())
    if found.mark:
        console.print(f"[bold]{found.mark}[/]")
    for note in found.notes:
        console.print(note, highlight=False)
    rows, cols = found.grid.shape
    size = found.grid.pixel_size_m
    console.print(
        f"{found.model.title}: {cols * size / 1000:.1f} × {rows * size / 1000:.1f} km, pixels of {size:g} m, "
        f"{len(found.masts.gateways)} gateways",
        highlight=False,
    )
    console.print(f"self-check: {found.check}", highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("receivers", "heard (%)", "by two (%)", "probability (%)", "SF7 (%)", "margin, 90 % of area (dB)"):
        table.add_column(name, justify="left" if name == "receivers" else "right")
    for placement, coverage in found.by_placement.items():
        share = share_of(placement, coverage)
        table.add_row(
            receivers(placement),
            *(f"{100 * v:.1f}" for v in (share.heard, share.twice, share.probability, share.sf7)),
            f"{share.margin_p10_db:.1f}",
        )
    console.print(table)
    console.print(f"{len(files)} files in {out}", highlight=False)


@app.command(epilog="Example: lorabench coverage profile montlouis-water-tower 47.45,0.87")
def profile(
    site: Annotated[str, typer.Argument(help="Id of a gateway site.")],
    point: Annotated[
        str, typer.Argument(help="lat,lon in degrees, or the id of another site.", metavar="LAT,LON|SITE")
    ],
    sites: opt.Sites = None,
    dem: opt.Dem = None,
    model: opt.Model = "p1812",
    out: Annotated[Path, typer.Option(help="The picture.")] = Path("profile.png"),
    placement: Annotated[str, typer.Option(help="Placement class of the device.")] = "outdoor",
    pixel: opt.Pixel = None,
    rx_height: opt.RxHeight = 1.0,
    p: opt.TimePercent = 50.0,
    p_l: opt.LocationPercent = 50.0,
    around: opt.Around = None,
    margin: opt.Margin = 10.0,
    clutter: opt.Clutter = None,
    clutter_table: opt.ClutterTable = "worldcover",
    clutter_heights: opt.ClutterHeights = None,
    bare_earth: opt.BareEarth = False,
    unit: opt.Unit = None,
    source_crs: opt.SourceCrs = None,
    nodata: opt.Nodata = None,
    hata_area: opt.HataArea = "suburban",
    scenario: opt.Scenario = "tev",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """One link: its terrain profile with the first Fresnel zone, and both budgets line by line."""
    from bench.coverage.link_text import link_facts, print_link  # noqa: PLC0415 - brings numpy, numba and GDAL
    from bench.coverage.profile_picture import write_profile  # noqa: PLC0415
    from bench.coverage.study import Classes, terminal_of  # noqa: PLC0415
    from bench.coverage.terrain_for import ground_for, parse_point  # noqa: PLC0415
    from bench.report.terminal import console_for  # noqa: PLC0415
    from radio_sim.coverage.study import link_profile  # noqa: PLC0415
    from radio_sim.model import DeviceSite  # noqa: PLC0415
    from radio_sim.terrain.area import Area  # noqa: PLC0415
    from scenarios.load import load  # noqa: PLC0415

    (placement,) = _placements([placement])
    loaded = load(scenario)
    radio = loaded.scenario.radio
    masts = opt.masts_of(loaded, sites, "", candidates=True)
    gateway = masts.named(site)
    other = next((g for g in masts.gateways if g.id == point), None)
    lat, lon = (other.lat, other.lon) if other is not None else parse_point(point)
    if (lat, lon) == (gateway.lat, gateway.lon):
        raise UsageError(f"{point} is where {site} stands", hint="a link has two ends")
    device = DeviceSite(
        "device" if other is None else other.id,
        lat,
        lon,
        rx_height,
        radio.device_antenna_gain_dbi,
        placement,
        radio.device_noise_figure_db,
    )
    asked = opt.ground_asked(
        dem,
        pixel,
        unit=unit,
        source_crs=source_crs,
        nodata=nodata,
        bare_earth=bare_earth,
        clutter=clutter,
        clutter_table=clutter_table,
        clutter_heights=clutter_heights,
    )
    ground = ground_for(asked, Area.of_sites((gateway, device), 1000.0), (gateway, device))
    chosen = opt.loss_model(model, p, p_l, hata_area, (gateway.lat + lat) / 2, ground.grid, around, radio)
    link = link_profile(
        ground.grid,
        gateway,
        device,
        chosen,
        terminal_of(radio),
        Classes.of(radio, chosen.freq_hz).spreads[placement],
        mounts=masts.mounts,
        clutter=ground.clutter_grid,
        sf_margin_db=margin,
        offset_db=radio.link_offset_db,
    )
    write_profile(link, ground, out)
    if as_json:
        typer.echo(json.dumps({**link_facts(link), "notes": list(ground.notes), "picture": str(out)}))
        return
    print_link(link, ground, console_for(sys.stdout.isatty()))
    typer.echo(f"picture: {out}", err=True)


@app.command(epilog="Example: lorabench coverage check devices.csv --sites sites.csv")
def check(
    devices: Annotated[Path, typer.Argument(help="CSV or workbook with lat and lon; id, placement, antenna_height_m.")],
    sites: opt.Sites = None,
    dem: opt.Dem = None,
    model: opt.Model = "p1812",
    out: Annotated[Path | None, typer.Option(help="Also write the table: .csv or .xlsx.")] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of the workbook; the first by default.")] = None,
    placement: Annotated[str, typer.Option(help="Of devices without one of their own.")] = "pit-concrete",
    probability: Annotated[
        float, typer.Option(min=50, max=99.9, help="Per cent of reception from which a place is ok.")
    ] = 95.0,
    pixel: opt.Pixel = None,
    p: opt.TimePercent = 50.0,
    p_l: opt.LocationPercent = 50.0,
    around: opt.Around = None,
    margin: opt.Margin = 10.0,
    only: opt.Only = "",
    candidates: opt.Candidates = False,
    clutter: opt.Clutter = None,
    clutter_table: opt.ClutterTable = "worldcover",
    clutter_heights: opt.ClutterHeights = None,
    bare_earth: opt.BareEarth = False,
    unit: opt.Unit = None,
    source_crs: opt.SourceCrs = None,
    nodata: opt.Nodata = None,
    hata_area: opt.HataArea = "suburban",
    scenario: opt.Scenario = "tev",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a device.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only the count of each verdict.")] = False,
) -> None:
    """Check places before deployment: best gateway, RSSI, SNR, spreading factor, margin, probability, verdict.

    Exit code 1 where a device is not covered.
    """
    from bench.coverage.check_table import print_checks, write_checks  # noqa: PLC0415 - brings numpy, numba and GDAL
    from bench.coverage.sites import read_devices  # noqa: PLC0415
    from bench.coverage.study import Classes, terminal_of  # noqa: PLC0415
    from bench.coverage.terrain_for import ground_for  # noqa: PLC0415
    from bench.report.terminal import console_for  # noqa: PLC0415
    from radio_sim.coverage.study import loss_table, site_check  # noqa: PLC0415
    from radio_sim.terrain.area import Area  # noqa: PLC0415
    from radio_sim.terrain.errors import HoleUnderSiteError, SiteOutsideTerrainError  # noqa: PLC0415
    from scenarios.load import load  # noqa: PLC0415
    from scenarios.schema import PLACEMENTS as KNOWN  # noqa: PLC0415

    (placement,) = _placements([placement])
    if out is not None and out.suffix.lower() not in (".csv", ".xlsx"):
        raise UsageError(f"--out {out}: no such format", hint="name it .csv or .xlsx")
    loaded = load(scenario)
    radio = loaded.scenario.radio
    read = read_devices(devices, radio, list(KNOWN), placement, sheet=sheet)
    places = read.places
    masts = opt.masts_of(loaded, sites, only, candidates=candidates)
    asked = opt.ground_asked(
        dem,
        pixel,
        unit=unit,
        source_crs=source_crs,
        nodata=nodata,
        bare_earth=bare_earth,
        clutter=clutter,
        clutter_table=clutter_table,
        clutter_heights=clutter_heights,
    )
    area = Area.of_sites((*masts.gateways, *places), 1000.0)
    try:
        ground = ground_for(asked, area, (*masts.gateways, *places))
    except (SiteOutsideTerrainError, HoleUnderSiteError) as error:
        raise read.fault_at(error.site, str(error)) from None
    chosen = opt.loss_model(model, p, p_l, hata_area, area.centre[0], ground.grid, around, radio)
    losses = loss_table(ground.grid, masts.gateways, places, chosen, mounts=masts.mounts, clutter=ground.clutter_grid)
    losses -= type(losses.flat[0])(radio.link_offset_db)
    checked = site_check(
        losses,
        masts.gateways,
        places,
        terminal_of(radio),
        Classes.of(radio, chosen.freq_hz).spreads,
        sf_margin_db=margin,
        ok_probability=probability / 100.0,
    )
    if out is not None:
        write_checks(checked, places, chosen.title, (*masts.notes, *ground.notes), out)
    if as_json:
        for row in checked:
            typer.echo(json.dumps(_finite(row)))
    else:
        notes = (*masts.notes, *ground.notes)
        print_checks(checked, chosen.title, notes, console_for(sys.stdout.isatty()), quiet=quiet)
    if out is not None:
        typer.echo(f"table: {out}", err=True)
    if any(row.verdict == "no" for row in checked):
        raise typer.Exit(NOT_HELD)


def _finite(row: Checked) -> dict[str, object]:
    from bench.store.run_folder import finite  # noqa: PLC0415

    told: dict[str, object] = finite(asdict(row))
    return told
