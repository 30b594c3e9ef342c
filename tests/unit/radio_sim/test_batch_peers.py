"""The peer scenarios in the batch engine: ns-3's figures, pure ALOHA's formula, and another algorithm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from peer_cases import CASE_C, CASES, HOUR_US, PERIOD_US, SENSITIVITY_DBM, Case
from scipy.stats import chi2

from lorawan.draws import Draws
from lorawan.phy import LoraModulation, lora_airtime_us
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
from radio_sim.batch.layout import Array
from radio_sim.medium import ENERGY
from radio_sim.model import RadioModel


def world_of(case: Case, seed: int) -> BatchWorld:
    gain_db, sf = case.gains_and_sf()
    phase = np.random.default_rng(seed).integers(0, PERIOD_US, case.devices)
    devices = BatchDevices.of(Schedules.periodic(phase, PERIOD_US, times=6), payload_bytes=20, dr=12 - sf)
    gateways = BatchGateways.of(len(case.gateways_km), demodulators=case.demodulators)
    return BatchWorld(
        devices,
        gateways,
        gain_db,
        DrawKeys.of(Draws.of_seed(seed), devices.ids, gateways.ids),
        RadioModel(slow_fading_sigma_db=0.0, frame_fading_law="none", interference_policy=case.policy),
        BatchNetwork(downlinks=False, duty_cycle=False),
        bounds_us=(0, 2 * HOUR_US),
        sensitivity_dbm=SENSITIVITY_DBM,
    )


def delivered_by_sf(case: Case, seeds: int) -> tuple[Array, Array]:
    """Delivered and sent uplinks, [seed, SF]."""
    counts = []
    for seed in range(seeds):
        batch = Batch(world_of(case, 5000 + seed))
        batch.run(2 * HOUR_US)
        assert batch.counters.uplinks == 6 * case.devices
        counts.append(batch.counters.by_sf)
    table = np.array(counts)
    return table[:, :, 0], table.sum(axis=2)


def chi_square(case: Case, seeds: int) -> float:
    delivered, sent = delivered_by_sf(case, seeds)
    z = (delivered.sum(0) / sent.sum(0) - case.delivered) / np.hypot(
        np.array(case.seed_sd) / math.sqrt(seeds), case.error
    )
    assert np.abs(z).max() < 4.0
    return float((z * z).sum())


@pytest.mark.parametrize(("name", "seeds"), [("A1200", 20), ("M6000", 5), ("A8-6000", 5), ("B1000", 20)])
def test_every_spreading_factor_delivers_as_ns3(name: str, seeds: int) -> None:
    assert chi_square(CASES[name], seeds) < chi2.ppf(0.999, 6)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_all_cases_together_deliver_as_ns3_within_the_sampling_error() -> None:
    total = sum(chi_square(case, 200) for case in CASES.values())
    assert total < chi2.ppf(0.999, 30)


def test_pure_aloha_is_the_textbooks() -> None:
    """exp(−2G), exactly (1 − 2·ToA/3T)^(N−1): no simulator in between. Spread over seeds from those of ns-3."""
    case, seeds = CASES["A1200"], 60
    delivered, sent = delivered_by_sf(case, seeds)
    airtime_us = np.array([lora_airtime_us(33, LoraModulation(sf)) for sf in range(7, 13)])
    formula = (1 - 2 * airtime_us / (3 * PERIOD_US)) ** (case.devices / 6 - 1)
    z = (delivered.sum(0) / sent.sum(0) - formula) / (np.array(case.seed_sd) / math.sqrt(seeds))
    assert float((z * z).sum()) < chi2.ppf(0.999, 6)


def recount(world: BatchWorld, ups: dict[str, Any]) -> tuple[Array, Array]:
    """Receptions [frame, gateway] under the `energy` rule in doubles, from pairs of frames; and where none was free."""
    device = np.array([int(name[1:]) for name in ups["device"].tolist()])
    begin, end, row = ups["t_us"], ups["t_us"] + ups["airtime_us"], ups["sf"] - 7
    power = 10.0 ** ((world.gain_db[device] + 14.0) / 10.0)
    energy = np.zeros((len(begin), 6, power.shape[1]))
    shift = 1
    while shift < len(begin):
        a, b = np.arange(len(begin) - shift), np.arange(shift, len(begin))
        if not (begin[b] < begin[a] + int(ups["airtime_us"].max())).any():
            break
        overlap = np.minimum(end[a], end[b]) - begin[b]
        both = (overlap > 0) & (ups["freq_hz"][a] == ups["freq_hz"][b])
        a, b, overlap = a[both], b[both], overlap[both, None].astype(float)
        np.add.at(energy, (a, row[b]), overlap * power[b])
        np.add.at(energy, (b, row[a]), overlap * power[a])
        shift += 1
    own = power * ups["airtime_us"][:, None]
    lost = (own[:, None] < ENERGY.thresholds()[row][:, :, None] * energy).any(axis=1)
    able = power >= 10.0 ** (np.array([SENSITIVITY_DBM[sf] for sf in ups["sf"].tolist()]) / 10.0)[:, None]
    held = np.zeros_like(able)
    for g in range(power.shape[1]):
        busy: list[int] = []
        for frame in np.flatnonzero(able[:, g]).tolist():
            busy = [until for until in busy if until > begin[frame]]
            if len(busy) < 8:
                busy.append(int(end[frame]))
                held[frame, g] = True
    return held & ~lost, able & ~held


def test_eleven_gateways_receive_what_another_algorithm_counts_frame_by_frame() -> None:
    world = world_of(CASE_C, 11)
    batch = Batch(world, records="uplinks")
    batch.run(2 * HOUR_US)
    ups, _ = batch.take()
    received, unserved = recount(world, ups)
    assert len(received) == 30_000
    assert ups["n_gateways"].tolist() == received.sum(axis=1).tolist()
    assert batch.counters.by_gateway[:, 0].tolist() == received.sum(axis=0).tolist()
    blocked = OUTCOME_NAMES.tolist().index("no demodulator")
    assert batch.counters.by_gateway[:, blocked].tolist() == unserved.sum(axis=0).tolist()
    assert set(received.sum(axis=1).tolist()) >= {0, 1, 2, 3}
