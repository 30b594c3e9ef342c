"""ELF and UF2: where their bytes belong.

Source: Tool Interface Standard, ELF Specification 1.2; Microsoft, UF2 specification (github.com/microsoft/uf2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from gateway_fw.errors import ImageError
from gateway_fw.flash.image import Image, Piece, assemble

ELF_MAGIC = b"\x7fELF"
_PT_LOAD, _SHT_NULL, _SHT_NOBITS, _SHF_ALLOC = 1, 0, 8, 2
_MAX_HEADERS = 4096  # [assumption] a firmware has tens

UF2_BLOCK = 512
UF2_MAGIC = b"UF2\x0a"
_UF2_HEAD = struct.Struct("<8I")
_UF2_SECOND_MAGIC, _UF2_LAST_MAGIC = 0x9E5D5157, 0x0AB16F30
_UF2_MAX_PAYLOAD = 476
_NOT_MAIN_FLASH, _FILE_CONTAINER, _FAMILY_PRESENT = 0x1, 0x1000, 0x2000


@dataclass(frozen=True, slots=True)
class _Load:
    offset: int
    virtual: int
    physical: int
    file_size: int


def parse_elf(data: bytes, *, source: str = "") -> Image:
    """Read the loaded sections of a 32-bit ELF file, at their load (physical) addresses. Raises ImageError."""
    if len(data) < 52 or data[:4] != ELF_MAGIC:
        raise ImageError("no ELF header", source=source, offset=0)
    if data[4] != 1:
        raise ImageError("a 64-bit ELF file is no firmware of a board here", source=source, offset=4)
    if data[5] not in (1, 2):
        raise ImageError(f"unknown byte order {data[5]}", source=source, offset=5)
    order = "<" if data[5] == 1 else ">"
    entry, ph_at, sh_at = struct.unpack_from(f"{order}3I", data, 24)
    ph_size, ph_count, sh_size, sh_count = struct.unpack_from(f"{order}4H", data, 42)
    loads = _loads(data, order, ph_at, ph_size, ph_count, source)
    if sh_count and sh_at:
        pieces = _sections(data, order, sh_at, sh_size, sh_count, loads, source)
    else:  # stripped of its sections: whole segments
        pieces = [
            Piece(load.physical, _cut(data, load.offset, load.file_size, source), offset=load.offset) for load in loads
        ]
    return assemble(pieces, format_name="elf", source=source, entry=entry)


def _table(data: bytes, at: int, size: int, count: int, least: int, what: str, source: str) -> list[int]:
    if count > _MAX_HEADERS or (count and size < least) or at + size * count > len(data):
        raise ImageError(f"the {what} headers leave the file", source=source, offset=min(at, len(data)))
    return [at + size * index for index in range(count)]


def _loads(data: bytes, order: str, at: int, size: int, count: int, source: str) -> list[_Load]:
    found = []
    for place in _table(data, at, size, count, 32, "program", source):
        kind, offset, virtual, physical, file_size = struct.unpack_from(f"{order}5I", data, place)
        if kind == _PT_LOAD and file_size:
            found.append(_Load(offset, virtual, physical, file_size))
    return found


def _sections(data: bytes, order: str, at: int, size: int, count: int, loads: list[_Load], source: str) -> list[Piece]:
    pieces = []
    for place in _table(data, at, size, count, 40, "section", source):
        _, kind, flags, virtual, offset, length = struct.unpack_from(f"{order}6I", data, place)
        if kind in (_SHT_NULL, _SHT_NOBITS) or not flags & _SHF_ALLOC or not length:
            continue
        # .data runs in RAM and is loaded in flash: the segment that holds the section's bytes says where
        homes = [load for load in loads if load.offset <= offset and offset + length <= load.offset + load.file_size]
        address = homes[0].physical + offset - homes[0].offset if homes else virtual
        pieces.append(Piece(address, _cut(data, offset, length, source), offset=place))
    return pieces


def _cut(data: bytes, offset: int, length: int, source: str) -> bytes:
    if offset + length > len(data):
        raise ImageError("its bytes leave the file: it is cut short", source=source, offset=min(offset, len(data)))
    return data[offset : offset + length]


def parse_uf2(data: bytes, *, source: str = "") -> Image:
    """Read the blocks of a UF2 file for main flash, of one family. Raises ImageError with the offset."""
    if not data or len(data) % UF2_BLOCK:
        last = len(data) - len(data) % UF2_BLOCK
        raise ImageError(f"not whole blocks of {UF2_BLOCK} bytes: it is cut short", source=source, offset=last)
    pieces: list[Piece] = []
    family: int | None = None
    seen: set[int] = set()
    total: int | None = None
    for at in range(0, len(data), UF2_BLOCK):
        first, second, flags, address, size, number, count, tag = _UF2_HEAD.unpack_from(data, at)
        (last,) = struct.unpack_from("<I", data, at + UF2_BLOCK - 4)
        magic = (first.to_bytes(4, "little"), second, last)
        if magic != (UF2_MAGIC, _UF2_SECOND_MAGIC, _UF2_LAST_MAGIC):
            raise ImageError("no UF2 block", source=source, offset=at)
        if size > _UF2_MAX_PAYLOAD:
            raise ImageError(f"a block of {size} bytes, {_UF2_MAX_PAYLOAD} fit", source=source, offset=at + 16)
        if flags & _FILE_CONTAINER:
            raise ImageError("it carries files, not flash", source=source, offset=at + 8)
        own = tag if flags & _FAMILY_PRESENT else None
        if total is not None and (own, count) != (family, total):
            reason = "blocks of two images in one file"
            raise ImageError(reason, source=source, offset=at, hint="split it by family first")
        family, total = own, count
        if number >= count or number in seen:
            raise ImageError(f"block {number} of {count}, or twice", source=source, offset=at + 20)
        seen.add(number)
        if not flags & _NOT_MAIN_FLASH:
            pieces.append(Piece(address, data[at + 32 : at + 32 + size], offset=at))
    if total is not None and len(seen) != total:
        missing = next(number for number in range(total) if number not in seen)
        raise ImageError(f"block {missing} of {total} is missing", source=source, offset=len(data))
    return assemble(pieces, format_name="uf2", source=source, family=family)


def write_uf2(image: Image, *, family: int | None = None, payload: int = 256) -> bytes:
    """A UF2 file of blocks of `payload` bytes (1 to 476)."""
    chunks = [
        (segment.address + at, segment.data[at : at + payload])
        for segment in image.segments
        for at in range(0, len(segment.data), payload)
    ]
    flags = 0 if family is None else _FAMILY_PRESENT
    blocks = []
    for number, (address, chunk) in enumerate(chunks):
        head = _UF2_HEAD.pack(
            int.from_bytes(UF2_MAGIC, "little"),
            _UF2_SECOND_MAGIC,
            flags,
            address,
            len(chunk),
            number,
            len(chunks),
            family or 0,
        )
        blocks.append((head + chunk).ljust(UF2_BLOCK - 4, b"\0") + _UF2_LAST_MAGIC.to_bytes(4, "little"))
    return b"".join(blocks)
