"""`lorabench frame`: take frames apart and put them together."""

from __future__ import annotations

import typer

from bench.cli.exits import ErrorGroup
from bench.cli.frame_build import build
from bench.cli.frame_decode import DECODE_EPILOG, decode

app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Decode and build LoRaWAN frames.")
app.add_typer(build, name="build")
app.command(epilog=DECODE_EPILOG)(decode)
