"""`lorabench gateway virtual`: virtual boards; each command stands in bench/cli/gateway_virtual_*.py."""

from __future__ import annotations

import typer

from bench.cli.exits import ErrorGroup
from bench.cli.gateway import app

virtual_app = typer.Typer(
    cls=ErrorGroup,
    no_args_is_help=True,
    help="Boards on a pseudo-terminal that a host program cannot tell from real ones.",
)
app.add_typer(virtual_app, name="virtual")
