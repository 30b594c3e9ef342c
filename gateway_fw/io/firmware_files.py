"""Firmware images of concentrators on disk: read out of a driver package, kept in the user's own cache."""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gateway_fw.concentrator.chip_firmware import AGC_FILE, ARB_FILE, HINT, ChipFirmware, image_of_c_array
from gateway_fw.concentrator.picogw_firmware import IMAGE_FILES, PicoGwFirmware
from gateway_fw.errors import ChipFirmwareError

_MAX_TEXT_BYTES = 1_000_000
_SAVED = "sx1308_{}.bin"


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
    _keep(folder, {"agc_sx1250.bin": firmware.agc, "arb.bin": firmware.arb})


def load(folder: Path) -> ChipFirmware:
    """The images that `save` kept. Raises ChipFirmwareError where there are none."""
    try:
        return ChipFirmware((folder / "agc_sx1250.bin").read_bytes(), (folder / "arb.bin").read_bytes())
    except FileNotFoundError:
        raise ChipFirmwareError(f"no chip firmware in {folder}; {HINT}") from None


def read_picogw_package(path: Path) -> PicoGwFirmware:
    """The images of picoGW_hal: a folder, a .zip or a .tar(.gz, .bz2, .xz). Raises ChipFirmwareError."""
    found = images_of(path, tuple(IMAGE_FILES.values()), "picoGW_hal 0.2.3")
    return PicoGwFirmware(**{field: found[name] for field, name in IMAGE_FILES.items()})


def save_picogw(firmware: PicoGwFirmware, folder: Path) -> None:
    """Keep the images in a folder, readable by its owner alone."""
    _keep(folder, {_SAVED.format(field): getattr(firmware, field) for field in IMAGE_FILES})


def load_picogw(folder: Path) -> PicoGwFirmware:
    """The images that `save_picogw` kept. Raises ChipFirmwareError where there are none."""
    try:
        return PicoGwFirmware(**{field: (folder / _SAVED.format(field)).read_bytes() for field in IMAGE_FILES})
    except FileNotFoundError as error:
        hint = "lorabench gateway chip-firmware --board picogw PATH reads them out of a picoGW_hal tree or archive"
        raise ChipFirmwareError(f"no picoGW firmware in {folder} ({error.filename}); {hint}") from None


def _keep(folder: Path, images: Mapping[str, bytes]) -> None:
    """Each image whole or not at all: written aside first, then put in its place."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in images.items():
        aside = folder / f"{name}.{os.getpid()}.part"
        try:
            aside.write_bytes(image)
            aside.chmod(0o600)
            aside.replace(folder / name)
        finally:
            aside.unlink(missing_ok=True)
