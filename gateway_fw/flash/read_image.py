"""One door for every format: which one it is, by its first bytes."""

from __future__ import annotations

from gateway_fw.errors import ImageError
from gateway_fw.flash.binary_images import ELF_MAGIC, UF2_MAGIC, parse_elf, parse_uf2
from gateway_fw.flash.image import Image, Piece, assemble
from gateway_fw.flash.text_images import parse_ihex, parse_srec

MAX_FILE_BYTES = 64 << 20
"""[assumption] no board here has more than 16 MB of flash, and text doubles it."""

FORMATS = ("bin", "ihex", "srec", "elf", "uf2")


def sniff(data: bytes, *, source: str = "") -> str:
    """The format of a file's bytes, or what its name promises; raw binary where nothing else fits."""
    head = data[:512].lstrip()
    if data.startswith(ELF_MAGIC):
        found = "elf"
    elif data.startswith(UF2_MAGIC):
        found = "uf2"
    elif head[:1] == b":" and len(head) > 10 and _is_hex(head[1:9]):
        found = "ihex"
    elif head[:1] in (b"S", b"s") and head[1:2].isdigit() and _is_hex(head[2:8]):
        found = "srec"
    else:
        found = "bin"
    expected = {"hex": "ihex", "ihx": "ihex", "srec": "srec", "s19": "srec", "s37": "srec", "elf": "elf", "uf2": "uf2"}
    promised = expected.get(source.rpartition(".")[2].lower()) if "." in source else None
    # what calls itself a text format and reads as raw bytes would be flashed as text
    return promised if promised is not None and found == "bin" else found


def _is_hex(text: bytes) -> bool:
    return bool(text) and all(character in b"0123456789abcdefABCDEF" for character in text)


def read_image(data: bytes, *, source: str = "", format_name: str | None = None, base: int | None = None) -> Image:
    """The image in a file's bytes.

    format_name: one of FORMATS, or None to find out; base: where a raw binary goes. Raises ImageError.
    """
    if len(data) > MAX_FILE_BYTES:
        raise ImageError(f"{len(data)} bytes are no firmware; {MAX_FILE_BYTES} are the most", source=source)
    if not data:
        raise ImageError("the file is empty", source=source)
    match format_name or sniff(data, source=source):
        case "ihex":
            return parse_ihex(data, source=source)
        case "srec":
            return parse_srec(data, source=source)
        case "elf":
            return parse_elf(data, source=source)
        case "uf2":
            return parse_uf2(data, source=source)
        case "bin":
            if base is None:
                raise ImageError("a raw binary does not say where it goes", source=source, hint="give --address")
            return assemble([Piece(base, data, offset=0)], format_name="bin", source=source)
        case other:
            raise ImageError(f"unknown format '{other}'", source=source, hint=f"one of {', '.join(FORMATS)}")
