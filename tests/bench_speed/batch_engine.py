"""Uplinks and links per CPU-second of the batch engine: `python tests/bench_speed/batch_engine.py [--quick]`.

N, load and direction stand beside every figure. "downlinks": 10 % of devices confirmed (8 tries), ADR on for all, duty
cycles on; Rayleigh fading per frame and link, `energy`, SX1301. Uplinks are frames on the air, repeats included; links
are uplinks × gateways, all computed. Below: growth, the hourly month of 17,000 sensors, the start of a fresh process,
and the same rule in plain NumPy in the same run.
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit" / "radio_sim"))

import numpy as np
from peer_cases import CASE_C, HOUR_US
from test_batch_peers import recount, world_of

from lorawan.draws import Draws
from lorawan.units import US_PER_DAY, US_PER_S
from lorawan.version import Version
from radio_sim.batch import Batch, BatchDevices, BatchGateways, BatchNetwork, BatchWorld, DrawKeys, Schedules
from radio_sim.model import SX1301, RadioModel

ROOT = Path(__file__).resolve().parents[2]
FLOOR = 360_000  # twenty times the fastest peer with its network server on
STARTUP = """
import sys
from time import perf_counter
start = perf_counter()
sys.path.insert(0, sys.argv[1])
import batch_engine
world = batch_engine.network(50, 600, 11, downlinks=True)
imported = perf_counter()
batch = batch_engine.Batch(world)
batch.run(10)
print(imported - start, perf_counter() - imported)
"""


def network(
    n: int, period_s: int, gateways: int, *, downlinks: bool, days: int = 1, tev: bool = False, radius_m: float = 0.0
) -> BatchWorld:
    """n sensors in a disc with the best SF each; gateways on a grid over it."""
    radius_m = radius_m or (6_400.0 if gateways == 1 else 10_000.0)
    i = np.arange(n)
    r, theta = radius_m * np.sqrt((i + 0.5) / n), i * math.pi * (3 - math.sqrt(5))
    if gateways <= 11:
        places = 1e3 * np.array(CASE_C.gateways_km[:gateways], float)
    else:
        k = np.arange(gateways)
        at, angle = radius_m * np.sqrt((k + 0.5) / gateways), k * math.pi * (3 - math.sqrt(5))
        places = np.stack([at * np.cos(angle), at * np.sin(angle)], axis=1)
    d = np.hypot((r * np.cos(theta))[:, None] - places[:, 0], (r * np.sin(theta))[:, None] - places[:, 1])
    gain = -(7.7 + 37.6 * np.log10(np.hypot(d, 13.8)))
    best = gain.max(axis=1) + 14.0
    fits = best[:, None] > np.array([-124.0, -127.0, -130.0, -133.0, -135.0, -137.0])
    dr = np.where(fits.any(axis=1), 5 - fits.argmax(axis=1), 0)
    rng = np.random.default_rng(868)
    jitter = 30 * US_PER_S
    if tev:
        schedules = Schedules.civil_days(rng.random(n), 24, jitter_us=60 * US_PER_S)
    else:
        schedules = Schedules.periodic(
            rng.integers(0, period_s * US_PER_S, n), np.full(n, period_s * US_PER_S), jitter_us=jitter
        )
    devices = BatchDevices.of(
        schedules,
        dr=dr,
        confirmed=(i % 10 == 0) & downlinks,
        adr=downlinks,
        versions=Version.V1_0_2,
        joins=tev,
        join_at_us=rng.integers(0, US_PER_DAY, n),
    )
    model = (
        RadioModel()
        if tev
        else RadioModel(
            slow_fading_sigma_db=0.0,
            frame_fading_law="rice",
            frame_fading_k_db=-300.0,
            interference_policy="energy",
        )
    )
    sites = BatchGateways.of(gateways, demodulators=SX1301)
    settings = BatchNetwork(downlinks=downlinks, duty_cycle=downlinks)
    keys = DrawKeys.of(Draws.of_seed(1), devices.ids, sites.ids)
    return BatchWorld(devices, sites, gain, keys, model, settings, tuple(US_PER_DAY * k for k in range(days + 1)))


def red(text: str) -> str:
    """In red on a terminal that shows colours."""
    return text if os.environ.get("NO_COLOR") else f"\033[31m{text}\033[0m"


def measure(label: str, world: BatchWorld, until: int, aim: float = 0.0) -> None:
    """Run and print a row: the fastest of three for a short run, as a machine's other work only ever adds."""
    seconds = math.inf
    for _ in range(3 if len(world.devices) * until < 1e16 else 1):
        batch = Batch(world)
        begin = process_time()
        batch.run(until)
        seconds = min(seconds, process_time() - begin)
    counters, gateways = batch.counters, len(world.gateways)
    rate = counters.uplinks / seconds
    row = f"{label:50s} {counters.uplinks:>11,} uplinks {seconds:7.2f} s {rate:>11,.0f}/s"
    row += f" {rate * gateways / 1e6:6.1f} M links/s  delivered {counters.outcomes[0] / counters.uplinks:.3f}"
    row += f"  {batch.state_bytes / len(world.devices):5.0f} B/sensor"
    if aim:
        row += f"  aim {aim:,.0f}: {'met' if rate >= aim else 'missed'}"
    print(red(row) if rate < FLOOR else row, flush=True)


def startup() -> None:
    """Import and first event of a fresh process, with an empty and with a filled cache of compiled code."""
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "cached"):
            environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(
                [sys.executable, "-c", STARTUP, str(Path(__file__).parent)],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            imported, ready = map(float, done.stdout.split())
            print(f"fresh process, {state}: imports {imported:.2f} s, first event after {ready:.2f} s more")


def beside_numpy() -> None:
    """The peers' case of eleven gateways: the engine, and the same receptions by pairs in NumPy."""
    batch = Batch(world_of(CASE_C, 1), records="uplinks")
    begin = process_time()
    batch.run(2 * HOUR_US)
    ours = process_time() - begin
    ups, _ = batch.take()
    begin = process_time()
    received, _ = recount(batch.world, ups)
    theirs = process_time() - begin
    same = ups["n_gateways"].tolist() == received.sum(axis=1).tolist()
    n = len(received)
    print(
        f"5,000 sensors, 11 gateways, 600 s, 1 h: engine {n / ours:,.0f} uplinks/s, plain NumPy {n / theirs:,.0f}/s,"
        f" receptions {'equal' if same else 'DIFFERENT'}"
    )


def main() -> None:
    """Print everything."""
    quick = "--quick" in sys.argv
    hour = 3_600 * US_PER_S
    Batch(network(50, 600, 11, downlinks=True)).run(10)
    for downlinks in (False, True):
        word = "downlinks" if downlinks else "uplinks only"
        for n, period, hours, aim in ((20_000, 3600, 24, 1e6), (20_000, 600, 6, 7.5e5), (100_000, 3600, 6, 4e5)):
            world = network(n, period, 11, downlinks=downlinks)
            measure(f"{n:,} every {period} s, 11 gateways, {word}", world, hours * hour, aim)
    beside_numpy()
    startup()
    if quick:
        return
    for n in (1_000, 10_000, 100_000, 1_000_000):
        hours = max(1, 2_000_000 // n // (1 if n < 1_000_000 else 2))
        world = network(n, 3600, 11, downlinks=True, days=1 + hours // 24)
        measure(f"growth: {n:,} hourly, 11 gateways, downlinks", world, hours * hour)
    for gateways in (1, 3, 11, 30, 100):
        world = network(20_000, 3600, gateways, downlinks=True)
        measure(f"growth: 20,000 hourly, {gateways} gateways, downlinks", world, 24 * hour)
    for days in (1, 7, 30):
        world = network(5_000, 3600, 11, downlinks=True, days=days)
        measure(f"growth: 5,000 hourly, 11 gateways, {days} days", world, days * US_PER_DAY)
    for downlinks in (False, True):
        word = "with downlinks and joins" if downlinks else "uplinks only, ABP"
        world = network(17_000, 3600, 11, downlinks=downlinks, days=30, tev=downlinks)
        measure(f"month: 17,000 × 24 a day, {word}", world, 30 * US_PER_DAY)
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB")


if __name__ == "__main__":
    main()
