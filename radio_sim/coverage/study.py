"""Links one by one: the site check of a list of places, and the whole account of one link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np

from lorawan.phy import snr_floor_db
from radio_sim.coverage.budgets import SLOWEST_SF, Losses, Terminal
from radio_sim.coverage.loss_model import LOWEST_DEVICE_M, MODELS, LossModel
from radio_sim.coverage.losses import Mounts, bridged, link_loss
from radio_sim.coverage.path import PathView, path_view
from radio_sim.coverage.reception import Spread
from radio_sim.coverage.results import best_sf, coverages_of
from radio_sim.model import (
    ADR_INSTALLATION_MARGIN_DB,
    BudgetLine,
    DeviceSite,
    GatewaySite,
    downlink_budget,
    great_circle_m,
    uplink_budget,
)
from radio_sim.terrain.errors import TerrainError
from radio_sim.terrain.grid import HeightGrid

Verdict = Literal["ok", "marginal", "no"]

OK_PROBABILITY = 0.95
"""The connectivity a service promises: below it a place is marginal. 95 % [assumption]: each contract has its own."""


class Place(Protocol):
    """A device to be mounted. placement names a spread; antenna_height_m above ground."""

    @property
    def id(self) -> str: ...
    @property
    def lat(self) -> float: ...
    @property
    def lon(self) -> float: ...
    @property
    def placement(self) -> str: ...
    @property
    def antenna_height_m(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Checked:
    """One place of a site check.

    verdict: ok where a gateway hears SF12 with a probability of OK_PROBABILITY or more, no below one half (then the
    median margin is below zero, or nearly), marginal between. best_gateway: "" where no loss is known. Figures of the
    best gateway; probabilities by placement class.
    """

    id: str
    placement: str
    best_gateway: str
    distance_m: float
    rssi_dbm: float
    snr_db: float
    sf: int
    margin_db: float
    gateways: int
    rx2_margin_db: float
    probability: float
    probabilities: Mapping[str, float]
    verdict: Verdict


def loss_table(
    grid: HeightGrid,
    gateways: Sequence[GatewaySite],
    places: Sequence[Place],
    model: LossModel,
    *,
    mounts: Mounts | None = None,
    clutter: HeightGrid | None = None,
) -> Losses:
    """Loss of every link over its own profile, float32 [gateway, place]; NaN behind a long hole.

    Raises TerrainError for a gateway or a place without height.
    """
    grid.check_sites(gateways)
    grid.check_sites(places)
    losses = np.empty((len(gateways), len(places)), np.float32)
    for g, gateway in enumerate(gateways):
        mounted = (mounts or {}).get(gateway.id)
        for p, place in enumerate(places):
            losses[g, p] = link_loss(
                grid,
                gateway,
                place.lat,
                place.lon,
                model,
                rx_height_m=max(place.antenna_height_m, LOWEST_DEVICE_M),
                mounted=mounted,
                clutter=clutter,
            )
    return losses


def site_check(
    losses: Losses,
    gateways: Sequence[GatewaySite],
    places: Sequence[Place],
    terminal: Terminal,
    spreads: Mapping[str, Spread],
    *,
    sf_margin_db: float = ADR_INSTALLATION_MARGIN_DB,
    ok_probability: float = OK_PROBABILITY,
) -> list[Checked]:
    """The verdict on each place. losses: of `loss_table`. Raises ValueError for a placement without spread."""
    for place in places:
        if place.placement not in spreads:
            raise ValueError(f"{place.id}: no placement is called {place.placement!r}: {', '.join(spreads)}")
    by_class = coverages_of(losses, gateways, terminal, spreads, sf_margin_db=sf_margin_db)
    checked = []
    for i, place in enumerate(places):
        found = by_class[place.placement]
        best = int(found.best_server[i])
        probability = float(found.probability[i])
        verdict: Verdict = "ok" if probability >= ok_probability else "marginal" if probability >= 0.5 else "no"
        distance = float("nan")
        if best >= 0:
            server = gateways[best]
            distance = float(great_circle_m(server.lat, server.lon, place.lat, place.lon))
        checked.append(
            Checked(
                id=place.id,
                placement=place.placement,
                best_gateway=gateways[best].id if best >= 0 else "",
                distance_m=distance,
                rssi_dbm=float(found.rssi_dbm[i]),
                snr_db=float(found.snr_db[i]),
                sf=int(found.sf[i]),
                margin_db=float(found.margin_db[i]),
                gateways=int(found.gateways[i]),
                rx2_margin_db=float(found.rx2_margin_db[i]),
                probability=probability,
                probabilities={name: float(coverage.probability[i]) for name, coverage in by_class.items()},
                verdict=verdict,
            )
        )
    return checked


@dataclass(frozen=True, slots=True, eq=False)
class LinkProfile:
    """All of one link.

    view: the terrain; loss_db: by the model asked for, entry_db: of the placement, by_model: by every model, for
    comparison; uplink, rx1, rx2: budgets line by line at the spreading factor sf (0: not even SF12 is heard), the
    downlink ones at RX1 of the same data rate and at RX2 in SF12.
    """

    gateway: GatewaySite
    device: DeviceSite
    model: LossModel
    view: PathView
    loss_db: float
    entry_db: float
    by_model: Mapping[str, float]
    sf: int
    uplink: tuple[BudgetLine, ...]
    rx1: tuple[BudgetLine, ...]
    rx2: tuple[BudgetLine, ...]


def link_profile(
    grid: HeightGrid,
    gateway: GatewaySite,
    device: DeviceSite,
    model: LossModel,
    terminal: Terminal,
    spread: Spread,
    *,
    mounts: Mounts | None = None,
    clutter: HeightGrid | None = None,
    sf_margin_db: float = ADR_INSTALLATION_MARGIN_DB,
    offset_db: float = 0.0,
) -> LinkProfile:
    """The account of one link; offset_db makes every loss less.

    Raises TerrainError for an end without height or a profile with a long gap.
    """
    grid.check_sites((gateway, device))
    profile = grid.profile(gateway.lat, gateway.lon, device.lat, device.lon)
    ground = bridged(profile)
    if ground is None:
        raise TerrainError(
            f"the profile from {gateway.id} to {device.id} crosses a long hole",
            path=grid.source,
            hint="fill the elevation model or give another source",
        )
    height = max(device.antenna_height_m, LOWEST_DEVICE_M)
    view = path_view(
        profile.distance_m,
        ground,
        tx_height_m=gateway.antenna_height_m,
        rx_height_m=height,
        freq_hz=float(model.freq_hz),
    )
    mounted = (mounts or {}).get(gateway.id)
    by_model: dict[str, float] = {}
    for name in MODELS:
        other = replace(model, name=name)
        cover = clutter if name in ("p1812", "p526") else None
        by_model[name] = link_loss(
            grid,
            gateway,
            device.lat,
            device.lon,
            model if name == model.name else other,
            rx_height_m=height,
            mounted=mounted,
            clutter=cover,
        )
        by_model[name] -= offset_db
    loss = by_model[model.name]
    entry = spread.median_entry_db
    clear = uplink_budget(
        gateway,
        device,
        tx_power_dbm=terminal.conducted_dbm,
        loss_db=loss + entry,
        snr_floor_db=snr_floor_db(SLOWEST_SF),
    )
    snr = next(line.value for line in clear if line.name == "SNR")
    sf = int(best_sf(snr, sf_margin_db))
    floor = snr_floor_db(sf or SLOWEST_SF)
    fixed = gateway.antenna_gain_dbi - gateway.cable_loss_db
    rx1_eirp = gateway.tx_power_eirp_dbm if terminal.rx1_eirp_dbm is None else terminal.rx1_eirp_dbm
    return LinkProfile(
        gateway=gateway,
        device=device,
        model=model,
        view=view,
        loss_db=loss,
        entry_db=entry,
        by_model=by_model,
        sf=sf,
        uplink=uplink_budget(
            gateway, device, tx_power_dbm=terminal.conducted_dbm, loss_db=loss + entry, snr_floor_db=floor
        ),
        rx1=downlink_budget(gateway, device, tx_power_dbm=rx1_eirp - fixed, loss_db=loss + entry, snr_floor_db=floor),
        rx2=downlink_budget(
            gateway,
            device,
            tx_power_dbm=terminal.rx2_eirp_dbm - fixed,
            loss_db=loss + entry,
            snr_floor_db=snr_floor_db(SLOWEST_SF),
        ),
    )
