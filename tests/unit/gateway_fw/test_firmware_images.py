"""Firmware images: files from the standards, and every fault with its line or byte."""

from __future__ import annotations

import io
import struct

import intelhex
import pytest

from gateway_fw.errors import GatewayError, ImageError
from gateway_fw.flash.binary_images import parse_elf, parse_uf2, write_uf2
from gateway_fw.flash.image import Piece, Segment, assemble
from gateway_fw.flash.read_image import MAX_FILE_BYTES, read_image, sniff
from gateway_fw.flash.text_images import parse_ihex, parse_srec, write_ihex, write_srec

# the example of the Wikipedia articles "Intel HEX" and "SREC (file format)", which both standards' tools take
IHEX = b""":10010000214601360121470136007EFE09D2190140
:100110002146017E17C20001FF5F16002148011928
:10012000194E79234623965778239EDA3F01B2CAA7
:100130003F0156702B5E712B722B732146013421C7
:00000001FF
"""
SREC = b"""S00F000068656C6C6F202020202000003C
S11F00007C0802A6900100049421FFF07C6C1B787C8C23783C6000003863000026
S11F001C4BFFFFE5398000007D83637880010014382100107C0803A64E800020E9
S111003848656C6C6F20776F726C642E0A0042
S5030003F9
S9030000FC
"""


def test_the_examples_of_the_formats_are_read() -> None:
    image = read_image(IHEX, source="fw.hex")
    assert (image.format, image.start, image.end, image.entry) == ("ihex", 0x100, 0x140, None)
    assert image.segments[0].data[:4] == bytes.fromhex("21460136")
    image = read_image(SREC, source="fw.s19")
    assert (image.format, image.start, image.size, image.entry) == ("srec", 0, 70, 0)
    assert image.segments[0].data.endswith(b"Hello world.\n\0")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (IHEX.replace(b"7EFE09D2190140", b"7EFE09D2190141"), 1, "checksum 41, should be 40"),
        (IHEX.replace(b":10011000", b":11011000"), 2, "length byte"),
        (IHEX.replace(b":10012000", b"?10012000"), 3, "begins with ':'"),
        (IHEX.replace(b":10012000", b":1001200G"), 3, "hexadecimal"),
        (IHEX.replace(b":00000001FF\n", b""), 4, "cut short"),
        (IHEX + b":00000001FF\n", 6, "after the end-of-file"),
        (b":0000000FF1\n:00000001FF", 1, "unknown record type 0F"),
        (b":0300000400000 0F9\n:00000001FF", 1, "hexadecimal"),
        (b":0100000400FB\n:00000001FF", 1, "type 04 has 2 bytes"),
        (b":0100000001FE\n:0100000002FD\n:00000001FF", 2, "set twice"),
        (b":020000021000EC\n:02FFFF000102FD\n:00000001FF", 2, "wraps"),
        (b":02000004FFFFFC\n:02FFFF000102FD\n:00000001FF", 2, "leaves the 32-bit"),
        (b":00000001\xff\xff", 1, "not text"),
    ],
)
def test_a_bad_hex_file_says_its_line(text: bytes, line: int, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        parse_ihex(text, source="fw.hex")
    assert caught.value.line == line
    assert str(caught.value).startswith(f"fw.hex:{line}: ")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (SREC.replace(b"0A0042", b"0A0043"), 4, "checksum 43, should be 42"),
        (SREC.replace(b"S1110038", b"S1120038"), 4, "length byte"),
        (SREC.replace(b"S1110038", b"S4110038"), 4, "type from 0 to 9"),
        (SREC.replace(b"S5030003F9", b"S5030004F8"), 5, "counts 4 data records, there are 3"),
        (SREC.replace(b"S9030000FC\n", b""), 5, "cut short"),
        (SREC + b"S9030000FC\n", 7, "after the termination"),
        (b"S9030000FC\n", None, "no data"),
    ],
)
def test_a_bad_s_record_file_says_its_line(text: bytes, line: int | None, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as caught:
        parse_srec(text, source="fw.s19")
    assert caught.value.line == line


def test_extended_addresses_and_start_addresses_count() -> None:
    segmented = parse_ihex(b":020000021200EA\n:0100100001EE\n:0400000312345678E5\n:00000001FF")
    assert (segmented.start, segmented.entry) == (0x12010, 0x12340 + 0x5678)
    linear = parse_ihex(b":020000040800F2\n:0100100001EE\n:040000050800019955\n:00000001FF")
    assert (linear.start, linear.entry) == (0x0800_0010, 0x0800_0199)
    wide = parse_srec(b"S205123456AAB4\nS8041234565F")
    assert (wide.start, wide.entry) == (0x123456, 0x123456)


def test_intelhex_reads_what_we_write_and_we_what_it_writes() -> None:
    image = assemble([Piece(0x0800_FFF0, bytes(range(64))), Piece(0x1FFF_0001, b"odd")], format_name="bin", source="")
    theirs = intelhex.IntelHex(io.StringIO(write_ihex(image)))
    assert [(start, end) for start, end in theirs.segments()] == [(s.address, s.end) for s in image.segments]
    assert theirs.tobinstr(0x0800_FFF0, 0x0801_002F) == bytes(range(64))
    out = io.StringIO()
    theirs.write_hex_file(out)
    assert parse_ihex(out.getvalue().encode()).segments == image.segments


def elf(*, sections: bool = True, order: str = "<", cut: int = 0) -> bytes:
    """Two sections: .text at 0x08000000 and .data that runs at 0x20000000 and is loaded behind it; a .bss besides."""
    text, data = b"T" * 8, b"D" * 4
    head = b"\x7fELF" + bytes([1, 1 if order == "<" else 2, 1]) + bytes(9)
    body = 52 + 2 * 32
    loads = struct.pack(f"{order}8I", 1, body, 0x0800_0000, 0x0800_0000, 8, 8, 5, 4)
    loads += struct.pack(f"{order}8I", 1, body + 8, 0x2000_0000, 0x0800_0008, 4, 100, 6, 4)
    table = bytes(40)
    table += struct.pack(f"{order}10I", 0, 1, 6, 0x0800_0000, body, 8, 0, 0, 4, 0)
    table += struct.pack(f"{order}10I", 0, 1, 3, 0x2000_0000, body + 8, 4, 0, 0, 4, 0)
    table += struct.pack(f"{order}10I", 0, 8, 3, 0x2000_0004, body + 12, 96, 0, 0, 4, 0)
    at = body + 12 if sections else 0
    head += struct.pack(
        f"{order}HHIIIIIHHHHHH", 2, 40, 1, 0x0800_0001, 52, at, 0, 52, 32, 2, 40, 4 if sections else 0, 0
    )
    whole = head + loads + text + data + (table if sections else b"")
    return whole[: len(whole) - cut]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("sections", [True, False])
def test_an_elf_file_is_taken_at_its_load_addresses(order: str, sections: bool) -> None:
    image = read_image(elf(order=order, sections=sections), source="fw.elf")
    assert image.segments == (Segment(0x0800_0000, b"TTTTTTTTDDDD"),)
    assert image.entry == 0x0800_0001


def test_a_bad_elf_file_says_its_byte() -> None:
    with pytest.raises(ImageError, match="section headers leave the file") as caught:
        parse_elf(elf(cut=1), source="fw.elf")
    assert caught.value.offset == 52 + 64 + 12
    with pytest.raises(ImageError, match="cut short"):
        parse_elf(elf(sections=False, cut=2))
    with pytest.raises(ImageError, match="64-bit"):
        parse_elf(b"\x7fELF\x02" + bytes(60))
    with pytest.raises(ImageError, match=r"fw\.elf, byte 0"):
        read_image(b"\x7fELG" + bytes(60), source="fw.elf")


def test_uf2_blocks_come_in_any_order_and_all_of_them() -> None:
    image = assemble([Piece(0x1000, bytes(700)), Piece(0x2000, b"x")], format_name="uf2", source="")
    made = write_uf2(image, family=0xADA52840)
    blocks = [made[at : at + 512] for at in range(0, len(made), 512)]
    back = read_image(b"".join(reversed(blocks)), source="fw.uf2")
    assert (back.segments, back.family) == (image.segments, 0xADA52840)
    for bad, reason, offset in [
        (made[:-512], "block 3 of 4 is missing", 1536),
        (made[:-1], "not whole blocks", 1536),
        (made[:512] + blocks[0] + made[1024:], "or twice", 512 + 20),
        (made[:512] + bytes(512) + made[1024:], "no UF2 block", 512),
        (made[:16] + b"\xff\xff" + made[18:], "block of 65535 bytes", 16),
        (made[:512] + write_uf2(image, family=1)[512:], "two images", 512),
    ]:
        with pytest.raises(ImageError, match=reason) as caught:
            parse_uf2(bad, source="fw.uf2")
        assert caught.value.offset == offset


def test_a_raw_binary_needs_an_address_and_text_is_not_taken_for_one() -> None:
    assert read_image(b"\x00\xa0\x00\x20rest", base=0x0800_0000).start == 0x0800_0000
    with pytest.raises(ImageError, match="does not say where it goes; give --address"):
        read_image(b"\x00\xa0\x00\x20rest", source="fw.bin")
    with pytest.raises(ImageError, match=r"fw\.hex:1: a record begins"):
        read_image(b"<html>404</html>", source="fw.hex", base=0)
    with pytest.raises(ImageError, match="empty"):
        read_image(b"", base=0)
    with pytest.raises(ImageError, match="no firmware"):
        read_image(bytes(MAX_FILE_BYTES + 1), base=0)
    with pytest.raises(ImageError, match="leaves the 32-bit"):
        read_image(b"xx", base=0xFFFF_FFFF)
    with pytest.raises(ImageError, match="unknown format"):
        read_image(b"xx", format_name="coff")
    assert sniff(b"Sorry, not found") == "bin"
    assert issubclass(ImageError, GatewayError)


def test_the_hash_tells_addresses_apart_and_segments_join() -> None:
    one = assemble([Piece(4, b"b"), Piece(3, b"a")], format_name="bin", source="")
    assert one.segments == (Segment(3, b"ab"),)
    assert one.sha256 != assemble([Piece(4, b"ab")], format_name="bin", source="").sha256
    assert one.slice(2, 7) == b"\xffab\xff\xff"
    assert parse_srec(write_srec(one).encode()).segments == one.segments
