"""Runs the stages of a scenario, one process each, and puts the run folder together."""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty
from types import FrameType
from typing import Any, Literal, Protocol, TypeAlias

from bench.executors import LOCAL, cpus, executor, shared
from bench.report.html import write_report
from bench.report.junit import junit_xml
from bench.report.summary import Commune, ScenarioInfo, Stage, Summary
from bench.runner.assumptions import assumptions
from bench.runner.batch import WorldResult, run_world
from bench.runner.batch_stage import month_of, summarise, write_sensor_days
from bench.runner.link import LinkKind
from bench.runner.misses import write_silent_sensors
from bench.runner.plan import StageWorld
from bench.runner.stage import StageRun, run_stage
from bench.runner.variants import ground_of, variant_rows
from bench.runner.verdict import verdict
from bench.store import RunFolder, make_manifest, stage_folder
from bench.store.atomic import aside
from bench.store.manifest import SCENARIO
from scenarios.load import LIBRARY, LoadedScenario

POLL_S = 0.2
Tier: TypeAlias = Literal["exact", "batch"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run. stages: None for all. jobs: processes, 0 for one a CPU; the result does not depend on it.

    tier "batch": every sensor in `worlds` draws, and the exact tier's sample of the last stage beside it. dask: the
    address of a scheduler, or "local". records: write every uplink of the batch tier's first world to Parquet.
    """

    sample_size: int
    seed: int
    warmup_days: int
    scored_days: int
    stages: tuple[str, ...] | None
    link: LinkKind
    jobs: int
    out: Path
    command: str
    tier: Tier = "exact"
    worlds: int = 10
    dask: str = ""
    records: bool = False


class Progress(Protocol):
    """Who is told how far a run is."""

    def update(self, stage: str, day: int, days: int, note: str) -> None:
        """`day` of `days` of a stage are done."""


def run_rollout(loaded: LoadedScenario, options: RunOptions, progress: Progress) -> Summary:
    """Run, judge, write the run folder; the summary as written.

    Ctrl-C once judges what was done: the exact tier ends every stage after its present day, the batch tier finishes the
    worlds under way (see `run_batch`). Twice gives up.
    """
    names = options.stages or tuple(stage.name for stage in loaded.scenario.stages)
    worlds = [world_for(loaded, name, options) for name in names]
    threads = options.jobs or cpus()
    ground = ground_of(
        worlds[-1],
        loaded.scenario.radio.path_loss,
        threads,
        lambda done, all_: progress.update("terrain", done, all_, "losses over the ground, site by site"),
    )
    worlds = [replace(world, ground=ground) for world in worlds]
    days = options.warmup_days + options.scored_days
    with RunFolder.create(options.out, loaded.scenario.name, options.seed) as folder:
        with _stop_on_ctrl_c() as stop:
            if options.tier == "batch":
                stages, complete = run_batch(worlds, options, folder.path, progress, stop)
            else:
                runner = _run_here if _processes(options, len(worlds)) == 1 else _run_in_processes
                found = runner(worlds, options, folder.path, progress, stop)
                stages = [found[name][0] for name in names if name in found]
                complete = len(stages) == len(names) and all(done == days for _, done in found.values())
        rests_on = assumptions(worlds[-1], stages)
        progress.update("variants", 0, 1, "what else would reach")
        variants = variant_rows(worlds[-1], stages[-1], threads) if complete else []
        progress.update("variants", 1, 1, "")
        summary = Summary(
            scenario=_info(loaded, options),
            complete=complete,
            verdict=verdict(stages, rests_on, variants, complete=complete),
            communes=[
                Commune(
                    name=commune.name,
                    lat=commune.lat_centre,
                    lon=commune.lon_centre,
                    area_km2=commune.area_km2,
                    households=commune.households,
                )
                for commune in loaded.communes
            ],
            stages=stages,
            variants=variants,
            assumptions=rests_on,
            command=options.command,
        )
        _write(folder, loaded, options, summary)
        folder.finish()
    summary["folder"] = str(folder.final)
    return summary


def world_for(loaded: LoadedScenario, stage: str, options: RunOptions) -> StageWorld:
    """A stage as the options want it, still without its terrain."""
    return StageWorld(loaded, stage, options.seed, options.sample_size, options.warmup_days, options.scored_days)


def _processes(options: RunOptions, stages: int) -> int:
    return min(stages, options.jobs or cpus())


def _info(loaded: LoadedScenario, options: RunOptions) -> ScenarioInfo:
    scenario = loaded.scenario
    return ScenarioInfo(
        name=scenario.name,
        title=scenario.title,
        sha256=loaded.sha256,
        seed=options.seed,
        tier=options.tier,
        sample_size=options.sample_size,
        warmup_days=options.warmup_days,
        scored_days=options.scored_days,
        start_date=scenario.start.isoformat(),
        timezone=scenario.timezone,
        policy=scenario.radio.policy,
    )


def _write(folder: RunFolder, loaded: LoadedScenario, options: RunOptions, summary: Summary) -> None:
    kept = asdict(options)
    kept["stages"] = None if options.stages is None else list(options.stages)
    for machine_bound in ("out", "jobs", "command", "seed", "dask"):
        del kept[machine_bound]
    manifest = make_manifest(
        scenario=_name_to_load(loaded),
        scenario_sha256=loaded.sha256,
        seed=options.seed,
        options=kept,
        command=options.command,
    )
    folder.write_json("manifest.json", manifest)
    folder.write_text(SCENARIO, loaded.path.read_text(encoding="utf-8"))
    folder.write_json("summary.json", summary)
    folder.write_text("junit.xml", junit_xml(summary))
    write_report(summary, folder.path / "report.html")


def _name_to_load(loaded: LoadedScenario) -> str:
    """The library's name, or the absolute path of a user's own file."""
    path = loaded.path.resolve()
    return path.stem if path.parent == LIBRARY.resolve() else str(path)


def run_batch(
    worlds: list[StageWorld], options: RunOptions, folder: Path, progress: Progress, stop: Event
) -> tuple[list[Stage], bool]:
    """Every stage in every draw, and the exact tier's sample of the last stage beside it. Whether all was done.

    Once `stop` is set no world is begun; those under way in processes are waited for and kept (a cluster keeps those
    that are done), and the exact check ends after its present day and is left out unless it was through.
    """
    began = time.perf_counter()
    results: dict[str, dict[int, WorldResult]] = {world.stage: {} for world in worlds}
    total = len(worlds) * options.worlds
    records: dict[str, Path] = {}
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".worlds-") as kept,
        executor(options.jobs, options.dask) as pool,
    ):
        ended = Path(kept) / "stop"  # a file: the check runs in another process
        exact = pool.submit(_exact_check, worlds[-1], options.link, folder, ended) if len(worlds[-1].sample) else None
        states = Path(kept) if options.dask == LOCAL else None  # nothing else begins a lost world again here
        futures: dict[Future[Any], str] = {}
        there = {world.stage: shared(pool, world) for world in worlds}
        for number in range(options.worlds):
            for world in reversed(worlds):
                parquet = None
                if options.records and number == 0:  # the stage's folder is for the exact check to make
                    parquet = records[world.stage] = Path(kept) / f"uplinks-{len(records)}.parquet"
                call = pool.submit(run_world, there[world.stage], number, checkpoints=states, parquet=parquet)
                futures[call] = world.stage
        waiting: set[Future[Any]] = {*futures, *([exact] if exact else [])}
        checked: Stage | None = None
        while waiting:
            if stop.is_set() and not ended.exists():
                ended.touch()
                waiting = {future for future in waiting if future is exact or not future.cancel()}
            done, waiting = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                if future is exact:
                    checked = future.result()
                    continue
                found: WorldResult = future.result()
                results[futures[future]][found.world] = found
                so_far = sum(map(len, results.values()))
                progress.update("worlds", so_far, total, f"stage {futures[future]}, world {found.world}")
        for stage, written in records.items():
            if written.exists():
                with aside(stage_folder(folder, stage) / "uplinks.parquet") as partial:
                    written.replace(partial)
    stages = []
    for world in worlds:
        drawn = [results[world.stage][number] for number in sorted(results[world.stage])]
        if drawn and drawn[0].world == 0:
            stages.append(summarise(world, drawn, time.perf_counter() - began))
            place = stage_folder(folder, world.stage)
            write_sensor_days(place / "sensor_days.parquet", world, drawn)
            write_silent_sensors(place / "silent_sensors.csv", world, drawn[0], month_of(world, drawn[0]).matrix)
    if checked is not None and stages and stages[-1]["name"] == checked["name"]:
        for population in ("territory", "open"):
            for row, sampled in zip(stages[-1]["clauses"][population], checked["clauses"][population], strict=True):
                row["exact"] = sampled["value"]
        stages[-1]["checks"] += checked["checks"]
    whole = exact is None or checked is not None
    return stages, whole and sum(map(len, results.values())) == total


def _exact_check(world: StageWorld, link: LinkKind, folder: Path, ended: Path) -> Stage | None:
    """The stage, None where `ended` appeared before its last day was done."""
    days_done = 0

    def day_done(day: int, _note: str) -> bool:
        nonlocal days_done
        days_done = day
        return not ended.exists()

    stage = run_stage(StageRun(world, link, folder, day_done))
    return stage if days_done == world.warmup_days + world.scored_days else None


# -- how stages run ----------------------------------------------------------------------------------------------------

_Found = dict[str, tuple[Stage, int]]


@contextmanager
def _stop_on_ctrl_c() -> Iterator[Event]:
    """An event that the first Ctrl-C sets; the second one raises KeyboardInterrupt as usual."""
    stop = multiprocessing.get_context("spawn").Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may handle signals
        return
    before = signal.getsignal(signal.SIGINT)

    def first(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _simulate(
    world: StageWorld, link: LinkKind, folder: Path, tell: Callable[[str, int, int, str], None], stop: Event
) -> tuple[Stage, int]:
    days = world.warmup_days + world.scored_days
    last = 0

    def day_done(day: int, note: str) -> bool:
        nonlocal last
        last = day
        tell(world.stage, day, days, note)
        return not stop.is_set()

    return run_stage(StageRun(world, link, folder, day_done)), last


def _run_here(worlds: list[StageWorld], options: RunOptions, folder: Path, progress: Progress, stop: Event) -> _Found:
    found = {}
    for world in worlds:
        if stop.is_set():
            break
        found[world.stage] = _simulate(world, options.link, folder, progress.update, stop)
    return found


_queue: Queue[tuple[str, int, int, str]] | None = None
_stop: Event | None = None


def _start_worker(queue: Queue[tuple[str, int, int, str]], stop: Event) -> None:
    global _queue, _stop
    _queue, _stop = queue, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop


def _work(world: StageWorld, link: LinkKind, folder: Path) -> tuple[Stage, int] | None:
    assert _queue is not None
    assert _stop is not None
    if _stop.is_set():
        return None
    queue = _queue
    return _simulate(world, link, folder, lambda *told: queue.put(told), _stop)


def _run_in_processes(
    worlds: list[StageWorld], options: RunOptions, folder: Path, progress: Progress, stop: Event
) -> _Found:
    context = multiprocessing.get_context("spawn")
    queue: Queue[tuple[str, int, int, str]] = context.Queue()
    found: _Found = {}
    with ProcessPoolExecutor(
        _processes(options, len(worlds)), context, initializer=_start_worker, initargs=(queue, stop)
    ) as pool:
        # the largest first, so that the last to start is short
        largest_first = sorted(worlds, key=lambda world: -len(world.loaded.open_sites(world.stage)))
        futures: dict[str, Future[tuple[Stage, int] | None]] = {
            world.stage: pool.submit(_work, world, options.link, folder) for world in largest_first
        }
        while not all(future.done() for future in futures.values()):
            _drain(queue, progress)
        for name, future in futures.items():
            result = future.result()
            if result is not None:
                found[name] = result
    _drain(queue, progress)
    queue.close()
    return found


def _drain(queue: Queue[tuple[str, int, int, str]], progress: Progress) -> None:
    try:
        while True:
            progress.update(*queue.get(timeout=POLL_S))
    except Empty:
        return
