"""Builds a stage: population, sample, radio links, background, identities, network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.network import NetworkConfig
from bench.runner.exact import GatewayPlan, StagePlan
from bench.runner.ground import Ground
from bench.runner.identities import equip, gateway_eui
from bench.runner.outages import gateway_down
from bench.runner.radio import device_sites, gateway_sites, placements, radio_model
from gateway_fw.forwarder import ForwarderConfig
from lorawan.draws import Draws
from lorawan.frames import encode_cf_list
from lorawan.machine import Instant
from lorawan.regions import EU868
from lorawan.server import AdrPolicy, JoinSettings
from lorawan.units import US_PER_HOUR
from radio_sim.background import BackgroundPopulation, adr_spreading_factor, draw_background_day
from radio_sim.draws import words_of
from radio_sim.links import Links, build_links
from radio_sim.medium import Medium
from radio_sim.model import GatewaySite, RadioModel
from scenarios.calendar import civil_day_bounds_us, origin_utc
from scenarios.load import LoadedScenario
from scenarios.population import Sensor, build_population
from scenarios.sampling import stratified_sample, weights
from scenarios.schema import Network, Outages, PathLoss, Placement, Site

KEEPALIVE_US = US_PER_HOUR  # nothing closes the way back in memory: the reference's 5 s would be 99 % of all datagrams
LORAWAN_OVERHEAD_BYTES = 13  # MHDR 1, FHDR 7, FPort 1, MIC 4: LoRaWAN 1.0.4 §4


@dataclass(frozen=True, eq=False)
class StageWorld:
    """A stage before it runs. links: of the whole population; the sample are rows of it."""

    loaded: LoadedScenario
    stage: str
    seed: int
    sample_size: int
    warmup_days: int
    scored_days: int
    ground: Ground | None = None  # where the scenario takes its losses from terrain
    path_loss: PathLoss | None = None  # of a variant; None: the scenario's
    sites: tuple[Site, ...] | None = None  # of a variant or change; None: the stage's
    sensors_changed: tuple[Sensor, ...] | None = None  # the whole population after a change; None: as drawn
    lids: tuple[int, Placement] | None = None  # so many of each world's worst pits get this lid
    outages: tuple[tuple[str, int, int], ...] = ()  # (site, from day, to day), days of the run from 0, end excluded
    poisson_outages: Outages | None = None  # of a change; None: the scenario's

    @cached_property
    def draws(self) -> Draws:
        """The root of every draw. Not keyed by stage: stages differ by their gateways alone."""
        return Draws.of_seed(self.seed)

    @cached_property
    def population(self) -> tuple[Sensor, ...]:
        """Every sensor of the territory."""
        if self.sensors_changed is not None:
            return self.sensors_changed
        return build_population(self.loaded.scenario, self.loaded.communes, self.draws)

    @cached_property
    def sample(self) -> tuple[int, ...]:
        """Indices of the sensors simulated byte by byte."""
        return stratified_sample(self.population, self.sample_size, self.draws)

    @cached_property
    def sample_weights(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """How many sensors each sampled one stands for."""
        return weights(self.population, self.sample)

    @cached_property
    def sensors(self) -> tuple[Sensor, ...]:
        """The sampled sensors."""
        return tuple(self.population[index] for index in self.sample)

    @cached_property
    def model(self) -> RadioModel:
        """The radio world's parameters."""
        return radio_model(self.loaded.scenario.radio, self.path_loss or self.loaded.scenario.radio.path_loss)

    @cached_property
    def gateways(self) -> tuple[GatewaySite, ...]:
        """The open sites."""
        return gateway_sites(self.open_sites, self.loaded.scenario.radio)

    @cached_property
    def open_sites(self) -> tuple[Site, ...]:
        """The stage's sites, as a variant or change has them."""
        return self.loaded.open_sites(self.stage) if self.sites is None else self.sites

    def gateway_down(self, draws: Draws) -> tuple[tuple[int, Instant, Instant], ...]:
        """(gateway index, from, to): the outages of one world."""
        bounds = self.bounds_us
        named = [(name, bounds[first], bounds[end]) for name, first, end in self.outages]
        poisson = self.poisson_outages or self.loaded.scenario.outages
        return gateway_down([site.id for site in self.gateways], named, poisson, draws, bounds[-1])

    @cached_property
    def links(self) -> Links:
        """Every sensor to every open gateway."""
        return self.links_of(self.draws, self.population)

    def links_of(self, draws: Draws, sensors: Sequence[Sensor]) -> Links:
        """The whole population, with other lids perhaps, to every open gateway in one draw of the radio world."""
        radio = self.loaded.scenario.radio
        return build_links(
            draws,
            self.gateways,
            device_sites(sensors, radio),
            self.model,
            placements=placements(radio),
            median_loss_db=self.ground.of(self.gateways) if self.ground else None,
        )

    @cached_property
    def bounds_us(self) -> tuple[int, ...]:
        """Local midnights, µs from the first."""
        scenario = self.loaded.scenario
        return civil_day_bounds_us(scenario.start, self.warmup_days + self.scored_days, scenario.timezone)

    @cached_property
    def origin_unix_us(self) -> int:
        """UTC of instant 0."""
        scenario = self.loaded.scenario
        return round(origin_utc(scenario.start, scenario.timezone).timestamp() * 1e6)

    @property
    def tx_power_dbm(self) -> float:
        """Conducted power at TXPower 0."""
        return self.loaded.scenario.radio.device_power_dbm

    @cached_property
    def settled_sf(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        """The SF that ADR settles each sensor of the population on, from its mean SNR."""
        margin_db = self.loaded.scenario.network.adr_margin_db
        return adr_spreading_factor(self.links.gain_db, self.links.noise_dbm, self.tx_power_dbm, margin_db)

    @cached_property
    def background(self) -> tuple[BackgroundPopulation, Links]:
        """The sensors that are not sampled, as arrays, and their links."""
        rest = np.setdiff1d(np.arange(len(self.population)), np.asarray(self.sample, dtype=int))
        sensors = [self.population[index] for index in rest]
        links = self.links.rows(rest)
        population = BackgroundPopulation(
            words=words_of([sensor.id for sensor in sensors]),
            gain_db=links.gain_db,
            sf=self.settled_sf[rest],
            uplinks_per_day=np.array([sensor.uplinks_per_day for sensor in sensors], dtype=float),
            payload_bytes=np.array([LORAWAN_OVERHEAD_BYTES + sensor.payload_bytes for sensor in sensors]),
            tx_power_dbm=np.full(len(sensors), self.tx_power_dbm),
            freqs_hz=channels_hz(self.loaded.scenario.network),
        )
        return population, links


def channels_hz(network: Network) -> tuple[int, ...]:
    """The uplink channels after a join: the region's and those of the CFList."""
    return (*(channel.freq_hz for channel in EU868.default_channels), *network.extra_channels_hz)


def network_config(network: Network, world: StageWorld) -> NetworkConfig:
    """The network core's settings."""
    radio = world.loaded.scenario.radio
    return NetworkConfig(
        join=JoinSettings(
            net_id=network.net_id,
            rx_delay_s=network.rx_delay_us // 1_000_000,
            rx1_dr_offset=network.rx1_dr_offset,
            rx2_dr=network.rx2_dr,
            cf_list=encode_cf_list(network.extra_channels_hz) if network.extra_channels_hz else b"",
        ),
        channels_hz=channels_hz(network),
        adr=AdrPolicy(margin_db=network.adr_margin_db),
        dedup_window_us=network.dedup_window_us,
        rx1_eirp_dbm=radio.gateway_eirp_dbm,
        rx2_eirp_dbm=radio.gateway_eirp_g3_dbm,
    )


def stage_plan(world: StageWorld) -> StagePlan:
    """The exact tier's plan: sampled sensors with keys, gateways, the medium with its background."""
    scenario = world.loaded.scenario
    network = scenario.network
    draws = world.draws
    explicit = {device.dev_eui: device for device in scenario.devices}
    equipped = [
        equip(
            sensor,
            world.sample[i],
            draws,
            EU868,
            network.net_id,
            explicit.get(sensor.dev_eui),
            adr=network.adr_enabled,
            join_data_rates=scenario.population.join_data_rates if scenario.population else (0,),
            power_dbm=world.tx_power_dbm,
        )
        for i, sensor in enumerate(world.sensors)
    ]
    medium = Medium.of_links(
        world.gateways,
        world.links.rows(np.asarray(world.sample, dtype=int)),
        world.model,
        gateway_down=world.gateway_down(draws),
    )
    population, links = world.background
    fading = links.fading(world.model)
    bounds = world.bounds_us

    def before_day(day: int) -> None:
        if len(population.words):
            medium.set_background(draw_background_day(draws, day, bounds[day], bounds[day + 1], population, fading))

    return StagePlan(
        sensors=world.sensors,
        configs=tuple(config for config, _ in equipped),
        profiles=tuple(profile for _, profile in equipped),
        gateways=tuple(
            GatewayPlan(
                site.id,
                ForwarderConfig(
                    gateway_eui(site.id),
                    counter_offset_us=draws.at("counter", site.id).integer(1 << 32),
                    keepalive_us=KEEPALIVE_US,
                    stat_interval_us=KEEPALIVE_US,
                    antenna_gain_dbi=site.antenna_gain_dbi - site.cable_loss_db,
                    channels_hz=channels_hz(network),
                    origin_unix_us=world.origin_unix_us,
                    latitude_deg=site.lat,
                    longitude_deg=site.lon,
                ),
                network.backhaul_delay_us,
            )
            for site in world.gateways
        ),
        medium=medium,
        network=network_config(network, world),
        bounds_us=bounds,
        draws=draws,
        before_day=before_day,
    )
