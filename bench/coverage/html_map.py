"""A map as one HTML file that needs no network: losses, relief and the little arithmetic that makes answers of them.

The page holds the loss of every gateway at every shown pixel, so that placement, switched-off gateways and what-if
offsets are computed where they are looked at, by the same formulas as `radio_sim.coverage`.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.coverage.layers import LAYERS, UNKNOWN, Layer, server_colour
from bench.coverage.picture import receivers
from bench.coverage.shading import hillshade
from bench.coverage.study import Map, thinned
from bench.store.atomic import write_text
from lorawan.phy.sensitivity import SNR_FLOOR_DB
from radio_sim.coverage.budgets import Losses
from radio_sim.coverage.path import EFFECTIVE_EARTH, FREE_SHARE
from radio_sim.model import EARTH_RADIUS_M, SPEED_OF_LIGHT_M_S
from radio_sim.terrain.grid import HeightGrid

MOST_PIXELS = 400_000
MOST_VALUES = 5_000_000
"""Losses in the page: about one byte each after compression, and a third more in base 64."""
LOSS_STEP_DB, HEIGHT_STEP_M = 0.1, 0.25
MISSING = -32768


def write_html_map(found: Map, path: Path) -> None:
    """Write the page. Raises StoreError where it cannot be written."""
    write_text(path, render_map(found))


def render_map(found: Map) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("bench.coverage"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates = files("bench.coverage") / "templates"
    return environment.get_template("map.html.j2").render(
        title=found.title,
        model=found.model.title,
        mark=found.mark,
        parameters=found.parameters,
        notes=found.notes,
        layers=[*LAYERS, _SERVERS],
        placements=[(name, receivers(name)) for name in found.by_placement],
        data=_embedded(map_data(found)),
        style=Markup((templates / "map.css").read_text(encoding="utf-8")),
        script=Markup(
            "".join((templates / name).read_text(encoding="utf-8") for name in ("answers.js", "link.js", "map.js"))
        ),
    )


_SERVERS = Layer("best-server", "Best gateway", "", (), lambda c: c.best_server.astype(np.float32))


def _embedded(data: dict[str, Any]) -> Markup:
    """JSON that no text in it can end."""
    return Markup(json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def map_data(found: Map) -> dict[str, Any]:
    """Everything the script reads."""
    step, grid = thinned(found, min(MOST_PIXELS, MOST_VALUES // len(found.masts.gateways)))
    losses = found.loss_db[:, ::step, ::step]
    wavelength_m = SPEED_OF_LIGHT_M_S / found.model.freq_hz
    rows, cols = grid.shape
    return {
        "rows": rows,
        "cols": cols,
        "pixel_m": grid.pixel_size_m,
        "modelled": found.ground.modelled,
        "place": _place(grid),
        "losses": packed(losses, LOSS_STEP_DB),
        "loss_step_db": LOSS_STEP_DB,
        "heights": packed(grid.heights, HEIGHT_STEP_M),
        "height_step_m": HEIGHT_STEP_M,
        "shade": _packed_bytes(hillshade(grid.heights, grid.pixel_size_m).tobytes()),
        "gateways": _gateways(found, grid),
        "communes": _communes(found, grid),
        "terminal": {
            "conducted_dbm": found.terminal.conducted_dbm,
            "gain_dbi": found.terminal.antenna_gain_dbi,
            "noise_dbm": found.terminal.noise_dbm(),
            "rx1_eirp_dbm": found.terminal.rx1_eirp_dbm,
            "rx2_eirp_dbm": found.terminal.rx2_eirp_dbm,
            "height_m": found.rx_height_m,
        },
        "placements": [
            {
                "name": name,
                "label": receivers(name),
                "median_db": found.classes.spreads[name].median_entry_db,
                "nodes_db": found.classes.spreads[name].nodes_db,
                "weights": found.classes.spreads[name].weights,
                "own_sigma_db": found.classes.spreads[name].own_sigma_db,
            }
            for name in found.by_placement
        ],
        "floors_db": {str(sf): floor for sf, floor in SNR_FLOOR_DB.items()},
        "sf_margin_db": found.sf_margin_db,
        "layers": [
            {
                "key": layer.key,
                "title": layer.title,
                "unit": layer.unit,
                "bands": [{"low": band.low, "label": band.label, "colour": band.colour} for band in layer.bands],
            }
            for layer in (*LAYERS, _SERVERS)
        ],
        "unknown": UNKNOWN,
        "wavelength_m": wavelength_m,
        "earth_m": EFFECTIVE_EARTH * EARTH_RADIUS_M,
        "free_share": FREE_SHARE,
    }


def _gateways(found: Map, grid: HeightGrid) -> list[dict[str, Any]]:
    table = []
    for i, gateway in enumerate(found.masts.gateways):
        row, col = (float(v) for v in grid.pixel_of(gateway.lat, gateway.lon))
        table.append(
            {
                "id": gateway.id,
                "facts": found.masts.facts.get(gateway.id, ""),
                "row": round(row, 4),
                "col": round(col, 4),
                "ground_m": round(float(found.grid.height_at(gateway.lat, gateway.lon)), 1),
                "height_m": gateway.antenna_height_m,
                "gain_dbi": gateway.antenna_gain_dbi,
                "cable_db": gateway.cable_loss_db,
                "noise_dbm": gateway.noise_dbm(),
                "eirp_dbm": gateway.tx_power_eirp_dbm,
                "colour": server_colour(i),
            }
        )
    return table


def _communes(found: Map, grid: HeightGrid) -> list[dict[str, Any]]:
    table = []
    for commune in found.communes:
        lat = commune.lat_town if commune.lat_town is not None else commune.lat_centre
        lon = commune.lon_town if commune.lon_town is not None else commune.lon_centre
        row, col = (round(float(v), 3) for v in grid.pixel_of(lat, lon))
        middle = [round(float(v), 3) for v in grid.pixel_of(commune.lat_centre, commune.lon_centre)]
        radius = math.sqrt(commune.area_km2 * 1e6 / math.pi) / grid.pixel_size_m
        table.append({"name": commune.name, "row": row, "col": col, "middle": middle, "radius": round(radius, 2)})
    return table


def packed(values: Losses, step: float) -> str:
    """Values in whole steps as 16-bit integers, MISSING for NaN: differences, low bytes first, deflated, base 64."""
    counts = np.clip(np.round(values.astype(np.float64) / step), -32767, 32767)
    whole = np.where(np.isnan(counts), MISSING, counts).astype(np.int16).ravel()
    counts16 = whole.view(np.uint16)
    change: npt.NDArray[np.uint16] = counts16.copy()
    change[1:] -= counts16[:-1]  # wraps around, and so does the sum that undoes it
    return _packed_bytes((change & 0xFF).astype(np.uint8).tobytes() + (change >> 8).astype(np.uint8).tobytes())


def _packed_bytes(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 6)).decode()


def _place(grid: HeightGrid) -> dict[str, Any]:
    """Cubic fits between pixel coordinates and degrees: better than 0.1 m over a map of 100 km."""
    rows, cols = grid.shape
    r, c = (axis.ravel() for axis in np.meshgrid(np.linspace(0, rows - 1, 25), np.linspace(0, cols - 1, 25)))
    lat, lon = grid.lat_lon_of(r, c)
    middle = (float(lat.mean()), float(lon.mean()))
    scale = (float(np.ptp(lat)) / 2 or 1.0, float(np.ptp(lon)) / 2 or 1.0)
    pixel_middle, pixel_scale = ((rows - 1) / 2, (cols - 1) / 2), (max(rows - 1, 1) / 2, max(cols - 1, 1) / 2)
    on_map = _cubic((r - pixel_middle[0]) / pixel_scale[0], (c - pixel_middle[1]) / pixel_scale[1])
    on_globe = _cubic((lat - middle[0]) / scale[0], (lon - middle[1]) / scale[1])
    return {
        "pixel_middle": pixel_middle,
        "pixel_scale": pixel_scale,
        "degree_middle": middle,
        "degree_scale": scale,
        "lat": _fit(on_map, lat),
        "lon": _fit(on_map, lon),
        "row": _fit(on_globe, r),
        "col": _fit(on_globe, c),
    }


def _cubic(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """1, a, b, a², ab, b², a³, a²b, ab², b³: in this order in the script too."""
    return np.column_stack([np.ones_like(a), a, b, a * a, a * b, b * b, a**3, a * a * b, a * b * b, b**3])


def _fit(terms: npt.NDArray[np.float64], values: npt.NDArray[np.float64]) -> list[float]:
    found: list[float] = np.linalg.lstsq(terms, values, rcond=None)[0].tolist()
    return found
