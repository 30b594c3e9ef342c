"""Sites, link budgets and drawn links."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

from lorawan.draws import Draws
from radio_sim.chip_report import report_packet_strength_dbm, report_rssi_dbm, report_snr_db
from radio_sim.links import build_links
from radio_sim.model import (
    SX1301,
    SX1302,
    DeviceSite,
    GatewaySite,
    RadioModel,
    downlink_budget,
    great_circle_m,
    uplink_budget,
)

PLAIN = RadioModel(path_loss="free_space", shadowing_sigma_db=0.0)


def test_great_circle_gives_known_distances() -> None:
    # One degree of a meridian on the mean sphere; Tours to Paris (Notre-Dame) is 204 km.
    assert float(great_circle_m(47.0, 1.0, 48.0, 1.0)) == pytest.approx(111_195, abs=1)
    assert float(great_circle_m(47.3941, 0.6848, 48.8530, 2.3499)) == pytest.approx(204_000, rel=0.005)


def test_uplink_budget_keeps_conducted_power_and_eirp_apart() -> None:
    gateway = GatewaySite("g", 0, 0, antenna_gain_dbi=5.0, cable_loss_db=1.5, noise_figure_db=6.0)
    device = DeviceSite("d", 0, 0, antenna_gain_dbi=-2.0)
    lines = {
        line.name: line.value
        for line in uplink_budget(gateway, device, tx_power_dbm=13.85, loss_db=140.0, snr_floor_db=-20.0)
    }
    assert lines["device EIRP"] == pytest.approx(11.85)
    assert lines["received power"] == pytest.approx(13.85 - 2 - 140 + 5 - 1.5)
    assert lines["gateway noise"] == pytest.approx(-117.03, abs=0.01)
    assert lines["margin above the SNR floor"] == pytest.approx(-124.65 + 117.03 + 20, abs=0.01)


def test_downlink_budget_radiates_what_the_regulation_allows() -> None:
    gateway = GatewaySite("g", 0, 0, antenna_gain_dbi=5.0, cable_loss_db=1.5)
    device = DeviceSite("d", 0, 0, antenna_gain_dbi=-2.0)
    lines = {line.name: line.value for line in downlink_budget(gateway, device, loss_db=120.0, snr_floor_db=-7.5)}
    assert lines["gateway EIRP"] == pytest.approx(16.15)
    assert lines["gateway conducted power"] == pytest.approx(16.15 - 5 + 1.5)
    assert lines["received power"] == pytest.approx(16.15 - 120 - 2)


def test_the_gain_of_a_link_is_its_budget() -> None:
    gateway = GatewaySite("g", 47.40, 0.80, antenna_height_m=30.0, antenna_gain_dbi=5.0, cable_loss_db=1.5)
    device = DeviceSite("d", 47.43, 0.85, antenna_gain_dbi=-2.0)
    links = build_links(Draws.of_seed(1), [gateway], [device], PLAIN)
    distance_km = float(great_circle_m(47.40, 0.80, 47.43, 0.85)) / 1000
    loss = 32.45 + 20 * np.log10(868.3) + 20 * np.log10(distance_km)
    assert links.gain_db[0, 0] == pytest.approx(-2.0 + 5.0 - 1.5 - loss, abs=0.01)
    better = build_links(Draws.of_seed(1), [gateway], [device], dataclasses.replace(PLAIN, link_offset_db=5.0))
    assert better.gain_db - links.gain_db == pytest.approx(5.0)


def test_man_made_noise_raises_the_floor_of_its_own_gateway_alone() -> None:
    gateways = [GatewaySite("quiet", 47.4, 0.8), GatewaySite("town", 47.4, 0.8, man_made_noise_db=15.0)]
    links = build_links(Draws.of_seed(1), gateways, [DeviceSite("d", 47.41, 0.8)], PLAIN)
    assert links.noise_dbm[1] - links.noise_dbm[0] == pytest.approx(15.0)


def test_shadowing_is_log_normal_and_shared_between_gateways_as_asked() -> None:
    model = RadioModel(shadowing_sigma_db=7.8, shadowing_site_correlation=0.5)
    gateways = [GatewaySite(f"g{i}", 47.4, 0.8 + 0.1 * i) for i in range(2)]
    devices = [DeviceSite(f"d{i}", 47.4, 0.9) for i in range(4000)]
    shadowing = build_links(Draws.of_seed(3), gateways, devices, model).shadowing_db
    for column in shadowing.T:
        assert stats.kstest(column / 7.8, "norm").pvalue > 0.01
    assert np.corrcoef(shadowing.T)[0, 1] == pytest.approx(0.5, abs=4 * 0.75 / np.sqrt(4000))


def test_placement_losses_follow_their_class() -> None:
    devices = [DeviceSite(f"d{i}", 47.4, 0.9, placement="pit_cast_iron") for i in range(3000)]
    devices.append(DeviceSite("roof", 47.4, 0.9, placement="outdoor"))
    losses = build_links(Draws.of_seed(3), [GatewaySite("g", 47.4, 0.8)], devices, PLAIN).placement_loss_db
    assert losses[-1] == 0.0
    assert stats.kstest(losses[:-1], stats.norm(25, 7).cdf).pvalue > 0.01


def test_low_gateways_and_pits_are_marked_as_extrapolated() -> None:
    gateways = [
        GatewaySite("mast", 47.4, 0.8, antenna_height_m=40),
        GatewaySite("roof", 47.4, 0.8, antenna_height_m=12),
    ]
    devices = [
        DeviceSite("street", 47.43, 0.8, antenna_height_m=1.5),
        DeviceSite("pit", 47.43, 0.8, antenna_height_m=-0.3),
    ]
    links = build_links(Draws.of_seed(1), gateways, devices, RadioModel(path_loss="okumura_hata_suburban"))
    assert links.extrapolated.tolist() == [[False, True], [True, True]]


@pytest.mark.parametrize("path_loss", ["free_space", "log_distance", "okumura_hata_urban", "okumura_hata_open"])
def test_every_path_loss_model_grows_with_distance(path_loss: str) -> None:
    devices = [DeviceSite(f"d{i}", 47.4 + 0.02 * (i + 1), 0.8) for i in range(8)]
    links = build_links(Draws.of_seed(1), [GatewaySite("g", 47.4, 0.8)], devices, RadioModel(path_loss=path_loss))
    assert (np.diff(links.median_loss_db[:, 0]) > 0).all()


def test_unknown_names_are_refused_with_what_exists() -> None:
    sites = [GatewaySite("g", 47.4, 0.8)], [DeviceSite("d", 47.41, 0.8)]
    with pytest.raises(ValueError, match="no path loss model is called 'hata'"):
        build_links(Draws.of_seed(1), *sites, RadioModel(path_loss="hata"))
    with pytest.raises(ValueError, match=r"no placement is called 'cellar'; there are outdoor, pit_plastic"):
        build_links(Draws.of_seed(1), sites[0], [DeviceSite("d", 47.41, 0.8, placement="cellar")], PLAIN)
    with pytest.raises(ValueError, match="shadowing_sigma_db is below zero"):
        RadioModel(shadowing_sigma_db=-1.0)


def test_no_devices_or_no_gateways_give_empty_links() -> None:
    none = build_links(Draws.of_seed(1), [], [DeviceSite("d", 47.41, 0.8)], RadioModel())
    assert none.gain_db.shape == (1, 0)
    nobody = build_links(Draws.of_seed(1), [GatewaySite("g", 47.4, 0.8)], [], RadioModel())
    assert nobody.gain_db.shape == (0, 1)


def test_concentrators_have_the_demodulators_of_their_datasheets() -> None:
    assert (SX1301.any_sf, SX1301.low_sf) == (8, 0)
    assert (SX1302.any_sf, SX1302.low_sf) == (8, 8)


def test_chips_report_rssi_in_whole_db_and_snr_in_quarters() -> None:
    assert report_rssi_dbm(-80.3, -117.0) == -80.0
    # Below the noise a concentrator sees little but noise; a transceiver corrects for the SNR.
    assert report_rssi_dbm(-130.0, -117.0) == -117.0
    assert report_packet_strength_dbm(-130.2, -117.0) == -130.0
    assert report_snr_db(-12.37, 10.0) == -12.25
    assert report_snr_db(35.0, 10.0) == 10.0
