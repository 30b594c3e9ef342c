"""The command itself: sub-commands, and errors turned into exit codes.

0 ok; 1 a verdict or check failed; 2 usage or configuration; 3 port or network; 4 flash or verify failed; 70 a defect of
lorabench; 130 Ctrl-C; 141 nobody reads the output any more.
"""

from __future__ import annotations

import sys
import traceback
from types import TracebackType
from typing import Annotated

import typer

from bench.cli import (  # noqa: F401 - each registers its commands
    airtime,
    calibrate,
    coverage,
    doctor,
    flash,
    flash_check,
    flash_list,
    flash_protect,
    flash_virtual,
    flash_write,
    frame,
    gateway,
    gateway_accept,
    gateway_chip_firmware,
    gateway_list,
    gateway_monitor,
    gateway_provision,
    gateway_run,
    gateway_simulate,
    gateway_trace_check,
    gateway_virtual,
    gateway_virtual_corecell,
    gateway_virtual_picogw,
    network,
    network_run,
    plan,
    rerun,
    scenario,
    terrain,
)
from bench.cli.exits import DEFECT, LINK, ErrorGroup, end_quietly

app = typer.Typer(
    name="lorabench",
    cls=ErrorGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # fits a docstring's paragraphs to the terminal
    help="LoRaWAN gateway and device simulator and firmware test bench.",
    epilog="Exit codes: 0 ok, 1 a verdict or check failed, 2 usage or configuration, 3 port or network, "
    "4 flash or verify failed, 130 Ctrl-C.",
)
app.add_typer(frame.app, name="frame")
app.command("airtime", epilog="Example: lorabench airtime --sf 7 --sf 12 --payload 20")(airtime.airtime)
app.add_typer(scenario.app, name="scenario")
coverage.app.command("plan", epilog="Example: lorabench coverage plan --keep 9 --add 2")(plan.plan)
coverage.app.command(
    "calibrate", epilog="Example: lorabench coverage calibrate docs/examples/measurements.csv --verdict"
)(calibrate.calibrate)
app.add_typer(coverage.app, name="coverage")
app.add_typer(terrain.app, name="terrain")
app.add_typer(gateway.app, name="gateway")
app.add_typer(network.app, name="network")
app.add_typer(flash.app, name="flash")
app.command("rerun", epilog="Example: lorabench rerun out/tev/latest")(rerun.rerun)
app.command("doctor", epilog="Example: lorabench doctor --json")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - only where it is asked for

        typer.echo(version("lorabench"))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """LoRaWAN gateway and device simulator and firmware test bench."""


class _Ends:
    """Exit code 70 (EX_SOFTWARE of sysexits.h) for what no error family foresaw, 141 for a pipe whose reader left.

    1, Python's and Typer's code for these, would read as a verdict.
    """

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, SystemExit):
            end_quietly(error)
        if error is not None and isinstance(error, Exception):
            traceback.print_exception(kind, error, trace)
            sys.stderr.write("error: this is a defect of lorabench; please report it with the lines above\n")
            sys.exit(DEFECT)


def main() -> None:
    """The console entry point."""
    if sys.stdout is None:  # closed by the shell's `>&-`: what is opened next would take its descriptor
        if sys.stderr is not None:
            sys.stderr.write("error: the standard output is closed; to see nothing of it: >/dev/null\n")
        sys.exit(LINK)
    with _Ends():
        app()
