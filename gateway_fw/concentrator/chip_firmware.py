"""The firmware of an SX1302's two processors: Semtech's, so the user brings it; here it is checked.

`lorabench gateway chip-firmware PATH` reads the images out of a driver package that the user has (a source tree
or archive of sx1302_hal) into the user's own cache (`gateway_fw.io.firmware_files`). Neither this repository nor its
tests hold any.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256

from gateway_fw.errors import ChipFirmwareError

IMAGE_BYTES = 8192  # loragw_sx1302.c MCU_FW_SIZE: 4096 words of 14 bits
AGC_VERSION, ARB_VERSION = 10, 2  # as the running chip reports them. loragw_hal.c FW_VERSION_AGC_SX1250, FW_VERSION_ARB
AGC_FILE, ARB_FILE = "agc_fw_sx1250.var", "arb_fw.var"  # sx1302_hal 2.1.0 libloragw/src
_BYTE = re.compile(r"0[xX]([0-9a-fA-F]{1,2})\b")
_ARRAY = re.compile(r"\{([^{}]*)\}", re.DOTALL)
HINT = "lorabench gateway chip-firmware PATH reads them out of an sx1302_hal tree or archive"


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
        raise ChipFirmwareError(f"the {name} image has {len(image)} bytes, not {IMAGE_BYTES}; {HINT}")
    if len(set(image)) == 1:
        raise ChipFirmwareError(f"the {name} image is blank (0x{image[0]:02X} throughout); {HINT}")


def image_of_c_array(text: str, where: str) -> bytes:
    """The bytes of a C header's one array. Raises ChipFirmwareError."""
    body = _ARRAY.search(re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL))
    if body is None:
        raise ChipFirmwareError(f"{where}: no array of bytes in braces")
    image = bytes(int(digits, 16) for digits in _BYTE.findall(body[1]))
    check_image(where, image)
    return image
