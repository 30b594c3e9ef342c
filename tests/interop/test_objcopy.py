"""binutils' objcopy writes and reads what we read and write: Intel HEX, S-records, ELF."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tools import required

from gateway_fw.flash.read_image import read_image
from gateway_fw.flash.text_images import write_ihex, write_srec


def objcopy(*arguments: str) -> None:
    subprocess.run([required("objcopy"), *arguments], check=True, timeout=30)


@pytest.mark.parametrize("kind", ["ihex", "srec"])
def test_objcopy_and_we_read_each_other(kind: str, tmp_path: Path) -> None:
    data = os.urandom(200_000)
    raw, made, back = tmp_path / "raw.bin", tmp_path / "made", tmp_path / "back"
    raw.write_bytes(data)
    objcopy("-I", "binary", "-O", kind, "--change-addresses", "0x0800f000", str(raw), str(made))
    image = read_image(made.read_bytes(), source="made")
    assert image.format == kind
    assert [(s.address, s.data) for s in image.segments] == [(0x0800_F000, data)]
    made.write_text({"ihex": write_ihex, "srec": write_srec}[kind](image))
    objcopy("-I", kind, "-O", "binary", str(made), str(back))
    assert back.read_bytes() == data


SOURCE = """
.text
.globl start
start: .byte 1, 2, 3, 4, 5
.data
.long 0x11223344, 0x55667788
.bss
.space 64
"""
SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 64K  RAM (rw) : ORIGIN = 0x20000000, LENGTH = 8K }
ENTRY(start)
SECTIONS {
  .text : { *(.text) . = ALIGN(4); } > FLASH
  .data : { *(.data) } > RAM AT > FLASH
  .bss : { *(.bss) } > RAM
  /DISCARD/ : { *(.note*) }
}
"""


def test_an_elf_file_of_a_real_linker_gives_the_bytes_that_objcopy_gives(tmp_path: Path) -> None:
    """A 32-bit x86 program laid out as firmware is: initialised data is loaded in flash and runs in RAM."""
    source, script = tmp_path / "fw.s", tmp_path / "fw.ld"
    source.write_text(SOURCE)
    script.write_text(SCRIPT)
    objects, elf, back = (str(tmp_path / name) for name in ("fw.o", "fw.elf", "fw.bin"))
    subprocess.run([required("as"), "--32", "-o", objects, str(source)], check=True, timeout=30)
    linker = [required("ld"), "-m", "elf_i386", "--no-warn-rwx-segments", "-T", str(script), "-o", elf, objects]
    subprocess.run(linker, check=True, timeout=30)
    objcopy("-O", "binary", elf, back)
    image = read_image(Path(elf).read_bytes(), source="fw.elf")
    assert image.start == 0x0800_0000
    assert image.slice(image.start, image.end, fill=0) == Path(back).read_bytes()
    assert image.size == 16
