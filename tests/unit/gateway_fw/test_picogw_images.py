"""The picoGW host driver's counter, and the images that its user brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from picogw_pair import IMAGES

from gateway_fw.concentrator.picogw_counter import WRAP_US, MicrosecondCounter
from gateway_fw.concentrator.picogw_firmware import IMAGE_FILES, PicoGwFirmware
from gateway_fw.errors import ChipFirmwareError
from gateway_fw.io.firmware_files import load_picogw, read_picogw_package, save_picogw


def test_the_counter_is_unwrapped_and_a_restart_shows() -> None:
    counter = MicrosecondCounter()
    counter.read(WRAP_US - 1_000, 50_000)
    assert counter.read(1_000, 52_000) == 0
    assert counter.time_of(WRAP_US - 500) == 50_500
    assert counter.raw(52_000) == 1_000
    assert abs(counter.read(900_000_000, 60_000)) > 2_000_000


def _write_package(folder: Path, change: Callable[[str, bytes], bytes] = lambda _, image: image) -> None:
    for field, name in IMAGE_FILES.items():
        image = change(field, getattr(IMAGES, field))
        body = ",".join(f"0x{byte:02X}" for byte in image)
        (folder / name).write_text(f"static uint8_t x[] = {{ /* image */ {body} }};")


def test_images_are_read_out_of_a_driver_package_and_kept(tmp_path: Path) -> None:
    package, cache = tmp_path / "hal" / "src", tmp_path / "cache"
    package.mkdir(parents=True)
    _write_package(package)
    firmware = read_picogw_package(tmp_path / "hal")
    assert firmware == IMAGES
    save_picogw(firmware, cache)
    assert load_picogw(cache) == IMAGES
    assert "0x" not in repr(firmware)


def test_a_package_without_an_image_or_with_a_short_one_says_which(tmp_path: Path) -> None:
    with pytest.raises(ChipFirmwareError, match=r"no agc_fw\.var"):
        read_picogw_package(tmp_path)
    _write_package(tmp_path, lambda field, image: image[:-1] if field == "arb" else image)
    with pytest.raises(ChipFirmwareError, match="8191 bytes"):
        read_picogw_package(tmp_path)
    with pytest.raises(ChipFirmwareError, match="no picoGW firmware"):
        load_picogw(tmp_path / "nowhere")
    with pytest.raises(ChipFirmwareError, match="blank"):
        PicoGwFirmware(bytes(8192), IMAGES.arb, IMAGES.calibration_low, IMAGES.calibration_high)
