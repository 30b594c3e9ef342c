"""The firmware of an SX1308's two processors: Semtech's, so the user brings it; here it is found and checked.

The images stand in a driver package that is on the user's disk (a source tree or archive of picoGW_hal). Neither this
repository nor its tests hold any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway_fw.concentrator.chip_firmware import check_image, digest, images_of
from gateway_fw.errors import ChipFirmwareError

AGC_VERSION, ARB_VERSION, CALIBRATION_VERSION = 4, 1, 2
"""As the running chip reports them. Source: picoGW_hal 0.2.3 loragw_hal.c FW_VERSION_AGC, _ARB, _CAL."""
IMAGE_FILES: Mapping[str, str] = {
    "agc": "agc_fw.var",
    "arb": "arb_fw.var",
    "calibration_low": "cal_fw5-12.var",
    "calibration_high": "cal_fw.var",
}
"""Field to file. Source: picoGW_hal 0.2.3 libloragw/src."""
_SAVED = "sx1308_{}.bin"


@dataclass(frozen=True, slots=True)
class PicoGwFirmware:
    """Gain control (AGC), arbiter (ARB), and calibration for mixer gains 5 to 12 (low) and 8 to 15 (high)."""

    agc: bytes
    arb: bytes
    calibration_low: bytes
    calibration_high: bytes

    def __post_init__(self) -> None:
        for name in IMAGE_FILES:
            check_image(name, getattr(self, name))

    def __repr__(self) -> str:
        return f"PicoGwFirmware({', '.join(f'{name} {digest(getattr(self, name))}' for name in IMAGE_FILES)})"


def read_picogw_package(path: Path) -> PicoGwFirmware:
    """The images of picoGW_hal: a folder, a .zip or a .tar(.gz, .bz2, .xz). Raises ChipFirmwareError."""
    found = images_of(path, tuple(IMAGE_FILES.values()), "picoGW_hal 0.2.3")
    return PicoGwFirmware(**{field: found[name] for field, name in IMAGE_FILES.items()})


def save_picogw(firmware: PicoGwFirmware, folder: Path) -> None:
    """Keep the images in a folder, readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    for field in IMAGE_FILES:
        file = folder / _SAVED.format(field)
        file.write_bytes(getattr(firmware, field))
        file.chmod(0o600)


def load_picogw(folder: Path) -> PicoGwFirmware:
    """The images that `save_picogw` kept. Raises ChipFirmwareError where there are none."""
    try:
        return PicoGwFirmware(**{field: (folder / _SAVED.format(field)).read_bytes() for field in IMAGE_FILES})
    except FileNotFoundError as error:
        hint = "lorabench gateway chip-firmware --board picogw PATH reads them out of a picoGW_hal tree or archive"
        raise ChipFirmwareError(f"no picoGW firmware in {folder} ({error.filename}); {hint}") from None
