"""The sensors of a scenario: one per household of the member communes, and samples of them.

Every draw is keyed by (purpose, commune, index): adding a household adds a sensor and changes no other.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from lorawan.draws import Draws
from lorawan.ids import Eui64
from lorawan.version import Version
from scenarios.places import Commune
from scenarios.schema import Activation, Device, Placement, Population, Scenario, placement_class

METRES_PER_DEGREE = 111_194.93  # of a great circle on the sphere of 6,371.0088 km (IUGG mean radius)
DEFAULT_JOIN_EUI = Eui64(0x02000000000000FF)  # locally administered (IEEE 802 U/L bit)
_TOWN_HOUSEHOLDS = 1_000  # the town to which `town_sigma` refers


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor in the field.

    id: stable within the scenario, INSEE code and rank or the device's name. stratum: "commune/class" with class pit,
    indoor, municipal or outdoor. phase: place of its uplinks within their period, 0 ≤ phase < 1.
    """

    id: str
    dev_eui: Eui64
    join_eui: Eui64
    commune: str
    placement: Placement
    stratum: str
    lat: float
    lon: float
    antenna_height_m: float
    uplinks_per_day: int
    payload_bytes: int
    f_port: int
    version: Version
    activation: Activation
    confirmed: bool
    phase: float


def build_population(scenario: Scenario, communes: Sequence[Commune], draws: Draws) -> tuple[Sensor, ...]:
    """The explicit devices, then the population, commune by commune in the order given.

    The sensors of a commune number its households. A share `town_share` of them stands around the town centre,
    Gaussian with σ per axis growing as the square root of the households (towns of one density); the others are uniform
    in the disc of the commune's area about its centre. Both are assumptions: commune outlines are not at hand.
    """
    sensors = [_of_device(scenario, device, draws) for device in scenario.devices]
    if scenario.population is not None:
        builder = _Builder(scenario, scenario.population)
        for commune in communes:
            sensors.extend(builder.of_commune(commune, draws))
    return tuple(sensors)


def _of_device(scenario: Scenario, device: Device, draws: Draws) -> Sensor:
    name = device.name or str(device.dev_eui)
    height_m = device.antenna_height_m
    return Sensor(
        id=name,
        dev_eui=device.dev_eui,
        join_eui=device.join_eui or DEFAULT_JOIN_EUI,
        commune=device.commune,
        placement=device.placement,
        stratum=f"{device.commune}/{placement_class(device.placement)}",
        lat=device.lat,
        lon=device.lon,
        antenna_height_m=scenario.radio.entry(device.placement).antenna_height_m if height_m is None else height_m,
        uplinks_per_day=device.uplinks_per_day,
        payload_bytes=device.payload_bytes,
        f_port=device.f_port,
        version=device.version,
        activation=device.activation,
        confirmed=device.confirmed,
        phase=draws.at("population", "device phase", int(device.dev_eui)).uniform(),
    )


class _Builder:
    """The mixes of a population as cumulative tables, once for all communes."""

    def __init__(self, scenario: Scenario, mix: Population) -> None:
        self.mix = mix
        lids = mix.lids
        self.placements: tuple[Placement, ...] = (
            "pit-plastic",
            "pit-concrete",
            "pit-cast-iron",
            "indoor",
            "municipal-indoor",
        )
        pits = mix.pits
        shares = (pits * lids.plastic, pits * lids.concrete, pits * lids.cast_iron, mix.indoor, mix.municipal)
        self.placement_steps = _steps(shares)
        self.reporting_steps = _steps([row.share for row in mix.reporting])
        self.version_steps = _steps([row.share for row in mix.versions])
        self.heights_m: dict[Placement, float] = {
            name: scenario.radio.entry(name).antenna_height_m for name in self.placements
        }
        self.join_eui = mix.join_eui or DEFAULT_JOIN_EUI

    def of_commune(self, commune: Commune, draws: Draws) -> list[Sensor]:
        mix = self.mix
        base = draws.at("population")
        town, spread, bearing, placing, lot, version, activation, confirming, phase = (
            base.at(purpose, commune.insee).uniform
            for purpose in (
                "town", "spread", "bearing", "placement", "reporting", "version", "activation", "confirmed", "phase"
            )
        )  # fmt: skip
        has_town = commune.lat_town is not None and commune.lon_town is not None
        lat_town = commune.lat_town if commune.lat_town is not None else commune.lat_centre
        lon_town = commune.lon_town if commune.lon_town is not None else commune.lon_centre
        town_share = mix.town_share if has_town else 0.0
        town_sigma_m = mix.town_sigma_m * math.sqrt(commune.households / _TOWN_HOUSEHOLDS)
        radius_m = math.sqrt(commune.area_km2 * 1e6 / math.pi)
        north, east = 1 / METRES_PER_DEGREE, 1 / (METRES_PER_DEGREE * math.cos(math.radians(commune.lat_centre)))
        strata = {name: f"{commune.name}/{placement_class(name)}" for name in self.placements}
        eui = 0x02 << 56 | int(commune.insee, 16) << 24  # an INSEE code reads as hex digits, Corsica included
        sensors = []
        for index in range(commune.households):
            if town(index) < town_share:
                # Rayleigh radius and uniform bearing: two independent Gaussian axes
                distance_m = town_sigma_m * math.sqrt(-2.0 * math.log1p(-spread(index)))
                lat, lon = lat_town, lon_town
            else:
                distance_m = radius_m * math.sqrt(spread(index))
                lat, lon = commune.lat_centre, commune.lon_centre
            angle = 2 * math.pi * bearing(index)
            placement = self.placements[bisect_right(self.placement_steps, placing(index))]
            reporting = mix.reporting[bisect_right(self.reporting_steps, lot(index))]
            sensors.append(
                Sensor(
                    id=f"{commune.insee}-{index + 1:05d}",
                    dev_eui=Eui64(eui | index),
                    join_eui=self.join_eui,
                    commune=commune.name,
                    placement=placement,
                    stratum=strata[placement],
                    lat=lat + distance_m * math.cos(angle) * north,
                    lon=lon + distance_m * math.sin(angle) * east,
                    antenna_height_m=self.heights_m[placement],
                    uplinks_per_day=reporting.uplinks_per_day,
                    payload_bytes=reporting.payload_bytes,
                    f_port=reporting.f_port,
                    version=mix.versions[bisect_right(self.version_steps, version(index))].version,
                    activation="otaa" if activation(index) < mix.otaa else "abp",
                    confirmed=confirming(index) < mix.confirmed,
                    phase=phase(index),
                )
            )
        return sensors


def _steps(shares: Sequence[float]) -> list[float]:
    """Upper bounds of all classes but the last, so that rounding never leaves the table."""
    return list(accumulate(shares))[:-1]
