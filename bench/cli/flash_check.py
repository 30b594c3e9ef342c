"""`lorabench flash info`, `verify`, `read` and `erase`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli import flash_options as options
from bench.cli.exits import INTERRUPTED
from bench.cli.flash import app
from bench.errors import UsageError


@app.command(epilog="Example: lorabench flash info --port /dev/ttyUSB0 --board stm32")
def info(
    port: options.PortOption = "auto",
    board: options.BoardOption = "stm32",
    baud: options.BaudOption = 115_200,
    entered: options.EnteredOption = False,
    boot0: options.Boot0Option = "",
    reset: options.ResetOption = "",
    trace: options.TraceOption = None,
    as_json: options.JsonOption = False,
) -> None:
    """Say which chip answers in the bootloader. Changes nothing on it, and leaves it there."""
    from bench.flashing import jobs  # noqa: PLC0415

    with options.target_of(options.Connection(port, board, baud, entered, boot0, reset, trace, quiet=True)) as target:
        report = jobs.info(target)
        options.say_it_waits(target)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    chip_id = "" if report.chip_id is None else f" (chip id 0x{report.chip_id:03X})"
    typer.echo(f"{report.chip}{chip_id}, bootloader {report.bootloader}")
    if report.flash_bytes is not None:
        typer.echo(f"{report.flash_bytes // 1024} kB of flash")


@app.command(epilog="Example: lorabench flash verify --port auto --board picogw-uart --image fw.hex")
def verify(
    image: options.ImageOption,
    port: options.PortOption = "auto",
    board: options.BoardOption = "stm32",
    address: options.AddressOption = "",
    baud: options.BaudOption = 115_200,
    entered: options.EnteredOption = False,
    boot0: options.Boot0Option = "",
    reset: options.ResetOption = "",
    trace: options.TraceOption = None,
    quiet: options.QuietOption = False,
    as_json: options.JsonOption = False,
) -> None:
    """Compare a board with an image. Exit code 4 where they differ."""
    from bench.flashing import jobs  # noqa: PLC0415

    firmware = options.load_image(image, address=address, board_id=board)
    with options.target_of(options.Connection(port, board, baud, entered, boot0, reset, trace, quiet)) as target:
        report = jobs.verify(target, firmware)
        options.say_it_waits(target)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        typer.echo(f"{report.chip}: holds the image, sha256 {report.sha256} ({report.verified})")


@app.command(epilog="Example: lorabench flash read --port auto --board picogw-uart --output backup.hex")
def read(
    output: Annotated[
        Path,
        typer.Option("--output", "--image", help="Where to: .hex is Intel HEX, .srec S-records, anything else raw."),
    ],
    port: options.PortOption = "auto",
    board: options.BoardOption = "stm32",
    start: Annotated[str, typer.Option(help="First address (that of the flash).")] = "",
    size: Annotated[str, typer.Option(help="How many bytes, such as 64k (the whole flash).")] = "",
    baud: options.BaudOption = 115_200,
    entered: options.EnteredOption = False,
    boot0: options.Boot0Option = "",
    reset: options.ResetOption = "",
    trace: options.TraceOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Read a board's memory into a file. Each part is read until two answers agree: they carry no checksum."""
    from bench.flashing import jobs  # noqa: PLC0415
    from gateway_fw.flash.image import Image, Segment  # noqa: PLC0415
    from gateway_fw.flash.text_images import write_ihex, write_srec  # noqa: PLC0415

    if not output.parent.is_dir():
        raise UsageError(f"--output {output}: there is no folder {output.parent}")
    begin = options.number(start, "--start") if start else None
    count = options.number(size, "--size") if size else None
    with options.target_of(options.Connection(port, board, baud, entered, boot0, reset, trace, quiet)) as target:
        at, data = jobs.read(target, begin, count)
        options.say_it_waits(target)
    image = Image((Segment(at, data),), "bin")
    match output.suffix.lower():
        case ".hex" | ".ihex":
            output.write_text(write_ihex(image), encoding="ascii")
        case ".srec" | ".s19" | ".s37":
            output.write_text(write_srec(image), encoding="ascii")
        case _:
            output.write_bytes(data)
    typer.echo(f"{output}: {len(data)} bytes from 0x{at:08X}")


@app.command(epilog="Example: lorabench flash erase --port auto --board lora-e5 --unprotect --force")
def erase(
    port: options.PortOption = "auto",
    board: options.BoardOption = "stm32",
    pages: Annotated[str, typer.Option(help="Pages by number, such as 0-3,12 (all of them).")] = "",
    unprotect: Annotated[
        bool, typer.Option("--unprotect", help="Lift the readout protection; the chip then erases itself.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Erase protected areas too, and allow --unprotect.")] = False,
    baud: options.BaudOption = 115_200,
    entered: options.EnteredOption = False,
    boot0: options.Boot0Option = "",
    reset: options.ResetOption = "",
    trace: options.TraceOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Erase pages of a board's flash, or all of it."""
    from bench.flashing import jobs  # noqa: PLC0415
    from gateway_fw.errors import FlashError  # noqa: PLC0415
    from gateway_fw.flash.stm32 import Standing  # noqa: PLC0415

    wanted = page_numbers(pages) if pages else None
    standing = Standing()
    with options.target_of(options.Connection(port, board, baud, entered, boot0, reset, trace, quiet)) as target:
        try:
            report = jobs.erase(target, pages=wanted, unprotect=unprotect, force=force, standing=standing)
            options.say_it_waits(target)
        except FlashError as error:
            error.standing = standing.text if standing.changed else ""
            raise
        except KeyboardInterrupt:
            sys.stderr.write(f"interrupted\non the board now: {standing.text}\n")
            raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{report.chip}: erased")


def page_numbers(text: str) -> tuple[int, ...]:
    """Numbers of "0-3,12". Raises UsageError."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            low = int(first)
            high = int(last) if dash else low
        except ValueError:
            raise UsageError(f"--pages {text}: '{part}' is neither a page nor a range such as 0-3") from None
        if not 0 <= low <= high < 65_536:
            raise UsageError(f"--pages {text}: '{part}' is no range of pages")
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))
