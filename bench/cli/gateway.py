"""`lorabench gateway`: the commands stand in bench/cli/gateway_*.py."""

from __future__ import annotations

import typer

from bench.cli.exits import ErrorGroup

app = typer.Typer(
    cls=ErrorGroup, no_args_is_help=True, help="Gateways: real ones on a serial port, virtual ones, and what they send."
)
