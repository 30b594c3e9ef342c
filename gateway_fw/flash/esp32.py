"""ESP32 through esptool: the arguments we give it, and what its output means.

Source: Espressif, esptool 5 documentation, "Basic commands" and "Serial protocol".
"""

from __future__ import annotations

import re

from gateway_fw.flash.procedure import Progress

_BAR = re.compile(r"^(Writing|Reading|Verifying|Erasing)\b.*?(\d{1,3})(?:\.\d+)?\s?%")
_CHIP = re.compile(r"^(?:Detecting chip type\.*\s*|Chip type:\s*|Chip is )(ESP[\w-]+)", re.MULTILINE)


def common_arguments(port: str, baudrate: int, *, lines: bool) -> list[str]:
    """Arguments before the command. lines: whether DTR and RTS can reset the chip; a pty has none, and the
    virtual chip behind it runs no stub."""
    resets = ["--before", "default-reset", "--after", "hard-reset"]
    if not lines:
        resets = ["--before", "no-reset", "--after", "no-reset", "--no-stub"]
    return ["--port", port, "--baud", str(baudrate), *resets]


def write_arguments(files: list[tuple[int, str]]) -> list[str]:
    """Write raw binaries at flash offsets; esptool compares an MD5 that the chip computes over what it wrote."""
    return ["write-flash", *(word for address, path in files for word in (f"0x{address:x}", path))]


def verify_arguments(files: list[tuple[int, str]]) -> list[str]:
    """Compare flash with files."""
    return ["verify-flash", *(word for address, path in files for word in (f"0x{address:x}", path))]


def read_arguments(start: int, size: int, path: str) -> list[str]:
    """Read flash into a file."""
    return ["read-flash", f"0x{start:x}", f"0x{size:x}", path]


def erase_arguments() -> list[str]:
    """Erase all of the flash."""
    return ["erase-flash"]


def info_arguments() -> list[str]:
    """Ask for the chip and its flash."""
    return ["flash-id"]


def parse_progress(line: str, total: int) -> Progress | None:
    """What a line with a percentage says of `total` bytes, or None."""
    match = _BAR.match(line.strip())
    if match is None:
        return None
    stage = {"Writing": "write", "Reading": "read", "Verifying": "verify", "Erasing": "erase"}[match[1]]
    return Progress(stage, total * min(int(match[2]), 100) // 100, total)


def parse_chip(output: str) -> str | None:
    """The chip's name in what esptool printed, or None."""
    match = _CHIP.search(output)
    return match[1] if match is not None else None
