"""The network's losses over terrain are those of the coverage commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.runner.ground import ground_losses, terrain_of
from radio_sim.coverage.loss_model import LossModel
from radio_sim.coverage.losses import link_loss
from radio_sim.model import DeviceSite, GatewaySite
from radio_sim.propagation.p2108 import height_gain_correction_db
from radio_sim.terrain.errors import SiteOutsideTerrainError
from scenarios.schema import PathLoss

P1812 = PathLoss.model_validate({"model": "p1812"})
SITES = (
    GatewaySite("montlouis", 47.38889, 0.85028, antenna_height_m=32.0),
    GatewaySite("vouvray", 47.42028, 0.81167, antenna_height_m=32.0),
)


def devices(n: int) -> list[DeviceSite]:
    """Spread over the territory, each at the centre of its pixel."""
    grid = terrain_of(P1812, Path(), ())
    rng = np.random.default_rng(3)
    row, col = grid.pixel_of(rng.uniform(47.34, 47.5, n), rng.uniform(0.75, 0.9, n))
    lat, lon = grid.lat_lon_of(np.rint(row), np.rint(col))
    heights = rng.choice([0.0, 1.0, 2.0], n)
    return [DeviceSite(f"d{i}", float(lat[i]), float(lon[i]), antenna_height_m=float(heights[i])) for i in range(n)]


def test_p1812_of_the_network_is_p1812_of_a_single_link() -> None:
    grid = terrain_of(P1812, Path(), ())
    places = devices(40)
    ground = ground_losses(P1812, grid, SITES, places, threads=2)
    model = LossModel(resolution_m=100.0, terminal_clutter="suburban", latitude_deg=47.4)
    apart = [
        ground.loss_db[i, g]
        - link_loss(grid, site, place.lat, place.lon, model, rx_height_m=max(1.0, place.antenna_height_m))
        for g, site in enumerate(SITES)
        for i, place in enumerate(places)
    ]
    assert np.abs(apart).mean() < 0.2  # two samplings of one profile: grid distances and the geodesic's
    assert np.abs(apart).max() < 1.5


def test_clutter_adds_what_p2108_says_where_the_path_is_clear() -> None:
    """47.40 N on the Loire plain is in plain sight of the water tower: free space, and P.2108 at 1 m."""
    grid = terrain_of(P1812, Path(), ())
    place = [DeviceSite("near", 47.3935, 0.8503, antenna_height_m=1.0)]
    around = ground_losses(P1812, grid, SITES[:1], place).loss_db[0, 0]
    bare = ground_losses(P1812.model_copy(update={"terminal_clutter": "none"}), grid, SITES[:1], place).loss_db[0, 0]
    assert around - bare == pytest.approx(float(height_gain_correction_db(1.0, 868.3e6, "suburban")), abs=1.0)


def test_threads_change_nothing() -> None:
    grid = terrain_of(P1812, Path(), ())
    one, two = (ground_losses(P1812, grid, SITES, devices(15), threads=n).loss_db for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_site_off_the_terrain_is_named() -> None:
    grid = terrain_of(P1812, Path(), ())
    with pytest.raises(SiteOutsideTerrainError, match="far"):
        ground_losses(P1812, grid, [GatewaySite("far", 48.9, 2.3)], devices(1))


def test_a_sensor_off_the_terrain_is_never_heard_and_nothing_breaks() -> None:
    grid = terrain_of(P1812, Path(), ())
    lost = DeviceSite("lost", 48.9, 2.3)
    assert ground_losses(P1812, grid, SITES, [lost]).loss_db.tolist() == [[np.inf, np.inf]]


def test_the_irregular_terrain_model_serves_as_well() -> None:
    grid = terrain_of(P1812, Path(), ())
    loss = ground_losses(PathLoss.model_validate({"model": "itm"}), grid, SITES, devices(5)).loss_db
    assert np.isfinite(loss).all()
    assert (loss > 80).all()
