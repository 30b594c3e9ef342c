"""`lorabench flash virtual`: bootloaders on a pseudo-terminal, to try all of it without hardware."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import flash_options as options
from bench.cli.exits import ErrorGroup
from bench.cli.flash import app
from bench.errors import UsageError

if TYPE_CHECKING:
    from gateway_fw.virtual.stm32_bootloader import BootloaderFaults

virtual_app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Virtual boards in their bootloader, on a pty.")
app.add_typer(virtual_app, name="virtual")

MANY = {"nack", "lose-in", "lose-out", "flip-in", "flip-out", "bad-cell", "bad-once"}
LinkOption = Annotated[Path | None, typer.Option(help="A link to the pty, so that its name stays; 49 bytes at most.")]
DurationOption = Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")]


@virtual_app.command("stm32", epilog="Example: lorabench flash virtual stm32 --chip stm32wl --link /tmp/board")
def stm32(
    chip: Annotated[str, typer.Option(help="Which chip, as in boards.toml.")] = "stm32f103-md",
    legacy_erase: Annotated[bool, typer.Option("--legacy-erase", help="Erase is 0x43 instead of 0x44.")] = False,
    protected: Annotated[bool, typer.Option("--readout-protected", help="Refuse to read, write and erase.")] = False,
    firmware: Annotated[
        str, typer.Option(help="Begin in a firmware that knows this order: picogw-order, corecell-order, at-boot.")
    ] = "",
    flash_size: Annotated[str, typer.Option(help="A smaller part, such as 64k.")] = "",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=NUMBER: nack, lose-in, lose-out, flip-in, flip-out (ordinals), bad-cell, bad-once "
            "(addresses), mute-after (bytes); may be given several times."
        ),
    ] = None,
    link: LinkOption = None,
    duration: DurationOption = None,
) -> None:
    """Be an STM32 in its UART bootloader: print the path of its serial port, and what it starts.

    Point `lorabench flash`, or stm32flash -m 8n1, at the path. A pty keeps no parity, so it is 8N1.
    """
    from gateway_fw.flash.boards import chips  # noqa: PLC0415
    from gateway_fw.flash.entry import ORDERS  # noqa: PLC0415
    from gateway_fw.virtual.stm32_bootloader import Stm32BootloaderCore  # noqa: PLC0415

    if firmware and firmware not in ORDERS:
        raise UsageError(f"--firmware {firmware}: no such order", hint=f"one of {', '.join(ORDERS)}")
    known = {row.id: row for row in chips()}
    if chip not in known:
        raise UsageError(f"--chip {chip}: no such chip", hint=f"one of {', '.join(known)}")
    whole = known[chip].flash_end - known[chip].flash
    size = options.number(flash_size, "--flash-size") if flash_size else whole
    if not 0 < size <= whole or size % 1024:
        raise UsageError(f"--flash-size {flash_size}: 1k to {whole // 1024}k")
    core = Stm32BootloaderCore(
        known[chip],
        extended_erase=not legacy_erase,
        flash_bytes=size,
        readout_protected=protected,
        firmware=ORDERS[firmware] if firmware else None,
        faults=faults_of(fault or []),
    )
    serve(core, link=link, duration=duration)


@virtual_app.command("esp32", epilog="Example: lorabench flash virtual esp32 --link /tmp/esp32")
def esp32(link: LinkOption = None, duration: DurationOption = None) -> None:
    """Be an ESP32 in its ROM loader: print the path of its serial port, and what it did not understand.

    Point `lorabench flash --board esp32`, or esptool --before no-reset --no-stub, at the path. It runs no stub.
    """
    from gateway_fw.virtual.esp32_rom import Esp32RomCore  # noqa: PLC0415

    serve(Esp32RomCore(), link=link, duration=duration)


def serve(core: object, *, link: Path | None, duration: float | None) -> None:
    """Run a board on a pty until Ctrl-C, or for so many seconds; print its path, then its effects."""
    import asyncio  # noqa: PLC0415

    from bench.live.service import run_until_stopped  # noqa: PLC0415
    from gateway_fw.io.virtual_board import VirtualBoard  # noqa: PLC0415

    async def run() -> None:
        async with VirtualBoard(core, lambda effect: typer.echo(str(effect)), link=link) as board:  # type: ignore[arg-type, var-annotated]
            typer.echo(board.path)
            if duration is None:
                await asyncio.Event().wait()
            else:
                await asyncio.sleep(duration)

    run_until_stopped(run)


def faults_of(texts: list[str]) -> BootloaderFaults:
    """Faults from NAME=NUMBER. Raises UsageError."""
    from gateway_fw.virtual.stm32_bootloader import BootloaderFaults  # noqa: PLC0415

    many: dict[str, set[int]] = {}
    mute_after: int | None = None
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in MANY | {"mute-after"}:
            raise UsageError(f"--fault {text}: not NAME=NUMBER with {', '.join(sorted(MANY))} or mute-after")
        figure = options.number(value, "--fault")
        if name == "mute-after":
            mute_after = figure
        else:
            many.setdefault(name, set()).add(figure)
    fields = {name.replace("bad-cell", "bad_cells").replace("-", "_"): frozenset(found) for name, found in many.items()}
    return BootloaderFaults(**fields, mute_after=mute_after)
