"""`lorabench flash list`: the boards that can be flashed."""

from __future__ import annotations

import json

import typer

from bench.cli import flash_options as options
from bench.cli.flash import app


@app.command("list", epilog="Example: lorabench flash list --json")
def list_boards(as_json: options.JsonOption = False) -> None:
    """List the boards of the table: chip, method, flash, protected areas, and how their bootloader is entered."""
    from gateway_fw.flash.boards import boards  # noqa: PLC0415
    from gateway_fw.serial_port import usb_boards  # noqa: PLC0415

    usb: dict[str, list[str]] = {}
    for row in usb_boards():
        for board_id in row.boards:
            identity = f"{row.vid:04x}:{row.pid:04x}"
            if identity not in usb.setdefault(board_id, []):
                usb[board_id].append(identity)
    if as_json:
        rows = [
            {
                "id": board.id,
                "name": board.name,
                "chip": board.chip.name if board.chip else None,
                "chip_id": board.chip.chip_id if board.chip else None,
                "flash_bytes": board.chip.flash_end - board.chip.flash if board.chip else board.flash_bytes,
                "method": board.method,
                "entry": board.steps,
                "base": board.base,
                "protected": [{"start": area.start, "end": area.end, "what": area.what} for area in board.protected],
                "usb": usb.get(board.id, []),
            }
            for board in boards()
        ]
        typer.echo(json.dumps(rows))
        return
    for board in boards():
        chip = f"{board.chip.name} (0x{board.chip.chip_id:03X})" if board.chip else "found out"
        typer.echo(f"{board.id:<14}{board.name}; chip {chip}; {board.method}")
        typer.echo(f"{'':<14}enter: {board.steps}")
        for area in board.protected:
            typer.echo(f"{'':<14}protected: 0x{area.start:08X} to 0x{area.end:08X}, {area.what}")
