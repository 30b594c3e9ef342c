"""`lorabench gateway provision`: forwarder configurations for the gateway sites of a scenario."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.gateway import app
from bench.errors import UsageError


@app.command("provision", epilog="Example: lorabench gateway provision tev --out configs/ --server eu.example.org:1700")
def provision(
    scenario: Annotated[str, typer.Argument(help="A scenario of the library, or a path to a TOML file.")],
    out: Annotated[Path, typer.Option(help="Folder for the files, one for each site; made if need be.")],
    dialect: Annotated[
        str, typer.Option(help="sx1302 (lora_pkt_fwd of sx1302_hal), sx1301 (packet_forwarder), or toml (lorabench).")
    ] = "sx1302",
    server: Annotated[
        list[str] | None, typer.Option(help="HOST or HOST:PORT of a network server; may be given several times.")
    ] = None,
    stage: Annotated[str | None, typer.Option(help="Sites of this stage; of the last one by default.")] = None,
    sites: Annotated[str, typer.Option(help="Ids of the sites, separated by commas; all by default.")] = "",
    port: Annotated[str | None, typer.Option(help="The concentrator's serial port on those gateways.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """A forwarder configuration for each gateway site: EUI, channel plan, antenna gain and position of the scenario.

    The EUI is the one that the scenario's runs use, so a server knows the real gateway as it knew the simulated one.
    """
    from bench.gateways.provision import DIALECTS, provision  # noqa: PLC0415 - brings pydantic and numpy
    from bench.live.address import server_address  # noqa: PLC0415
    from bench.store.atomic import write_text  # noqa: PLC0415
    from gateway_fw.settings import Server  # noqa: PLC0415
    from scenarios.load import load  # noqa: PLC0415

    chosen = next((name for name in DIALECTS if name == dialect), None)
    if chosen is None:
        raise UsageError(f"--dialect {dialect}: no such dialect", hint=f"one of {', '.join(DIALECTS)}")
    loaded = load(scenario)
    open_sites = loaded.open_sites(stage or loaded.scenario.stages[-1].name)
    wanted = [name.strip() for name in sites.split(",") if name.strip()]
    known = {site.id: site for site in open_sites}
    for name in wanted:
        if name not in known:
            raise UsageError(f"--sites {name}: no such site in this stage", hint=f"one of {', '.join(known)}")
    made = provision(
        loaded,
        tuple(known[name] for name in wanted) or open_sites,
        tuple(Server(host, number, number) for host, number in map(server_address, server or ["localhost:1700"])),
        chosen,
        port,
    )
    there = [one.name for one in made if (out / one.name).exists()]
    if there and not force:
        raise UsageError(f"{out / there[0]} is there already", hint="choose another --out, or --force")
    out.mkdir(parents=True, exist_ok=True)
    for one in made:
        write_text(out / one.name, one.text)
    if as_json:
        rows = [
            {"site": one.site.id, "eui": str(one.settings.gateway_eui), "file": str(out / one.name)} for one in made
        ]
        typer.echo(json.dumps(rows))
        return
    width = max(len(one.site.id) for one in made)
    for one in made:
        typer.echo(f"{one.site.id:<{width}}  {one.settings.gateway_eui}  {out / one.name}")
