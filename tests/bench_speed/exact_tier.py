"""Speed and memory of the exact tier, end to end: `python tests/bench_speed/exact_tier.py`.

1. Uplinks per second of one core with 3 of 11 gateways hearing each: device MAC, medium with fading and background,
   forwarders, Semtech UDP in memory, server, deduplication, session, answers. Two days of 300 sensors.
2. The same over loopback sockets, for the ratio.
3. The medium alone on the same frames, as the plain reference: what the air costs without bytes.
4. Peak memory of the default TEV run, each stage in a process of its own: `--memory` (about a minute).
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.runner.exact import ExactStage, StagePlan
from bench.runner.link import LinkKind, make_link
from bench.runner.plan import StageWorld, stage_plan
from lorawan.phy import LoraModulation, Transmit
from lorawan.trace import Record, UplinkRecord
from radio_sim.background import draw_background_day
from radio_sim.medium import Medium, UplinkStarts
from scenarios.load import load

DAYS = 3
HEARING, GATEWAYS = 3, 11


def plan_of() -> tuple[StagePlan, Medium]:
    """TEV's last stage with every sensor near three gateways and out of reach of the others."""
    world = StageWorld(load("tev"), "2027", 1, 300, DAYS - 1, 1)
    plan = stage_plan(world)
    links = world.links.rows(np.asarray(world.sample))
    gain = np.full(links.gain_db.shape, -220.0)
    for device in range(len(gain)):
        gain[device, [(device + k) % GATEWAYS for k in range(HEARING)]] = -115.0
    medium = Medium(world.gateways, gain, fading=links.fading(world.model))
    population, background_links = world.background
    fading = background_links.fading(world.model)

    def before_day(day: int) -> None:
        medium.set_background(
            draw_background_day(world.draws, day, world.bounds_us[day], world.bounds_us[day + 1], population, fading)
        )

    sensors = tuple(replace(sensor, uplinks_per_day=48) for sensor in plan.sensors)
    return replace(plan, medium=medium, before_day=before_day, sensors=sensors), medium


def end_to_end(link: LinkKind) -> tuple[float, list[Record]]:
    """CPU seconds for the days after the first (joins), and the records of those days."""
    plan, _ = plan_of()
    wire = make_link(link, len(plan.gateways))
    stage = ExactStage(plan, wire)
    stage.run_day(0)
    began = time.process_time()
    for day in range(1, DAYS):
        stage.run_day(day)
    cpu = time.process_time() - began
    wire.close()
    records = stage.recorder.records(plan.bounds_us[DAYS])
    return cpu, [r for r in records if r.t_us >= plan.bounds_us[1]]


def medium_alone(uplinks: list[UplinkRecord], plan: StagePlan, medium: Medium) -> float:
    """CPU seconds for the same frames through the medium and nothing else."""
    names = {sensor.id: index for index, sensor in enumerate(plan.sensors)}
    for day in range(DAYS):
        plan.before_day(day)
    began = time.process_time()
    for number, uplink in enumerate(uplinks):
        transmit = Transmit(
            uplink.t_us,
            uplink.phy_payload,
            uplink.freq_hz,
            LoraModulation(uplink.sf),
            uplink.tx_power_dbm,
            uplink.airtime_us,
        )
        medium.handle(UplinkStarts(names[uplink.device], number, transmit), uplink.t_us)
    return time.process_time() - began


def report_speed() -> None:
    """Print the figures and their ratios."""
    cpu, records = end_to_end("memory")
    uplinks = [r for r in records if isinstance(r, UplinkRecord)]
    rate = len(uplinks) / cpu
    copies = sum(u.n_gateways for u in uplinks) / len(uplinks)
    print(f"{len(uplinks)} uplinks, {copies:.2f} of {GATEWAYS} gateways hear each")
    print(f"end to end, in memory   {rate:8.0f} uplinks per CPU-second ({1e6 / rate:.0f} µs each; aim 1,500)")
    cpu_udp, records_udp = end_to_end("udp")
    rate_udp = sum(isinstance(r, UplinkRecord) for r in records_udp) / cpu_udp
    print(f"end to end, over UDP    {rate_udp:8.0f} uplinks per CPU-second ({rate_udp / rate:.2f} of memory)")
    plan, medium = plan_of()
    rate_air = len(uplinks) / medium_alone(uplinks, plan, medium)
    print(f"medium alone            {rate_air:8.0f} uplinks per CPU-second; end to end is {rate / rate_air:.2f} of it")


def report_memory() -> None:
    """Run TEV as `make run` does and print the largest process."""
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        done = subprocess.run(
            [
                str(Path(sys.executable).parent / "lorabench"),
                "scenario",
                "run",
                "tev",
                "--tier",
                "exact",
                "-q",
                "--out",
                out,
            ],
            check=False,
        )
        wall = time.perf_counter() - began
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"default TEV run: exit {done.returncode}, {wall:.0f} s, largest process {peak_mb:.0f} MB (aim: under 500)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true", help="also run the whole TEV rollout for its peak memory")
    chosen = parser.parse_args()
    report_speed()
    if chosen.memory:
        report_memory()
