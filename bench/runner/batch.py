"""The batch tier of a stage: every sensor of the territory, one draw of the radio world after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.runner.exact import SEND_JITTER_US
from bench.runner.identities import gateway_eui
from bench.runner.plan import StageWorld, channels_hz
from bench.runner.seen import Seen, parquet_days
from bench.store.run_folder import safe_name
from lorawan.draws import Draws
from lorawan.regions import EU868
from radio_sim.batch import (
    OUTCOME_NAMES,
    Batch,
    BatchDevices,
    BatchGateways,
    BatchNetwork,
    BatchWorld,
    DrawKeys,
    Schedules,
)
from radio_sim.expectation import margins_db
from radio_sim.links import Links
from scenarios.population import Sensor
from scenarios.schema import Placement

Bools = npt.NDArray[np.bool_]
ACCEPT_BYTES = 17  # a JoinAccept; with a CFList 33: LoRaWAN 1.0.4 §6.2.5


@dataclass(frozen=True, slots=True, eq=False)
class WorldResult:
    """What one world showed. heard [sensor, day], warm-up days first, packed to bits along days."""

    world: int
    heard_bits: npt.NDArray[np.uint8]
    days: int
    sf: npt.NDArray[np.int8]
    joined: Bools
    outcomes: dict[str, int]
    by_gateway: dict[str, dict[str, int]]
    totals: dict[str, int]
    margin_db: npt.NDArray[np.float32]
    best_gateway: npt.NDArray[np.int16]
    digest: str
    elapsed_s: float
    seen: Seen | None

    @property
    def heard(self) -> Bools:
        """heard [sensor, day]."""
        return np.unpackbits(self.heard_bits, axis=1, count=self.days).astype(np.bool_)


def world_draws(stage: StageWorld, world: int) -> Draws:
    """World 0 is the exact tier's; the others draw shadowing, entry losses, fading and traffic anew."""
    return stage.draws if world == 0 else stage.draws.at("world", world)


def world_links(stage: StageWorld, draws: Draws) -> Links:
    """The links of one draw. Sensors stand where they stand in every world."""
    links = stage.links if draws == stage.draws else stage.links_of(draws, stage.population)
    if stage.lids is None:
        return links
    return stage.links_of(draws, better_lids(stage.population, links, *stage.lids))


def better_lids(population: Sequence[Sensor], links: Links, n: int, placement: Placement) -> tuple[Sensor, ...]:
    """Give the n pit sensors with the weakest best link another lid; their own draw of the lid's loss stays.

    An operator sees which are worst in his world; so each draw has its own.
    """
    best = (links.gain_db - links.noise_dbm).max(axis=1)
    pits = np.array([i for i, sensor in enumerate(population) if sensor.placement.startswith("pit-")], dtype=int)
    worst = set(pits[np.argsort(best[pits], kind="stable")[:n]].tolist())
    return tuple(replace(s, placement=placement) if i in worst else s for i, s in enumerate(population))


def batch_world(stage: StageWorld, draws: Draws, links: Links) -> BatchWorld:
    """The arrays of one world."""
    scenario, sensors = stage.loaded.scenario, stage.population
    network, radio = scenario.network, scenario.radio
    otaa = np.array([sensor.activation == "otaa" for sensor in sensors])
    first, second = stage.bounds_us[:2]
    switch_on = np.array(
        [first + draws.at("switch_on", int(sensor.dev_eui)).integer(second - first) for sensor in sensors]
    )
    euis = [int(sensor.dev_eui) for sensor in sensors]
    ids = [sensor.id for sensor in sensors]
    devices = BatchDevices.of(
        Schedules.civil_days(
            [sensor.phase for sensor in sensors],
            [sensor.uplinks_per_day for sensor in sensors],
            jitter_us=SEND_JITTER_US,
        ),
        ids=ids,
        payload_bytes=[sensor.payload_bytes for sensor in sensors],
        tx_power_dbm=stage.tx_power_dbm,
        noise_dbm=links.device_noise_dbm,
        dr=0,
        confirmed=[sensor.confirmed for sensor in sensors],
        adr=network.adr_enabled,
        joins=otaa,
        versions=[sensor.version for sensor in sensors],
        join_at_us=switch_on,
    )
    sites = stage.gateways
    bounds = stage.bounds_us
    eui_order = np.argsort(np.argsort([int(gateway_eui(site.id)) for site in sites]))
    gateways = BatchGateways.of(
        len(sites),
        ids=[site.id for site in sites],
        noise_dbm=links.noise_dbm,
        demodulators=[site.demodulators for site in sites],
        rx1_dbm=[radio.gateway_eirp_dbm - s.antenna_gain_dbi + s.cable_loss_db for s in sites],
        rx2_dbm=[radio.gateway_eirp_g3_dbm - s.antenna_gain_dbi + s.cable_loss_db for s in sites],
        rank=eui_order,
        down=stage.gateway_down(draws),
    )
    rates = scenario.population.join_data_rates if scenario.population else (0,)
    return BatchWorld(
        devices=devices,
        gateways=gateways,
        gain_db=links.gain_db,
        keys=DrawKeys.of(draws, ids, [site.id for site in sites], euis),
        model=stage.model,
        network=BatchNetwork(
            channels_hz=channels_hz(network),
            region=EU868,
            dedup_us=network.dedup_window_us,
            backhaul_us=network.backhaul_delay_us,
            adr_margin_db=network.adr_margin_db,
            rx1_delay_us=network.rx_delay_us,
            rx1_dr_offset=network.rx1_dr_offset,
            rx2_dr=network.rx2_dr,
            accept_bytes=ACCEPT_BYTES + (16 if network.extra_channels_hz else 0),
            join_data_rates=rates,
        ),
        bounds_us=bounds,
    )


def run_world(
    stage: StageWorld,
    world: int,
    *,
    checkpoints: Path | None = None,
    parquet: Path | None = None,
    told: Callable[[int], None] = lambda _day: None,
) -> WorldResult:
    """One world from first to last day.

    checkpoints: a folder in which it leaves its state after every day, and from which it goes on where an earlier
    worker stopped; the result is the same. World 0 also looks at its uplinks, and writes them to `parquet` day by day
    where that is given: such a run is not resumed. told: the days that are done.
    """
    began = time.perf_counter()
    draws = world_draws(stage, world)
    links = world_links(stage, draws)
    made = batch_world(stage, draws, links)
    kept = None if checkpoints is None or world == 0 else checkpoints / f"{safe_name(stage.stage)}-world{world}.npz"
    batch = _resumed(made, kept) if kept is not None and kept.exists() else None
    if batch is None:
        batch = Batch(made, records="uplinks" if world == 0 else "none")
    days = len(stage.bounds_us) - 1
    seen = Seen.of(len(stage.population), days) if world == 0 else None
    with parquet_days(parquet if world == 0 else None) as writer:
        for day, midnight in enumerate(stage.bounds_us[1:], 1):
            if midnight <= batch.now:
                continue
            batch.run(midnight, seen.take if seen is not None and writer is None else None)
            if writer is not None and seen is not None:
                columns, _ = batch.take()
                seen.take_columns(columns, made)
                writer.add(columns)
            if seen is not None:
                seen.end_day(day - 1)
            if kept is not None:
                batch.save(kept)
            told(day)
    counters = batch.counters
    margin = margins_db(links, tx_power_dbm=stage.tx_power_dbm)
    best = margin.argmax(axis=1)
    if kept is not None:
        kept.unlink(missing_ok=True)
    return WorldResult(
        world=world,
        heard_bits=np.packbits(batch.heard[:, :days], axis=1),
        days=days,
        sf=batch.spreading_factors.astype(np.int8),
        joined=batch.joined,
        outcomes=dict(zip(OUTCOME_NAMES.tolist(), counters.outcomes.tolist(), strict=True)),
        by_gateway={
            site.id: dict(zip(OUTCOME_NAMES.tolist(), row, strict=True))
            for site, row in zip(stage.gateways, counters.by_gateway.tolist(), strict=True)
        },
        totals=counters.totals,
        margin_db=margin[np.arange(len(best)), best].astype(np.float32),
        best_gateway=best.astype(np.int16),
        digest=batch.digest(),
        elapsed_s=time.perf_counter() - began,
        seen=seen,
    )


def _resumed(made: BatchWorld, kept: Path) -> Batch | None:
    """The state an earlier worker left, None where it is of another world or version."""
    try:
        return Batch.resume(made, kept)
    except ValueError:
        return None
