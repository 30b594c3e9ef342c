"""Jobs on a board in USB DFU mode, through dfu-util."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.flashing.target import FlashTarget
from gateway_fw.errors import FlashError, VerifyError, WrongBoardError
from gateway_fw.flash import dfu
from gateway_fw.flash.boards import Chip
from gateway_fw.flash.dfu import DfuDevice
from gateway_fw.flash.entry import ORDERS
from gateway_fw.flash.image import Image, Segment
from gateway_fw.flash.plan import FlashPlan, plan_write
from gateway_fw.flash.stm32 import Standing
from gateway_fw.io.bootloader_entry import order_bootloader
from gateway_fw.io.tool import find_tool, run_tool

APPEAR_S = 15.0  # [assumption] a USB device comes up in a few seconds; a hub adds some
HINT = "Debian: sudo apt-get install dfu-util; macOS: brew install dfu-util"


def _tool() -> str:
    return find_tool("dfu-util", hint=HINT)


def _chip(target: FlashTarget) -> Chip:
    if target.board.chip is None:
        raise WrongBoardError(f"{target.board.name} is not flashed over DFU")
    return target.board.chip


def enter(target: FlashTarget) -> DfuDevice:
    """The one device in DFU mode; the board is ordered there first where none is. Raises FlashError."""
    devices = _devices()
    if not devices and not target.entered and target.board.entry in ORDERS:
        sentence = order_bootloader(target.board, target.resolved(), trace=target.trace)
        if sentence is not None:
            target.warn(sentence)
        end = time.monotonic() + APPEAR_S
        while not devices and time.monotonic() < end:
            time.sleep(0.5)
            devices = _devices()
    if not devices:
        raise FlashError(
            "no device in DFU mode", hint=f"{target.board.steps}; on Linux, dfu-util needs a udev rule or sudo"
        )
    if len({device.serial for device in devices}) > 1:
        raise FlashError(
            f"{len(devices)} devices are in DFU mode", hint="leave one plugged in: which is which cannot be told"
        )
    dfu.check_chip(devices[0], _chip(target))
    return devices[0]


def _devices() -> list[DfuDevice]:
    found = dfu.parse_devices(run_tool([_tool(), *dfu.list_arguments()], timeout_s=30))
    return [device for device in found if device.usb == dfu.DFU_ID and device.alt == 0]


def runs(plan: FlashPlan) -> list[Segment]:
    """One piece for each run of pages: dfu-util erases whole pages, so two pieces must not share one."""
    found: list[Segment] = []
    first = 0
    for index, page in enumerate(plan.pages):
        last = index + 1 == len(plan.pages)
        if last or plan.pages[index + 1].start != page.end:
            low = min(block.address for block in plan.blocks_of(plan.pages[first]))
            high = max(block.address + len(block.data) for block in plan.blocks_of(page))
            found.append(Segment(low, plan.image.slice(low, high)))
            first = index + 1
    return found


def write(target: FlashTarget, image: Image, *, force: bool, start: bool, standing: Standing) -> FlashPlan:
    """Plan, enter, write, read back and compare."""
    plan = plan_write(target.board, _chip(target), image, force=force)
    device = enter(target)
    if target.planned is not None:
        target.planned(plan)
    pieces = runs(plan)
    with tempfile.TemporaryDirectory() as folder:
        for number, piece in enumerate(pieces):
            standing.set(f"part of the image, at most {number + 1} of {len(pieces)} pieces; it may not start")
            path = Path(folder) / f"write{number}.bin"
            path.write_bytes(piece.data)
            arguments = dfu.download_arguments(str(path), piece.address, serial=device.serial, leave=False)
            _run(target, arguments, len(piece.data))
        standing.set("the whole image, not verified")
        _compare(target, pieces, device, Path(folder), start=start)
    standing.set("the whole image, verified")
    return plan


def verify(target: FlashTarget, image: Image) -> None:
    """Read back and compare. Raises VerifyError."""
    plan = plan_write(target.board, _chip(target), image, force=True)
    device = enter(target)
    with tempfile.TemporaryDirectory() as folder:
        _compare(target, runs(plan), device, Path(folder), start=False)


def read(target: FlashTarget, start: int | None, size: int | None) -> tuple[int, bytes]:
    """Bytes of the flash."""
    chip = _chip(target)
    begin = chip.flash if start is None else start
    count = chip.flash_end - begin if size is None else size
    device = enter(target)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "read.bin"
        _run(target, dfu.upload_arguments(str(path), begin, count, serial=device.serial), count)
        return begin, path.read_bytes()


def _compare(target: FlashTarget, pieces: list[Segment], device: DfuDevice, folder: Path, *, start: bool) -> None:
    for number, piece in reversed(list(enumerate(pieces))):  # the first last: the chip starts where it was read
        path = folder / f"read{number}.bin"
        arguments = dfu.upload_arguments(str(path), piece.address, len(piece.data), serial=device.serial)
        if start and number == 0:
            arguments[arguments.index("-s") + 1] += ":leave"
        _run(target, arguments, len(piece.data))
        found = path.read_bytes()
        if found != piece.data:
            at = next((i for i, (a, b) in enumerate(zip(found, piece.data, strict=False)) if a != b), len(found))
            raise VerifyError(f"0x{piece.address + at:08X} does not hold the image's byte", address=piece.address + at)


def _run(target: FlashTarget, arguments: list[str], total: int) -> None:
    def on_line(line: str) -> None:
        progress = dfu.parse_progress(line, total)
        if progress is not None:
            target.progress(progress)

    run_tool([_tool(), *arguments], on_line)
