"""A firmware image: bytes with addresses, whatever file they came in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from gateway_fw.errors import ImageError

ADDRESS_SPACE = 1 << 32


@dataclass(frozen=True, slots=True)
class Segment:
    """data at address (u32) and after."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """The address after the last byte."""
        return self.address + len(self.data)


@dataclass(frozen=True, slots=True)
class Image:
    """Segments in ascending order, none of them empty, touching or overlapping.

    format: "bin", "ihex", "srec", "elf" or "uf2"; entry: the start address the file names, or None; family: the UF2
    family id, or None.
    """

    segments: tuple[Segment, ...]
    format: str
    entry: int | None = None
    family: int | None = None

    @property
    def size(self) -> int:
        """How many bytes it sets."""
        return sum(len(segment.data) for segment in self.segments)

    @property
    def start(self) -> int:
        """The first address it sets."""
        return self.segments[0].address

    @property
    def end(self) -> int:
        """The address after the last it sets."""
        return self.segments[-1].end

    @property
    def sha256(self) -> str:
        """Over addresses and bytes, in hexadecimal."""
        digest = hashlib.sha256()
        for segment in self.segments:
            digest.update(segment.address.to_bytes(8, "little") + len(segment.data).to_bytes(8, "little"))
            digest.update(segment.data)
        return digest.hexdigest()

    def slice(self, start: int, end: int, *, fill: int = 0xFF) -> bytes:
        """The bytes from start to end, `fill` where it sets none."""
        out = bytearray([fill]) * (end - start)
        for segment in self.segments:
            low, high = max(start, segment.address), min(end, segment.end)
            if low < high:
                out[low - start : high - start] = segment.data[low - segment.address : high - segment.address]
        return bytes(out)

    def touches(self, start: int, end: int) -> bool:
        """Whether it sets any byte from start to end."""
        return any(segment.address < end and start < segment.end for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some bytes of a file with where they stood in it."""

    address: int
    data: bytes
    line: int | None = None
    offset: int | None = None


def assemble(
    pieces: Iterable[Piece], *, format_name: str, source: str, entry: int | None = None, family: int | None = None
) -> Image:
    """Join pieces into an Image. Raises ImageError for none, for overlaps and for what leaves 32 bits."""
    ordered = sorted((piece for piece in pieces if piece.data), key=lambda piece: piece.address)
    if not ordered:
        raise ImageError("it holds no data", source=source)
    segments: list[Segment] = []
    run: list[bytes] = []
    start = end = ordered[0].address
    for piece in ordered:
        if piece.address + len(piece.data) > ADDRESS_SPACE:
            raise _wrong(piece, f"0x{piece.address:X} + {len(piece.data)} leaves the 32-bit address space", source)
        if piece.address < end:
            raise _wrong(piece, f"data at 0x{piece.address:08X} is set twice", source)
        if piece.address > end:
            segments.append(Segment(start, b"".join(run)))
            run, start = [], piece.address
        run.append(piece.data)
        end = piece.address + len(piece.data)
    segments.append(Segment(start, b"".join(run)))
    return Image(tuple(segments), format_name, entry, family)


def _wrong(piece: Piece, reason: str, source: str) -> ImageError:
    return ImageError(reason, source=source, line=piece.line, offset=piece.offset)
