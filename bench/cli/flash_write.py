"""`lorabench flash write`: erase, write, read back, compare; and what to do when it was stopped half-way."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import flash_options as options
from bench.cli.exits import INTERRUPTED
from bench.cli.flash import app


@app.command(epilog="Example: lorabench flash write --port auto --board picogw-uart --image fw.hex --dry-run")
def write(
    image: options.ImageOption,
    port: options.PortOption = "auto",
    board: options.BoardOption = "stm32",
    address: options.AddressOption = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite protected areas, such as a bootloader.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and stop.")] = False,
    start: Annotated[bool, typer.Option("--start/--no-start", help="Start the program after it is verified.")] = True,
    baud: options.BaudOption = 115_200,
    entered: options.EnteredOption = False,
    boot0: options.Boot0Option = "",
    reset: options.ResetOption = "",
    trace: options.TraceOption = None,
    quiet: options.QuietOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Write firmware to a board, and verify it by reading it back.

    Refuses another chip than the board's, an image that leaves the flash, and one over a bootloader. Exit code 4 where
    writing or verifying fails, 130 where it is interrupted; both say what is on the board and how to recover.
    """
    from bench.flashing import jobs  # noqa: PLC0415
    from gateway_fw.errors import FlashError  # noqa: PLC0415
    from gateway_fw.flash.stm32 import Standing  # noqa: PLC0415

    connection = options.Connection(port, board, baud, entered, boot0, reset, trace, quiet)
    firmware = options.load_image(image, address=address, board_id=board)
    standing = Standing()
    with options.target_of(connection) as target:
        if dry_run:
            for line in jobs.plan(target, firmware, force=force):
                typer.echo(line)
            return
        recover = recovery(connection, image, address=address, force=force)
        try:
            report = jobs.write(target, firmware, force=force, start=start, standing=standing)
        except FlashError as error:
            if standing.changed:
                error.standing, error.recover = standing.text, f"{target.board.recover}; then {recover}"
            raise
        except KeyboardInterrupt:
            sys.stderr.write(f"interrupted\non the board now: {standing.text}\n")
            if standing.changed:
                sys.stderr.write(f"to recover: {target.board.recover}; then {recover}\n")
            raise typer.Exit(INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    typer.echo(f"{report.chip}: {report.bytes_written} bytes written, sha256 {report.sha256}")
    typer.echo(f"verified: {report.verified or 'no: this method cannot read back'}")
    if report.started:
        typer.echo("started")


def recovery(connection: options.Connection, image: Path, *, address: str, force: bool) -> str:
    """The command that writes the same image again, ready for a shell."""
    words = ["lorabench", "flash", "write", *connection.words(), "--image", str(image)]
    words += ["--address", address] if address else []
    words += ["--entered"] if connection.entered or connection.board.startswith(("corecell", "picogw")) else []
    words += ["--force"] if force else []
    return shlex.join(words)
