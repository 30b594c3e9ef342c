"""`lorabench gateway virtual corecell`: a CoreCell USB concentrator on a pseudo-terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.gateway_virtual import virtual_app
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
    scenario: Annotated[
        str | None, typer.Option(help="In place of --radio: a scenario, live, that it stands in as --site.")
    ] = None,
    site: Annotated[str | None, typer.Option(help="Which site of the scenario it is.")] = None,
    stage: Annotated[str | None, typer.Option(help="The scenario's stage; the last one where none is given.")] = None,
    server: Annotated[
        str | None, typer.Option(help="HOST:PORT: the other sites are simulated gateways that send there.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="How many sensors to simulate frame by frame.")] = 20,
    period: Annotated[str | None, typer.Option(help='Between two readings of a sensor, such as "30 s".')] = None,
    spread: Annotated[str, typer.Option(help="Devices are switched on within this time.")] = "20 s",
    write_keys: Annotated[
        Path | None, typer.Option(help="Write the devices' keys for `lorabench network run --keys`.")
    ] = None,
) -> None:
    """Be a CoreCell: print the path of its serial port, hear a radio or a live scenario, print what is transmitted.

    Point a host program's com_path (lora_pkt_fwd, Basics Station) at the path. A script's times count from the moment
    when the host has started the concentrator; a scenario begins at once.
    """
    import asyncio  # noqa: PLC0415
    import contextlib  # noqa: PLC0415

    from bench.live.air_script import changed_faults  # noqa: PLC0415
    from bench.live.virtual_corecell import VirtualCoreCellSession  # noqa: PLC0415
    from gateway_fw.virtual.board import CoreCellBoard, RssiCalibration  # noqa: PLC0415
    from gateway_fw.virtual.corecell import VirtualCoreCell  # noqa: PLC0415
    from gateway_fw.virtual.faults import Faults  # noqa: PLC0415
    from lorawan.ids import Eui64  # noqa: PLC0415

    faults = changed_faults(Faults(), dict(_setting(text) for text in fault or ()))
    board = CoreCellBoard(rssi=RssiCalibration(offset_db=rssi_offset))
    if eui:
        board = CoreCellBoard(rssi=board.rssi, chip_eui=Eui64.from_hex(eui))
    if scenario is not None:
        if site is None or radio != "silent":
            raise UsageError("--scenario needs --site, and no --radio")
        from bench.cli.live_run import LiveRun, pace_of, run_live  # noqa: PLC0415 - brings the simulator
        from bench.live.address import server_address  # noqa: PLC0415
        from bench.live.concentrator import BoardPlan  # noqa: PLC0415
        from bench.live.scenario import LiveScenario  # noqa: PLC0415

        run_live(
            LiveRun(
                LiveScenario(scenario, stage, sample=sample),
                pace_of(period, spread),
                None if server is None else server_address(server),
                {site: BoardPlan(link, VirtualCoreCell(board, faults))},
                write_keys,
                as_json=json_lines,
                limit_s=duration,
                say_path=True,
            )
        )
        return
    entries = _entries(radio)
    session = VirtualCoreCellSession(VirtualCoreCell(board, faults), entries, _printer(json_lines), link=link)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(session.run(duration))


def _entries(radio: str) -> list[AirEntry]:
    from bench.live.air_replay import load_replay  # noqa: PLC0415
    from bench.live.air_script import load_script  # noqa: PLC0415

    kind, _, name = radio.partition(":")
    if radio == "silent":
        return []
    if kind == "script" and name:
        return load_script(Path(name))
    if kind == "replay" and name:
        return list(load_replay(Path(name)))
    raise UsageError(f"--radio {radio!r}", hint="silent, script:FILE or replay:FILE.pcap")


def _setting(text: str) -> tuple[str, Any]:
    import json  # noqa: PLC0415

    name, sign, value = text.partition("=")
    try:
        return name, json.loads(value if sign else "true")
    except ValueError:
        raise UsageError(f"--fault {text!r}", hint="NAME=VALUE, such as stall_every=10") from None


def _printer(json_lines: bool) -> Any:
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
