"""What a write would do to a board, before it does it: pages erased, bytes written, and what forbids it."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.errors import ImageError
from gateway_fw.flash.boards import Board, Chip, Page
from gateway_fw.flash.image import Image

BLOCK_BYTES = 256
"""The most that one write or read of the UART bootloader carries. Source: ST AN3155 §3.4, §3.6."""


@dataclass(frozen=True, slots=True)
class Block:
    """One write: address and bytes, both multiples of the chip's alignment."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class FlashPlan:
    """pages: erased, in order; blocks: written, in order; notes: what a person should know before."""

    board: Board
    chip: Chip
    image: Image
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    notes: tuple[str, ...]

    @property
    def bytes_written(self) -> int:
        """With what fills the ends of blocks."""
        return sum(len(block.data) for block in self.blocks)

    def blocks_of(self, page: Page) -> tuple[Block, ...]:
        """The blocks in a page: none straddles two."""
        return tuple(block for block in self.blocks if page.start <= block.address < page.end)

    def lines(self) -> list[str]:
        """For a person."""
        out = [
            f"board   {self.board.name}, chip {self.chip.name} (0x{self.chip.chip_id:03X})",
            f"image   {self.image.format}, {self.image.size} bytes, 0x{self.image.start:08X} to 0x{self.image.end:08X}",
            f"sha256  {self.image.sha256}",
        ]
        if self.pages:
            size = sum(page.end - page.start for page in self.pages)
            out.append(
                f"erase   {len(self.pages)} of {len(self.chip.pages)} pages, {size} bytes: "
                f"{', '.join(_runs(self.pages))}"
            )
            out.append(f"write   {self.bytes_written} bytes in {len(self.blocks)} blocks")
        return [*out, *(f"note    {note}" for note in self.notes)]


def _runs(pages: tuple[Page, ...]) -> list[str]:
    runs: list[list[Page]] = []
    for page in pages:
        if runs and runs[-1][-1].number + 1 == page.number:
            runs[-1].append(page)
        else:
            runs.append([page])
    return [
        f"page {run[0].number}{f' to {run[-1].number}' if len(run) > 1 else ''} "
        f"(0x{run[0].start:08X} to 0x{run[-1].end:08X})"
        for run in runs
    ]


def check_fits(image: Image, start: int, end: int, board: Board, *, force: bool) -> tuple[str, ...]:
    """Refuse what leaves the flash from start to end, or touches a protected area without force; notes otherwise.

    Raises ImageError.
    """
    for segment in image.segments:
        if segment.address < start or segment.end > end:
            raise ImageError(
                f"its data at 0x{segment.address:08X} to 0x{segment.end:08X} leaves the flash of {board.name}, "
                f"0x{start:08X} to 0x{end:08X}",
                hint="is it for another board, or is --address wrong?",
            )
    notes = []
    for area in board.protected:
        if not image.touches(area.start, area.end):
            continue
        if not force:
            raise ImageError(
                f"it would overwrite 0x{area.start:08X} to 0x{area.end:08X}: {area.what}",
                hint="--force does it all the same",
            )
        notes.append(f"overwrites {area.what}")
    return tuple(notes)


def plan_write(board: Board, chip: Chip, image: Image, *, force: bool = False) -> FlashPlan:
    """The plan for a chip with the UART bootloader. Raises ImageError for what check_fits refuses."""
    notes = list(check_fits(image, chip.flash, chip.flash_end, board, force=force))
    pages: dict[int, Page] = {}
    for segment in image.segments:
        for page in chip.pages_of(segment.address, segment.end):
            pages[page.number] = page
    blocks: list[Block] = []
    for page in pages.values():
        for at in range(page.start, page.end, BLOCK_BYTES):
            stop = min(at + BLOCK_BYTES, page.end)
            inside = [
                (max(at, segment.address), min(stop, segment.end))
                for segment in image.segments
                if segment.address < stop and at < segment.end
            ]
            if inside:
                low = inside[0][0] // chip.align * chip.align
                high = -(-inside[-1][1] // chip.align) * chip.align
                blocks.append(Block(low, image.slice(low, high)))
    ordered = tuple(sorted(pages.values(), key=lambda page: page.number))
    emptied = sum(page.end - page.start for page in ordered) - image.size
    if emptied:
        notes.append(f"{emptied} bytes of these pages are not in the image and become 0xFF")
    for area in board.protected:
        lost = [page for page in ordered if page.start < area.end and area.start < page.end]
        if lost and not image.touches(area.start, area.end):
            if not force:
                raise ImageError(
                    f"erasing page {lost[0].number} for it would take part of {area.what}",
                    hint="--force does it all the same",
                )
            notes.append(f"erases part of {area.what}")
    return FlashPlan(board, chip, image, ordered, tuple(sorted(blocks, key=lambda b: b.address)), tuple(notes))
