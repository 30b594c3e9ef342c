"""The firmware of an SX1308's two processors: Semtech's, so the user brings it; here it is checked.

The images stand in a driver package that is on the user's disk (a source tree or archive of picoGW_hal). Neither this
repository nor its tests hold any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway_fw.concentrator.chip_firmware import check_image, digest

AGC_VERSION, ARB_VERSION, CALIBRATION_VERSION = 4, 1, 2
"""As the running chip reports them. Source: picoGW_hal 0.2.3 loragw_hal.c FW_VERSION_AGC, _ARB, _CAL."""
IMAGE_FILES: Mapping[str, str] = {
    "agc": "agc_fw.var",
    "arb": "arb_fw.var",
    "calibration_low": "cal_fw5-12.var",
    "calibration_high": "cal_fw.var",
}
"""Field to file. Source: picoGW_hal 0.2.3 libloragw/src."""


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
