"""The command line in this process, and a frame to give it."""

from __future__ import annotations

from typer.testing import CliRunner

from bench.cli.app import app

# A frame and keys that many decoders show. Source: lora-packet, README "test message".
FRAME = "40f17dbe4900020001954378762b11ff0d"
FRAME_KEYS = ("--nwk-s-key", "44024241ed4ce9a68c6a8bc055233fd3", "--app-s-key", "ec925802ae430ca77fd3dd73cb2cc588")


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr; an exception that is no exit comes out."""
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr
