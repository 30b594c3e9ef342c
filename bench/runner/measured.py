"""A scenario's radio model fitted to measured uplinks, and its clauses held against the measured month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np

from bench.errors import UsageError
from bench.executors import cpus
from bench.imports import MeasuredUplink
from bench.imports import predicted as p
from bench.imports.kpi import MeasuredVerdict, measured_verdict, month_of
from bench.imports.observations import Observed, observe
from bench.imports.places import MeasuredDevice
from bench.imports.predicted import path_losses_db
from bench.runner.ground import ground_losses, terrain_of
from bench.runner.radio import gateway_sites, placements, radio_model
from bench.runner.variants import ON_TERRAIN
from lorawan.draws import Draws
from radio_sim.calibration import Calibration
from radio_sim.calibration import calibrate as fit
from radio_sim.draws import Floats
from radio_sim.model import DeviceSite, GatewaySite
from scenarios.errors import did_you_mean
from scenarios.load import LoadedScenario
from scenarios.schema import PLACEMENTS


def fit_of(
    loaded: LoadedScenario,
    uplinks: Sequence[MeasuredUplink],
    devices: Sequence[MeasuredDevice],
    site_of: dict[str, str],
    frame_loss: float,
) -> tuple[Observed, Calibration]:
    """The fit of the scenario's radio model to these uplinks. Raises UsageError where places are missing."""
    radio = loaded.scenario.radio
    heights = {str(name): radio.entry(name).antenna_height_m for name in PLACEMENTS}
    placed = []
    for device in devices:
        if device.lat is None or device.lon is None or not device.placement:
            what = "placement" if device.lat is not None else "position"
            raise UsageError(f'"{device.device}" has no {what}', hint="give it in the file or with --devices")
        if device.placement not in heights:
            hint = did_you_mean(device.placement, list(heights))
            raise UsageError(f'"{device.device}": no placement is called "{device.placement}"', hint=hint)
        placed.append(
            DeviceSite(
                device.device,
                device.lat,
                device.lon,
                antenna_height_m=heights[device.placement],
                antenna_gain_dbi=radio.device_antenna_gain_dbi,
                placement=device.placement,
            )
        )
    model, table = radio_model(radio, radio.path_loss), placements(radio)
    stations = gateway_sites(loaded.sites, radio)
    losses = _path_losses(loaded, placed, stations)
    observed = observe(
        uplinks,
        [device.id for device in placed],
        [station.id for station in stations],
        p.mean_gain_db(placed, stations, model, table, losses),
        np.array([station.noise_dbm() for station in stations]),
        classes=[device.placement for device in placed],
        tx_power_dbm=radio.device_power_dbm,
        site_of=site_of,
    )
    return observed, fit(
        observed.observations,
        assumed_sigma_db={name: p.assumed_sigma_db(placement, model) for name, placement in table.items()},
        assumed_device_sigma_db={
            name: p.assumed_device_sigma_db(placement, model) for name, placement in table.items()
        },
        frame_loss=frame_loss,
    )


def _path_losses(loaded: LoadedScenario, devices: Sequence[DeviceSite], gateways: Sequence[GatewaySite]) -> Floats:
    """Median path losses [device, gateway] by the scenario's model, over its terrain where it has one."""

    path = loaded.scenario.radio.path_loss
    if path.model not in ON_TERRAIN:
        return path_losses_db(devices, gateways, radio_model(loaded.scenario.radio, path))
    grid = terrain_of(path, loaded.path.parent, [*gateways, *devices])
    return ground_losses(path, grid, gateways, devices, threads=cpus()).loss_db


def judge(
    loaded: LoadedScenario,
    uplinks: Sequence[MeasuredUplink],
    devices: Sequence[MeasuredDevice],
    start: date | None,
    days: int,
    *,
    complete: bool,
) -> MeasuredVerdict:
    """The scenario's clauses held against the measured month."""

    scenario = loaded.scenario
    try:
        month = month_of(uplinks, scenario.timezone, start=start, scored_days=days)
    except ValueError as error:
        raise UsageError(f"--from: {error}") from None
    draws = Draws.of_seed(scenario.seed)
    return measured_verdict(
        uplinks, devices, scenario.clauses, month, scenario.timezone, draws, devices_complete=complete
    )


def suggested_toml(loaded: LoadedScenario, found: Calibration) -> list[str]:
    """The scenario's keys that the fit changes, as TOML: the offset of all links, then each class's mean loss and σ.

    A class's own σ is what is left of its devices' spread without the shadowing that a device's paths share; what would
    be below nothing is written as 0.
    """

    radio = loaded.scenario.radio
    model, table = radio_model(radio, radio.path_loss), placements(radio)
    shared = p.path_device_sigma_db(model)
    lines = ["[radio]", f'link_offset = "{radio.link_offset_db + found.overall_offset_db:.1f} dB"']
    for row in found.classes:
        if not row.fitted or row.name == found.reference:
            continue
        mean = max(0.0, p.placement_mean_db(table[row.name], model.freq_hz) - row.deviation_db)
        own = math.sqrt(max(0.0, row.device_sigma_db**2 - shared**2))
        header = f"[radio.entry_loss.{row.name}]"
        if table[row.name].building is not None:
            header += "  # take its `building` out"
        lines += [header, f'mean = "{mean:.1f} dB"', f'sigma = "{own:.1f} dB"']
    return lines
