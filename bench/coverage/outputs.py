"""Every file of a finished map."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.coverage.contours import write_contours
from bench.coverage.geotiff import write_geotiffs
from bench.coverage.html_map import write_html_map
from bench.coverage.kmz import write_kmz
from bench.coverage.layers import LAYERS, MARGIN, PROBABILITY, best_server_layer
from bench.coverage.picture import write_panels, write_pictures
from bench.coverage.statistics import area_lines, household_lines, write_statistics
from bench.coverage.study import Map
from bench.errors import StoreError
from bench.store.atomic import write_text
from lorawan.draws import Draws
from radio_sim.coverage.losses import Told
from radio_sim.coverage.territory import share_of
from scenarios.load import LoadedScenario
from scenarios.population import build_population


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a map in the order written, and its facts."""

    files: tuple[Path, ...]
    summary: dict[str, Any]


def write_outputs(
    found: Map, loaded: LoadedScenario, folder: Path, formats: Sequence[str], *, threads: int, told: Told
) -> Written:
    """Write the formats asked for into a folder, which is made. Raises StoreError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
    base = next(iter(found.by_placement))
    layers = [*LAYERS, best_server_layer([gateway.id for gateway in found.masts.gateways])]
    overlays = [PROBABILITY, *(layer for layer in layers if layer is not PROBABILITY)]
    makers: dict[str, Callable[[], list[Path]]] = {
        "tif": lambda: write_geotiffs(found, folder, threads),
        "png": lambda: [*write_pictures(found, layers, base, folder), *_panels(found, folder)],
        "kmz": lambda: _one(folder / "coverage.kmz", lambda path: write_kmz(found, overlays, base, path)),
        "geojson": lambda: _one(folder / "margin.geojson", lambda path: write_contours(found, base, path)),
        "csv": lambda: _one(folder / "statistics.csv", lambda path: _statistics(found, loaded, path)),
        "html": lambda: _one(folder / "map.html", lambda path: write_html_map(found, path)),
    }
    files: list[Path] = []
    with ThreadPoolExecutor(1) as beside:
        # GDAL compresses outside Python's lock: the rasters are written while the rest is drawn.
        rasters = beside.submit(makers["tif"]) if "tif" in formats else None
        others = [name for name in formats if name != "tif"]
        for i, name in enumerate(others):
            told(f"writing {name}", i, len(formats))
            files += makers[name]()
        if rasters is not None:
            told("writing tif", len(others), len(formats))
            files += rasters.result()
    summary = _summary(found)
    files += _one(folder / "summary.json", lambda path: write_text(path, json.dumps(summary, indent=2) + "\n"))
    told("", len(formats), len(formats))
    return Written(tuple(files), summary)


def _one(path: Path, write: Callable[[Path], object]) -> list[Path]:
    write(path)
    return [path]


def _panels(found: Map, folder: Path) -> list[Path]:
    """Small multiples where there is more than one placement class."""
    if len(found.by_placement) < 2:
        return []
    return [
        *_one(folder / "probability-by-placement.png", lambda path: write_panels(found, PROBABILITY, path)),
        *_one(folder / "margin-by-placement.png", lambda path: write_panels(found, MARGIN, path)),
    ]


def _statistics(found: Map, loaded: LoadedScenario, path: Path) -> None:
    scenario = loaded.scenario
    within = {commune.name for commune in found.communes}
    sensors = build_population(scenario, loaded.communes, Draws.of_seed(scenario.seed)) if within else ()
    write_statistics([*area_lines(found), *household_lines(found, sensors)], path)


def _summary(found: Map) -> dict[str, Any]:
    check = found.check
    return {
        "title": found.title,
        "modelled_terrain": found.ground.modelled,
        "parameters": dict(found.parameters),
        "self_check": {
            "pixels": check.samples,
            "mean_db": check.mean_db,
            "p99_db": check.p99_db,
            "worst_db": check.worst_db,
        },
        "gateways": [
            {"id": g.id, "lat": g.lat, "lon": g.lon, "antenna_height_m": g.antenna_height_m}
            for g in found.masts.gateways
        ],
        "area_shares": {
            placement: {
                "heard_median": _finite(share.heard),
                "heard_by_two": _finite(share.twice),
                "reception_probability": _finite(share.probability),
            }
            for placement, share in ((name, share_of(name, c)) for name, c in found.by_placement.items())
        },
        "notes": list(found.notes),
    }


def _finite(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
