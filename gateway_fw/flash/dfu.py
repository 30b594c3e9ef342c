"""DfuSe through dfu-util: the arguments we give it, and what its output means.

Source: dfu-util 0.11, dfu-util(1) and doc/40-dfuse.md; ST UM0424 (alternate setting names as memory layouts);
sx1302_hal 2.1.0 util_boot readme (-a 0 -s 0x08000000:leave).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway_fw.errors import WrongBoardError
from gateway_fw.flash.boards import Chip
from gateway_fw.flash.procedure import Progress

DFU_ID = "0483:df11"
_BAR = re.compile(r"^(Erase|Download|Upload)\s*\[[^\]]*\]\s*(\d{1,3})%(?:\s+(\d{1,9}) bytes)?")
_DEVICE = re.compile(
    r"Found DFU: \[(?P<usb>[0-9a-f]{4}:[0-9a-f]{4})\].*?alt=(?P<alt>\d+)"
    r'.*?name="(?P<name>[^"]*)".*?serial="(?P<serial>[^"]*)"'
)
_LAYOUT = re.compile(r"^@Internal Flash\s*/0x([0-9A-Fa-f]{1,8})/(.*)$")
_RUN = re.compile(r"^(\d{1,4})\*(\d{1,4})([ KMB]?)[a-g]$")
_UNITS = {" ": 1, "B": 1, "": 1, "K": 1024, "M": 1024 * 1024}


@dataclass(frozen=True, slots=True)
class DfuDevice:
    """A line "Found DFU" of `dfu-util -l`: its identity, alternate setting, that one's name, and serial number."""

    usb: str
    alt: int
    name: str
    serial: str


def list_arguments() -> list[str]:
    """Arguments that list devices."""
    return ["-l"]


def download_arguments(path: str, address: int, *, serial: str, leave: bool) -> list[str]:
    """Arguments that write a raw binary at an address, and start the program where leave."""
    return [*_device(serial), "-s", f"0x{address:08X}" + (":leave" if leave else ""), "-D", path]


def upload_arguments(path: str, address: int, count: int, *, serial: str) -> list[str]:
    """Arguments that read count bytes into a file that is not there yet."""
    return [*_device(serial), "-s", f"0x{address:08X}:{count}", "-U", path]


def _device(serial: str) -> list[str]:
    return ["-d", DFU_ID, "-a", "0", *(("-S", serial) if serial else ())]


def parse_devices(output: str) -> list[DfuDevice]:
    """The devices in what `dfu-util -l` printed."""
    return [
        DfuDevice(match["usb"], int(match["alt"][:4]), match["name"], match["serial"])
        for match in _DEVICE.finditer(output)
    ]


def parse_progress(line: str, total: int) -> Progress | None:
    """What a line of dfu-util's bar says of `total` bytes, or None."""
    match = _BAR.match(line)
    if match is None:
        return None
    stage = {"Erase": "erase", "Download": "write", "Upload": "read"}[match[1]]
    done = int(match[3]) if match[3] is not None else total * min(int(match[2]), 100) // 100
    return Progress(stage, min(done, total), total)


def parse_layout(name: str) -> tuple[int, tuple[int, ...]] | None:
    """First address and page sizes in an alternate setting's name, such as "@Internal Flash /0x08000000/64*0002Kg"."""
    match = _LAYOUT.match(name)
    if match is None:
        return None
    sizes: list[int] = []
    for run in match[2].split(","):
        parts = _RUN.match(run.strip())
        if parts is None:
            return None
        sizes += [int(parts[2]) * _UNITS[parts[3]]] * int(parts[1])
    return int(match[1], 16), tuple(sizes)


def check_chip(device: DfuDevice, chip: Chip) -> None:
    """Refuse a device whose flash is laid out otherwise than the chip's. Raises WrongBoardError."""
    layout = parse_layout(device.name)
    if layout is None:
        raise WrongBoardError(f"the DFU device has no internal flash at alternate setting 0: '{device.name}'")
    start, sizes = layout
    own = tuple(page.end - page.start for page in chip.pages)
    if start != chip.flash or sizes != own[: len(sizes)] or not sizes:
        raise WrongBoardError(
            f"the DFU device's flash is '{device.name}'; {chip.name} has {len(own)} pages from 0x{chip.flash:08X}",
            hint="is another board in DFU mode?",
        )
