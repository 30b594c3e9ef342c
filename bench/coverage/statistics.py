"""Coverage in figures: by area and by household, for the whole map and for each commune, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.coverage.study import Map
from bench.store.atomic import write_text
from radio_sim.coverage.results import coverage_of
from radio_sim.coverage.territory import Disc, Share, commune_of, share_of, shares_by
from scenarios.population import Sensor

WHOLE = "whole map"
TERRITORY = "territory"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: over what the share is taken, and in what."""

    kind: str
    unit: str
    total: float
    share: Share


def discs_of(found: Map) -> list[Disc]:
    """The communes of a map as discs on its grid."""
    discs = []
    for commune in found.communes:
        x, y = found.xy(commune.lat_centre, commune.lon_centre)
        discs.append(Disc(commune.name, x, y, commune.area_km2))
    return discs


def area_lines(found: Map) -> list[Line]:
    """Shares of area: of the map, of the communes together, of each commune."""
    rows, cols = found.grid.shape
    size = found.grid.pixel_size_m
    x = found.grid.west_m + (np.arange(cols) + 0.5) * size
    y = found.grid.north_m - (np.arange(rows) + 0.5) * size
    discs = discs_of(found)
    owner = commune_of(x[None, :], y[:, None], discs)
    names = [disc.name for disc in discs]
    km2 = size**2 / 1e6
    lines = []
    for coverage in found.by_placement.values():
        whole = share_of(WHOLE, coverage)
        shares = [whole]
        if discs:
            shares += [share_of(TERRITORY, coverage, owner >= 0), *shares_by(names, owner, coverage)]
        lines += [Line("area", "km²", (s.count + s.unknown) * km2, s) for s in shares]
    return lines


def household_lines(found: Map, sensors: Sequence[Sensor]) -> list[Line]:
    """Shares of the sensors within the map, one a household, each at its own point and in its own placement class."""
    row, col = found.grid.pixel_of([s.lat for s in sensors], [s.lon for s in sensors])
    rows, cols = found.grid.shape
    r, c = np.round(row).astype(int), np.round(col).astype(int)
    inside = (r >= 0) & (r < rows) & (c >= 0) & (c < cols)
    kept = [sensor for sensor, keep in zip(sensors, inside.tolist(), strict=True) if keep]
    if not kept:
        return []
    losses = found.loss_db[:, r[inside], c[inside]]
    names = list(dict.fromkeys(sensor.commune for sensor in kept))
    owner = np.array([names.index(sensor.commune) for sensor in kept], np.int16)
    classes = np.array([sensor.placement for sensor in kept], dtype=object)
    lines = []
    for placement in found.classes.spreads:
        mine = classes == placement
        if not mine.any():
            continue
        coverage = coverage_of(
            losses,
            found.masts.gateways,
            found.terminal,
            found.classes.spreads[placement],
            placement=placement,
            sf_margin_db=found.sf_margin_db,
        )
        shares = [
            share_of(TERRITORY, coverage, mine),
            *(share_of(n, coverage, mine & (owner == i)) for i, n in enumerate(names)),
        ]
        lines += [Line("household", "households", s.count + s.unknown, s) for s in shares if s.count + s.unknown]
    return lines


COLUMNS = (
    "kind",
    "place",
    "placement",
    "total",
    "unit",
    "unknown_share",
    "heard_median_share",
    "heard_by_two_share",
    "reception_probability",
    "margin_exceeded_by_90_pct_db",
    "margin_median_db",
    "sf7_share",
)


def write_statistics(lines: Sequence[Line], path: Path) -> None:
    """The table as CSV. Raises StoreError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        share = line.share
        every = share.count + share.unknown
        writer.writerow(
            (
                line.kind,
                share.name,
                share.placement,
                f"{line.total:.3f}" if line.kind == "area" else f"{line.total:.0f}",
                line.unit,
                _cell(share.unknown / every if every else 0.0, 4),
                _cell(share.heard, 4),
                _cell(share.twice, 4),
                _cell(share.probability, 4),
                _cell(share.margin_p10_db, 2),
                _cell(share.margin_p50_db, 2),
                _cell(share.sf7, 4),
            )
        )
    write_text(path, text.getvalue())


def _cell(value: float, decimals: int) -> str:
    return "" if np.isnan(value) else f"{value:.{decimals}f}"
