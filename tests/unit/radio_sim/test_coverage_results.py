"""Losses carried through to budgets, servers, probabilities and verdicts: figures by hand, closed forms, other code."""

from __future__ import annotations

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from lorawan.phy import snr_floor_db
from radio_sim.antennas import Collinear, Cut, Directional, Mounted, MsiPattern
from radio_sim.coverage.budgets import Terminal, downlink_rssi_dbm, uplink_margin_db, uplink_rssi_dbm
from radio_sim.coverage.itm_raster import itm_raster
from radio_sim.coverage.loss_model import LossModel
from radio_sim.coverage.losses import link_loss, loss_rasters
from radio_sim.coverage.path import path_view
from radio_sim.coverage.reception import Spread, probability_of, spread_of
from radio_sim.coverage.results import best_sf, coverage_of
from radio_sim.coverage.study import link_profile, loss_table, site_check
from radio_sim.coverage.territory import NOWHERE, Disc, commune_of, share_of
from radio_sim.model import DeviceSite, GatewaySite, downlink_budget, uplink_budget
from radio_sim.propagation.itm import itm_p2p
from radio_sim.propagation.placement import PLACEMENTS, Placement
from radio_sim.terrain.errors import HoleUnderSiteError, SiteOutsideTerrainError, TerrainError
from radio_sim.terrain.grid import HeightGrid

FREQ_HZ = 868_300_000
GATEWAY = GatewaySite("gw", 47.42, 0.85, antenna_height_m=30.0, cable_loss_db=1.0, man_made_noise_db=3.0)
TERMINAL = Terminal()
SURE = Spread((0.0,), (1.0,), 0.0, 0.0)
LOSS = np.array([120.0], np.float32)


def grid(heights: np.ndarray, pixel_m: float = 50.0) -> HeightGrid:
    """Heights about the gateway, which stands at the middle of the middle pixel."""
    rows, cols = heights.shape
    empty = HeightGrid(np.zeros((1, 1), np.float32), "EPSG:32631", 0.0, 0.0, pixel_m, "modelled", "made up")
    x, y = (float(v) for v in empty.xy_of(GATEWAY.lat, GATEWAY.lon))
    west, north = x - (cols // 2 + 0.5) * pixel_m, y + (rows // 2 + 0.5) * pixel_m
    return HeightGrid(heights.astype(np.float32), "EPSG:32631", west, north, pixel_m, "modelled", "made up")


def hills(rows: int = 81, cols: int = 101) -> np.ndarray:
    r, c = np.mgrid[0:rows, 0:cols]
    return 80 + 25 * np.sin(r / 9.0) * np.cos(c / 13.0) + 10 * np.sin((r + c) / 5.0)


def test_the_uplink_is_the_device_s_power_through_both_antennas() -> None:
    # 13.85 − 1.5 − 120 + 3 − 1 = −105.65 dBm; noise −174 + 50.969 + 6 + 3 = −114.031 dBm; SF12 floor −20 dB.
    assert uplink_rssi_dbm(LOSS, GATEWAY, TERMINAL)[0] == pytest.approx(-105.65, abs=1e-4)
    assert uplink_margin_db(LOSS, GATEWAY, TERMINAL)[0] == pytest.approx(28.381, abs=2e-3)
    assert uplink_margin_db(LOSS, GATEWAY, TERMINAL, sf=7)[0] == pytest.approx(15.881, abs=2e-3)


def test_the_downlink_is_the_gateway_s_eirp_and_differs_between_windows() -> None:
    # 16.15 − 120 − 1.5 and 29.15 − 120 − 1.5.
    assert downlink_rssi_dbm(LOSS, GATEWAY, TERMINAL)[0] == pytest.approx(-105.35, abs=1e-4)
    assert downlink_rssi_dbm(LOSS, GATEWAY, TERMINAL, rx2=True)[0] == pytest.approx(-92.35, abs=1e-4)


def test_each_direction_ignores_the_power_of_the_other() -> None:
    weak = replace(TERMINAL, conducted_dbm=TERMINAL.conducted_dbm - 10)
    before, after = (coverage_of(LOSS[None], [GATEWAY], t, SURE) for t in (TERMINAL, weak))
    assert after.rssi_dbm[0] == pytest.approx(before.rssi_dbm[0] - 10, abs=1e-4)
    assert after.rx1_dbm[0] == pytest.approx(before.rx1_dbm[0], abs=1e-4)
    loud = coverage_of(LOSS[None], [replace(GATEWAY, tx_power_eirp_dbm=6.15)], TERMINAL, SURE)
    assert loud.rx1_dbm[0] == pytest.approx(before.rx1_dbm[0] - 10, abs=1e-4)
    assert loud.rssi_dbm[0] == pytest.approx(before.rssi_dbm[0], abs=1e-4)
    assert loud.rx2_dbm[0] == pytest.approx(before.rx2_dbm[0], abs=1e-4)
    # An antenna works both ways, but the gateway's EIRP is what the rule allows whatever its gain.
    better = coverage_of(LOSS[None], [replace(GATEWAY, antenna_gain_dbi=6.0)], TERMINAL, SURE)
    assert better.rssi_dbm[0] == pytest.approx(before.rssi_dbm[0] + 3, abs=1e-4)
    assert better.rx1_dbm[0] == pytest.approx(before.rx1_dbm[0], abs=1e-4)


@pytest.mark.parametrize("loss", [80.0, 120.0, 151.25])
def test_rasters_and_line_by_line_budgets_agree(loss: float) -> None:
    device = DeviceSite("d", 47.4, 0.8, antenna_gain_dbi=TERMINAL.antenna_gain_dbi)
    found = coverage_of(np.full((1, 1), loss, np.float32), [GATEWAY], TERMINAL, SURE)
    common = {"loss_db": loss, "snr_floor_db": snr_floor_db(12)}
    up = {line.name: line.value for line in uplink_budget(GATEWAY, device, tx_power_dbm=13.85, **common)}
    down = {line.name: line.value for line in downlink_budget(GATEWAY, device, **common)}
    assert found.rssi_dbm[0] == pytest.approx(up["received power"], abs=1e-3)
    assert found.snr_db[0] == pytest.approx(up["SNR"], abs=1e-3)
    assert found.margin_db[0] == pytest.approx(up["margin above the SNR floor"], abs=1e-3)
    assert found.rx1_dbm[0] == pytest.approx(down["received power"], abs=1e-3)
    assert found.rx1_margin_db[0] == pytest.approx(down["margin above the SNR floor"], abs=1e-3)


def test_the_fastest_spreading_factor_keeps_its_margin_and_sf12_needs_its_floor_alone() -> None:
    # Floors −7.5 (SF7) … −20 dB (SF12), 10 dB kept.
    snr = [2.5, 2.4, 0.0, -2.5, -5.0, -7.5, -10.0, -19.9, -20.1, math.nan]
    assert best_sf(snr).tolist() == [7, 8, 8, 9, 10, 11, 12, 12, 0, 0]
    assert best_sf([-7.5, -7.6], 0.0).tolist() == [7, 8]


def test_the_best_server_is_the_gateway_of_the_highest_snr_and_unknown_losses_count_for_nothing() -> None:
    noisy = replace(GATEWAY, id="noisy", man_made_noise_db=20.0)
    losses = np.array(
        [
            [120.0, 150.0, np.nan, np.nan, 160.0],  # quiet
            [115.0, 120.0, 130.0, np.nan, 160.0],  # 17 dB more noise
        ],
        np.float32,
    )
    found = coverage_of(losses, [GATEWAY, noisy], TERMINAL, SURE)
    assert found.best_server.tolist() == [0, 1, 1, -1, 0]
    assert found.gateways.tolist() == [2, 1, 1, 0, 0]
    assert found.known.tolist() == [True, True, True, False, True]
    assert np.isnan(found.rssi_dbm).tolist() == [False, False, False, True, False]
    assert np.isnan(found.probability).tolist() == [False, False, False, True, False]
    assert found.rssi_dbm[1] == pytest.approx(-105.65, abs=1e-3)  # RSSI knows no noise
    assert found.snr_db[1] == pytest.approx(-105.65 + 97.031, abs=2e-3)
    assert found.sf.tolist()[3:] == [0, 0]


def test_entry_loss_weakens_both_directions_and_counts_against_every_gateway() -> None:
    pit = Spread((15.0,), (1.0,), 0.0, 15.0)
    losses = np.array([[120.0], [140.0]], np.float32)
    outdoor, inside = (coverage_of(losses, [GATEWAY, GATEWAY], TERMINAL, s) for s in (SURE, pit))
    for name in ("rssi_dbm", "snr_db", "margin_db", "rx1_dbm", "rx2_margin_db"):
        assert getattr(inside, name)[0] == pytest.approx(getattr(outdoor, name)[0] - 15, abs=1e-3)
    assert (outdoor.gateways[0], inside.gateways[0]) == (2, 1)


def test_one_gateway_is_heard_with_the_normal_probability_of_its_margin() -> None:
    for rho in (0.0, 0.5, 1.0):
        spread = spread_of(PLACEMENTS["outdoor"], sigma_db=7.8, site_correlation=rho, freq_hz=FREQ_HZ)
        for margin in (-10.0, -3.0, 0.0, 5.0, 12.8):
            # A Gauss rule of 14 nodes cannot follow the step that ρ = 1 makes of the last factor.
            tolerance = 2e-3 if rho < 1 else 0.12
            assert probability_of([margin], spread) == pytest.approx(norm.cdf(margin / 7.8), abs=tolerance)


def test_independent_gateways_multiply_their_misses() -> None:
    spread = spread_of(PLACEMENTS["outdoor"], sigma_db=6.0, site_correlation=0.0, freq_hz=FREQ_HZ)
    margins = [-4.0, 1.0, 3.0]
    expected = 1 - math.prod(1 - norm.cdf(m / 6.0) for m in margins)
    assert probability_of(margins, spread) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("margins", [(0.0, 0.0), (-5.0, 3.0), (8.0, 6.0)])
def test_correlated_gateways_follow_the_bivariate_normal(margins: tuple[float, float]) -> None:
    sigma, rho = 7.8, 0.5
    spread = spread_of(PLACEMENTS["outdoor"], sigma_db=sigma, site_correlation=rho, freq_hz=FREQ_HZ)
    both_missed = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([-margins[0] / sigma, -margins[1] / sigma])
    assert probability_of(margins, spread) == pytest.approx(1 - both_missed, abs=2e-3)


def test_the_spread_of_a_pit_adds_to_the_shadowing() -> None:
    pit = Placement("cast iron", 25.0, 7.0)
    spread = spread_of(pit, sigma_db=7.8, site_correlation=0.5, freq_hz=FREQ_HZ)
    assert spread.median_entry_db == pytest.approx(25.0)
    for margin in (15.0, 25.0, 40.0):
        assert probability_of([margin], spread) == pytest.approx(
            norm.cdf((margin - 25) / math.hypot(7.8, 7.0)), abs=3e-3
        )


def test_building_entry_keeps_its_own_law() -> None:
    house = PLACEMENTS["indoor_traditional"]
    spread = spread_of(house, sigma_db=7.8, site_correlation=0.5, freq_hz=FREQ_HZ)
    assert spread.median_entry_db == pytest.approx(14.2, abs=0.05)  # the reference's figure for P.2109 at 868 MHz
    for margin in (10.0, 20.0, 30.0):
        expected, _ = quad(lambda p, m=margin: norm.cdf((m - float(house.loss_db(p, FREQ_HZ))) / 7.8), 1e-9, 1 - 1e-9)
        assert probability_of([margin], spread) == pytest.approx(expected, abs=3e-3)


def test_threads_change_no_bit() -> None:
    losses = np.random.default_rng(7).uniform(90, 170, (3, 400, 400)).astype(np.float32)
    losses[1, 50:90] = np.nan
    spread = spread_of(PLACEMENTS["pit_concrete"], sigma_db=7.8, site_correlation=0.5, freq_hz=FREQ_HZ)
    one, four = (coverage_of(losses, [GATEWAY] * 3, TERMINAL, spread, threads=n).probability for n in (1, 4))
    assert one.tobytes() == four.tobytes()


def test_a_large_commune_reaches_past_the_middle_and_none_owns_what_is_beyond_its_disc() -> None:
    large, small = Disc("large", 0.0, 0.0, 100.0), Disc("small", 9_000.0, 0.0, 25.0)
    # Radii 5.64 and 2.82 km: 6 km from one and 3 km from the other is beyond both; weights meet at 2 : 1.
    x = [0.0, 5_000.0, 5_900.0, 6_300.0, 9_000.0, 11_500.0, 13_000.0]
    assert commune_of(x, 0.0, [large, small]).tolist() == [0, 0, NOWHERE, 1, 1, 1, NOWHERE]


def test_shares_count_what_is_known() -> None:
    losses = np.array([[100.0, 150.0, 170.0, np.nan]], np.float32)
    share = share_of("all", coverage_of(losses, [GATEWAY], TERMINAL, SURE))
    # Margins 48.4, −1.6, −21.6 dB.
    assert (share.count, share.unknown) == (3, 1)
    assert (share.heard, share.twice) == (pytest.approx(1 / 3), 0.0)
    assert share.margin_p50_db == pytest.approx(-1.62, abs=0.01)
    nothing = share_of("none", coverage_of(losses[:, 3:], [GATEWAY], TERMINAL, SURE))
    assert nothing.count == 0
    assert math.isnan(nothing.heard)


def test_earth_bulge_and_fresnel_zone_have_their_textbook_size() -> None:
    # 10 km, k = 4/3: d²/(8·8495 km) = 1.47 m; λ = 34.53 cm: ½·√(λ·d) = 29.38 m.
    d = np.linspace(0, 10_000, 101)
    view = path_view(d, np.zeros(101), tx_height_m=40, rx_height_m=40, freq_hz=FREQ_HZ)
    assert view.raised_m[50] == pytest.approx(1.471, abs=2e-3)
    assert view.fresnel_m[50] == pytest.approx(29.38, abs=0.01)
    assert view.in_sight
    assert view.obstructions == ()
    wall = np.zeros(101)
    wall[70] = 41.0
    blocked = path_view(d, wall, tx_height_m=40, rx_height_m=40, freq_hz=FREQ_HZ)
    (obstruction,) = blocked.obstructions
    assert not blocked.in_sight
    assert obstruction.worst_m == 7_000
    assert obstruction.clearance_m == pytest.approx(-1.0 - 1.236, abs=2e-3)


def test_free_space_from_the_mast_top_to_every_pixel() -> None:
    flat = grid(np.full((41, 61), 50.0))
    loss, check = loss_rasters(flat, [GATEWAY], LossModel("free-space"), rx_height_m=1.0)
    assert check.samples == 0
    # 20 pixels of 50 m east, 29 m below: 32.448 + 20·log10(868.3) + 20·log10(1.00042 km)
    assert loss[0, 20, 50] == pytest.approx(91.22, abs=0.02)
    assert np.unravel_index(np.argmin(loss[0]), loss[0].shape) == (20, 30)
    assert loss[0, 20, 10] == pytest.approx(loss[0, 20, 50], abs=1e-4)


def test_pixels_beyond_the_limit_and_holes_are_unknown() -> None:
    heights = np.full((41, 61), 50.0)
    heights[5, 5] = np.nan
    loss, _ = loss_rasters(grid(heights), [GATEWAY], LossModel("free-space"), max_distance_m=600.0)
    assert np.isnan(loss[0, 20, 43])
    assert np.isfinite(loss[0, 20, 42])
    near, _ = loss_rasters(grid(heights), [GATEWAY], LossModel("free-space"))
    assert np.isnan(near[0]).sum() == 1


def test_a_sector_antenna_loses_its_pattern_behind() -> None:
    horizontal = Cut((0.0, 90.0, 180.0, 270.0), (0.0, 10.0, 25.0, 10.0))
    pattern = MsiPattern("sector", 11.0, horizontal, Cut((0.0, 90.0, 180.0, 270.0), (0.0, 20.0, 25.0, 20.0)))
    flat = grid(np.full((41, 61), 50.0))
    model = LossModel("free-space")
    plain, _ = loss_rasters(flat, [GATEWAY], model)
    east, _ = loss_rasters(flat, [GATEWAY], model, mounts={"gw": Mounted(Directional(pattern), 90.0)})
    lost = east - plain
    assert lost[0, 20, 60] == pytest.approx(0.0, abs=0.6)  # ahead, but for the 1° the mast looks down
    assert lost[0, 20, 0] == pytest.approx(25.0, abs=0.6)
    assert lost[0, 0, 30] == pytest.approx(10.0, abs=0.6)
    omni, _ = loss_rasters(flat, [GATEWAY], model, mounts={"gw": Mounted(Collinear(8.0))})
    assert (omni - plain)[0, 20, 60] == pytest.approx((omni - plain)[0, 20, 0], abs=1e-3)


def test_the_itm_raster_is_the_point_to_point_model_at_its_pixels() -> None:
    land = grid(hills())
    model = LossModel("itm")
    loss, _ = loss_rasters(land, [GATEWAY], model, rx_height_m=2.0, threads=2)
    for row, col in ((10, 50), (40, 90), (40, 10)):  # straight along the axes: the profile is the pixels themselves
        line = land.heights[10:41, 50][::-1] if col == 50 else land.heights[40, min(col, 50) : max(col, 50) + 1]
        line = line[::-1] if col == 10 else line
        expected = itm_p2p(line.astype(float), 50.0, model.itm_parameters(30.0, 2.0)).loss_db
        assert loss[0, row, col] == pytest.approx(expected, abs=1e-3)


def test_the_itm_raster_reads_the_edge_beyond_it_and_passes_beside_a_hole() -> None:
    heights = (50.0 + 40.0 * np.random.default_rng(3).random((41, 30))).astype(np.float32)
    heights[20, 13] = np.nan
    parameters = LossModel("itm").itm_parameters(10.0, 2.0)
    loss = itm_raster(heights, 50.0, -0.4, 12.0, parameters)  # in the outer half of the first row of pixels
    rows = np.linspace(-0.4, 40.0, 42)  # 40.4 pixels in 41 steps
    line = np.interp(rows, np.arange(41), heights[:, 12])
    assert loss[40, 12] == pytest.approx(itm_p2p(line, 50.0 * 40.4 / 41, parameters).loss_db, abs=1e-3)
    assert np.isnan(loss[20, 13])


@pytest.mark.parametrize("name", ["p1812", "p526"])
def test_map_and_single_link_tell_the_same_loss(name: str) -> None:
    land = grid(hills())
    model = LossModel(name, resolution_m=50.0)  # type: ignore[arg-type]  # a parameter's name
    swept, check = loss_rasters(land, [GATEWAY], model, threads=2)
    assert check.samples == 200
    assert check.p99_db < 1.0
    exact, _ = loss_rasters(land, [GATEWAY], model, exact=True, threads=2)
    assert np.percentile(np.abs(swept - exact), 99) < 1.0
    differences = []
    for row, col in ((5, 7), (20, 80), (41, 95), (70, 30), (79, 99)):
        lat, lon = (float(v) for v in land.lat_lon_of(row, col))
        differences.append(abs(link_loss(land, GATEWAY, lat, lon, model) - exact[0, row, col]))
    # Geodesic against grid line, and samples in other places: not the same profile to the metre.
    assert max(differences) < 0.6


def test_gateways_side_by_side_in_other_processes_make_the_same_map() -> None:
    land, model = grid(hills()), LossModel("p1812", resolution_m=50.0)
    two = [GATEWAY, replace(GATEWAY, id="second", antenna_height_m=12.0)]
    mounts = {"second": Mounted(Collinear(8.0))}
    alone, checked = loss_rasters(land, two, model, mounts=mounts, threads=2)
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        side_by_side, checked_too = loss_rasters(land, two, model, mounts=mounts, pool=pool)
    np.testing.assert_array_equal(side_by_side, alone)
    assert checked_too == checked


def test_a_device_at_the_foot_of_the_mast_has_a_finite_loss() -> None:
    land = grid(hills())
    for name in ("p1812", "itm", "free-space"):
        loss = link_loss(land, GATEWAY, GATEWAY.lat, GATEWAY.lon, LossModel(name))  # type: ignore[arg-type]  # names
        assert 60.4 < loss < 64  # free space over 29 m is 60.5 dB, and the diagonal 3 dB more


def test_sites_without_ground_are_named() -> None:
    heights = hills()
    heights[40:42, 50:52] = np.nan
    with pytest.raises(HoleUnderSiteError, match="gw"):
        loss_rasters(grid(heights), [GATEWAY], LossModel("free-space"))
    with pytest.raises(SiteOutsideTerrainError, match="far"):
        loss_rasters(grid(hills()), [replace(GATEWAY, id="far", lat=48.5)], LossModel("free-space"))


def places(*devices: tuple[str, float, float, str]) -> list[DeviceSite]:
    return [DeviceSite(name, lat, lon, 1.0, -1.5, placement) for name, lat, lon, placement in devices]


def test_the_site_check_gives_each_place_its_verdict() -> None:
    spreads = {
        name: spread_of(PLACEMENTS[kind], sigma_db=7.8, site_correlation=0.5, freq_hz=FREQ_HZ)
        for name, kind in (("outdoor", "outdoor"), ("pit", "pit_cast_iron"))
    }
    # SF12 margins by hand: 148.381 − loss. 95 % needs 1.645·7.8 = 12.8 dB outdoors, 25 + 1.645·10.48 = 42.2 in a pit.
    losses = np.array([[134.0, 137.0, 149.0, 105.0, 107.0, 124.0]], np.float32)
    devices = places(*((f"d{i}", 47.42, 0.86, "outdoor" if i < 3 else "pit") for i in range(6)))
    checked = site_check(losses, [GATEWAY], devices, TERMINAL, spreads)
    assert [row.verdict for row in checked] == ["ok", "marginal", "no", "ok", "marginal", "no"]
    assert [row.gateways for row in checked] == [1, 1, 0, 1, 1, 0]
    assert checked[0].probabilities["pit"] < checked[0].probabilities["outdoor"] == checked[0].probability
    assert checked[0].distance_m == pytest.approx(752, abs=3)
    unknown = site_check(np.full((1, 1), np.nan, np.float32), [GATEWAY], devices[:1], TERMINAL, spreads)
    assert (unknown[0].verdict, unknown[0].best_gateway) == ("no", "")


def test_loss_tables_follow_the_places_and_refuse_those_without_ground() -> None:
    land = grid(hills())
    near, far = ("near", 47.42, 0.853, "outdoor"), ("far", 47.42, 0.876, "outdoor")
    losses = loss_table(land, [GATEWAY], places(near, far), LossModel("okumura-hata"))
    assert losses.shape == (1, 2)
    # Hata's slope for a mast of 30 m: 35.2 dB a decade of distance.
    assert losses[0, 1] - losses[0, 0] == pytest.approx(35.22 * math.log10(26 / 3), abs=0.2)
    with pytest.raises(TerrainError, match="off"):
        loss_table(land, [GATEWAY], places(("off", 47.9, 0.85, "outdoor")), LossModel("okumura-hata"))


def test_a_link_profile_adds_up() -> None:
    land = grid(hills())
    device = DeviceSite("meter", 47.428, 0.872, 1.0, -1.5, "pit")
    spread = spread_of(PLACEMENTS["pit_concrete"], sigma_db=7.8, site_correlation=0.5, freq_hz=FREQ_HZ)
    link = link_profile(land, GATEWAY, device, LossModel("p1812"), TERMINAL, spread)
    up = {line.name: line.value for line in link.uplink}
    two = {line.name: line.value for line in link.rx2}
    assert link.entry_db == pytest.approx(15.0)
    assert up["received power"] == pytest.approx(13.85 - 1.5 - link.loss_db - 15.0 + 3.0 - 1.0)
    assert two["gateway EIRP"] == pytest.approx(29.15)
    assert two["gateway conducted power"] == pytest.approx(27.15)
    assert two["received power"] == pytest.approx(29.15 - link.loss_db - 15.0 - 1.5)
    assert link.by_model["free-space"] <= link.by_model["p526"]
    assert link.by_model["p1812"] == link.loss_db
