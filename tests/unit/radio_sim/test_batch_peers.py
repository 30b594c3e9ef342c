"""The fully specified peer scenarios in the batch engine: ns-3's figures, pure ALOHA's formula, and another algorithm.

ns-3's figures and their standard errors were measured with signetlabdei/lorawan (October 2024) on ns-3.44, 10 to 40
seeds a case; nothing here is taken from this project's own output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
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
from radio_sim.model import SX1301, UNLIMITED, Demodulators, RadioModel

SENSITIVITY_DBM = {7: -130.0, 8: -132.5, 9: -135.0, 10: -137.5, 11: -140.0, 12: -142.5}
DEVICE_SENSITIVITY_DBM = (-124.0, -127.0, -130.0, -133.0, -135.0, -137.0)
PERIOD_US, HOUR_US = 600_000_000, 3_600_000_000
ELEVEN_KM = ((0, 0), (5, 0), (-5, 0), (0, 5), (0, -5), (5, 5), (-5, 5), (5, -5), (-5, -5), (-10, 0), (0, -10))


@dataclass(frozen=True)
class Case:
    devices: int
    radius_m: float
    policy: str
    demodulators: Demodulators
    auto_sf: bool
    delivered: tuple[float, ...] = ()  # ns-3, SF7 … SF12
    error: tuple[float, ...] = ()  # standard error of the mean
    seed_sd: tuple[float, ...] = ()  # standard deviation over its seeds
    gateways_km: tuple[tuple[float, float], ...] = ((0, 0),)


CASES = {
    "A1200": Case(
        1200, 3000.0, "aloha", UNLIMITED, False,
        (0.98192, 0.97092, 0.9486, 0.90777, 0.79952, 0.66071),
        (0.00134, 0.00165, 0.00221, 0.00319, 0.00398, 0.00425),
        (0.00847, 0.01043, 0.014, 0.02016, 0.02515, 0.02688),
    ),
    "A6000": Case(
        6000, 3000.0, "aloha", UNLIMITED, False,
        (0.92364, 0.85923, 0.76158, 0.6027, 0.33295, 0.13303),
        (0.001, 0.00155, 0.00153, 0.00212, 0.00125, 0.00063),
        (0.00631, 0.00981, 0.00967, 0.01343, 0.00793, 0.004),
    ),
    "A8-6000": Case(
        6000, 3000.0, "aloha", SX1301, False,
        (0.8127, 0.75635, 0.66723, 0.53448, 0.30497, 0.12237),
        (0.0043, 0.00574, 0.00361, 0.00609, 0.003, 0.00115),
        (0.01361, 0.01814, 0.01142, 0.01926, 0.00949, 0.00362),
    ),
    "M6000": Case(
        6000, 3000.0, "energy", UNLIMITED, False,
        (0.8649, 0.85465, 0.81282, 0.72148, 0.53058, 0.34252),
        (0.00202, 0.00201, 0.0019, 0.00364, 0.00211, 0.00169),
        (0.00638, 0.00636, 0.006, 0.0115, 0.00669, 0.00534),
    ),
    "B1000": Case(
        1000, 6400.0, "energy", SX1301, True,
        (0.99183, 0.99001, 0.97544, 0.93212, 0.8659, 0.73373),
        (0.00084, 0.0012, 0.00193, 0.00275, 0.0035, 0.00413),
        (0.00529, 0.00758, 0.01222, 0.0174, 0.02211, 0.02613),
    ),
}  # fmt: skip
CASE_C = Case(5000, 10_000.0, "energy", SX1301, True, gateways_km=ELEVEN_KM)


def world_of(case: Case, seed: int) -> BatchWorld:
    i = np.arange(case.devices)
    r, theta = case.radius_m * np.sqrt((i + 0.5) / case.devices), i * math.pi * (3 - math.sqrt(5))
    x, y = r * np.cos(theta), r * np.sin(theta)
    distance_m = np.stack([np.sqrt((x - 1e3 * a) ** 2 + (y - 1e3 * b) ** 2 + 13.8**2) for a, b in case.gateways_km], 1)
    gain_db = -(7.7 + 37.6 * np.log10(distance_m))
    if case.auto_sf:
        fits = (14.0 + gain_db.max(axis=1))[:, None] > np.array(DEVICE_SENSITIVITY_DBM)
        sf = np.where(fits.any(axis=1), 7 + fits.argmax(axis=1), 12)
    else:
        sf = 7 + i % 6
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
