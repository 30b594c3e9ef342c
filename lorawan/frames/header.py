"""The first bytes of a PHYPayload: frame type, and where the fields that filters look at stand. No keys.

Source: TS001-1.0.4 §4.1–4.3; LoRaWAN 1.1 §4.2.1 for the Rejoin-Request.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from lorawan.errors import FrameError
from lorawan.ids import DevAddr, Eui64

MAX_PHY_PAYLOAD = 255  # the length byte of LoRa's explicit header
MIN_DATA_FRAME = 12  # MHDR, FHDR without FOpts, MIC
MIC_LENGTH = 4

MHDR_OFFSET = 0
DEV_ADDR_OFFSET = 1
F_CTRL_OFFSET = 5
F_OPTS_OFFSET = 8
JOIN_EUI_OFFSET = 1

MAJOR_R1 = 0
_MAJOR_MASK = 0x03


class FType(IntEnum):
    """Frame type (MType before 1.0.4). Rejoin-Request is RFU before 1.1."""

    JOIN_REQUEST = 0
    JOIN_ACCEPT = 1
    UNCONFIRMED_UP = 2
    UNCONFIRMED_DOWN = 3
    CONFIRMED_UP = 4
    CONFIRMED_DOWN = 5
    REJOIN_REQUEST = 6
    PROPRIETARY = 7

    @property
    def is_data(self) -> bool:
        """Whether the frame has an FHDR."""
        return FType.UNCONFIRMED_UP <= self <= FType.CONFIRMED_DOWN

    @property
    def uplink(self) -> bool | None:
        """The only direction of this type; None for proprietary frames."""
        return UPLINK[self]


_F_TYPES = tuple(FType)
UPLINK = (True, False, True, False, True, False, True, None)  # by FType


@dataclass(frozen=True, slots=True)
class Mhdr:
    """The MAC header byte: FType [7:5], RFU [4:2] (passed over), Major [1:0]."""

    f_type: FType
    major: int = MAJOR_R1

    @classmethod
    def of_byte(cls, byte: int) -> Self:
        """From the first byte of a PHYPayload (0–255)."""
        return cls(_F_TYPES[byte >> 5], byte & _MAJOR_MASK)

    def to_byte(self) -> int:
        """The byte, RFU bits 0. Raises FrameError for a Major beyond two bits."""
        if not 0 <= self.major <= _MAJOR_MASK:
            raise FrameError(f"{self.major} does not fit 2 bits", field="Major", offset=MHDR_OFFSET)
        return self.f_type << 5 | self.major


def peek_f_type(payload: bytes) -> FType:
    """The frame type. Raises FrameError for an empty payload; Major and the rest are not looked at."""
    if not payload:
        raise FrameError("the frame is empty", field="PHYPayload", offset=0, clause="TS001-1.0.4 §4.1")
    return _F_TYPES[payload[MHDR_OFFSET] >> 5]


def peek_dev_addr(payload: bytes) -> DevAddr:
    """DevAddr of a data frame in either direction. Raises FrameError where there is none or it is cut short."""
    f_type = peek_f_type(payload)
    if not f_type.is_data:
        raise FrameError(f"a {f_type.name} frame has none", field="DevAddr", clause="TS001-1.0.4 §4.3.1")
    return DevAddr(_uint(payload, DEV_ADDR_OFFSET, 4, "DevAddr"))


def peek_join_eui(payload: bytes) -> Eui64:
    """JoinEUI of a Join-Request or of a Rejoin-Request of type 1. Raises FrameError for other or short frames."""
    f_type = peek_f_type(payload)
    if f_type is FType.JOIN_REQUEST:
        return Eui64(_uint(payload, JOIN_EUI_OFFSET, 8, "JoinEUI"))
    if f_type is FType.REJOIN_REQUEST and payload[1:2] == b"\x01":
        return Eui64(_uint(payload, JOIN_EUI_OFFSET + 1, 8, "JoinEUI"))
    raise FrameError(f"a {f_type.name} frame has none", field="JoinEUI", clause="TS001-1.0.4 §6.2.5")


def _uint(payload: bytes, offset: int, width: int, field: str) -> int:
    if len(payload) < offset + width:
        raise FrameError(
            f"the frame ends after {len(payload)} bytes", field=field, offset=offset, hint=f"{width} bytes are needed"
        )
    return int.from_bytes(payload[offset : offset + width], "little")
