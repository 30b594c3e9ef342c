"""Exit codes, and the one place where errors become messages and codes."""

from __future__ import annotations

import os
import select
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from bench.errors import BenchError, LinkError
from gateway_fw.errors import FlashError
from lorawan.errors import FrameError

OK = 0
NOT_HELD = 1
USAGE = 2
LINK = 3
FLASH = 4
DEFECT = 70
INTERRUPTED = 130
BROKEN_PIPE = 141  # 128 + SIGPIPE: what a shell says of a program whose reader left, as in `… | head`


class ErrorGroup(TyperGroup):
    """A command group whose commands may raise the error families: they print one line and set the exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except (FrameError, BenchError, ValueError, OSError) as error:
            if isinstance(error, BrokenPipeError) and _left_outputs():
                raise  # to `end_quietly`, by way of Typer
            code = _code_of(error)
            if code is None:
                raise
            for line in _lines(error):
                _say(line)
            raise typer.Exit(code) from None


def end_quietly(end: SystemExit) -> None:
    """Exit with BROKEN_PIPE where the end of the program has come because nobody reads its output; else return.

    Typer and rich both turn a broken pipe into exit code 1, which is a verdict's here.
    """
    if not isinstance(end.__context__, BrokenPipeError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in _left_outputs():
        os.dup2(nowhere, descriptor)  # or the interpreter complains when it flushes them
    sys.exit(BROKEN_PIPE)


def _left_outputs() -> list[int]:
    """Which of stdout and stderr are pipes that nobody reads any more: a socket may break as well."""
    outputs = select.poll()
    for descriptor in (1, 2):
        outputs.register(descriptor, 0)  # POLLERR and POLLHUP come unasked
    return [descriptor for descriptor, state in outputs.poll(0) if state & (select.POLLERR | select.POLLHUP)]


def _code_of(error: Exception) -> int | None:
    """The exit code of an error a person can act on, None for a defect."""
    if isinstance(error, LinkError):
        return LINK
    if isinstance(error, FlashError):
        return FLASH
    if isinstance(error, FrameError | BenchError | FileNotFoundError | PermissionError | IsADirectoryError):
        return USAGE
    if isinstance(error, OSError) or _is_one_of(error, _NETWORK):
        return LINK
    return USAGE if _is_one_of(error, _INPUT) else None


_NETWORK = (("radio_sim.terrain.errors", "FetchError"),)
_INPUT = (
    ("gateway_fw.errors", "ImageError"),
    ("gateway_fw.errors", "UnknownBoardError"),
    ("gateway_fw.errors", "TraceFormatError"),
    ("scenarios.errors", "ScenarioError"),
    ("gateway_fw.settings.errors", "SettingsError"),
    ("radio_sim.terrain.errors", "TerrainError"),
    ("radio_sim.coverage.sweep", "SweepError"),
    ("radio_sim.propagation.p1812.model", "P1812Error"),
    ("radio_sim.propagation.itm.parameters", "ItmError"),
)


def _is_one_of(error: Exception, families: tuple[tuple[str, str], ...]) -> bool:
    # By their modules: importing them brings pydantic, numpy and GDAL, which `lorabench --help` can do without.
    found = ((sys.modules.get(module), name) for module, name in families)
    return any(module is not None and isinstance(error, getattr(module, name)) for module, name in found)


def _lines(error: Exception) -> list[str]:
    return [_sentence(error), *(str(other) for other in getattr(error, "others", ()))]


def _sentence(error: Exception) -> str:
    if type(error).__str__ is not OSError.__str__ or not isinstance(error, OSError) or error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"  # Python's own begins with "[Errno 2]"


def _say(message: str) -> None:
    typer.echo(f"error: {message}", err=True)
