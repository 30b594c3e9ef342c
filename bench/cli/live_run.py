"""What `gateway simulate` and `gateway virtual … --scenario` share: a plan on the air, until it is stopped."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bench.cli.exits import INTERRUPTED
from bench.cli.progress import reporter
from bench.errors import LinkError, UsageError
from bench.live.air import Pace
from bench.live.air_lines import capture, facts, line, summary_facts, summary_lines
from bench.live.concentrator import BoardPlan
from bench.live.devices_file import write_devices
from bench.live.lora_pcap import LivePcap, unix_us
from bench.live.memories import read_memories, write_memories
from bench.live.options import duration_us
from bench.live.scenario import LiveScenario, live_plan
from bench.live.service import serve
from bench.live.simulation import LiveSimulation
from gateway_fw.errors import PtyError, StationError
from scenarios.errors import did_you_mean

if TYPE_CHECKING:
    from bench.live.events import AirEvent
    from bench.live.service import Stop
    from gateway_fw.io.station_credentials import StationCredentials

SILENT_SERVER_S = 3  # the first PULL_DATA goes out at once


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What is to run. server: of the simulated forwarders, None for none of them; virtual: boards by site.

    write_keys, memory, pcap: files, None for none. say_path: print the boards' paths to stdout. station: a folder with
    Basics Station's credentials, None for Semtech UDP.
    """

    scenario: LiveScenario
    pace: Pace
    server: tuple[str, int] | None
    virtual: Mapping[str, BoardPlan] = field(default_factory=dict)
    write_keys: Path | None = None
    only_keys: bool = False
    memory: Path | None = None
    pcap: Path | None = None
    as_json: bool = False
    quiet: bool = False
    limit_s: float | None = None
    say_path: bool = False
    station: Path | None = None


def pace_of(period: str | None, spread: str) -> Pace:
    """--period and --spread."""
    return Pace(
        None if period is None else duration_us(period, "--period", least_us=1_000_000),
        duration_us(spread, "--spread", least_us=0),
    )


def run_live(run: LiveRun) -> None:
    """Build it, run it, print what happens and the summary. Exit code 130 where Ctrl-C ended it."""
    memories = read_memories(run.memory) if run.memory else {}
    credentials = None if run.station is None else _credentials(run.station)
    with reporter(quiet=run.quiet) as told:
        loaded, plan = live_plan(
            run.scenario, lambda done, all_: told.update("terrain", done, all_, "losses over the ground")
        )
    sites = [gateway.site_id for gateway in plan.gateways]
    for name in run.virtual:
        if name not in sites:
            raise UsageError(f'no site "{name}" is open', hint=did_you_mean(name, sites))
    if run.write_keys is not None:
        write_devices(run.write_keys, plan, title=f"Sensors of the scenario {loaded.scenario.name}")
        typer.echo(f"{len(plan.profiles)} devices written to {run.write_keys}", err=True)
        if run.only_keys:
            return

    with ExitStack() as stack:
        written = stack.enter_context(LivePcap(run.pcap)) if run.pcap else None

        def tell(event: AirEvent) -> None:
            if written is not None:
                capture(event, written, simulation.origin_unix_us)
            if run.quiet:
                return
            text = json.dumps(facts(event)) if run.as_json else line(event)
            if text is not None:
                typer.echo(text)

        # seconds since 1970: devices that draw their DevNonces draw others than in the last run
        simulation = LiveSimulation(
            plan,
            tell,
            run.server,
            pace=run.pace,
            virtual=run.virtual,
            station=credentials,
            memories=memories,
            activation=unix_us() // 1_000_000,
        )

        async def until_stopped(stop: Stop) -> None:
            try:
                await simulation.__aenter__()
            except PtyError:
                raise
            except OSError as error:
                host, port = run.server or ("", 0)
                raise LinkError(
                    f"no way to {host}:{port}: {error.strerror or error}", hint="--server HOST:PORT"
                ) from None
            try:
                _introduce(run, simulation)
                with watching(simulation, run.server if run.station is None else None):
                    await stop.wait(run.limit_s)
            finally:
                await simulation.__aexit__()
                if run.memory is not None:
                    write_memories(run.memory, simulation.air.memories)

        interrupted = serve(until_stopped)
    if run.as_json:
        typer.echo(json.dumps(summary_facts(simulation)))
    else:
        for text in summary_lines(simulation):
            typer.echo(text, err=True)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _credentials(folder: Path) -> StationCredentials:
    from gateway_fw.io.station_credentials import load_credentials  # noqa: PLC0415 - websockets only where asked for

    try:
        return load_credentials(folder)
    except StationError as error:
        raise UsageError(str(error)) from None


@contextmanager
def watching(simulation: LiveSimulation, server: tuple[str, int] | None) -> Iterator[None]:
    """Say once where no server has acknowledged anything: the frames go by all the same."""

    def look() -> None:
        each = simulation.forwarders.values()
        if server and any(one.datagrams_up for one in each) and not any(one.datagrams_down for one in each):
            typer.echo("warning: nothing answers at {}:{}; is a network server there?".format(*server), err=True)

    timer = asyncio.get_running_loop().call_later(SILENT_SERVER_S, look)
    try:
        yield
    finally:
        timer.cancel()


def _introduce(run: LiveRun, simulation: LiveSimulation) -> None:
    for site, forwarder in simulation.forwarders.items():
        typer.echo(f"gateway {forwarder.gateway_eui}  {site}", err=True)
    for site, board in simulation.concentrators.items():
        typer.echo(f"board   {board.path}  {site}: let a packet forwarder open it", err=True)
        if run.as_json and run.say_path:
            typer.echo(json.dumps({"event": "ready", "site": site, "path": board.path}))
        elif run.say_path:
            typer.echo(board.path)
