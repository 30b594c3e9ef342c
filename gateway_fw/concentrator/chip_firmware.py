"""The firmware of an SX1302's two processors: Semtech's, so the user brings it; here it is found and checked.

`lorabench gateway chip-firmware PATH` reads the images out of a driver package that is on the user's disk (a source
tree or archive of sx1302_hal) into the user's own cache. Neither this repository nor its tests hold any.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gateway_fw.errors import ChipFirmwareError

IMAGE_BYTES = 8192  # loragw_sx1302.c MCU_FW_SIZE: 4096 words of 14 bits
AGC_VERSION, ARB_VERSION = 10, 2  # as the running chip reports them. loragw_hal.c FW_VERSION_AGC_SX1250, FW_VERSION_ARB
AGC_FILE, ARB_FILE = "agc_fw_sx1250.var", "arb_fw.var"  # sx1302_hal 2.1.0 libloragw/src
_MAX_TEXT_BYTES = 1_000_000
_BYTE = re.compile(r"0[xX]([0-9a-fA-F]{1,2})\b")
_ARRAY = re.compile(r"\{([^{}]*)\}", re.DOTALL)
_HINT = "lorabench gateway chip-firmware PATH reads them out of an sx1302_hal tree or archive"


@dataclass(frozen=True, slots=True)
class ChipFirmware:
    """The images of the gain control (AGC) and arbiter (ARB) processors, for boards with SX1250 radios."""

    agc: bytes
    arb: bytes

    def __post_init__(self) -> None:
        for name, image in (("AGC", self.agc), ("ARB", self.arb)):
            check_image(name, image)

    def __repr__(self) -> str:
        return f"ChipFirmware(agc {digest(self.agc)}, arb {digest(self.arb)})"


def digest(image: bytes) -> str:
    """The first 16 digits of an image's SHA-256, to tell images apart."""
    return sha256(image).hexdigest()[:16]


def check_image(name: str, image: bytes) -> None:
    """Raises ChipFirmwareError for an image that cannot be one: the wrong size, or blank."""
    if len(image) != IMAGE_BYTES:
        raise ChipFirmwareError(f"the {name} image has {len(image)} bytes, not {IMAGE_BYTES}; {_HINT}")
    if len(set(image)) == 1:
        raise ChipFirmwareError(f"the {name} image is blank (0x{image[0]:02X} throughout); {_HINT}")


def image_of_c_array(text: str, where: str) -> bytes:
    """The bytes of a C header's one array. Raises ChipFirmwareError."""
    body = _ARRAY.search(re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL))
    if body is None:
        raise ChipFirmwareError(f"{where}: no array of bytes in braces")
    image = bytes(int(digits, 16) for digits in _BYTE.findall(body[1]))
    check_image(where, image)
    return image


def read_package(path: Path) -> ChipFirmware:
    """The images of a driver package: a folder, a .zip or a .tar(.gz, .bz2, .xz) with sx1302_hal somewhere in it.

    Raises ChipFirmwareError where one is missing or not sound; OSError where the path cannot be read.
    """
    found = images_of(path, (AGC_FILE, ARB_FILE), "sx1302_hal 2.x")
    return ChipFirmware(found[AGC_FILE], found[ARB_FILE])


def images_of(path: Path, wanted: Sequence[str], driver: str) -> dict[str, bytes]:
    """The images of these files somewhere in a package, by file name. driver: the name and version of the package.

    Raises ChipFirmwareError where one is missing, not sound, or there twice and different.
    """
    found: dict[str, bytes] = {}
    for name, text in _candidates(path, wanted):
        base = name.replace("\\", "/").rsplit("/", 1)[-1]
        image = image_of_c_array(text, name)
        if found.setdefault(base, image) != image:
            raise ChipFirmwareError(f"{path}: two different {base}; point to one driver's folder")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ChipFirmwareError(
            f"{path}: no {' and no '.join(missing)}; they are in libloragw/src of github.com/Lora-net/{driver}"
        )
    return found


def _candidates(path: Path, wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.var")):
            if file.name in wanted and file.stat().st_size <= _MAX_TEXT_BYTES:
                yield str(file), file.read_text("ascii", "replace")
        return
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.rsplit("/", 1)[-1] in wanted and entry.file_size <= _MAX_TEXT_BYTES:
                    yield entry.filename, archive.read(entry).decode("ascii", "replace")
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.name.rsplit("/", 1)[-1] in wanted and member.size <= _MAX_TEXT_BYTES:
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield member.name, stream.read().decode("ascii", "replace")
    else:
        raise ChipFirmwareError(f"{path}: neither a folder, nor a zip or tar archive")


def save(firmware: ChipFirmware, folder: Path) -> None:
    """Keep the images in a folder, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in (("agc_sx1250.bin", firmware.agc), ("arb.bin", firmware.arb)):
        file = folder / name
        file.write_bytes(image)
        file.chmod(0o600)


def load(folder: Path) -> ChipFirmware:
    """The images that `save` kept. Raises ChipFirmwareError where there are none."""
    try:
        return ChipFirmware((folder / "agc_sx1250.bin").read_bytes(), (folder / "arb.bin").read_bytes())
    except FileNotFoundError:
        raise ChipFirmwareError(f"no chip firmware in {folder}; {_HINT}") from None
