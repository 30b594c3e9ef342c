"""`lorabench gateway chip-firmware`: read a concentrator chip's firmware out of a driver package the user has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bench.cli.gateway import app
from bench.cli.gateway_run import one_board


@app.command("chip-firmware", epilog="Example: lorabench gateway chip-firmware ~/src/sx1302_hal-2.1.0.tar.gz")
def chip_firmware(
    package: Annotated[Path, typer.Argument(help="A folder, zip or tar archive of sx1302_hal 2.x, or picoGW_hal.")],
    board: Annotated[str, typer.Option(help="What the images are for: corecell or picogw.")] = "corecell",
    out: Annotated[Path | None, typer.Option(help="Where to keep the images; the user's cache.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Read the SX1302's or SX1308's firmware out of Semtech's driver package, check it and keep it.

    The images are Semtech's, under Semtech's licence; lorabench has none. `gateway run` and `gateway accept` load them
    into the chip, which reports their versions when it starts.
    """
    from bench.live.concentrators import (  # noqa: PLC0415 - keeps --help quick
        Board,
        firmware_folder,
        keep_chip_firmware,
        keep_picogw_firmware,
    )
    from gateway_fw.concentrator import picogw_firmware as sx1308  # noqa: PLC0415
    from gateway_fw.concentrator.chip_firmware import AGC_VERSION, ARB_VERSION, digest  # noqa: PLC0415

    of = one_board(board)
    folder = out or firmware_folder(of)
    found: tuple[tuple[str, bytes, int], ...]
    if of is Board.PICOGW:
        images_ = keep_picogw_firmware(package, folder)
        found = (
            ("AGC", images_.agc, sx1308.AGC_VERSION),
            ("ARB", images_.arb, sx1308.ARB_VERSION),
            ("calibration 5-12", images_.calibration_low, sx1308.CALIBRATION_VERSION),
            ("calibration 8-15", images_.calibration_high, sx1308.CALIBRATION_VERSION),
        )
    else:
        firmware = keep_chip_firmware(package, folder)
        found = (("AGC", firmware.agc, AGC_VERSION), ("ARB", firmware.arb, ARB_VERSION))
    if as_json:
        images = {name: {"sha256": digest(image), "expected_version": version} for name, image, version in found}
        typer.echo(json.dumps({"folder": str(folder), "images": images}))
        return
    for name, image, version in found:
        typer.echo(f"{name}: {len(image)} bytes, sha256 {digest(image)}…, the chip must report version {version}")
    typer.echo(f"kept in {folder}")
