"""`lorabench gateway simulate`: simulated gateways, live, to any network server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.gateway import app
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.live.concentrator import BoardPlan

_EPILOG = (
    "Example: lorabench gateway simulate --scenario tev --server 127.0.0.1:1700 --sample 20 "
    '--period "30 s" --spread "20 s" --write-keys devices.toml'
)


@app.command(epilog=_EPILOG)
def simulate(
    scenario: Annotated[str, typer.Option(help="A name of the library, or a path to a TOML file.")],
    server: Annotated[str, typer.Option(help="HOST:PORT of the network server.")] = "127.0.0.1:1700",
    station: Annotated[
        Path | None,
        typer.Option(
            help="Speak Basics Station instead, to where tc.uri of this folder says (with tc.trust, tc.crt, tc.key)."
        ),
    ] = None,
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
        Path | None, typer.Option(help="Keep nonces, counters and sessions here, so that devices can come back later.")
    ] = None,
    pcap: Annotated[Path | None, typer.Option(help="Write every frame on the air as LoRaTap PCAP.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the summary alone.")] = False,
    for_: Annotated[str | None, typer.Option("--for", help='Stop after this time, such as "5 min".')] = None,
) -> None:
    """Put a scenario on the air in real time: its sensors, its radio, and a packet forwarder at each site.

    Each gateway has its own EUI and sockets. Ctrl-C ends it with a summary.
    """
    from bench.cli.live_run import LiveRun, pace_of, run_live  # noqa: PLC0415 - keeps --help quick
    from bench.live.address import server_address  # noqa: PLC0415
    from bench.live.options import duration_s  # noqa: PLC0415
    from bench.live.scenario import LiveScenario  # noqa: PLC0415

    if only_keys and write_keys is None:
        raise UsageError("--only-keys needs --write-keys FILE")
    run_live(
        LiveRun(
            LiveScenario(
                scenario,
                stage,
                tuple(name.strip() for name in sites.split(",") if name.strip()) if sites else (),
                sample,
                seed,
                background,
                tuple(join_dr or ()),
            ),
            pace_of(period, spread),
            server_address(server),
            _virtual(virtual_site or ()),
            write_keys,
            only_keys,
            memory,
            pcap,
            as_json,
            quiet,
            None if for_ is None else duration_s(for_, "--for"),
            station=station,
        )
    )


def _virtual(texts: Sequence[str]) -> dict[str, BoardPlan]:
    """SITE or SITE=LINK."""
    from bench.live.concentrator import BoardPlan  # noqa: PLC0415

    found: dict[str, BoardPlan] = {}
    for text in texts:
        site, named, link = text.partition("=")
        if not site or (named and not link) or site in found:
            raise UsageError(f'--virtual-site: "{text}"', hint="write SITE or SITE=LINK, each site once")
        found[site] = BoardPlan(Path(link) if link else None)
    return found
