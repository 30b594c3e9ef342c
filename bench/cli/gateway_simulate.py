"""`lorabench gateway simulate`: simulated gateways, live, to any network server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exits import INTERRUPTED
from bench.cli.gateway import app
from bench.cli.progress import reporter
from bench.errors import LinkError, UsageError

if TYPE_CHECKING:
    from bench.live.events import AirEvent
    from bench.live.service import Stop

_EPILOG = (
    "Example: lorabench gateway simulate --scenario tev --server 127.0.0.1:1700 --sample 20 "
    '--period "30 s" --spread "20 s" --write-keys devices.toml'
)


@app.command(epilog=_EPILOG)
def simulate(
    scenario: Annotated[str, typer.Option(help="A name of the library, or a path to a TOML file.")],
    server: Annotated[str, typer.Option(help="HOST:PORT of the network server.")] = "127.0.0.1:1700",
    stage: Annotated[str | None, typer.Option(help="The stage; the last one where none is given.")] = None,
    sites: Annotated[str | None, typer.Option(help="Sites with commas between; all open ones where none.")] = None,
    virtual_site: Annotated[
        list[str] | None,
        typer.Option(
            help="This site is a virtual CoreCell that another forwarder opens: SITE, or SITE=LINK for a fixed name "
            "(repeatable)."
        ),
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="How many sensors to simulate frame by frame.")] = 20,
    seed: Annotated[int | None, typer.Option(help="Of every draw; the scenario's where none is given.")] = None,
    period: Annotated[str | None, typer.Option(help='Between two readings of a sensor, such as "30 s".')] = None,
    spread: Annotated[str, typer.Option(help="Devices are switched on within this time.")] = "20 s",
    join_dr: Annotated[
        list[int] | None, typer.Option(min=0, max=5, help="Data rates of join requests in turn (repeatable).")
    ] = None,
    background: Annotated[bool, typer.Option(help="The rest of the population interferes.")] = True,
    write_keys: Annotated[
        Path | None, typer.Option(help="Write the devices' keys for `lorabench network run --keys`.")
    ] = None,
    only_keys: Annotated[bool, typer.Option("--only-keys", help="Stop after --write-keys.")] = False,
    memory: Annotated[
        Path | None, typer.Option(help="Keep DevNonces and counters here, so that devices can join again later.")
    ] = None,
    pcap: Annotated[Path | None, typer.Option(help="Write every frame on the air as LoRaTap PCAP.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the summary alone.")] = False,
    for_: Annotated[str | None, typer.Option("--for", help='Stop after this time, such as "5 min".')] = None,
) -> None:
    """Put a scenario on the air in real time: its sensors, its radio, and a packet forwarder at each site.

    Each gateway has its own EUI and sockets. Ctrl-C ends it with a summary.
    """
    from bench.live.address import server_address  # noqa: PLC0415 - keeps --help quick
    from bench.live.air import Pace  # noqa: PLC0415
    from bench.live.air_lines import capture, facts, line, summary_facts, summary_lines  # noqa: PLC0415
    from bench.live.devices_file import write_devices  # noqa: PLC0415
    from bench.live.lora_pcap import LivePcap, unix_us  # noqa: PLC0415
    from bench.live.memories import read_memories, write_memories  # noqa: PLC0415
    from bench.live.options import duration_s, duration_us  # noqa: PLC0415
    from bench.live.scenario import LiveScenario, live_plan  # noqa: PLC0415
    from bench.live.service import serve  # noqa: PLC0415
    from bench.live.simulation import LiveSimulation  # noqa: PLC0415
    from scenarios.errors import did_you_mean  # noqa: PLC0415

    address = server_address(server)
    pace = Pace(
        None if period is None else duration_us(period, "--period", least_us=1_000_000),
        duration_us(spread, "--spread", least_us=0),
    )
    limit_s = None if for_ is None else duration_s(for_, "--for")
    if only_keys and write_keys is None:
        raise UsageError("--only-keys needs --write-keys FILE")
    wanted = LiveScenario(
        scenario,
        stage,
        tuple(name.strip() for name in sites.split(",") if name.strip()) if sites else (),
        sample,
        seed,
        background,
        tuple(join_dr or ()),
    )
    memories = read_memories(memory) if memory else {}
    virtual = _virtual(virtual_site or ())
    with reporter(quiet=quiet) as told:
        loaded, plan = live_plan(
            wanted, lambda done, all_: told.update("terrain", done, all_, "losses over the ground")
        )
    for name in virtual:
        if name not in (gateway.site_id for gateway in plan.gateways):
            raise UsageError(f'no site "{name}" is open', hint=did_you_mean(name, [g.site_id for g in plan.gateways]))
    if write_keys is not None:
        write_devices(write_keys, plan, title=f"Sensors of the scenario {loaded.scenario.name}")
        typer.echo(f"{len(plan.profiles)} devices written to {write_keys}", err=True)
        if only_keys:
            return

    with ExitStack() as stack:
        written = stack.enter_context(LivePcap(pcap)) if pcap else None

        def tell(event: AirEvent) -> None:
            if written is not None:
                capture(event, written, simulation.origin_unix_us)
            if quiet:
                return
            text = json.dumps(facts(event)) if as_json else line(event)
            if text is not None:
                typer.echo(text)

        # seconds since 1970: devices that draw their DevNonces draw others than in the last run
        simulation = LiveSimulation(
            plan, tell, address, pace=pace, virtual=virtual, memories=memories, activation=unix_us() // 1_000_000
        )

        async def until_stopped(stop: Stop) -> None:
            try:
                await simulation.__aenter__()
            except OSError as error:
                raise LinkError(f"no way to {server}: {error.strerror or error}") from None
            try:
                for gateway in plan.gateways:
                    if gateway.site_id in simulation.forwarders:
                        typer.echo(f"gateway {gateway.config.gateway_eui}  {gateway.site_id}", err=True)
                for site, board in simulation.concentrators.items():
                    typer.echo(f"CoreCell {board.path}  {site}: let a packet forwarder open it", err=True)
                await stop.wait(limit_s)
            finally:
                await simulation.__aexit__()
                if memory is not None:
                    write_memories(memory, simulation.air.memories)

        interrupted = serve(until_stopped)
    if as_json:
        typer.echo(json.dumps(summary_facts(simulation)))
    else:
        for text in summary_lines(simulation):
            typer.echo(text, err=True)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _virtual(texts: Sequence[str]) -> dict[str, Path | None]:
    """SITE or SITE=LINK."""
    found: dict[str, Path | None] = {}
    for text in texts:
        site, named, link = text.partition("=")
        if not site or (named and not link) or site in found:
            raise UsageError(f'--virtual-site: "{text}"', hint="write SITE or SITE=LINK, each site once")
        found[site] = Path(link) if link else None
    return found
