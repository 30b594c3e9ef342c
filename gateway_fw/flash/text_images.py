"""Intel HEX and Motorola S-records: read with every checksum checked, and written.

Own parsers: a person who flashes wants the line that is wrong, and neither bincopy nor intelhex says it for every
fault; both formats are a page long.

Source: Intel, Hexadecimal Object File Format Specification, revision A, 1988; Motorola, M68000 Family Programmer's
Reference Manual, appendix C.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway_fw.errors import ImageError
from gateway_fw.flash.image import Image, Piece, assemble

_SREC_ADDRESS_BYTES = {"0": 2, "1": 2, "2": 3, "3": 4, "5": 2, "6": 3, "7": 4, "8": 3, "9": 2}


def _lines(data: bytes, source: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(data.splitlines(), 1):
        try:
            line = raw.decode("ascii").strip()
        except UnicodeDecodeError:
            raise ImageError("not text", source=source, line=number) from None
        if line:
            yield number, line


def _record(digits: str, source: str, number: int) -> bytes:
    try:
        if any(character.isspace() for character in digits):  # which fromhex would pass over
            raise ValueError
        return bytes.fromhex(digits)
    except ValueError:
        raise ImageError("not an even number of hexadecimal digits", source=source, line=number) from None


def parse_ihex(data: bytes, *, source: str = "") -> Image:
    """Read Intel HEX with records 00 to 05. Raises ImageError with the line."""
    pieces: list[Piece] = []
    base, segmented, entry, ended = 0, False, None, False
    number = 0
    for number, line in _lines(data, source):
        if ended:
            raise ImageError("a record after the end-of-file record", source=source, line=number)
        if not line.startswith(":"):
            raise ImageError("a record begins with ':'", source=source, line=number)
        record = _record(line[1:], source, number)
        if len(record) < 5 or len(record) != record[0] + 5:
            raise ImageError("the length byte does not fit the line", source=source, line=number)
        if sum(record) & 0xFF:
            right = -sum(record[:-1]) & 0xFF
            raise ImageError(f"checksum {record[-1]:02X}, should be {right:02X}", source=source, line=number)
        address, kind, payload = int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        value = int.from_bytes(payload, "big")
        sizes = {1: 0, 2: 2, 3: 4, 4: 2, 5: 4}
        if kind > 5:
            raise ImageError(f"unknown record type {kind:02X}", source=source, line=number)
        if kind and len(payload) != sizes[kind]:
            raise ImageError(f"a record of type {kind:02X} has {sizes[kind]} bytes", source=source, line=number)
        match kind:
            case 0:
                if segmented and address + len(payload) > 0x1_0000:
                    raise ImageError("data wraps in its 64 kB segment", source=source, line=number)
                pieces.append(Piece(base + address, payload, line=number))
            case 1:
                ended = True
            case 2:
                base, segmented = value << 4, True
            case 3:
                entry = ((value >> 16) << 4) + (value & 0xFFFF)
            case 4:
                base, segmented = value << 16, False
            case 5:
                entry = value
    if not ended:
        raise ImageError("no end-of-file record: the file is cut short", source=source, line=number or None)
    return assemble(pieces, format_name="ihex", source=source, entry=entry)


def parse_srec(data: bytes, *, source: str = "") -> Image:
    """Read S-records S0 to S9. Raises ImageError with the line."""
    pieces: list[Piece] = []
    entry, ended = None, False
    number = data_records = 0
    for number, line in _lines(data, source):
        if ended:
            raise ImageError("a record after the termination record", source=source, line=number)
        if line[:1] not in ("S", "s") or len(line) < 2 or line[1] not in _SREC_ADDRESS_BYTES:
            raise ImageError("a record begins with S and a type from 0 to 9, save 4", source=source, line=number)
        kind, record = line[1], _record(line[2:], source, number)
        width = _SREC_ADDRESS_BYTES[kind]
        if len(record) < width + 2 or len(record) != record[0] + 1:
            raise ImageError("the length byte does not fit the line", source=source, line=number)
        if sum(record) & 0xFF != 0xFF:
            right = ~sum(record[:-1]) & 0xFF
            raise ImageError(f"checksum {record[-1]:02X}, should be {right:02X}", source=source, line=number)
        address, payload = int.from_bytes(record[1 : 1 + width], "big"), record[1 + width : -1]
        if kind in "123":
            data_records += 1
            pieces.append(Piece(address, payload, line=number))
        elif kind in "56" and address != data_records & ((1 << 8 * width) - 1):
            reason = f"it counts {address} data records, there are {data_records} above: lines are missing"
            raise ImageError(reason, source=source, line=number)
        elif kind in "789":
            ended, entry = True, address
    if not ended:
        raise ImageError("no termination record: the file is cut short", source=source, line=number or None)
    return assemble(pieces, format_name="srec", source=source, entry=entry)


def write_ihex(image: Image, *, width: int = 16) -> str:
    """Intel HEX with extended linear addresses, width bytes a record (1 to 255)."""
    lines: list[str] = []
    upper = 0
    for segment in image.segments:
        at = segment.address
        while at < segment.end:
            if at >> 16 != upper:
                upper = at >> 16
                lines.append(_ihex_record(0, 4, upper.to_bytes(2, "big")))
            stop = min(segment.end, at + width, (at | 0xFFFF) + 1)
            chunk = segment.data[at - segment.address : stop - segment.address]
            lines.append(_ihex_record(at & 0xFFFF, 0, chunk))
            at = stop
    if image.entry is not None:
        lines.append(_ihex_record(0, 5, image.entry.to_bytes(4, "big")))
    return "\n".join([*lines, _ihex_record(0, 1, b""), ""])


def _ihex_record(address: int, kind: int, data: bytes) -> str:
    record = bytes([len(data), address >> 8, address & 0xFF, kind]) + data
    return ":" + (record + bytes([-sum(record) & 0xFF])).hex().upper()


def write_srec(image: Image, *, width: int = 16) -> str:
    """S-records with 32-bit addresses, width data bytes a record (1 to 250)."""
    lines: list[str] = []
    for segment in image.segments:
        lines.extend(
            _srec_record(3, (segment.address + at).to_bytes(4, "big") + segment.data[at : at + width])
            for at in range(0, len(segment.data), width)
        )
    return "\n".join([*lines, _srec_record(7, (image.entry or 0).to_bytes(4, "big")), ""])


def _srec_record(kind: int, body: bytes) -> str:
    record = bytes([len(body) + 1]) + body
    return f"S{kind}" + (record + bytes([~sum(record) & 0xFF])).hex().upper()
