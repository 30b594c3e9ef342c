"""The batch engine: theory, draws, schedules, joins, outages, checkpoints, threads."""

from __future__ import annotations

import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from lorawan.draws import Draws
from lorawan.phy import LoraModulation, lora_airtime_us
from lorawan.units import US_PER_DAY, US_PER_HOUR, US_PER_S
from lorawan.version import Version
from radio_sim.batch import (
    OUTCOME_NAMES,
    Batch,
    BatchDevices,
    BatchGateways,
    BatchNetwork,
    BatchWorld,
    DrawKeys,
    ForeignTraffic,
    Schedules,
)
from radio_sim.draws import fold
from radio_sim.model import SX1301, UNLIMITED, Demodulators, RadioModel
from radio_sim.propagation.fading import FrameFading, SlowFading

STEADY = RadioModel(slow_fading_sigma_db=0.0, frame_fading_law="none")
NOISE_DBM = -117.0


def world(
    devices: BatchDevices,
    gain_db: object = -100.0,
    *,
    gateways: BatchGateways | None = None,
    model: RadioModel = STEADY,
    network: BatchNetwork | None = None,
    days: int = 1,
    seed: int = 1,
    foreign: ForeignTraffic | None = None,
) -> BatchWorld:
    gateways = gateways or BatchGateways.of(1)
    gain = np.broadcast_to(np.asarray(gain_db, float), (len(devices), len(gateways)))
    keys = DrawKeys.of(Draws.of_seed(seed), devices.ids, gateways.ids)
    bounds = tuple(US_PER_DAY * day for day in range(days + 1))
    quiet = BatchNetwork(downlinks=False, duty_cycle=False)
    return BatchWorld(devices, gateways, gain, keys, model, network or quiet, bounds, foreign)


# -- theory ----------------------------------------------------------------------------------------------------------


def test_a_slotted_herd_delivers_as_slotted_aloha() -> None:
    """n devices at one instant on 3 channels: a frame survives with (2/3)^(n − 1)."""
    n, rounds = 6, 4000
    devices = BatchDevices.of(Schedules.herd(n, 0, period_us=10 * US_PER_S, times=rounds), dr=5)
    batch = Batch(world(devices, model=replace(STEADY, interference_policy="aloha")))
    batch.run(US_PER_DAY)
    share = batch.counters.outcomes[0] / (n * rounds)
    expected = (2 / 3) ** (n - 1)
    assert abs(share - expected) < 4 * math.sqrt(3 * expected * (1 - expected) / (n * rounds))


@pytest.mark.parametrize(("stronger_db", "survivors"), [(6.5, 1), (5.5, 0)])
def test_of_two_nodes_at_once_the_one_6_db_stronger_is_captured(stronger_db: float, survivors: int) -> None:
    rounds = 3000
    devices = BatchDevices.of(Schedules.herd(2, 0, period_us=10 * US_PER_S, times=rounds), dr=5)
    batch = Batch(world(devices, [[-100.0 + stronger_db], [-100.0]]), records="uplinks")
    batch.run(US_PER_DAY)
    ups, _ = batch.take()
    first, second = (ups["outcome"][ups["device"] == name] == "delivered" for name in ("d0", "d1"))
    clash = ups["freq_hz"][ups["device"] == "d0"] == ups["freq_hz"][ups["device"] == "d1"]
    assert first[~clash].all()
    assert second[~clash].all()
    assert first[clash].all() == bool(survivors)
    assert not second[clash].any()
    assert abs(clash.mean() - 1 / 3) < 4 * math.sqrt(2 / 9 / rounds)


def test_demodulator_blocking_is_erlangs() -> None:
    """M/D/c/c: Poisson frames of one length at c demodulators. Blocking depends on the load alone (Erlang B)."""
    servers, load = 3, 2.0
    airtime = lora_airtime_us(33, LoraModulation(7))
    n = 200
    devices = BatchDevices.of(Schedules.poisson(np.full(n, round(n * airtime / load))), dr=5)
    # aloha with everybody on his own channel cannot be had: powers far apart make capture settle every clash
    gateways = BatchGateways.of(1, demodulators=Demodulators("three", any_sf=servers))
    batch = Batch(world(devices, -100.0, gateways=gateways, model=replace(STEADY, interference_policy="energy")))
    batch.run(4 * US_PER_HOUR)
    sent = batch.counters.uplinks
    blocked = batch.counters.by_gateway[0, 3] / sent
    erlang = load**servers / math.factorial(servers) / sum(load**k / math.factorial(k) for k in range(servers + 1))
    assert sent > 300_000
    assert blocked == pytest.approx(erlang, rel=0.02)


# -- draws -----------------------------------------------------------------------------------------------------------


def received_dbm(model: RadioModel, hours: int) -> tuple[np.ndarray, BatchWorld, np.ndarray]:
    """Strength of every frame at one gateway that hears all, in steps of a dB, and when they were sent."""
    devices = BatchDevices.of(Schedules.periodic(0, 30 * US_PER_S), dr=5)
    made = world(devices, -60.0, model=model, days=1 + hours // 24)
    batch = Batch(made, records="uplinks")
    batch.run(hours * US_PER_HOUR)
    ups, _ = batch.take()
    return ups["best_rssi_dbm"], made, ups["t_us"]


def test_lognormal_fades_and_slow_states_are_those_of_the_exact_tier() -> None:
    model = RadioModel(slow_fading_sigma_db=3.0, slow_fading_block_s=600.0, slow_fading_correlation_s=3600.0)
    rssi, made, at = received_dbm(model, 40)
    keys = fold(made.keys.frame[:, None], made.keys.gateway_words[None, :])
    slow_keys = fold(made.keys.slow[:, None], made.keys.gateway_words[None, :])
    fades = FrameFading("lognormal", sigma_db=2.0).draw_db(keys[0], np.arange(len(rssi)))
    slow = SlowFading(slow_keys, sigma_db=3.0, correlation_s=3600.0, block_s=600.0)
    states = np.array([slow.row(0, int(t))[0] for t in at.tolist()])
    expected = np.rint(14.0 - 60.0 + fades + states)
    assert np.count_nonzero(rssi != expected) <= 2  # 10⁻⁴ dB apart at most: a rounding now and then
    assert len(rssi) == 4800


def test_rice_fades_follow_the_law_of_the_exact_tier() -> None:
    model = RadioModel(slow_fading_sigma_db=0.0, frame_fading_law="rice", frame_fading_k_db=3.0)
    devices = BatchDevices.of(Schedules.periodic(0, 10 * US_PER_S), dr=5)
    gateways = BatchGateways.of(1, noise_dbm=-160.0)
    batch = Batch(
        world(devices, -150.0, gateways=gateways, model=replace(model, snr_report_max_db=60.0)), records="all"
    )
    batch.run(20 * US_PER_HOUR)
    snr = batch.take()[0]["best_snr_db"]
    reference = FrameFading("rice", k_db=3.0).draw_db(np.array([77], np.uint64), np.arange(100_000)) + 24.0
    # quarters of a dB: compare with jitter of one step
    jitter = np.random.default_rng(2).uniform(-0.125, 0.125, len(snr))
    assert kstest(snr[~np.isnan(snr)] + jitter[~np.isnan(snr)], reference).pvalue > 1e-3


def test_adding_a_device_or_a_gateway_out_of_range_changes_no_other_frame() -> None:
    def run(n: int, g: int) -> list[tuple[object, ...]]:
        devices = BatchDevices.of(Schedules.periodic(np.arange(n) * 7_000_000, 300 * US_PER_S, jitter_us=US_PER_S))
        gain = np.full((n, g), -118.0)
        gain[3:], gain[:, 1:] = -300.0, -300.0
        batch = Batch(world(devices, gain, gateways=BatchGateways.of(g), model=RadioModel()), records="uplinks")
        batch.run(US_PER_DAY)
        ups, _ = batch.take()
        mine = np.isin(ups["device"], ["d0", "d1", "d2"])
        columns = ("t_us", "device", "freq_hz", "outcome", "best_rssi_dbm")
        return list(zip(*(ups[c][mine].tolist() for c in columns), strict=True))

    alone = [row[:4] for row in run(3, 1)]
    assert [row[:4] for row in run(9, 2)] == alone


# -- schedules -------------------------------------------------------------------------------------------------------


def instants(schedules: Schedules, days: int = 1) -> np.ndarray:
    batch = Batch(world(BatchDevices.of(schedules, dr=5), days=days), records="uplinks")
    batch.run(days * US_PER_DAY)
    times: np.ndarray = batch.take()[0]["t_us"]
    return times


def test_bursts_come_in_their_number_and_spacing() -> None:
    times = instants(Schedules.bursts([3600 * US_PER_S], [5], [20 * US_PER_S]), days=20)
    gaps = np.diff(times)
    within = np.arange(len(gaps)) % 5 != 4
    assert (gaps[within] == 20 * US_PER_S).all()
    assert len(times) / 5 == pytest.approx(480 / (1 + 80 / 3600), abs=4 * math.sqrt(480))


def test_poisson_readings_have_exponential_gaps() -> None:
    gaps = np.diff(instants(Schedules.poisson([600 * US_PER_S]), days=30)) / 600e6
    assert kstest(gaps, "expon").pvalue > 1e-3


def test_a_slow_clock_loses_its_ppm() -> None:
    times = instants(Schedules.periodic([0], [600 * US_PER_S], drift_ppm=[40.0]), days=2)
    assert int(times[-1] - times[-2]) == pytest.approx(600_024_000, abs=2)
    assert int(times[100]) == pytest.approx(100 * 600_024_000, abs=100)


def test_a_jitter_that_would_turn_readings_round_is_refused() -> None:
    with pytest.raises(ValueError, match="jitter"):
        Schedules.periodic([0], [10], jitter_us=[6])


# -- outages, foreign networks, joins ---------------------------------------------------------------------------------


def test_a_gateway_down_for_three_days_hears_nothing_and_the_books_say_so() -> None:
    devices = BatchDevices.of(Schedules.civil_days(np.linspace(0, 0.9, 50), 24))
    down = [(0, 2 * US_PER_DAY, 5 * US_PER_DAY)]
    batch = Batch(world(devices, gateways=BatchGateways.of(1, down=down), days=7))
    batch.run(7 * US_PER_DAY)
    assert batch.heard.sum(axis=0).tolist() == [50, 50, 0, 0, 0, 50, 50]
    down_at_gateway = batch.counters.by_gateway[0, OUTCOME_NAMES.tolist().index("gateway down")]
    assert down_at_gateway == pytest.approx(50 * 24 * 3, abs=3)


def test_a_foreign_network_takes_its_share_of_pure_aloha() -> None:
    n = 200
    devices = BatchDevices.of(Schedules.periodic(np.arange(n) * 3_000_000, 600 * US_PER_S), dr=5, payload_bytes=20)
    interval = 2_000_000
    foreign = ForeignTraffic(
        channel=np.arange(3),
        sf=np.full(3, 7),
        mean_interval_us=np.full(3, interval),
        phy_bytes=np.full(3, 33),
        power_dbm=np.full((3, 1), -90.0),
    )
    gateways = BatchGateways.of(1, demodulators=UNLIMITED)
    made = world(devices, gateways=gateways, foreign=foreign, model=replace(STEADY, interference_policy="aloha"))
    batch = Batch(made)
    batch.run(US_PER_DAY)
    expected = math.exp(-2 * lora_airtime_us(33, LoraModulation(7)) / interval)
    sent = batch.counters.uplinks
    assert sent == pytest.approx(n * 144, abs=n)
    assert abs(batch.counters.outcomes[0] / sent - expected) < 4 * math.sqrt(expected * (1 - expected) / sent)


def test_unanswered_joins_keep_to_the_aggregate_duty_cycle_of_the_specification() -> None:
    """36 s in the first hour, 36 s in the next ten, 8.7 s in every day after: LoRaWAN 1.0.4 §7."""
    devices = BatchDevices.of(Schedules.silent(4), joins=True, join_at_us=[0, 1, 2, 3])
    network = BatchNetwork(downlinks=False, join_data_rates=(0, 3))
    batch = Batch(world(devices, network=network, days=4), records="uplinks")
    batch.run(4 * US_PER_DAY)
    ups, _ = batch.take()
    first = ups["device"] == "d0"
    at, airtime = ups["t_us"][first], ups["airtime_us"][first]
    spans = [0, US_PER_HOUR, 11 * US_PER_HOUR, 35 * US_PER_HOUR, 59 * US_PER_HOUR, 83 * US_PER_HOUR]
    spent = [int(airtime[(at >= a) & (at < b)].sum()) for a, b in pairwise(spans)]
    budgets = [36_000_000, 36_000_000, 8_700_000, 8_700_000, 8_700_000]
    longest = int(airtime.max())
    for used, budget in zip(spent, budgets, strict=True):
        assert budget - 2 * longest < used <= budget
    assert set(ups["sf"].tolist()) == {9, 12}
    assert (ups["kind"] == "join").all()


def test_after_a_power_cut_everybody_joins_again_and_is_heard_again() -> None:
    n = 300
    cut = US_PER_DAY + 3 * US_PER_HOUR
    devices = BatchDevices.of(
        Schedules.civil_days(np.linspace(0, 0.99, n), 24),
        joins=True,
        join_at_us=np.linspace(0, 6 * US_PER_HOUR, n).astype(int),
        restart_at_us=cut,
        versions=Version.V1_0_4,
    )
    network = BatchNetwork(join_data_rates=(5, 4, 3, 2, 1, 0))
    batch = Batch(world(devices, [[-110.0]], network=network, days=4))
    batch.run(cut)
    assert batch.joined.all()
    before = batch.counters.totals["joins_sent"]
    batch.run(cut + 1_000_000)
    assert not batch.joined.any()
    batch.run(cut + 60_000_000)
    storm = batch.counters.totals["joins_sent"] - before
    assert storm > 3 * n  # they collide, and pause ten seconds at most
    batch.run(4 * US_PER_DAY)
    assert batch.joined.mean() > 0.95
    assert batch.heard[:, 3].mean() > 0.95


def test_ADR_brings_a_near_device_to_the_fastest_rate_and_low_power_and_leaves_a_far_one() -> None:
    devices = BatchDevices.of(Schedules.civil_days([0.1, 0.6], 24), adr=True)
    batch = Batch(world(devices, [[-90.0], [-148.0]], network=BatchNetwork(), days=5), records="uplinks")
    batch.run(5 * US_PER_DAY)
    assert batch.spreading_factors.tolist() == [7, 12]
    ups, _ = batch.take()
    last = ups["tx_power_dbm"][ups["device"] == "d0"][-1]
    # SNR is reported up to 10 dB: (10 + 20 − 10) / 3 is 6 steps, five of them to SF7 and one in power. At SF7 each
    # answer finds (10 + 7.5 − 10) / 3, 2 steps more, until TXPower 7, seven steps of 2 dB below the first.
    assert last == pytest.approx(14.0 - 7 * 2.0, abs=1e-6)


# -- cuts, processes, threads ------------------------------------------------------------------------------------------


def busy_world(seed: int) -> BatchWorld:
    n = 400
    rng = np.random.default_rng(seed)
    devices = BatchDevices.of(
        Schedules.civil_days(rng.random(n), 48, jitter_us=60 * US_PER_S),
        confirmed=rng.random(n) < 0.2,
        adr=True,
        joins=rng.random(n) < 0.5,
        join_at_us=rng.integers(0, US_PER_DAY // 4, n),
        versions=[list(Version)[k] for k in rng.integers(0, 4, n)],
    )
    gain = rng.uniform(-150, -100, (n, 3))
    return world(
        devices, gain, gateways=BatchGateways.of(3, demodulators=SX1301), model=RadioModel(), network=BatchNetwork(),
        days=3, seed=seed,
    )  # fmt: skip


RESUME = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
spec = spec_from_file_location("busy", sys.argv[1])
module = module_from_spec(spec)
sys.modules["busy"] = module
spec.loader.exec_module(module)
batch = module.Batch.resume(module.busy_world(5), Path(sys.argv[2]))
batch.run(3 * module.US_PER_DAY)
print(batch.digest())
"""


def test_a_checkpoint_goes_on_in_another_process_to_the_same_end(tmp_path: Path) -> None:
    straight, cut = Batch(busy_world(5)), Batch(busy_world(5))
    straight.run(3 * US_PER_DAY)
    cut.run(US_PER_DAY + 12_345_678)
    path = tmp_path / "day1.npz"
    cut.save(path)
    done = subprocess.run(
        [sys.executable, "-c", RESUME, __file__, str(path)],
        cwd=Path(__file__).resolve().parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == straight.digest()
    assert [p.name for p in tmp_path.iterdir()] == ["day1.npz"]


def test_a_checkpoint_of_another_world_or_of_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day1.npz"
    Batch(busy_world(5)).save(path)
    with pytest.raises(ValueError, match="another world"):
        Batch.resume(busy_world(6), path)
    np.savez(path, layout=np.array(-1))
    with pytest.raises(ValueError, match="layout"):
        Batch.resume(busy_world(5), path)


def test_worlds_come_out_alike_on_one_thread_and_on_two() -> None:
    def digest(seed: int) -> str:
        batch = Batch(busy_world(seed))
        batch.run(batch.world.bounds_us[-1])
        return batch.digest()

    one = [digest(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(digest, range(4))) == one
    assert len(set(one)) == 4


def test_memory_stays_below_half_a_kilobyte_a_sensor_with_eleven_gateways() -> None:
    n = 20_000
    devices = BatchDevices.of(
        Schedules.civil_days(np.linspace(0, 0.999, n), 24),
        confirmed=np.arange(n) % 10 == 0,
        adr=True,
        joins=True,
        join_at_us=np.linspace(0, US_PER_DAY - 1, n).astype(int),
        dr=3,
    )
    gain = np.random.default_rng(3).uniform(-145, -110, (n, 11))
    gateways = BatchGateways.of(11)
    batch = Batch(world(devices, gain, gateways=gateways, model=RadioModel(), network=BatchNetwork(), days=44))
    batch.run(US_PER_DAY)
    assert batch.state_bytes / n < 512
