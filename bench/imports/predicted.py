"""What the scenario's radio model expects of a link in the mean, before its losses are fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from radio_sim.draws import Floats
from radio_sim.links import median_loss
from radio_sim.model import DeviceSite, GatewaySite, RadioModel, great_circle_m
from radio_sim.propagation.placement import Placement

_QUANTILES = (np.arange(1_000) + 0.5) / 1_000


def path_losses_db(devices: Sequence[DeviceSite], gateways: Sequence[GatewaySite], model: RadioModel) -> Floats:
    """Median path loss over flat ground, [device, gateway], as `radio_sim.links.build_links` takes it."""
    lat, lon, height = np.array([(d.lat, d.lon, d.antenna_height_m) for d in devices], dtype=float).T
    g_lat, g_lon, g_height = np.array([(g.lat, g.lon, g.antenna_height_m) for g in gateways], dtype=float).T
    ground = great_circle_m(lat[:, None], lon[:, None], g_lat[None, :], g_lon[None, :])
    distance = np.hypot(ground, g_height[None, :] - height[:, None])
    loss, _ = median_loss(distance, model, gateway_height_m=g_height[None, :], device_height_m=height[:, None])
    return loss


def placement_mean_db(placement: Placement, freq_hz: float) -> float:
    """Mean loss of a placement over devices."""
    return float(placement.loss_db(_QUANTILES, freq_hz).mean())


def mean_gain_db(
    devices: Sequence[DeviceSite],
    gateways: Sequence[GatewaySite],
    model: RadioModel,
    placements: Mapping[str, Placement],
    path_loss_db: Floats,
) -> Floats:
    """Expected received power minus conducted power, [device, gateway]: `build_links` without its draws.

    path_loss_db [device, gateway]: from whatever propagation model.
    """
    entry = {name: placement_mean_db(placement, model.freq_hz) for name, placement in placements.items()}
    device = np.array([d.antenna_gain_dbi - entry[d.placement] for d in devices])
    gateway = np.array([g.antenna_gain_dbi - g.cable_loss_db for g in gateways])
    gain: Floats = device[:, None] + gateway[None, :] - path_loss_db + model.link_offset_db
    return gain


def path_device_sigma_db(model: RadioModel) -> float:
    """Spread of a device's paths to every gateway together: the shared part of the shadowing, in dB."""
    return math.sqrt(model.shadowing_site_correlation) * model.shadowing_sigma_db


def path_sigma_db(model: RadioModel) -> float:
    """Spread of single frames about the mean of their class: shadowing, slow and frame fading together, in dB.

    Rice fading counts with its spread at high K, 8.7 / √(2·K) dB.
    """
    frame = {
        "none": 0.0,
        "lognormal": model.frame_fading_sigma_db,
        "rice": 20.0 / math.log(10.0) / math.sqrt(2.0 * 10.0 ** (model.frame_fading_k_db / 10.0)),
    }[model.frame_fading_law]
    return math.hypot(model.shadowing_sigma_db, model.slow_fading_sigma_db, frame)


def assumed_sigma_db(placement: Placement, model: RadioModel) -> float:
    """Spread of single frames of a class, its own included, in dB."""
    return math.hypot(path_sigma_db(model), float(placement.loss_db(_QUANTILES, model.freq_hz).std()))


def assumed_device_sigma_db(placement: Placement, model: RadioModel) -> float:
    """The part of it that is the device's own at every gateway: its placement and the shared shadowing, in dB."""
    return math.hypot(path_device_sigma_db(model), float(placement.loss_db(_QUANTILES, model.freq_hz).std()))
