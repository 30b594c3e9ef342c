"""Fully specified uplink scenarios against the figures of signetlabdei/lorawan (October 2024) on ns-3.44.

Figures and their standard errors were measured with that simulator, 10 to 40 seeds a case; nothing here is taken from
this project's own output.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from lorawan.phy import LoraModulation, Transmit, lora_airtime_us
from lorawan.trace import Outcome
from radio_sim.medium import ALOHA, ENERGY, InterferencePolicy, Medium, UplinkEnded, UplinkStarts
from radio_sim.model import SX1301, UNLIMITED, Demodulators, GatewaySite

GATEWAY_SENSITIVITY_DBM = {7: -130.0, 8: -132.5, 9: -135.0, 10: -137.5, 11: -140.0, 12: -142.5}
DEVICE_SENSITIVITY_DBM = (-124.0, -127.0, -130.0, -133.0, -135.0, -137.0)
FREQS_HZ = (868_100_000, 868_300_000, 868_500_000)
PERIOD_US = 600_000_000


@dataclass(frozen=True)
class Case:
    devices: int
    radius_m: float
    policy: InterferencePolicy
    demodulators: Demodulators
    auto_sf: bool
    delivered: tuple[float, ...]  # ns-3, SF7 … SF12
    error: tuple[float, ...]  # standard error of the mean
    seed_sd: tuple[float, ...]  # standard deviation over its seeds
    no_demodulator: tuple[float, ...] | None = None


A1200 = Case(
    1200,
    3000.0,
    ALOHA,
    UNLIMITED,
    False,
    (0.98192, 0.97092, 0.9486, 0.90777, 0.79952, 0.66071),
    (0.00134, 0.00165, 0.00221, 0.00319, 0.00398, 0.00425),
    (0.00847, 0.01043, 0.014, 0.02016, 0.02515, 0.02688),
)
A6000 = Case(
    6000,
    3000.0,
    ALOHA,
    UNLIMITED,
    False,
    (0.92364, 0.85923, 0.76158, 0.6027, 0.33295, 0.13303),
    (0.001, 0.00155, 0.00153, 0.00212, 0.00125, 0.00063),
    (0.00631, 0.00981, 0.00967, 0.01343, 0.00793, 0.004),
)
A8_6000 = Case(
    6000,
    3000.0,
    ALOHA,
    SX1301,
    False,
    (0.8127, 0.75635, 0.66723, 0.53448, 0.30497, 0.12237),
    (0.0043, 0.00574, 0.00361, 0.00609, 0.003, 0.00115),
    (0.01361, 0.01814, 0.01142, 0.01926, 0.00949, 0.00362),
    no_demodulator=(761.3, 767.2, 805.0, 790.6, 776.4, 754.7),
)
M6000 = Case(
    6000,
    3000.0,
    ENERGY,
    UNLIMITED,
    False,
    (0.8649, 0.85465, 0.81282, 0.72148, 0.53058, 0.34252),
    (0.00202, 0.00201, 0.0019, 0.00364, 0.00211, 0.00169),
    (0.00638, 0.00636, 0.006, 0.0115, 0.00669, 0.00534),
)
B1000 = Case(
    1000,
    6400.0,
    ENERGY,
    SX1301,
    True,
    (0.99183, 0.99001, 0.97544, 0.93212, 0.8659, 0.73373),
    (0.00084, 0.0012, 0.00193, 0.00275, 0.0035, 0.00413),
    (0.00529, 0.00758, 0.01222, 0.0174, 0.02211, 0.02613),
)


def run(case: Case, seed: int) -> tuple[Counter[int], Counter[tuple[int, Outcome]]]:
    """Frames sent per SF, and per SF and outcome, of one hour."""
    rng = np.random.default_rng(seed)
    i = np.arange(case.devices)
    r = case.radius_m * np.sqrt((i + 0.5) / case.devices)
    distance_m = np.sqrt(r**2 + 13.8**2)
    gain_db = -(7.7 + 37.6 * np.log10(distance_m))
    if case.auto_sf:
        fits = (14.0 + gain_db)[:, None] > np.array(DEVICE_SENSITIVITY_DBM)
        sf = np.where(fits.any(axis=1), 7 + fits.argmax(axis=1), 12)
    else:
        sf = 7 + i % 6
    medium = Medium(
        [GatewaySite("gw", 0.0, 0.0, demodulators=case.demodulators)],
        gain_db[:, None],
        policy=case.policy,
        sensitivity_dbm=GATEWAY_SENSITIVITY_DBM,
    )
    phase = rng.integers(0, PERIOD_US, case.devices)
    starts = [(int(phase[d]) + k * PERIOD_US, d, k) for d in range(case.devices) for k in range(6)]
    heapq.heapify(starts)
    channel = rng.integers(0, 3, (case.devices, 6))
    modulations = {s: LoraModulation(s) for s in range(7, 13)}
    airtime_us = {s: lora_airtime_us(33, m) for s, m in modulations.items()}
    sent: Counter[int] = Counter()
    ended: Counter[tuple[int, Outcome]] = Counter()

    def count(effects: object) -> None:
        for effect in effects:  # type: ignore[attr-defined]  # a sequence of effects
            assert isinstance(effect, UplinkEnded)
            ended[effect.transmit.modulation.sf, effect.outcome] += 1

    while starts:
        at, device, k = heapq.heappop(starts)
        own = int(sf[device])
        sent[own] += 1
        transmit = Transmit(at, b"", FREQS_HZ[channel[device, k]], modulations[own], 14.0, airtime_us[own])
        count(medium.handle(UplinkStarts(device, k, transmit), at))
    while (wake_at := medium.wake_at) is not None:
        count(medium.wake(wake_at))
    assert sum(ended.values()) == sum(sent.values())
    return sent, ended


def compare(case: Case, seeds: int) -> None:
    """Every SF within 4 combined standard errors, and all six together within a chi-square of 99.9 %."""
    runs = [run(case, 1000 + seed) for seed in range(seeds)]
    chi_square = 0.0
    for row, sf in enumerate(range(7, 13)):
        rates = [ended[sf, Outcome.DELIVERED] / sent[sf] for sent, ended in runs]
        own_error = case.seed_sd[row] / math.sqrt(seeds)
        z = (sum(rates) / seeds - case.delivered[row]) / math.hypot(own_error, case.error[row])
        chi_square += z * z
        assert abs(z) < 4.0, f"SF{sf}: {sum(rates) / seeds:.5f} against {case.delivered[row]}, z = {z:.2f}"
        if case.no_demodulator is not None:
            blocked = sum(ended[sf, Outcome.NO_DEMODULATOR] for _, ended in runs) / seeds
            assert blocked == pytest.approx(case.no_demodulator[row], rel=0.12)
    assert chi_square < 22.5


def test_pure_aloha_of_1200_devices_delivers_as_ns3() -> None:
    compare(A1200, 10)


def test_capture_and_inter_sf_interference_of_6000_devices_deliver_as_ns3() -> None:
    compare(M6000, 3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("case", "seeds"),
    [(A1200, 40), (A6000, 40), (A8_6000, 10), (M6000, 10), (B1000, 40)],
    ids=["A1200", "A6000", "A8-6000", "M6000", "B1000"],
)
def test_every_seed_delivers_as_ns3(case: Case, seeds: int) -> None:
    compare(case, seeds)
