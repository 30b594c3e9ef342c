"""`lorabench gateway virtual picogw`: a picoGW (SX1308) on a pseudo-terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.gateway_virtual import virtual_app
from bench.cli.gateway_virtual_corecell import air_entries, fault_setting, printer
from bench.cli.live_site import (
    LiveSite,
    PeriodOption,
    SampleOption,
    ScenarioOption,
    ServerOption,
    SiteOption,
    SpreadOption,
    StageOption,
    WriteKeysOption,
)


@virtual_app.command(
    "picogw", epilog="Example: lorabench gateway virtual picogw --link /tmp/picogw --radio script:uplinks.jsonl"
)
def picogw(
    radio: Annotated[
        str, typer.Option(help="What it hears: silent, script:FILE (JSON lines), replay:FILE.pcap (LoRaTap).")
    ] = "silent",
    link: Annotated[
        Path | None, typer.Option(help="A link to the pty, so that its name stays; 49 bytes at most.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="What is wrong with it, NAME=VALUE; may be given several times.")
    ] = None,
    eui: Annotated[str, typer.Option(help="The microcontroller's identifier: 16 hex digits.")] = "",
    duration: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    scenario: ScenarioOption = None,
    site: SiteOption = None,
    stage: StageOption = None,
    server: ServerOption = None,
    sample: SampleOption = 20,
    period: PeriodOption = None,
    spread: SpreadOption = "20 s",
    write_keys: WriteKeysOption = None,
) -> None:
    """Be a picoGW: print the path of its serial port, hear a radio or a live scenario, print what is sent.

    Point picoGW_packet_forwarder at the path: lora_pkt_fwd -d PATH. A script's times count from the moment when the
    host has started the concentrator; a scenario begins at once.
    """
    from bench.live.air_script import changed_faults  # noqa: PLC0415
    from bench.live.service import run_until_stopped  # noqa: PLC0415
    from bench.live.virtual_corecell import VirtualCoreCellSession  # noqa: PLC0415
    from gateway_fw.virtual.picogw import DEFAULT_UNIQUE_ID, VirtualPicoGw  # noqa: PLC0415
    from gateway_fw.virtual.picogw_faults import PicoGwFaults  # noqa: PLC0415
    from lorawan.ids import Eui64  # noqa: PLC0415

    faults = changed_faults(PicoGwFaults(), dict(fault_setting(text) for text in fault or ()))
    identifier = int(Eui64.from_hex(eui)).to_bytes(8, "big") if eui else DEFAULT_UNIQUE_ID
    if scenario is not None:
        live = LiveSite(
            scenario, site, stage, server, sample, period, spread, write_keys, link, duration, json_lines, radio
        )
        live.run(VirtualPicoGw(identifier, faults))
        return
    session = VirtualCoreCellSession(
        VirtualPicoGw(identifier, faults), air_entries(radio, faults), printer(json_lines), link=link
    )
    run_until_stopped(lambda: session.run(duration))
