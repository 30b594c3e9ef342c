"""The five jobs, by the board's method: info, write, verify, read, erase."""

from __future__ import annotations

from dataclasses import dataclass

from bench.flashing import dfu_jobs, esp_jobs
from bench.flashing.target import FlashTarget, in_uart_bootloader
from gateway_fw.errors import FlashError, GatewayError
from gateway_fw.flash import stm32
from gateway_fw.flash.entry import ORDERS
from gateway_fw.flash.image import Image
from gateway_fw.flash.plan import FlashPlan, check_fits, plan_write
from gateway_fw.flash.stm32 import ChipInfo, Standing
from gateway_fw.flash.ymodem import send_ymodem
from gateway_fw.io.bootloader_entry import order_bootloader
from gateway_fw.io.procedure import run_procedure
from gateway_fw.serial_port import open_port


@dataclass(frozen=True, slots=True)
class JobReport:
    """What came of a job. chip: who answered; verified: how it was checked, "" where it was not."""

    board: str
    chip: str
    chip_id: int | None = None
    bootloader: str = ""
    flash_bytes: int | None = None
    bytes_written: int = 0
    pages_erased: int = 0
    sha256: str = ""
    verified: str = ""
    started: bool = False


def _report(target: FlashTarget, info: ChipInfo, **more: object) -> JobReport:
    known: dict[str, object] = {
        "board": target.board.id,
        "chip": info.chip.name,
        "chip_id": info.chip.chip_id,
        "bootloader": f"AN3155 {info.version}",
        "flash_bytes": info.flash_bytes,
    }
    return JobReport(**{**known, **more})  # type: ignore[arg-type]


def info(target: FlashTarget) -> JobReport:
    """Who answers. Nothing is changed."""
    match target.board.method:
        case "stm32-uart":
            with in_uart_bootloader(target) as port:
                return _report(target, run_procedure(port, stm32.identify(target.board), target.progress))
        case "dfu":
            device = dfu_jobs.enter(target)
            return JobReport(target.board.id, f"{device.usb} {device.name}", bootloader="DfuSe")
        case "esptool":
            return JobReport(target.board.id, esp_jobs.info(target), bootloader="esptool")
    raise _cannot(target, "say what it is")


def plan(target: FlashTarget, image: Image, *, force: bool) -> list[str]:
    """What a write would do, in lines; asks the board only where the table cannot tell its chip."""
    board = target.board
    if board.method in ("esptool", "ymodem"):
        start, end = (0, board.flash_bytes or 0) if board.chip is None else (board.chip.flash, board.chip.flash_end)
        notes = check_fits(image, start, end, board, force=force)
        return [
            f"board   {board.name}",
            f"image   {image.format}, {image.size} bytes, 0x{image.start:08X} to 0x{image.end:08X}",
            f"sha256  {image.sha256}",
            f"note    pages are erased by {'esptool' if board.method == 'esptool' else 'the board'} as it writes",
            *(f"note    {note}" for note in notes),
        ]
    chip = board.chip
    if chip is None:
        with in_uart_bootloader(target) as port:
            chip = run_procedure(port, stm32.identify(board), target.progress).chip
    return plan_write(board, chip, image, force=force).lines()


def write(target: FlashTarget, image: Image, *, force: bool, start: bool, standing: Standing) -> JobReport:
    """Plan, write and verify. standing follows what is on the board. Raises the families of gateway_fw."""
    board = target.board
    match board.method:
        case "stm32-uart":
            with in_uart_bootloader(target) as port:
                job = stm32.write_job(board, image, force=force, start=start, standing=standing, planned=target.planned)
                done = run_procedure(port, job, target.progress)
            return _written(target, done.plan, done.info, done.sha256, started=done.started)
        case "dfu":
            made = dfu_jobs.write(target, image, force=force, start=start, standing=standing)
            return _dfu_written(target, made, started=start)
        case "esptool":
            esp_jobs.write(target, image, force=force, standing=standing)
            verified = "hash by the chip"
            return JobReport(board.id, board.name, bytes_written=image.size, sha256=image.sha256, verified=verified)
        case "ymodem":
            return _write_ymodem(target, image, force=force, standing=standing)
    raise _cannot(target, "be written")


def verify(target: FlashTarget, image: Image) -> JobReport:
    """Compare. Raises VerifyError."""
    verified = "read back, sha256"
    match target.board.method:
        case "stm32-uart":
            with in_uart_bootloader(target) as port:
                found, digest = run_procedure(port, stm32.verify_job(target.board, image), target.progress)
            return _report(target, found, sha256=digest, verified=verified)
        case "dfu":
            dfu_jobs.verify(target, image)
            return JobReport(target.board.id, target.board.name, sha256=image.sha256, verified=verified)
        case "esptool":
            esp_jobs.verify(target, image)
            return JobReport(target.board.id, target.board.name, sha256=image.sha256, verified="hash by the chip")
    raise _cannot(target, "be read back")


def read(target: FlashTarget, start: int | None, size: int | None) -> tuple[int, bytes]:
    """First address and bytes."""
    match target.board.method:
        case "stm32-uart":
            with in_uart_bootloader(target) as port:
                _, begin, data = run_procedure(port, stm32.read_job(target.board, start, size), target.progress)
            return begin, data
        case "dfu":
            return dfu_jobs.read(target, start, size)
        case "esptool":
            return esp_jobs.read(target, start, size)
    raise _cannot(target, "be read")


def erase(
    target: FlashTarget, *, pages: tuple[int, ...] | None, unprotect: bool, force: bool, standing: Standing
) -> JobReport:
    """Erase pages, or all; unprotect lifts the readout protection and so erases all."""
    match target.board.method:
        case "stm32-uart":
            job = stm32.erase_job(target.board, pages=pages, unprotect=unprotect, force=force, standing=standing)
            with in_uart_bootloader(target) as port:
                return _report(target, run_procedure(port, job, target.progress))
        case "esptool" if pages is None and not unprotect:
            if not force:
                raise FlashError("that erases the bootloader and the partition table too", hint="--force does it")
            esp_jobs.erase(target, standing)
            return JobReport(target.board.id, target.board.name)
    raise _cannot(target, "be erased so")


def protect(target: FlashTarget, change: str, *, force: bool, standing: Standing) -> JobReport:
    """Change the chip's protection: a key of gateway_fw.flash.stm32.PROTECTIONS."""
    if target.board.method != "stm32-uart":
        raise _cannot(target, "be protected or freed")
    with in_uart_bootloader(target) as port:
        job = stm32.protect_job(target.board, change, force=force, standing=standing)
        return _report(target, run_procedure(port, job, target.progress))


def _cannot(target: FlashTarget, what: str) -> GatewayError:
    return FlashError(f"{target.board.name} cannot {what} over its method, {target.board.method}")


def _written(target: FlashTarget, made: FlashPlan, found: ChipInfo, digest: str, *, started: bool) -> JobReport:
    return _report(
        target,
        found,
        bytes_written=made.bytes_written,
        pages_erased=len(made.pages),
        sha256=digest,
        verified="read back, sha256",
        started=started,
    )


def _dfu_written(target: FlashTarget, made: FlashPlan, *, started: bool) -> JobReport:
    return JobReport(
        target.board.id,
        made.chip.name,
        made.chip.chip_id,
        "DfuSe",
        bytes_written=made.bytes_written,
        pages_erased=len(made.pages),
        sha256=made.image.sha256,
        verified="read back",
        started=started,
    )


def _write_ymodem(target: FlashTarget, image: Image, *, force: bool, standing: Standing) -> JobReport:
    board = target.board
    if board.chip is not None:
        check_fits(image, board.chip.flash, board.chip.flash_end, board, force=force)
    if len(image.segments) != 1:
        raise FlashError(f"YMODEM carries one piece, the image has {len(image.segments)}")
    name = target.resolved()
    if board.entry in ORDERS and not target.entered:
        order_bootloader(board, name, trace=target.trace)
    with open_port(name, baudrate=target.baudrate, trace=target.trace) as port:
        standing.set("part of the image; its bootloader waits for a whole one")
        run_procedure(port, send_ymodem("firmware.bin", image.segments[0].data), target.progress)
    standing.set("the whole image, as the board's bootloader took it")
    return JobReport(board.id, board.name, bytes_written=image.size, sha256=image.sha256, started=True)
