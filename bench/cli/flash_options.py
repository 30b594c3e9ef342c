"""Options that the flash commands share, and the target they make."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.flashing.target import FlashTarget
    from gateway_fw.flash.image import Image
    from gateway_fw.flash.plan import FlashPlan
    from gateway_fw.flash.procedure import Progress

PortOption = Annotated[str, typer.Option(help="Device, rfc2217:// or socket:// URL, auto, or auto:SERIAL.")]
BoardOption = Annotated[str, typer.Option(help="Which board: see `lorabench flash list`.")]
BaudOption = Annotated[int, typer.Option(min=1_200, help="Bits per second in the bootloader.")]
EnteredOption = Annotated[bool, typer.Option("--entered", help="It is in its bootloader already.")]
Boot0Option = Annotated[str, typer.Option(help="Modem line on BOOT0: dtr, rts, -dtr or -rts (inverted).")]
ResetOption = Annotated[str, typer.Option(help="Modem line on reset, likewise.")]
TraceOption = Annotated[Path | None, typer.Option(help="Write every byte with its instant to this file.")]
ImageOption = Annotated[Path, typer.Option(help="Firmware: raw binary, Intel HEX, S-records, ELF or UF2.")]
AddressOption = Annotated[str, typer.Option(help="Where a raw binary goes, such as 0x08000000.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Connection:
    """The options that say which board, and how to reach it."""

    port: str
    board: str
    baud: int
    entered: bool = False
    boot0: str = ""
    reset: str = ""
    trace: Path | None = None
    quiet: bool = False

    def words(self) -> list[str]:
        """The options again, for the command that recovers."""
        words = ["--port", self.port, "--board", self.board, "--baud", str(self.baud)]
        words += ["--boot0", self.boot0] if self.boot0 else []
        words += ["--reset", self.reset] if self.reset else []
        return words


@contextmanager
def target_of(options: Connection) -> Iterator[FlashTarget]:
    """The target, with progress on stderr, until the block ends."""
    from bench.cli.progress import reporter  # noqa: PLC0415
    from bench.flashing.target import FlashTarget  # noqa: PLC0415
    from gateway_fw.flash.boards import board  # noqa: PLC0415
    from gateway_fw.serial_port import ByteTrace  # noqa: PLC0415

    found = board(options.board)
    trace = ByteTrace.to_file(options.trace) if options.trace is not None else None
    try:
        with reporter(quiet=options.quiet) as progress:

            def show(step: Progress) -> None:
                progress.update(step.stage, step.done, step.total, step.unit)

            yield FlashTarget(
                found,
                options.port,
                options.baud,
                warn,
                show,
                entered=options.entered,
                boot0=options.boot0,
                reset=options.reset,
                trace=trace,
                planned=None if options.quiet else show_plan,
            )
    finally:
        if trace is not None:
            trace.close()


def show_plan(plan: FlashPlan) -> None:
    """A plan on stderr."""
    sys.stderr.write("".join(f"{line}\n" for line in plan.lines()))


def warn(sentence: str) -> None:
    """A warning on stderr."""
    sys.stderr.write(f"warning: {sentence}\n")


def say_it_waits(target: FlashTarget) -> None:
    """After a job that starts no program: a board that was ordered into its bootloader is in it still."""
    from gateway_fw.flash.entry import ORDERS  # noqa: PLC0415

    if target.board.entry in ORDERS and not target.entered:
        warn("the board waits in its bootloader now; add --entered to the next command, or restart the board")


def number(text: str, option: str) -> int:
    """An address or size: 0x08000000, 134217728, 64k. Raises UsageError."""
    scale = {"k": 1024, "M": 1024 * 1024}.get(text[-1:], 1)
    try:
        value = int(text[:-1] if scale > 1 else text, 0) * scale
    except ValueError:
        raise UsageError(f"{option} {text}: not a number such as 0x08000000, 4096 or 64k") from None
    if not 0 <= value < 1 << 32:
        raise UsageError(f"{option} {text}: not in 32 bits")
    return value


def load_image(path: Path, *, address: str, board_id: str) -> Image:
    """Read a firmware file. Raises ImageError, and UsageError where it cannot be read."""
    from gateway_fw.flash.boards import board  # noqa: PLC0415
    from gateway_fw.flash.read_image import MAX_FILE_BYTES, read_image  # noqa: PLC0415

    base = number(address, "--address") if address else board(board_id).base
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"--image {path}: {error.strerror}") from None
    return read_image(data, source=str(path), base=base)
