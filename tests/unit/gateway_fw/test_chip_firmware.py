"""Chip firmware is found in a driver package, checked, and kept; the images here are made up."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from gateway_fw.concentrator.chip_firmware import ChipFirmware, image_of_c_array
from gateway_fw.errors import ChipFirmwareError
from gateway_fw.io.firmware_files import load, read_package, save

AGC, ARB = random.Random(1).randbytes(8192), random.Random(2).randbytes(8192)


def _source(name: str, image: bytes) -> str:
    rows = ",\n".join(", ".join(f"0x{byte:02X}" for byte in image[at : at + 16]) for at in range(0, len(image), 16))
    return f"/* 0x11, {{not this}} */\nstatic uint8_t {name}[{len(image)}] = {{ // made up\n{rows}\n}};\n"


FILES = {
    "sx1302_hal/libloragw/src/agc_fw_sx1250.var": _source("agc_firmware_sx1250", AGC),
    "sx1302_hal/libloragw/src/agc_fw_sx1257.var": _source("agc_firmware_sx125x", ARB),
    "sx1302_hal/libloragw/src/arb_fw.var": _source("arb_firmware", ARB),
}


def _tree(folder: Path) -> Path:
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "ascii")
    return folder


def _zip(folder: Path) -> Path:
    path = folder / "hal.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    return path


def _tar(folder: Path) -> Path:
    path = folder / "hal.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode("ascii")))
    return path


@pytest.mark.parametrize("make", [_tree, _zip, _tar])
def test_images_are_read_out_of_a_tree_and_archives(make: object, tmp_path: Path) -> None:
    assert callable(make)
    firmware = read_package(make(tmp_path))
    assert (firmware.agc, firmware.arb) == (AGC, ARB)
    assert AGC.hex()[:20] not in repr(firmware)


def test_kept_images_come_back(tmp_path: Path) -> None:
    save(ChipFirmware(AGC, ARB), tmp_path / "cache")
    assert load(tmp_path / "cache") == ChipFirmware(AGC, ARB)
    assert (tmp_path / "cache" / "arb.bin").stat().st_mode & 0o077 == 0


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChipFirmwareError, match=r"no agc_fw_sx1250.var and no arb_fw.var"):
        read_package(tmp_path)
    with pytest.raises(ChipFirmwareError, match="gateway chip-firmware PATH"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_package(tmp_path / "absent")
    other = tmp_path / "notes.txt"
    other.write_text("no archive")
    with pytest.raises(ChipFirmwareError, match="neither a folder"):
        read_package(other)


@pytest.mark.parametrize(
    ("text", "why"),
    [("int x;", "no array"), (_source("a", AGC[:100]), "100 bytes, not 8192"), (_source("a", bytes(8192)), "blank")],
)
def test_arrays_that_cannot_be_an_image_are_refused(text: str, why: str) -> None:
    with pytest.raises(ChipFirmwareError, match=why):
        image_of_c_array(text, "agc.var")


def test_two_different_images_of_one_name_are_refused(tmp_path: Path) -> None:
    _tree(tmp_path / "a")
    second = tmp_path / "b" / "arb_fw.var"
    second.parent.mkdir()
    second.write_text(_source("arb_firmware", AGC))
    with pytest.raises(ChipFirmwareError, match="two different arb_fw"):
        read_package(tmp_path)
