"""Jobs on an ESP32, through esptool."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

from bench.flashing.target import FlashTarget
from gateway_fw.errors import FlashError, VerifyError
from gateway_fw.flash import esp32
from gateway_fw.flash.image import Image
from gateway_fw.flash.plan import check_fits
from gateway_fw.flash.stm32 import Standing
from gateway_fw.io.tool import run_tool
from gateway_fw.serial_port import is_pty

VERIFIED = "Hash of data verified"


def info(target: FlashTarget) -> str:
    """The chip's name as esptool tells it."""
    output = _run(target, esp32.info_arguments(), 0)
    name = esp32.parse_chip(output)
    if name is None:
        raise FlashError("esptool did not say which chip it found", hint=output.splitlines()[-1])
    return name


def write(target: FlashTarget, image: Image, *, force: bool, standing: Standing) -> None:
    """Write; esptool has the chip hash what it wrote, and each hash must agree."""
    check_fits(image, 0, target.board.flash_bytes or 0, target.board, force=force)
    with tempfile.TemporaryDirectory() as folder:
        files = _files(image, Path(folder))
        standing.set("part of the image; it may not start")
        output = _run(target, esp32.write_arguments(files), image.size)
    if output.count(VERIFIED) != len(files):
        raise VerifyError(f"esptool confirmed {output.count(VERIFIED)} of {len(files)} pieces")
    standing.set("the whole image, verified")


def verify(target: FlashTarget, image: Image) -> None:
    """Compare the flash with an image."""
    with tempfile.TemporaryDirectory() as folder:
        _run(target, esp32.verify_arguments(_files(image, Path(folder))), image.size)


def read(target: FlashTarget, start: int | None, size: int | None) -> tuple[int, bytes]:
    """Bytes of the flash; the size must be given, for the chip does not say it."""
    if size is None:
        raise FlashError("how many bytes?", hint="give --size")
    begin = start or 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "read.bin"
        _run(target, esp32.read_arguments(begin, size, str(path)), size)
        return begin, path.read_bytes()


def erase(target: FlashTarget, standing: Standing) -> None:
    """Erase all of the flash, bootloader included."""
    standing.set("nothing: the whole flash is being erased")
    _run(target, esp32.erase_arguments(), 0)


def _files(image: Image, folder: Path) -> list[tuple[int, str]]:
    files = []
    for number, segment in enumerate(image.segments):
        path = folder / f"{number}.bin"
        path.write_bytes(segment.data)
        files.append((segment.address, str(path)))
    return files


def _run(target: FlashTarget, arguments: list[str], total: int) -> str:
    if importlib.util.find_spec("esptool") is None:
        raise FlashError("esptool is not installed", hint="pip install 'lorabench[flash]'")
    port = target.resolved()
    lines = not is_pty(port)
    if not lines:
        target.warn("a pty has no modem lines: the chip is taken to be in its bootloader already")

    def on_line(line: str) -> None:
        progress = esp32.parse_progress(line, total) if total else None
        if progress is not None:
            target.progress(progress)

    common = esp32.common_arguments(port, target.baudrate, lines=lines and not target.entered)
    return run_tool([sys.executable, "-m", "esptool", *common, *arguments], on_line)
