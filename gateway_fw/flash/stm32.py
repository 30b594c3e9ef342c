"""Whole jobs on an STM32 UART bootloader: identify, write with verification, verify, read, erase."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway_fw.errors import FlashError, ImageError, VerifyError, WrongBoardError
from gateway_fw.flash import an3155
from gateway_fw.flash.an3155 import Capabilities, retried
from gateway_fw.flash.boards import Board, Chip, Page, chip_by_id
from gateway_fw.flash.image import Image
from gateway_fw.flash.plan import BLOCK_BYTES, Block, FlashPlan, plan_write
from gateway_fw.flash.procedure import LineGoneError, Procedure, Progress

PAGE_TRIES = 5
READ_TRIES = 3


@dataclass(frozen=True, slots=True)
class ChipInfo:
    """Who answered. flash_bytes: what the chip says it has, or None where it does not say."""

    chip: Chip
    capabilities: Capabilities
    flash_bytes: int | None

    @property
    def version(self) -> str:
        """As "3.1"."""
        return f"{self.capabilities.version >> 4}.{self.capabilities.version & 15}"


@dataclass(slots=True)
class Standing:
    """What is on the board, kept up to date while a job runs: for whoever interrupts it."""

    text: str = "unchanged: nothing was erased yet"
    changed: bool = False
    pages_done: int = field(default=0)

    def set(self, text: str) -> None:
        """From now on the board is not as it was."""
        self.text, self.changed = text, True


@dataclass(frozen=True, slots=True)
class WriteReport:
    """What was done. sha256: over the image's addresses and bytes, and the same over what was read back."""

    info: ChipInfo
    plan: FlashPlan
    sha256: str
    started: bool


def identify(board: Board) -> Procedure[ChipInfo]:
    """Synchronise and find out who is there. Raises WrongBoardError for another chip than the board's."""
    yield from an3155.synchronise()
    capabilities = yield from retried(an3155.get)
    chip_id = yield from retried(an3155.get_id)
    chip = chip_by_id(chip_id)
    if board.chip is not None and chip_id != board.chip.chip_id:
        found = chip.name if chip is not None else "a chip that is not in the table"
        raise WrongBoardError(
            f"chip id 0x{chip_id:03X} ({found}) answers; {board.name} has 0x{board.chip.chip_id:03X} "
            f"({board.chip.name})",
            hint="is this the right port, and the right --board?",
        )
    if chip is None:
        raise WrongBoardError(
            f"chip id 0x{chip_id:03X} is not in the table", hint="its pages are unknown, so nothing is done"
        )
    return ChipInfo(chip, capabilities, (yield from _flash_bytes(chip)))


def _flash_bytes(chip: Chip) -> Procedure[int | None]:
    at = chip.size_register & ~3
    try:
        word = yield from retried(lambda: an3155.read(at, 4), tries=2)
    except LineGoneError:
        raise
    except an3155.BootloaderError:
        yield from an3155.resynchronise()
        return None  # read-protected, or a bootloader that does not read there
    kilobytes = int.from_bytes(word[chip.size_register & 3 :][:2], "little")
    size = kilobytes * 1024
    return size if 0 < size <= chip.flash_end - chip.flash else None


def write_job(
    board: Board,
    image: Image,
    *,
    force: bool = False,
    start: bool = False,
    standing: Standing | None = None,
    planned: Callable[[FlashPlan], None] | None = None,
) -> Procedure[WriteReport]:
    """Identify, plan, erase, write, read back and compare; start the program where asked.

    planned: told of the plan before anything is erased.
    Raises ImageError before anything is erased where the image does not fit, FlashError after.
    """
    standing = standing or Standing()
    info = yield from identify(board)
    plan = _planned(board, info, image, force=force)
    command = _erase_command(info)
    if planned is not None:
        planned(plan)
    yield from _erase(plan.pages, info.chip, command, standing)
    done = 0
    for page in plan.pages:
        blocks = plan.blocks_of(page)
        yield from _write_page(page, blocks, info.chip, command)
        done += sum(len(block.data) for block in blocks)
        standing.pages_done += 1
        standing.set(
            f"part of the image: {standing.pages_done} of {len(plan.pages)} pages written, the others are empty; "
            "it does not start"
        )
        yield Progress("write", done, plan.bytes_written)
    standing.set("the whole image, not verified")
    digest = yield from _verify(image, plan.blocks)
    standing.set("the whole image, verified")
    if start:
        yield from retried(lambda: an3155.go(plan.image.start))
    return WriteReport(info, plan, digest, start)


def verify_job(board: Board, image: Image) -> Procedure[tuple[ChipInfo, str]]:
    """Compare the board with an image. Raises VerifyError with the first address that differs."""
    info = yield from identify(board)
    plan = _planned(board, info, image, force=True)
    return info, (yield from _verify(image, plan.blocks))


def read_job(board: Board, start: int | None, size: int | None) -> Procedure[tuple[ChipInfo, int, bytes]]:
    """Memory from start (the flash where None), size bytes (all of the flash where None)."""
    info = yield from identify(board)
    begin = info.chip.flash if start is None else start
    whole = (info.flash_bytes or info.chip.flash_end - info.chip.flash) - (begin - info.chip.flash)
    count = whole if size is None else size
    if count <= 0 or begin < 0 or begin + count > 1 << 32:
        raise FlashError(f"nothing to read at 0x{begin:08X}, {count} bytes")
    out = bytearray()
    while len(out) < count:
        wanted = min(BLOCK_BYTES, count - len(out))
        at = begin + len(out)
        out += yield from _read_twice(at, wanted)
        yield Progress("read", len(out), count)
    return info, begin, bytes(out)


def erase_job(
    board: Board,
    *,
    pages: tuple[int, ...] | None = None,
    unprotect: bool = False,
    force: bool = False,
    standing: Standing | None = None,
) -> Procedure[ChipInfo]:
    """Erase pages by number, or all that are not protected areas of the board (all with force).

    unprotect: lift the readout protection, which makes the chip erase all its flash; wants force.
    """
    standing = standing or Standing()
    if unprotect:
        return (yield from _unprotect(board, standing, force=force))
    info = yield from identify(board)
    chip = info.chip
    wanted = tuple(page for page in chip.pages if pages is None or page.number in pages)
    if pages is not None and len(wanted) != len(set(pages)):
        raise FlashError(f"{chip.name} has pages 0 to {len(chip.pages) - 1}")
    if info.flash_bytes is not None:
        wanted = tuple(page for page in wanted if page.start < chip.flash + info.flash_bytes)
    for area in board.protected:
        hit = tuple(page for page in wanted if page.start < area.end and area.start < page.end)
        if hit and not force:
            raise FlashError(f"page {hit[0].number} holds {area.what}", hint="--force erases it all the same")
    yield from _erase(wanted, chip, _erase_command(info), standing)
    return info


PROTECTIONS = {
    "readout-on": (an3155.READOUT_PROTECT, "nothing can be read or written any more, until readout-off erases it all"),
    "readout-off": (an3155.READOUT_UNPROTECT, "the chip erases its whole flash"),
    "write-off": (an3155.WRITE_UNPROTECT, "a bootloader that write protection kept can then be overwritten"),
}
"""What each change of protection does."""


def protect_job(
    board: Board, change: str, *, force: bool = False, standing: Standing | None = None
) -> Procedure[ChipInfo]:
    """Change the chip's protection: a key of PROTECTIONS. Each wants force. The chip resets, and is asked again."""
    command, consequence = PROTECTIONS[change]
    if not force:
        raise FlashError(f"{change}: {consequence}", hint="--force does it")
    standing = standing or Standing()
    info = yield from identify(board)
    standing.set("nothing: the chip erases itself" if change == "readout-off" else f"as before, with {change}")
    yield from an3155.change_protection(command)
    yield from an3155.synchronise()  # it has reset, and takes the speed anew
    return info


def _unprotect(board: Board, standing: Standing, *, force: bool) -> Procedure[ChipInfo]:
    yield from protect_job(board, "readout-off", force=force, standing=standing)
    return (yield from identify(board))


def _planned(board: Board, info: ChipInfo, image: Image, *, force: bool) -> FlashPlan:
    plan = plan_write(board, info.chip, image, force=force)
    if info.flash_bytes is not None and image.end > info.chip.flash + info.flash_bytes:
        raise ImageError(
            f"it ends at 0x{image.end:08X} and the chip says that it has {info.flash_bytes // 1024} kB of flash",
            hint="the image is for a larger chip",
        )
    return plan


def _erase_command(info: ChipInfo) -> int:
    command = info.capabilities.erase_command
    if command is None:
        raise FlashError("the bootloader has no erase command", hint="is the chip read-protected?")
    return command


def _erase(pages: tuple[Page, ...], chip: Chip, command: int, standing: Standing) -> Procedure[None]:
    for at in range(0, len(pages), an3155.PAGES_A_COMMAND):
        group = pages[at : at + an3155.PAGES_A_COMMAND]
        standing.set(f"about {at} of {len(pages)} pages erased, nothing written; it does not start")
        yield from _erase_group(group, chip, command)
        yield Progress("erase", at + len(group), len(pages), "pages")
    standing.set(f"{len(pages)} pages erased, nothing written; it does not start")


def _erase_group(pages: tuple[Page, ...], chip: Chip, command: int) -> Procedure[None]:
    numbers = tuple(page.number for page in pages)
    if command == an3155.ERASE and numbers[-1] > 255:
        raise FlashError(f"page {numbers[-1]} cannot be named in the bootloader's one-byte erase command")
    timeout_us = 2 * an3155.ANSWER_US + 2 * len(pages) * chip.erase_page_ms * 1_000
    yield from retried(lambda: an3155.erase_pages(numbers, command, timeout_us))


def _write_page(page: Page, blocks: tuple[Block, ...], chip: Chip, command: int) -> Procedure[None]:
    for left in range(PAGE_TRIES - 1, -1, -1):
        try:
            for block in blocks:
                yield from an3155.write(block.address, block.data)
        except LineGoneError:
            raise
        except an3155.BootloaderError:
            if not left:
                raise
            # part of a block may be in: flash takes a byte once, so the page begins anew
            yield from an3155.resynchronise()
            yield from _erase_group((page,), chip, command)
        else:
            return


def _verify(image: Image, blocks: tuple[Block, ...]) -> Procedure[str]:
    total = sum(len(block.data) for block in blocks)
    done = 0
    held: dict[int, bytes] = {}
    for block in blocks:
        found = b""
        for _ in range(READ_TRIES):  # an answer has no checksum: a difference may be the line's
            found = yield from retried(lambda block=block: an3155.read(block.address, len(block.data)))  # type: ignore[misc]
            if found == block.data:
                break
        if found != block.data:
            index = next(i for i, (a, b) in enumerate(zip(found, block.data, strict=True)) if a != b)
            raise VerifyError(
                f"0x{block.address + index:08X} holds 0x{found[index]:02X}, the image 0x{block.data[index]:02X}",
                address=block.address + index,
                hint="write it again; a byte that stays wrong is a worn or protected page",
            )
        held[block.address] = found
        done += len(block.data)
        yield Progress("verify", done, total)
    return _digest_of(image, held)


def _digest_of(image: Image, held: dict[int, bytes]) -> str:
    starts = sorted(held)
    digest = hashlib.sha256()
    for segment in image.segments:
        digest.update(segment.address.to_bytes(8, "little") + len(segment.data).to_bytes(8, "little"))
        for at in starts:
            low, high = max(at, segment.address), min(at + len(held[at]), segment.end)
            if low < high:
                digest.update(held[at][low - at : high - at])
    found = digest.hexdigest()
    if found != image.sha256:
        raise VerifyError(f"the hash of what was read back is {found}, of the image {image.sha256}")
    return found


def _read_twice(address: int, count: int) -> Procedure[bytes]:
    """Two equal answers in a row: one has no checksum."""
    last = yield from retried(lambda: an3155.read(address, count))
    for _ in range(READ_TRIES):
        again = yield from retried(lambda: an3155.read(address, count))
        if again == last:
            return again
        last = again
    raise an3155.GarbledError(f"0x{address:08X} reads differently each time", hint="check the line, or a lower speed")
