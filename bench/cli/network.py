"""`lorabench network`: the commands stand in bench/cli/network_*.py."""

from __future__ import annotations

import typer

from bench.cli.exits import ErrorGroup

app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Our network core as a live service.")
