"""`lorabench flash protect`: readout and write protection of an STM32."""

from __future__ import annotations

from typing import Annotated

import typer

from bench.cli import flash_options as options
from bench.cli.flash import app
from bench.errors import UsageError


@app.command(epilog="Example: lorabench flash protect readout-off --port auto --board lora-e5 --force")
def protect(
    change: Annotated[str, typer.Argument(help="readout-on, readout-off (erases the chip) or write-off.")],
    port: options.PortOption = "auto",
    board: options.BoardOption = "stm32",
    force: Annotated[bool, typer.Option("--force", help="Really do it.")] = False,
    baud: options.BaudOption = 115_200,
    entered: options.EnteredOption = False,
    boot0: options.Boot0Option = "",
    reset: options.ResetOption = "",
    trace: options.TraceOption = None,
) -> None:
    """Change an STM32's protection over its bootloader. Each wants --force and says what it destroys."""
    from bench.flashing import jobs  # noqa: PLC0415
    from gateway_fw.errors import FlashError  # noqa: PLC0415
    from gateway_fw.flash.stm32 import PROTECTIONS, Standing  # noqa: PLC0415

    if change not in PROTECTIONS:
        raise UsageError(f"{change}: no such change", hint=f"one of {', '.join(PROTECTIONS)}")
    standing = Standing()
    with options.target_of(options.Connection(port, board, baud, entered, boot0, reset, trace, quiet=True)) as target:
        try:
            report = jobs.protect(target, change, force=force, standing=standing)
        except FlashError as error:
            error.standing = standing.text if standing.changed else ""
            raise
    typer.echo(f"{report.chip}: {change} done")
