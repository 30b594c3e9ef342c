"""`lorabench gateway run`: our packet forwarder on a real concentrator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exits import INTERRUPTED
from bench.cli.gateway import app
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.live.concentrators import Board


@app.command("run", epilog="Example: lorabench gateway run --port auto --server 127.0.0.1:1700")
def run(
    server: Annotated[
        list[str] | None, typer.Option(help="HOST:PORT of a network server; may be given several times.")
    ] = None,
    board: Annotated[str, typer.Option(help="What is on the port: corecell or picogw.")] = "corecell",
    port: Annotated[str, typer.Option(help="Serial port, rfc2217:// or socket:// URL, or auto.")] = "",
    config: Annotated[Path | None, typer.Option(help="global_conf.json of such a board, or our TOML.")] = None,
    chip_firmware: Annotated[
        Path | None, typer.Option(help="Driver package or folder with the chip's firmware; the user's cache.")
    ] = None,
    eui: Annotated[str, typer.Option(help="The gateway's EUI, 16 hex digits; the file's, else the chip's own.")] = "",
    spool: Annotated[Path | None, typer.Option(help="Folder that keeps uplinks until they are acknowledged.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Write every byte of the serial line to this file.")] = None,
    duration: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Forward what a CoreCell or picoGW concentrator hears to network servers, and send what they ask for.

    Without --config: the EU868 plan (868.1, 868.3, 868.5 and 867.1 to 867.9 MHz, SF7BW250 on 868.3, FSK on 868.8 MHz)
    and its duty cycle. A board that is unplugged is brought back when it returns. Ctrl-C stops it: what is due within
    two seconds is still sent.
    """
    from dataclasses import replace  # noqa: PLC0415 - keeps --help quick

    from bench.live.address import server_address  # noqa: PLC0415
    from bench.live.concentrators import (  # noqa: PLC0415
        Board,
        board_settings,
        load_chip_firmware,
        load_picogw_firmware,
    )
    from bench.live.gateway_session import GatewaySession, SessionOptions  # noqa: PLC0415
    from bench.live.service import serve, until_stopped  # noqa: PLC0415
    from gateway_fw.concentrator.picogw import picogw_eu868_setup  # noqa: PLC0415
    from gateway_fw.io.server_link import ServerAddress  # noqa: PLC0415
    from gateway_fw.settings import GatewaySettings  # noqa: PLC0415
    from lorawan.ids import Eui64  # noqa: PLC0415

    kind = one_board(board)
    settings = GatewaySettings(Eui64(0))
    if kind is Board.PICOGW:
        settings = replace(settings, radio=picogw_eu868_setup())
    if config is not None:
        read = board_settings(config, kind)
        settings = read.settings
        for each in read.unread:
            typer.echo(f"warning: {each}", err=True)
    if eui:
        settings = replace(settings, gateway_eui=Eui64.from_hex(eui))
    servers = tuple(ServerAddress(host, number, number) for host, number in map(server_address, server or ()))
    if not servers and config is None:
        raise UsageError("no network server", hint="--server 127.0.0.1:1700, or --config global_conf.json")
    servers = servers or tuple(ServerAddress(each.host, each.port_up, each.port_down) for each in settings.servers)
    options = SessionOptions(
        port=port or ("auto" if config is None else settings.port),
        servers=servers,
        setup=settings.radio,
        forwarder=replace(settings.forwarder(), links=(settings.forwarder().all_links[0],) * len(servers)),
        eui_given=bool(eui) or config is not None,
        gps_port=settings.gps_port,
        spool=spool,
        trace=trace,
        json_lines=json_lines,
    )
    firmware = load_picogw_firmware(chip_firmware) if kind is Board.PICOGW else load_chip_firmware(chip_firmware)
    session = GatewaySession(firmware, options, typer.echo)
    if serve(lambda stop: until_stopped(session.run(duration), stop)):
        raise typer.Exit(INTERRUPTED)


def one_board(name: str) -> Board:
    """What --board names. Raises UsageError."""
    from bench.live.concentrators import Board  # noqa: PLC0415

    try:
        return Board(name)
    except ValueError:
        raise UsageError(f"--board {name!r}", hint="one of " + ", ".join(Board)) from None
