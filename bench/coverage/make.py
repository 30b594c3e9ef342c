"""From sites, terrain and a model to a finished map."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

import numpy as np

from bench.coverage.sites import Masts
from bench.coverage.study import Classes, Map, parameters_of, terminal_of
from bench.coverage.terrain_for import Ground
from bench.executors import shared
from radio_sim.coverage.loss_model import LossModel
from radio_sim.coverage.losses import Told, loss_rasters, silent
from radio_sim.coverage.results import coverages_of
from radio_sim.model import ADR_INSTALLATION_MARGIN_DB
from scenarios.places import Commune
from scenarios.schema import Radio


def make_map(
    title: str,
    ground: Ground,
    masts: Masts,
    model: LossModel,
    radio: Radio,
    *,
    placements: Sequence[str],
    communes: Sequence[Commune] = (),
    rx_height_m: float = 1.0,
    max_distance_m: float | None = None,
    sf_margin_db: float = ADR_INSTALLATION_MARGIN_DB,
    exact: bool = False,
    threads: int = 1,
    told: Told = silent,
    pool: Executor | None = None,
) -> Map:
    """Sweep every gateway and answer for every placement class asked for. Raises TerrainError and UsageError.

    pool: sweeps gateways side by side; the map is the same.
    """
    losses, check = loss_rasters(
        ground.grid,
        masts.gateways,
        model,
        rx_height_m=rx_height_m,
        clutter=ground.clutter,
        mounts=masts.mounts,
        max_distance_m=max_distance_m,
        exact=exact,
        threads=threads,
        told=told,
        pool=pool,
        share=partial(shared, pool) if pool else lambda value: value,
    )
    if radio.link_offset_db:
        losses -= np.float32(radio.link_offset_db)
    classes = Classes.of(radio, model.freq_hz)
    terminal = terminal_of(radio)
    told("answers", len(masts.gateways), len(masts.gateways) + 1)
    by_placement = coverages_of(
        losses,
        masts.gateways,
        terminal,
        {name: classes.spreads[name] for name in placements},
        sf_margin_db=sf_margin_db,
        threads=threads,
    )
    row_count, col_count = ground.grid.shape
    inside = []
    for commune in communes:
        row, col = (float(v) for v in ground.grid.pixel_of(commune.lat_centre, commune.lon_centre))
        if 0 <= row < row_count and 0 <= col < col_count:
            inside.append(commune)
    found = Map(
        title=title,
        ground=ground,
        masts=masts,
        model=model,
        terminal=terminal,
        classes=classes,
        radio=radio,
        loss_db=losses,
        check=check,
        by_placement=by_placement,
        rx_height_m=rx_height_m,
        sf_margin_db=sf_margin_db,
        communes=inside,
        notes=(*masts.notes, *ground.notes),
    )
    return replace(found, parameters=parameters_of(found))
