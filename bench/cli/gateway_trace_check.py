"""`lorabench gateway trace-check`: where our driver would ask a board something else than a recording's host did."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.exits import NOT_HELD
from bench.cli.gateway import app


@app.command("trace-check", epilog="Example: lorabench gateway trace-check corecell.trace")
def trace_check(
    trace: Annotated[Path, typer.Argument(help="A byte trace of a CoreCell, as `gateway run --trace` writes it.")],
    private: Annotated[bool, typer.Option("--private", help="The host was set up with sync word 0x12.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many differences to print.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Run our driver's start-up against the answers in a recording, and print where it asks something else.

    The board's answers come from the recording, so this needs no hardware. Exit code 1 where anything differs.
    """
    from bench.errors import UsageError  # noqa: PLC0415 - keeps --help quick
    from gateway_fw.concentrator.replay import exchanges_of, replay  # noqa: PLC0415
    from gateway_fw.concentrator.setup import RadioSetup  # noqa: PLC0415
    from gateway_fw.errors import ChipFirmwareError, TraceFormatError  # noqa: PLC0415
    from gateway_fw.serial_port.trace import read_trace  # noqa: PLC0415

    try:
        with trace.open(encoding="utf-8", errors="replace") as lines:
            traced = [(line.t_us, line.direction, line.data) for line in read_trace(lines, source=str(trace))]
        exchanges = exchanges_of(traced)
        result = replay(exchanges, RadioSetup(public_network=not private))
    except (TraceFormatError, ChipFirmwareError) as error:
        raise UsageError(str(error), hint="is it a trace of a CoreCell from its start on?") from None
    if as_json:
        typer.echo(json.dumps(asdict(result)))
    else:
        for each in result.differences[:limit]:
            typer.echo(
                f"order {each.index} at {each.t_us / 1e6:.6f} s: ours {each.ours or '-'}; there {each.theirs or '-'}"
            )
        left = len(result.differences) - limit
        if left > 0:
            typer.echo(f"... and {left} more")
        counts = f"{result.same} orders alike, {len(result.differences)} different, {result.exchanges} recorded"
        typer.echo(f"{counts}; {result.ended}")
    if result.differences or result.ended != "started":
        raise typer.Exit(NOT_HELD)
