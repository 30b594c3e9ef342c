"""Pixels per CPU-second of P.1812 over a raster: `python tests/bench_speed/coverage_sweep.py`.

The terrain is made here: hills of 45–120 m over 40 × 40 km. Swept and exact modes at 10, 30 and 90 m, one and eleven
transmitters, one and two threads; the accuracy beside the speed; the start of a fresh process, cold and cached; peak
memory. Py1812, the reference in NumPy, is the yardstick where it is importable.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from radio_sim.coverage.self_check import SelfCheck, sampled_errors
from radio_sim.coverage.sweep import Options, Surroundings, Transmitter, exact_losses, sweep_losses
from radio_sim.propagation.p1812 import P1812Parameters

ROOT = Path(__file__).resolve().parents[2]
SIDE_M = 40_000.0
PARAMS = P1812Parameters(868e6, latitude_deg=47.4)
STARTUP = """
import numpy as np
from time import perf_counter
start = perf_counter()
from radio_sim.coverage.sweep import Surroundings, Transmitter, sweep_losses
from radio_sim.propagation.p1812 import P1812Parameters
imported = perf_counter() - start
flat = Surroundings(np.zeros((40, 40), np.float32), 30.0)
sweep_losses(flat, [Transmitter(20.0, 20.0, 25.0)], 1.5, P1812Parameters(868e6))
print(imported, perf_counter() - start)
"""


def terrain(pixel_m: float) -> np.ndarray:
    """Hills with detail down to 60 m, the same land at every resolution."""
    rng = np.random.default_rng(868)
    fine = round(SIDE_M / 30.0)
    z = sum(
        amplitude * layer / layer.std()
        for sigma, amplitude in ((100, 1.0), (45, 0.55), (18, 0.28), (7, 0.12), (2.5, 0.05))
        for layer in [gaussian_filter(rng.standard_normal((fine, fine)), sigma)]
    )
    z = 45.0 + 75.0 * (z - z.min()) / np.ptp(z)
    size = round(SIDE_M / pixel_m)
    return np.ascontiguousarray(zoom(z, size / fine, order=1), np.float32)


def startup() -> None:
    """Import and first sweep of a fresh process, with an empty and with a filled cache of compiled code."""
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "cached"):
            environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(
                [sys.executable, "-c", STARTUP], env=environment, capture_output=True, text=True, check=True
            )
            imported, ready = map(float, done.stdout.split())
            print(f"start-up {state:8} import {imported:6.2f} s   first sweep done {ready:6.2f} s")


def swept(around: Surroundings, sites: list[Transmitter], threads: int, params: P1812Parameters = PARAMS) -> float:
    """Print one row; pixels per CPU-second."""
    wall, cpu = perf_counter(), process_time()
    losses = sweep_losses(around, sites, 1.5, params, threads=threads)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    pixels = around.heights.size * len(sites)
    check = SelfCheck.of([sampled_errors(losses[0], around, sites[0], 1.5, params, pixels=500)[0]])
    print(
        f"swept {around.pixel_size_m:4.0f} m {len(sites):3} tx {threads} threads {pixels / cpu / 1e6:7.2f} Mpixel/CPU-s"
        f"{wall:8.2f} s wall{cpu:8.2f} s CPU   error mean {check.mean_db:.3f} p99 {check.p99_db:.2f}"
        f" max {check.worst_db:.2f} dB"
    )
    return pixels / cpu


def exact(around: Surroundings, site: Transmitter) -> float:
    """Print one row; pixels per CPU-second."""
    rng = np.random.default_rng(1)
    rows, cols = rng.integers(0, around.heights.shape[0], (2, 20_000))
    cpu = process_time()
    exact_losses(around, site, 1.5, PARAMS, rows, cols)
    rate = len(rows) / (process_time() - cpu)
    print(f"exact {around.pixel_size_m:4.0f} m   1 tx 1 threads {rate / 1e6:7.3f} Mpixel/CPU-s")
    return rate


def py1812(around: Surroundings, site: Transmitter) -> float | None:
    """Pixels per CPU-second of the NumPy reference over the same profiles, None where it is not installed."""
    if importlib.util.find_spec("Py1812") is None:
        print("Py1812 is not importable here: no peer in this run")
        return None
    peer = importlib.import_module("Py1812.P1812")
    rng = np.random.default_rng(1)
    rows, cols = rng.integers(0, around.heights.shape[0], (2, 300))
    step = around.pixel_size_m / 1000.0
    cpu = process_time()
    for row, col in zip(rows.tolist(), cols.tolist(), strict=True):
        total = float(np.hypot(row - site.row, col - site.col)) * step
        n = max(int(total / step - 0.5), 4)
        d = np.append(np.arange(n + 1) * step, max(total, (n + 0.5) * step))
        at = (
            np.rint(site.row + d / d[-1] * (row - site.row)).astype(int),
            np.rint(site.col + d / d[-1] * (col - site.col)).astype(int),
        )
        h = around.heights[at].astype(float)
        zones = 4 * np.ones(len(d))
        peer.bt_loss(0.868, 50.0, d, h, np.zeros(len(d)), zones, 25.0, 1.5, 2, 47.4, 47.4, 0.0, 0.2, DN=45.0, N0=325.0)
    rate = len(rows) / (process_time() - cpu)
    print(f"Py1812 {around.pixel_size_m:3.0f} m   1 tx 1 threads {rate / 1e6:7.4f} Mpixel/CPU-s")
    return rate


def main() -> None:
    """Print the tables."""
    startup()
    at_30: dict[str, float | None] = {}
    for pixel_m in (90.0, 30.0, 10.0):
        around = Surroundings(terrain(pixel_m), pixel_m)
        size = around.heights.shape[0]
        rng = np.random.default_rng(11)
        sites = [Transmitter(float(r), float(c), 25.0) for r, c in rng.uniform(0.2 * size, 0.8 * size, (11, 2))]
        # The first call loads the compiled code.
        sweep_losses(around, sites[:1], 1.5, PARAMS, Options(max_distance_m=500.0), threads=1)
        rate = swept(around, sites[:1], 1)
        if pixel_m != 10.0:
            for threads in (1, 2):
                swept(around, sites, threads)
        else:
            swept(around, sites[:1], 2)
        own = exact(around, sites[0])
        print(f"      swept is {rate / own:.1f} times exact")
        if pixel_m == 30.0:
            at_30 = {"swept": rate, "exact": own, "Py1812": py1812(around, sites[0])}
            swept(around, sites[:1], 1, P1812Parameters(868e6, latitude_deg=47.4, time_percent=10.0))
            covered = np.where(gaussian_filter(rng.standard_normal(around.heights.shape), 2) > 0.02, 12.0, 0.0)
            print("with clutter of 12 m over half of the land:")
            swept(Surroundings(around.heights, pixel_m, covered.astype(np.float32)), sites[:1], 1)
        print(f"      peak memory so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    peer = at_30["Py1812"]
    if peer:
        swept_ratio, exact_ratio = ((at_30[name] or 0.0) / peer for name in ("swept", "exact"))
        print(f"at 30 m: swept {swept_ratio:,.0f} and exact {exact_ratio:,.0f} times Py1812")


if __name__ == "__main__":
    main()
