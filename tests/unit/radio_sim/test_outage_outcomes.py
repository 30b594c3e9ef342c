"""What a frame is put down to while a gateway is down: cases worked out by hand, the same in both tiers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from lorawan.draws import Draws
from lorawan.phy import LoraModulation, Transmit, lora_airtime_us
from lorawan.units import US_PER_DAY, US_PER_S
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
from radio_sim.medium import Medium, UplinkEnded, UplinkStarts
from radio_sim.model import SX1302, Demodulators, GatewaySite, RadioModel

FREQ_HZ = 868_100_000
POWER_DBM = 14.0
AT = US_PER_S
DEAF, WEAK, STRONG = -140.0, -120.0, -90.0  # SF8 needs −127 dBm: noise of −117 dBm, floor of −10 dB
ONE = Demodulators("one", any_sf=1)


@dataclass(frozen=True)
class Case:
    """dbm: the frame's power at each gateway. down: gateways that are out. other: another frame's data rate, powers."""

    dbm: tuple[float, ...]
    down: tuple[int, ...]
    outcome: str
    at_gateways: tuple[str, ...]
    other: tuple[int, tuple[float, ...]] | None = None
    demodulators: Demodulators = SX1302


CASES = {
    "the best is down, the other cannot hear": Case(
        (STRONG, DEAF), (0,), "gateway down", ("gateway down", "below sensitivity")
    ),
    "the same without an outage": Case((STRONG, DEAF), (), "delivered", ("delivered", "below sensitivity")),
    "too weak for the one that is down too": Case(
        (DEAF, DEAF), (0,), "below sensitivity", ("below sensitivity", "below sensitivity")
    ),
    "too weak for all, no outage": Case(
        (DEAF, DEAF), (), "below sensitivity", ("below sensitivity", "below sensitivity")
    ),
    "only one that cannot hear is down": Case((STRONG, DEAF), (1,), "delivered", ("delivered", "below sensitivity")),
    "all down, one would hear": Case((STRONG, DEAF), (0, 1), "gateway down", ("gateway down", "below sensitivity")),
    "all down, none would hear": Case(
        (DEAF, DEAF), (0, 1), "below sensitivity", ("below sensitivity", "below sensitivity")
    ),
    "another hears": Case((STRONG, WEAK), (0,), "delivered", ("gateway down", "delivered")),
    "another could hear, but for a collision": Case(
        (STRONG, WEAK), (0,), "collided", ("gateway down", "collided"), other=(4, (DEAF, STRONG))
    ),
    "another could hear, but its demodulator is taken": Case(
        (STRONG, WEAK), (0,), "no demodulator", ("gateway down", "no demodulator"), (5, (DEAF, WEAK)), ONE
    ),
}


def sent(case: Case) -> list[tuple[int, tuple[float, ...]]]:
    return [(4, case.dbm), *([case.other] if case.other else [])]


def spans(case: Case) -> list[tuple[int, int, int]]:
    return [(gateway, AT // 2, 2 * AT) for gateway in case.down]


@pytest.mark.parametrize("name", CASES)
def test_the_medium_tells_an_outage_from_bad_coverage(name: str) -> None:
    case = CASES[name]
    gain = np.array([dbm for _, dbm in sent(case)]) - POWER_DBM
    sites = [GatewaySite(f"g{k}", 0, 0, demodulators=case.demodulators) for k in range(len(case.dbm))]
    core = Medium(sites, gain, gateway_down=spans(case))
    effects = []
    for device, (dr, _) in enumerate(sent(case)):
        modulation = LoraModulation(12 - dr)
        transmit = Transmit(AT, bytes(23), FREQ_HZ, modulation, POWER_DBM, lora_airtime_us(23, modulation))
        effects += core.handle(UplinkStarts(device, 0, transmit), AT)
    while (wake_at := core.wake_at) is not None:
        effects += core.wake(wake_at)
    assert [e.outcome.value for e in effects if isinstance(e, UplinkEnded) and e.device == 0] == [case.outcome]


@pytest.mark.parametrize("name", CASES)
def test_the_batch_engine_tells_an_outage_from_bad_coverage(name: str) -> None:
    case = CASES[name]

    def run(rows: list[tuple[int, tuple[float, ...]]]) -> Batch:
        devices = BatchDevices.of(
            Schedules.herd(len(rows), AT, times=1), payload_bytes=10, dr=[dr for dr, _ in rows], tx_power_dbm=POWER_DBM
        )
        gateways = BatchGateways.of(len(case.dbm), demodulators=case.demodulators, down=spans(case))
        keys = DrawKeys.of(Draws.of_seed(1), devices.ids, gateways.ids)
        network = BatchNetwork(channels_hz=(FREQ_HZ,), downlinks=False, duty_cycle=False)
        model = RadioModel(slow_fading_sigma_db=0.0, frame_fading_law="none")
        gain = np.array([dbm for _, dbm in rows]) - POWER_DBM
        batch = Batch(BatchWorld(devices, gateways, gain, keys, model, network, (0, US_PER_DAY)), records="uplinks")
        batch.run(US_PER_DAY)
        return batch

    batch = run(sent(case))
    counters = batch.counters.by_gateway.copy()
    ups, _ = batch.take()
    assert ups["outcome"][ups["device"] == "d0"].tolist() == [case.outcome]
    assert counters.sum(axis=1).tolist() == [len(sent(case))] * len(case.dbm)
    if case.other:  # what the other frame became is counted out: alone it fares as it does beside the weaker one
        counters -= run([case.other]).counters.by_gateway
    assert OUTCOME_NAMES[counters.argmax(axis=1)].tolist() == list(case.at_gateways)
    assert counters.sum(axis=1).tolist() == [1] * len(case.dbm)
