"""`lorabench gateway list`: serial ports, what they are, who holds them, and what answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.gateway import app

if TYPE_CHECKING:
    from gateway_fw.serial_port import PortInfo


@dataclass(frozen=True, slots=True)
class _Row:
    port: PortInfo
    answer: str


@app.command("list", epilog="Example: lorabench gateway list --probe")
def list_gateways(
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask what looks like a gateway, with questions that change nothing.")
    ] = False,
    port: Annotated[
        list[str] | None,
        typer.Option(help="Also this port, such as a pty; --probe asks it every question."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List serial ports: what they are by their USB identity, who has them open, and what answered.

    Nothing is opened without --probe, and a port that somebody holds is left alone.
    """
    from gateway_fw.serial_port import PortInfo, list_ports  # noqa: PLC0415
    from gateway_fw.serial_port.holders import holders  # noqa: PLC0415

    found = list_ports()
    named = [PortInfo(name, "named here", holders=holders(name)) for name in port or ()]
    rows = [_Row(info, _answer(info, named=False) if probe else "") for info in found]
    rows += [_Row(info, _answer(info, named=True) if probe else "") for info in named]
    if as_json:
        typer.echo(json.dumps([_json(row) for row in rows]))
        return
    if not rows:
        typer.echo("no serial port", err=True)
        return
    width = max(len(row.port.name) for row in rows)
    for row in rows:
        details = [
            row.port.what,
            row.port.usb,
            f"serial number {row.port.serial_number}" if row.port.serial_number else "",
            f"held by {', '.join(row.port.holders)}" if row.port.holders else "",
            row.answer,
        ]
        typer.echo(f"{row.port.name:<{width}}  {'; '.join(detail for detail in details if detail)}")


def _answer(info: PortInfo, *, named: bool) -> str:
    from gateway_fw.errors import PortError  # noqa: PLC0415
    from gateway_fw.serial_port import open_port  # noqa: PLC0415
    from gateway_fw.serial_port.probe import PROBES  # noqa: PLC0415

    wanted = list(PROBES) if named else [info.board.probe] if info.board is not None and info.board.probe else []
    if not wanted:
        return ""
    try:
        with open_port(info.name) as port:
            for name in wanted:
                answer = PROBES[name](port)
                if answer is not None:
                    return f"answers: {answer.detail}"
    except PortError as error:
        return f"not asked: {error.reason}"
    return "nothing answered"


def _json(row: _Row) -> dict[str, object]:
    info = row.port
    return {
        "name": info.name,
        "what": info.what,
        "usb": info.usb or None,
        "serial_number": info.serial_number,
        "product": info.product,
        "location": info.location,
        "kind": info.board.kind if info.board else None,
        "boards": list(info.board.boards) if info.board else [],
        "holders": list(info.holders),
        "answer": row.answer or None,
    }
