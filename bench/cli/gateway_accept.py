"""`lorabench gateway accept`: acceptance of a gateway on the bench, a verdict per line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exits import NOT_HELD
from bench.cli.gateway import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.acceptance.lines import Line
    from bench.acceptance.run import Plan
    from gateway_fw.concentrator.chip_firmware import ChipFirmware
    from gateway_fw.concentrator.events import DriverEffect
    from gateway_fw.concentrator.setup import RadioSetup
    from gateway_fw.io.concentrator import ConcentratorRadio


@app.command("accept", epilog="Example: lorabench gateway accept --air virtual")
def accept(
    port: Annotated[str, typer.Option(help="The gateway under test: serial port, URL or auto.")] = "auto",
    air: Annotated[
        str, typer.Option(help="Its other end: virtual (a board of ours, no --port), or loopback-port.")
    ] = "loopback-port",
    other_port: Annotated[str, typer.Option(help="With loopback-port: the second gateway's port.")] = "",
    config: Annotated[Path | None, typer.Option(help="The gateway's global_conf.json or TOML; EU868.")] = None,
    chip_firmware: Annotated[
        Path | None, typer.Option(help="Driver package or folder with the chip's firmware; the user's cache.")
    ] = None,
    sf: Annotated[list[int] | None, typer.Option(min=5, max=12, help="Spreading factors; 7 to 12.")] = None,
    frames: Annotated[int, typer.Option(min=1, max=1000, help="Frames for each data rate.")] = 10,
    max_per: Annotated[float, typer.Option(min=0, max=100, help="Packet errors allowed, in percent.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Send known frames to a gateway and let it send some; judge loss, timing, levels and frequency as reported.

    With real hardware the second end is another CoreCell (--air loopback-port --other-port PORT2), cable and at least
    60 dB of attenuation between them: what such a pair cannot tell is said in its line. Exit code 1 where a line fails.
    """
    import asyncio  # noqa: PLC0415 - keeps --help quick

    from bench.acceptance.judge import Limits  # noqa: PLC0415
    from bench.acceptance.lines import accepted  # noqa: PLC0415
    from bench.acceptance.run import Plan  # noqa: PLC0415
    from bench.errors import UsageError  # noqa: PLC0415
    from bench.live.concentrators import Board, board_settings  # noqa: PLC0415
    from gateway_fw.concentrator.setup import RadioSetup  # noqa: PLC0415

    if air not in ("virtual", "loopback-port"):
        raise UsageError(f"--air {air}", hint="virtual or loopback-port")
    if air == "loopback-port" and not other_port:
        raise UsageError("no second gateway", hint="--other-port PORT2, or --air virtual to try it without hardware")
    setup = RadioSetup() if config is None else board_settings(config, Board.CORECELL).settings.radio
    plan = Plan(tuple(sf) if sf else Plan().sfs, frames, limits=Limits(per_percent=max_per))
    lines = asyncio.run(_run(port, None if air == "virtual" else other_port, chip_firmware, setup, plan))
    if as_json:
        verdicts = [
            {"name": line.name, "verdict": line.verdict, "measured": line.measured, "unit": line.unit}
            | {"threshold": line.threshold, "note": line.note}
            for line in lines
        ]
        typer.echo(json.dumps({"air": air, "accepted": accepted(lines), "lines": verdicts}))
    else:
        for line in lines:
            typer.echo(str(line))
        failed = sum(line.verdict == "fail" for line in lines)
        unknown = sum(line.verdict == "not measured" for line in lines)
        typer.echo(f"{'accepted' if accepted(lines) else 'NOT accepted'}: {failed} failed, {unknown} not measured")
    if not accepted(lines):
        raise typer.Exit(NOT_HELD)


async def _run(
    port: str, other_port: str | None, chip_firmware: Path | None, setup: RadioSetup, plan: Plan
) -> list[Line]:
    from bench.acceptance.air import LoopbackAir, VirtualAir  # noqa: PLC0415
    from bench.acceptance.run import Acceptance  # noqa: PLC0415
    from bench.live.concentrators import blank_firmware, corecell_radio, load_chip_firmware  # noqa: PLC0415

    def gateway(name: str, firmware: ChipFirmware) -> Callable[[Callable[[DriverEffect], None]], ConcentratorRadio]:
        return lambda on_event: corecell_radio(name, firmware, setup, on_event=on_event, retry=False)

    if other_port is None:
        virtual = VirtualAir()
        await virtual.start()
        try:
            under_test = gateway(virtual.path, blank_firmware())
            return await Acceptance(under_test, virtual, setup, plan, _progress).run()
        finally:
            await virtual.stop()
    firmware = load_chip_firmware(chip_firmware)
    loopback = LoopbackAir(lambda: corecell_radio(other_port, firmware, setup, retry=False))
    await loopback.start()
    try:
        return await Acceptance(gateway(port, firmware), loopback, setup, plan, _progress).run()
    finally:
        await loopback.stop()


def _progress(stage: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{stage}: {done} of {total}   ")
    elif done == total:
        sys.stderr.write(f"{stage}: {done} of {total}\n")
