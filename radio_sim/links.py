"""The links between devices and gateways: what does not change while a run lasts.

Every draw is keyed by (seed, purpose, device id, gateway id): adding a device or a gateway changes no other value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorawan.draws import Draws
from radio_sim.draws import Floats, Keys, fold, keys_at, normal, uniform, words_of
from radio_sim.model import DeviceSite, GatewaySite, RadioModel, great_circle_m
from radio_sim.propagation.fading import Fading
from radio_sim.propagation.path_loss import (
    HataArea,
    free_space_db,
    log_distance_db,
    okumura_hata_db,
    okumura_hata_extrapolated,
)
from radio_sim.propagation.placement import PLACEMENTS, Placement

_AREAS: dict[str, HataArea] = {
    "okumura_hata_urban": "urban",
    "okumura_hata_suburban": "suburban",
    "okumura_hata_quasi_open": "quasi_open",
    "okumura_hata_open": "open",
}


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Arrays over [device, gateway] unless said; dB and dBm.

    distance_m: slant distance over flat ground. gain_db: received power minus conducted transmit power, the same in
    both directions: antenna gains − cable loss − path loss − shadowing − placement loss + the model's link offset.
    shadowing_db: positive is more loss. noise_dbm [gateway], device_noise_dbm [device]: at 125 kHz. extrapolated: the
    path loss model is outside its range. slow_keys, frame_keys: keys of the fading draws.
    """

    device_ids: tuple[str, ...]
    gateway_ids: tuple[str, ...]
    distance_m: Floats
    median_loss_db: Floats
    shadowing_db: Floats
    placement_loss_db: Floats
    extrapolated: npt.NDArray[np.bool_]
    gain_db: Floats
    noise_dbm: Floats
    device_noise_dbm: Floats
    slow_keys: Keys
    frame_keys: Keys

    def rows(self, devices: npt.NDArray[np.integer]) -> Links:
        """The links of these devices alone, by index and in this order."""
        names = self.device_ids
        return Links(
            device_ids=tuple(names[index] for index in devices.tolist()),
            gateway_ids=self.gateway_ids,
            distance_m=self.distance_m[devices],
            median_loss_db=self.median_loss_db[devices],
            shadowing_db=self.shadowing_db[devices],
            placement_loss_db=self.placement_loss_db[devices],
            extrapolated=self.extrapolated[devices],
            gain_db=self.gain_db[devices],
            noise_dbm=self.noise_dbm,
            device_noise_dbm=self.device_noise_dbm[devices],
            slow_keys=self.slow_keys[devices],
            frame_keys=self.frame_keys[devices],
        )

    def fading(self, model: RadioModel) -> Fading:
        """The fading of these links."""
        return Fading(self.slow_keys, self.frame_keys, model)


def median_loss(
    distance_m: Floats, model: RadioModel, *, gateway_height_m: npt.ArrayLike, device_height_m: npt.ArrayLike
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Path loss in dB of the model's path loss model, and where it is extrapolated. Raises ValueError for its name."""
    if model.path_loss == "free_space":
        return free_space_db(distance_m, model.freq_hz), np.zeros(distance_m.shape, bool)
    if model.path_loss == "log_distance":
        loss = log_distance_db(
            distance_m,
            reference_loss_db=model.log_distance_reference_loss_db,
            reference_m=model.log_distance_reference_m,
            exponent=model.log_distance_exponent,
        )
        return loss, distance_m < model.log_distance_reference_m
    try:
        area = _AREAS[model.path_loss]
    except KeyError:
        raise ValueError(f"no path loss model is called {model.path_loss!r}") from None
    heights = {"base_height_m": gateway_height_m, "mobile_height_m": device_height_m}
    loss = okumura_hata_db(distance_m, model.freq_hz, area=area, **heights)
    return loss, okumura_hata_extrapolated(distance_m, model.freq_hz, **heights)


def placement_losses_db(
    draws: Draws,
    devices: Sequence[DeviceSite],
    freq_hz: float,
    placements: Mapping[str, Placement] = PLACEMENTS,
) -> Floats:
    """One draw of its placement's loss per device, in dB. Raises ValueError for an unknown placement."""
    unknown = {device.placement for device in devices} - placements.keys()
    if unknown:
        raise ValueError(f"no placement is called {sorted(unknown)[0]!r}; there are {', '.join(placements)}")
    words = words_of([device.id for device in devices])
    probability = np.clip(uniform(fold(keys_at(draws, "placement"), words)), 1e-12, 1.0 - 1e-12)
    losses = np.zeros(len(devices))
    names = np.array([device.placement for device in devices], dtype=object)
    for name in sorted(set(names)):
        chosen = names == name
        losses[chosen] = placements[name].loss_db(probability[chosen], freq_hz)
    return losses


def shadowing_losses_db(draws: Draws, device_words: Keys, gateway_words: Keys, model: RadioModel) -> Floats:
    """Log-normal shadowing, σ·(√ρ·common(device) + √(1 − ρ)·own(device, gateway)), in dB, [device, gateway]."""
    keys = fold(keys_at(draws, "shadowing"), device_words)[:, None]
    rho = model.shadowing_site_correlation
    own = normal(fold(keys, gateway_words[None, :]))
    losses: Floats = model.shadowing_sigma_db * (np.sqrt(rho) * normal(keys) + np.sqrt(1.0 - rho) * own)
    return losses


def build_links(
    draws: Draws,
    gateways: Sequence[GatewaySite],
    devices: Sequence[DeviceSite],
    model: RadioModel,
    *,
    placements: Mapping[str, Placement] = PLACEMENTS,
    median_loss_db: Floats | None = None,
) -> Links:
    """Draw the links of every device to every gateway. Raises ValueError for unknown names in model or placement.

    median_loss_db [device, gateway]: path loss from elsewhere, such as over terrain, in the place of the model's own;
    infinite where there is none to be had.
    """
    device_words = words_of([device.id for device in devices])
    gateway_words = words_of([gateway.id for gateway in gateways])
    d_lat, d_lon, d_height, d_gain = _columns(devices)
    g_lat, g_lon, g_height, g_gain = _columns(gateways)
    cable = np.array([gateway.cable_loss_db for gateway in gateways])
    ground = great_circle_m(d_lat[:, None], d_lon[:, None], g_lat[None, :], g_lon[None, :])
    distance = np.hypot(ground, g_height[None, :] - d_height[:, None])
    if median_loss_db is None:
        loss, extrapolated = median_loss(
            distance, model, gateway_height_m=g_height[None, :], device_height_m=d_height[:, None]
        )
    else:
        loss, extrapolated = median_loss_db, np.zeros(distance.shape, bool)
    shadowing = shadowing_losses_db(draws, device_words, gateway_words, model)
    placement = placement_losses_db(draws, devices, model.freq_hz, placements)
    gain = (d_gain - placement)[:, None] + (g_gain - cable)[None, :] - loss - shadowing + model.link_offset_db
    return Links(
        device_ids=tuple(device.id for device in devices),
        gateway_ids=tuple(gateway.id for gateway in gateways),
        distance_m=distance,
        median_loss_db=loss,
        shadowing_db=shadowing,
        placement_loss_db=placement,
        extrapolated=np.broadcast_to(extrapolated, distance.shape).copy(),
        gain_db=gain,
        noise_dbm=np.array([gateway.noise_dbm() for gateway in gateways]),
        device_noise_dbm=np.array([device.noise_dbm() for device in devices]),
        slow_keys=fold(fold(keys_at(draws, "slow fading"), device_words)[:, None], gateway_words[None, :]),
        frame_keys=fold(fold(keys_at(draws, "frame fading"), device_words)[:, None], gateway_words[None, :]),
    )


def _columns(sites: Sequence[GatewaySite] | Sequence[DeviceSite]) -> tuple[Floats, Floats, Floats, Floats]:
    table = np.array([(s.lat, s.lon, s.antenna_height_m, s.antenna_gain_dbi) for s in sites], dtype=float)
    table = table.reshape(len(sites), 4)
    return table[:, 0], table[:, 1], table[:, 2], table[:, 3]
