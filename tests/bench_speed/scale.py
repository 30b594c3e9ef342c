"""Beyond one machine: `python tests/bench_speed/scale.py`.

Worlds of TEV's last stage in one process, in two, and on a local dask.distributed cluster: the same work, the same
digests, so what differs is what the cluster costs. Then one network of a department in one world, and a gateway's
coverage raster. The last lines put these figures together for a department and for metropolitan France.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from batch_engine import network

from bench.executors import executor, shared
from bench.runner.batch import run_world
from bench.runner.plan import StageWorld
from bench.runner.variants import ground_of
from lorawan.units import US_PER_DAY
from radio_sim.batch import Batch
from radio_sim.coverage.loss_model import LossModel
from radio_sim.coverage.losses import gateway_raster
from radio_sim.terrain.bundled import tev_terrain
from scenarios.load import load

WORLDS = 6
DAYS = 44  # 14 of warm-up and 30 scored
# INSEE, population municipale 2021: Indre-et-Loire 612,160 on 6,127 km²; metropolitan France 65.5 million. A
# sensor a household as in TEV: 17,000 for 41,489 people.
PEOPLE, AREA_KM2, OF_FRANCE = 612_160, 6_127, 65.5e6 / 612_160
SENSORS = round(PEOPLE * 17_000 / 41_489, -3)
GATEWAYS = 100
"""A gateway for every 61 km²: rural ones reach farther apart than TEV's eleven on 213 km² stand [assumption]."""
DISC_PIXELS = 3.1416 * (30_000 / 25) ** 2
PERIOD_S = round(86_400 * 17_000 / 57_000)
"""TEV's 57,000 uplinks a day of 17,000 sensors."""


def main() -> None:
    """Print everything."""
    loaded = load("tev")
    bare = StageWorld(loaded, "2027", 1, 1, 14, 30)
    ground = ground_of(bare, loaded.scenario.radio.path_loss, 2, lambda _done, _all: None)
    world = replace(bare, ground=ground)
    run_world(world, 0)  # compiles
    efficiency, digests = 1.0, set()
    for label, jobs, dask in (
        ("1 process", 1, ""),
        ("2 processes", 2, ""),
        ("local dask cluster of 2 workers", 2, "local"),
    ):
        with executor(jobs, dask) as pool:
            there = shared(pool, world)
            [f.result() for f in [pool.submit(run_world, there, 1) for _ in range(jobs)]]  # imports
            begin = perf_counter()
            found = [future.result() for future in [pool.submit(run_world, there, n) for n in range(1, WORLDS + 1)]]
            wall = perf_counter() - begin
        uplinks = sum(sum(result.outcomes.values()) for result in found)
        busy = sum(result.elapsed_s for result in found)
        digests.add(tuple(result.digest for result in found))
        print(
            f"TEV 2027, {WORLDS} worlds of {DAYS} days, {label}: {wall:.1f} s, {uplinks / wall / 1e6:.2f} M uplinks/s, "
            f"a world {busy / WORLDS:.2f} s, workers busy {100 * busy / wall / jobs:.0f} %",
            flush=True,
        )
        efficiency = busy / wall / jobs
    print(f"digests {'equal' if len(digests) == 1 else 'DIFFERENT'}")

    made = network(int(SENSORS), PERIOD_S, GATEWAYS, downlinks=True, radius_m=1e3 * (AREA_KM2 / 3.1416) ** 0.5)
    batch = Batch(made)
    begin = process_time()
    batch.run(US_PER_DAY)
    day_s = process_time() - begin
    uplinks = batch.counters.uplinks
    print(
        f"a department in one world: {SENSORS:,.0f} sensors, {GATEWAYS} gateways, downlinks, one day: {uplinks:,} "
        f"uplinks in {day_s:.1f} s, {uplinks / day_s / 1e6:.2f} M/s, {batch.state_bytes / 1e6:,.0f} MB"
    )
    site = world.gateways[0]
    model = LossModel("p1812")
    options = {"rx_height_m": 1.0, "clutter": None, "max_distance_m": 30_000.0, "exact": False, "threads": 1}
    gateway_raster(tev_terrain(), site, None, model=model, **options)  # compiles
    begin = process_time()
    loss, _ = gateway_raster(tev_terrain(), site, None, model=model, **options)
    pixel_s = (process_time() - begin) / np.isfinite(loss).sum()
    disc_s = pixel_s * DISC_PIXELS
    print(f"coverage of one gateway: {1e-6 / pixel_s:.2f} M pixels per CPU-s, 30 km round it at 25 m {disc_s:.1f} s")

    month_s = day_s * DAYS
    for name, of_department, workers in (("department", 1.0, 8), ("France", OF_FRANCE, 64)):
        cpu_h = 30 * month_s * of_department / 3600
        print(
            f"{name}: a world of {DAYS} days {month_s * of_department / 60:,.1f} CPU-min, 10 worlds of 3 stages "
            f"{cpu_h:,.1f} CPU-h: {60 * cpu_h / workers / efficiency:,.0f} min on {workers} workers as busy as above; "
            f"maps of {GATEWAYS * of_department:,.0f} gateways {disc_s * GATEWAYS * of_department / 3600:,.1f} CPU-h"
        )


if __name__ == "__main__":
    main()
