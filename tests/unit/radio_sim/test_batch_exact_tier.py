"""The batch engine against the whole exact tier: device cores, medium, forwarders, network core, byte by byte.

The same sensors, links and draws go into both; every uplink and downlink must come out alike, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from bench.network import NetworkConfig
from bench.runner.exact import SEND_JITTER_US, ExactStage, GatewayPlan, StagePlan
from bench.runner.identities import equip, gateway_eui
from bench.runner.link import make_link
from bench.store import columns
from gateway_fw.forwarder import ForwarderConfig
from lorawan.draws import Draws
from lorawan.frames import encode_cf_list
from lorawan.ids import Eui64, NetId
from lorawan.regions import EU868
from lorawan.server import JoinSettings
from lorawan.units import US_PER_DAY
from lorawan.version import Version
from radio_sim.batch import Batch, BatchDevices, BatchGateways, BatchNetwork, BatchWorld, DrawKeys, Schedules
from radio_sim.links import Links, build_links
from radio_sim.medium import Medium
from radio_sim.model import DeviceSite, GatewaySite, RadioModel
from scenarios.population import Sensor

EXTRA_HZ = (867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000)
BACKHAUL_US = 20_000
JOIN_EUI = Eui64(0x02000000000000FF)
NET_ID = NetId(0)
SAME = ("kind", "sf", "freq_hz", "airtime_us", "tx_power_dbm", "repeat", "confirmed", "outcome", "n_gateways",
        "best_gateway", "accepted")  # fmt: skip


@dataclass(frozen=True)
class Case:
    seed: int
    sensors: int = 20
    gateways: int = 3
    days: int = 3
    adr: bool = True
    activation: str = "otaa"
    confirmed: float = 0.3
    versions: tuple[Version, ...] = (Version.V1_0_2, Version.V1_0_4, Version.V1_1)
    spread_deg: float = 0.06
    uplinks_per_day: int = 24
    join_data_rates: tuple[int, ...] = (0,)


CASES = {
    "ABP, unconfirmed, no ADR": Case(1, adr=False, activation="abp", confirmed=0.0, versions=(Version.V1_0_4,)),
    "ABP, half confirmed, repeats by NbTrans": Case(
        2, adr=False, activation="abp", confirmed=0.5, versions=(Version.V1_0_4,)
    ),
    "ABP, half confirmed, eight tries and lower rates": Case(
        3, adr=False, activation="abp", confirmed=0.5, versions=(Version.V1_0_2,)
    ),
    "ABP, ADR alone": Case(4, activation="abp", confirmed=0.0, versions=(Version.V1_0_2, Version.V1_0_3)),
    "ABP, everything": Case(5, activation="abp"),
    "OTAA, everything": Case(6),
    "OTAA, far away": Case(7, spread_deg=0.15),
    "OTAA, join rates in turn": Case(9, spread_deg=0.12, join_data_rates=(5, 3, 0)),
    "OTAA, 400 uplinks a day": Case(8, sensors=30, days=1, spread_deg=0.08, uplinks_per_day=400),
    "OTAA, keys that are never confirmed": Case(
        12, days=2, spread_deg=0.25, uplinks_per_day=150, confirmed=0.0, versions=(Version.V1_1,)
    ),
}


def sensors_of(case: Case, rng: np.random.Generator) -> tuple[Sensor, ...]:
    return tuple(
        Sensor(
            id=f"s{i}",
            dev_eui=Eui64(0x0200000000001000 + i),
            join_eui=JOIN_EUI,
            commune="c",
            placement="outdoor",
            stratum="c/outdoor",
            lat=47.4 + case.spread_deg * rng.normal(),
            lon=0.7 + case.spread_deg * rng.normal(),
            antenna_height_m=1.0,
            uplinks_per_day=case.uplinks_per_day,
            payload_bytes=12 + i % 5,
            f_port=2,
            version=case.versions[i % len(case.versions)],
            activation=case.activation,  # type: ignore[arg-type]  # one of the literals
            confirmed=bool(rng.random() < case.confirmed),
            phase=float(rng.random()),
        )
        for i in range(case.sensors)
    )


def forwarder(site: GatewaySite, network: NetworkConfig) -> ForwarderConfig:
    return ForwarderConfig(
        gateway_eui(site.id),
        keepalive_us=3_600_000_000,
        stat_interval_us=3_600_000_000,
        antenna_gain_dbi=site.antenna_gain_dbi - site.cable_loss_db,
        channels_hz=network.channels_hz,
    )


def exact_columns(
    case: Case,
    draws: Draws,
    sensors: Sequence[Sensor],
    sites: Sequence[GatewaySite],
    links: Links,
    model: RadioModel,
    network: NetworkConfig,
) -> dict[str, dict[str, Any]]:
    equipped = [
        equip(s, i, draws, EU868, NET_ID, None, adr=case.adr, join_data_rates=case.join_data_rates, power_dbm=14.0)
        for i, s in enumerate(sensors)
    ]
    bounds = tuple(US_PER_DAY * day for day in range(case.days + 1))
    plan = StagePlan(
        sensors=tuple(sensors),
        configs=tuple(config for config, _ in equipped),
        profiles=tuple(profile for _, profile in equipped),
        gateways=tuple(GatewayPlan(site.id, forwarder(site, network), BACKHAUL_US) for site in sites),
        medium=Medium.of_links(sites, links, model),
        network=network,
        bounds_us=bounds,
        draws=draws,
    )
    stage = ExactStage(plan, make_link("memory", len(sites)))
    for day in range(case.days):
        stage.run_day(day)
    assert not stage.recorder.drops["device", "not_listening"]  # a window that caught a frame waits for it
    return columns(stage.recorder.records(bounds[-1]))


def batch_world(
    case: Case,
    draws: Draws,
    sensors: Sequence[Sensor],
    sites: Sequence[GatewaySite],
    links: Links,
    model: RadioModel,
    network: NetworkConfig,
) -> BatchWorld:
    euis = [int(sensor.dev_eui) for sensor in sensors]
    configs = [forwarder(site, network) for site in sites]

    def conducted_dbm(eirp_dbm: float, erp_limit_dbm: float) -> list[float]:
        wanted = min(eirp_dbm, erp_limit_dbm + 2.15)
        return [float(config.tx_chains[0].power_for(wanted - config.antenna_gain_dbi)) for config in configs]

    devices = BatchDevices.of(
        Schedules.civil_days(
            [s.phase for s in sensors], [s.uplinks_per_day for s in sensors], jitter_us=SEND_JITTER_US
        ),
        ids=[s.id for s in sensors],
        payload_bytes=[s.payload_bytes for s in sensors],
        tx_power_dbm=14.0,
        noise_dbm=links.device_noise_dbm,
        confirmed=[s.confirmed for s in sensors],
        adr=case.adr,
        joins=[s.activation == "otaa" for s in sensors],
        versions=[s.version for s in sensors],
        join_at_us=[draws.at("switch_on", eui).integer(US_PER_DAY) for eui in euis],
    )  # fmt: skip
    gateways = BatchGateways.of(
        len(sites),
        ids=[site.id for site in sites],
        noise_dbm=links.noise_dbm,
        demodulators=[site.demodulators for site in sites],
        rx1_dbm=conducted_dbm(network.rx1_eirp_dbm, 14.0),
        rx2_dbm=conducted_dbm(network.rx2_eirp_dbm, 27.0),
        rank=np.argsort(np.argsort([int(gateway_eui(site.id)) for site in sites])),
    )
    settings = BatchNetwork(
        channels_hz=network.channels_hz,
        backhaul_us=BACKHAUL_US,
        accept_bytes=33,
        join_data_rates=case.join_data_rates,
    )
    bounds = tuple(US_PER_DAY * day for day in range(case.days + 1))
    keys = DrawKeys.of(draws, devices.ids, gateways.ids, euis)
    return BatchWorld(devices, gateways, links.gain_db, keys, model, settings, bounds)


def joins_again(ups: dict[str, Any]) -> bool:
    """Whether a join request of a device comes after data of it."""
    return any(
        ups["t_us"][of & (ups["kind"] == "join")].max(initial=0)
        > ups["t_us"][of & (ups["kind"] == "data")].min(initial=1 << 62)
        for of in (ups["device"] == device for device in set(ups["device"].tolist()))
    )


@pytest.mark.parametrize("name", CASES)
def test_every_frame_is_that_of_the_exact_tier(name: str) -> None:
    case = CASES[name]
    draws, rng, model = Draws.of_seed(case.seed), np.random.default_rng(case.seed), RadioModel()
    sensors = sensors_of(case, rng)
    sites = [
        GatewaySite(f"g{k}", 47.4 + 0.03 * rng.normal(), 0.7 + 0.03 * rng.normal(), antenna_height_m=25.0)
        for k in range(case.gateways)
    ]
    links = build_links(draws, sites, [DeviceSite(s.id, s.lat, s.lon) for s in sensors], model)
    default_hz = tuple(channel.freq_hz for channel in EU868.default_channels)
    network = NetworkConfig(
        JoinSettings(NET_ID, cf_list=encode_cf_list(EXTRA_HZ)), channels_hz=(*default_hz, *EXTRA_HZ)
    )
    tables = exact_columns(case, draws, sensors, sites, links, model, network)
    batch = Batch(batch_world(case, draws, sensors, sites, links, model, network), records="all")
    batch.run(case.days * US_PER_DAY + 10_000_000)
    ups, downs = batch.take()

    end = case.days * US_PER_DAY
    exact = tables["uplinks"]
    mine = ups["t_us"] < end
    # a frame still in the air when the exact tier closes its books has no record there
    theirs = np.lexsort((exact["device"].astype("U8"), exact["t_us"]))
    ours = np.lexsort((ups["device"].astype("U8"), ups["t_us"]))
    ours = ours[mine[ours] & (ups["t_us"] + ups["airtime_us"] < end)[ours]]
    assert len(exact["t_us"]) > 1_000
    assert ups["t_us"][ours].tolist() == exact["t_us"][theirs].tolist()
    for column in ("device", *SAME):
        assert ups[column][ours].tolist() == exact[column][theirs].tolist(), column
    data = exact["kind"][theirs] == "data"
    if name == "OTAA, keys that are never confirmed":  # LoRaWAN 1.1 §5.10: 64 uplinks, and the device joins again
        assert joins_again(ups)
    assert ups["f_cnt"][ours][data].tolist() == exact["f_cnt"][theirs][data].tolist()
    for column, step in (("best_rssi_dbm", 1.0), ("best_snr_db", 0.25)):
        off = np.nan_to_num(ups[column][ours] - exact[column][theirs])
        assert np.abs(off).max() <= step  # tabulated slow fading is within 10⁻⁴ dB: now and then rounding differs
        assert np.count_nonzero(off) <= 2

    down = tables["downlinks"]
    first, second = (np.lexsort((table["gateway"].astype("U8"), table["t_us"])) for table in (down, downs))
    kept = [k for k in second if downs["t_us"][k] < end]
    for column in ("t_us", "gateway", "kind", "window", "sf", "freq_hz", "airtime_us", "outcome"):
        assert downs[column][kept].tolist() == down[column][first].tolist(), column


def test_joins_and_adr_really_happen_in_these_cases() -> None:
    case = CASES["OTAA, everything"]
    draws, rng, model = Draws.of_seed(case.seed), np.random.default_rng(case.seed), RadioModel()
    sensors = sensors_of(case, rng)
    sites = [GatewaySite(f"g{k}", 47.4 + 0.03 * k, 0.7, antenna_height_m=25.0) for k in range(3)]
    links = build_links(draws, sites, [DeviceSite(s.id, s.lat, s.lon) for s in sensors], model)
    default_hz = tuple(channel.freq_hz for channel in EU868.default_channels)
    network = NetworkConfig(
        JoinSettings(NET_ID, cf_list=encode_cf_list(EXTRA_HZ)), channels_hz=(*default_hz, *EXTRA_HZ)
    )
    batch = Batch(batch_world(case, draws, sensors, sites, links, model, network))
    batch.run(case.days * US_PER_DAY)
    totals = batch.counters.totals
    assert totals["joined"] > 10
    assert totals["adr_answers"] > 10
    assert len(set(batch.spreading_factors.tolist())) > 1
