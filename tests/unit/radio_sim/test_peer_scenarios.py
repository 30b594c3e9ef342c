"""The medium against ns-3 on fully specified uplink scenarios."""

from __future__ import annotations

import heapq
import math
from collections import Counter

import numpy as np
import pytest
from peer_cases import CASES, PERIOD_US, SENSITIVITY_DBM, Case

from lorawan.phy import LoraModulation, Transmit, lora_airtime_us
from lorawan.trace import Outcome
from radio_sim.medium import POLICIES, Medium, UplinkEnded, UplinkStarts
from radio_sim.model import GatewaySite

FREQS_HZ = (868_100_000, 868_300_000, 868_500_000)


def run(case: Case, seed: int) -> tuple[Counter[int], Counter[tuple[int, Outcome]]]:
    """Frames sent per SF, and per SF and outcome, of one hour."""
    rng = np.random.default_rng(seed)
    gain_db, sf = case.gains_and_sf()
    medium = Medium(
        [GatewaySite("gw", 0.0, 0.0, demodulators=case.demodulators)],
        gain_db,
        policy=POLICIES[case.policy],
        sensitivity_dbm=SENSITIVITY_DBM,
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
    compare(CASES["A1200"], 10)


def test_capture_and_inter_sf_interference_of_6000_devices_deliver_as_ns3() -> None:
    compare(CASES["M6000"], 3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("name", "seeds"), [("A1200", 40), ("A6000", 40), ("A8-6000", 10), ("M6000", 10), ("B1000", 40)]
)
def test_every_seed_delivers_as_ns3(name: str, seeds: int) -> None:
    compare(CASES[name], seeds)
