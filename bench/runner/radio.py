"""From a scenario's radio table to the radio simulator's own terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from radio_sim.model import SX1301, SX1302, DeviceSite, GatewaySite, RadioModel
from radio_sim.propagation.placement import Placement
from scenarios.population import Sensor
from scenarios.schema import PLACEMENTS, PathLoss, Radio, Site

_SECOND_US = 1e6
_DEMODULATORS = {"SX1301": SX1301, "SX1302": SX1302}


def radio_model(radio: Radio, path: PathLoss) -> RadioModel:
    """The random parameters of the world. Losses over terrain are not in it: `bench.runner.ground` has them."""
    names = {
        "p1812": "free_space",  # the losses over terrain come from `bench.runner.ground`
        "itm": "free_space",
        "okumura-hata": f"okumura_hata_{path.environment.replace('-', '_')}",
        "log-distance": "log_distance",
        "free-space": "free_space",
    }
    return RadioModel(
        path_loss=names[path.model],
        log_distance_reference_loss_db=path.reference_loss_db,
        log_distance_reference_m=path.reference_distance_m,
        log_distance_exponent=path.exponent,
        shadowing_sigma_db=radio.shadowing_sigma_db,
        shadowing_site_correlation=radio.shadowing_correlation,
        slow_fading_sigma_db=radio.slow_fading.sigma_db,
        slow_fading_correlation_s=radio.slow_fading.correlation_time_us / _SECOND_US,
        frame_fading_law=radio.frame_fading.law,
        frame_fading_sigma_db=radio.frame_fading.sigma_db,
        frame_fading_k_db=radio.frame_fading.k_db,
        interference_policy=radio.policy,
        link_offset_db=radio.link_offset_db,
    )


def placements(radio: Radio) -> Mapping[str, Placement]:
    """The entry-loss law of each placement."""
    table: dict[str, Placement] = {}
    for name in PLACEMENTS:
        entry = radio.entry(name)
        if entry.building is None:
            table[name] = Placement(name, entry.mean_db, entry.sigma_db)
        else:
            table[name] = Placement(
                name, building="traditional" if entry.building == "traditional" else "thermally_efficient"
            )
    return table


def gateway_sites(sites: Sequence[Site], radio: Radio) -> tuple[GatewaySite, ...]:
    """Open sites as receivers."""
    return tuple(
        GatewaySite(
            id=site.id,
            lat=site.lat,
            lon=site.lon,
            antenna_height_m=site.antenna_height_m,
            antenna_gain_dbi=radio.gateway_antenna_gain_dbi,
            cable_loss_db=radio.gateway_cable_loss_db,
            noise_figure_db=radio.gateway_noise_figure_db,
            man_made_noise_db=radio.man_made_noise_db,
            demodulators=_DEMODULATORS[radio.concentrator],
            tx_power_eirp_dbm=radio.gateway_eirp_dbm,
        )
        for site in sites
    )


def device_sites(sensors: Sequence[Sensor], radio: Radio) -> tuple[DeviceSite, ...]:
    """Sensors as transmitters. Man-made noise at the device is nil: it lies in a pit or a house [assumption]."""
    return tuple(
        DeviceSite(
            id=sensor.id,
            lat=sensor.lat,
            lon=sensor.lon,
            antenna_height_m=sensor.antenna_height_m,
            antenna_gain_dbi=radio.device_antenna_gain_dbi,
            placement=sensor.placement,
            noise_figure_db=radio.device_noise_figure_db,
        )
        for sensor in sensors
    )
