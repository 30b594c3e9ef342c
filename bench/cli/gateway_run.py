"""`lorabench gateway run`: our packet forwarder on a real concentrator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.gateway import app
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.live.concentrators import Board


@app.command("run", epilog="Example: lorabench gateway run --port auto --server 127.0.0.1:1700")
def run(
    server: Annotated[list[str], typer.Option(help="HOST:PORT of a network server; may be given several times.")],
    board: Annotated[str, typer.Option(help="What is on the port: corecell or picogw.")] = "corecell",
    port: Annotated[str, typer.Option(help="Serial port, rfc2217:// or socket:// URL, or auto.")] = "auto",
    chip_firmware: Annotated[
        Path | None, typer.Option(help="Driver package or folder with the chip's firmware; the user's cache.")
    ] = None,
    eui: Annotated[str, typer.Option(help="The gateway's EUI, 16 hex digits; the chip's own.")] = "",
    spool: Annotated[Path | None, typer.Option(help="Folder that keeps uplinks until they are acknowledged.")] = None,
    antenna_gain: Annotated[float, typer.Option(help="dBi, taken from the power that a server asks for.")] = 0.0,
    private: Annotated[bool, typer.Option("--private", help="Sync word 0x12 instead of LoRaWAN's 0x34.")] = False,
    trace: Annotated[Path | None, typer.Option(help="Write every byte of the serial line to this file.")] = None,
    duration: Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Forward what a CoreCell or picoGW concentrator hears to network servers, and send what they ask for.

    EU868: 868.1, 868.3, 868.5 and 867.1 to 867.9 MHz, SF7BW250 on 868.3 and FSK on 868.8 MHz. A board that is unplugged
    is brought back when it returns. Ctrl-C stops it: what is due within two seconds is still sent.
    """
    import asyncio  # noqa: PLC0415 - keeps --help quick

    from bench.live.address import server_address  # noqa: PLC0415
    from bench.live.concentrators import Board, load_chip_firmware, load_picogw_firmware  # noqa: PLC0415
    from bench.live.gateway_session import GatewaySession, SessionOptions  # noqa: PLC0415
    from gateway_fw.concentrator.picogw import picogw_eu868_setup  # noqa: PLC0415
    from gateway_fw.concentrator.setup import RadioSetup  # noqa: PLC0415
    from gateway_fw.io.server_link import ServerAddress  # noqa: PLC0415
    from lorawan.ids import Eui64  # noqa: PLC0415

    picogw = one_board(board) is Board.PICOGW
    setup = picogw_eu868_setup() if picogw else RadioSetup()
    servers = tuple(ServerAddress(host, number, number) for host, number in map(server_address, server))
    options = SessionOptions(
        port=port,
        servers=servers,
        setup=replace(setup, public_network=not private),
        eui=Eui64.from_hex(eui) if eui else None,
        antenna_gain_dbi=antenna_gain,
        spool=spool,
        trace=trace,
        json_lines=json_lines,
    )
    firmware = load_picogw_firmware(chip_firmware) if picogw else load_chip_firmware(chip_firmware)
    asyncio.run(GatewaySession(firmware, options, typer.echo).run(duration))


def one_board(name: str) -> Board:
    """What --board names. Raises UsageError."""
    from bench.live.concentrators import Board  # noqa: PLC0415

    try:
        return Board(name)
    except ValueError:
        raise UsageError(f"--board {name!r}", hint="one of " + ", ".join(Board)) from None
