"""`lorabench gateway virtual corecell`: a CoreCell USB concentrator on a pseudo-terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.gateway_virtual import virtual_app
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
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.live.air_script import AirEntry


@virtual_app.command(
    "corecell", epilog="Example: lorabench gateway virtual corecell --link /tmp/corecell --radio script:uplinks.jsonl"
)
def corecell(
    radio: Annotated[
        str, typer.Option(help="What it hears: silent, script:FILE (JSON lines), replay:FILE.pcap (LoRaTap).")
    ] = "silent",
    link: Annotated[
        Path | None, typer.Option(help="A link to the pty, so that its name stays; 49 bytes at most.")
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help="What is wrong with it, NAME=VALUE; may be given several times.")
    ] = None,
    rssi_offset: Annotated[float, typer.Option(help="The forwarder's rssi_offset, in dB.")] = -215.4,
    eui: Annotated[str, typer.Option(help="What the concentrator chip says of itself: 16 hex digits.")] = "",
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
    """Be a CoreCell: print the path of its serial port, hear a radio or a live scenario, print what is transmitted.

    Point a host program's com_path (lora_pkt_fwd, Basics Station) at the path. A script's times count from the moment
    when the host has started the concentrator; a scenario begins at once.
    """
    from bench.live.air_script import changed_faults  # noqa: PLC0415
    from bench.live.service import run_until_stopped  # noqa: PLC0415
    from bench.live.virtual_corecell import VirtualCoreCellSession  # noqa: PLC0415
    from gateway_fw.virtual.board import CoreCellBoard, RssiCalibration  # noqa: PLC0415
    from gateway_fw.virtual.corecell import VirtualCoreCell  # noqa: PLC0415
    from gateway_fw.virtual.faults import Faults  # noqa: PLC0415
    from lorawan.ids import Eui64  # noqa: PLC0415

    faults = changed_faults(Faults(), dict(fault_setting(text) for text in fault or ()))
    board = CoreCellBoard(rssi=RssiCalibration(offset_db=rssi_offset))
    if eui:
        board = CoreCellBoard(rssi=board.rssi, chip_eui=Eui64.from_hex(eui))
    if scenario is not None:
        live = LiveSite(
            scenario, site, stage, server, sample, period, spread, write_keys, link, duration, json_lines, radio
        )
        live.run(VirtualCoreCell(board, faults))
        return
    entries = air_entries(radio, Faults())
    session = VirtualCoreCellSession(VirtualCoreCell(board, faults), entries, printer(json_lines), link=link)
    run_until_stopped(lambda: session.run(duration))


def air_entries(radio: str, faults: object) -> list[AirEntry]:
    """What --radio names. faults: the settings of the board that it is for. Raises UsageError."""
    from bench.live.air_replay import load_replay  # noqa: PLC0415
    from bench.live.air_script import load_script  # noqa: PLC0415

    kind, _, name = radio.partition(":")
    if radio == "silent":
        return []
    if kind == "script" and name:
        return load_script(Path(name), faults)
    if kind == "replay" and name:
        return list(load_replay(Path(name)))
    raise UsageError(f"--radio {radio!r}", hint="silent, script:FILE or replay:FILE.pcap")


def fault_setting(text: str) -> tuple[str, Any]:
    """One --fault. Raises UsageError."""
    import json  # noqa: PLC0415

    name, sign, value = text.partition("=")
    try:
        return name, json.loads(value if sign else "true")
    except ValueError:
        raise UsageError(f"--fault {text!r}", hint="NAME=VALUE, such as stall_every=10") from None


def printer(json_lines: bool) -> Any:
    """What writes a session's records to stdout."""
    import json  # noqa: PLC0415

    def say(record: dict[str, Any]) -> None:
        if json_lines:
            line = json.dumps(record)
        elif record["event"] == "ready":
            line = record["path"]
        elif record["event"] == "tx":
            iq, crc = ("down" if record["inverted_iq"] else "up"), ("CRC" if record["crc"] else "no CRC")
            rate = f"{record['freq_hz'] / 1e6:.6f} MHz  {record['datr']} {record['codr']}"
            line = f"tx at {record['counter_us']} us  {rate}  {record['power_dbm']:g} dBm  {iq}, {crc}  {record['hex']}"
        else:
            rest = "  ".join(f"{name}={value}" for name, value in record.items() if name not in ("event", "channels"))
            if record["event"] == "started":
                rest = ", ".join(f"{channel['freq_hz'] / 1e6:g}" for channel in record["channels"]) + " MHz"
            line = f"{record['event']}  {rest}".rstrip()
        typer.echo(line)

    return say
