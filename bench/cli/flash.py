"""`lorabench flash`: the commands stand in bench/cli/flash_*.py."""

from __future__ import annotations

import typer

from bench.cli.exits import ErrorGroup

app = typer.Typer(
    cls=ErrorGroup,
    no_args_is_help=True,
    help="Write firmware to gateways and devices over a serial port, and verify it.",
)
