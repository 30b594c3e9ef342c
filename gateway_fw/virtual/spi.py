"""MULTIPLE_SPI: a list of transfers and read-modify-writes in one bridge request, and their results.

Source: sx1302_hal 2.1.0, src/loragw_usb.c, src/sx1250_usb.c, src/sx1261_usb.c; decode_ack_spi_bulk in
src/loragw_mcu.c.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

TRANSFER = 1
MODIFY = 2
TARGET_SX1302 = 0
TARGET_SX1261 = 1


class SpiStatus(IntEnum):
    """How one element went; a host takes anything but OK as fatal."""

    OK = 0
    FAIL = 1
    WRONG_PARAMETER = 2
    TIMEOUT = 3


Transfer = Callable[[int, bytes], bytes]
Modify = Callable[[int, int, int], tuple[int, int]]


def run_elements(payload: bytes, transfer: Transfer, modify: Modify) -> tuple[bytes, str | None]:
    """Carry out the elements of a request: the answer's payload, and what was wrong with the request.

    transfer(target, mosi) gives as many bytes back; modify(address, mask, value) gives the byte before and after.
    An answer is never longer than its request: a cut element is answered "wrong parameter" where that fits, and ends
    the list.
    """
    results = bytearray()
    at = 0
    while at < len(payload):
        left = len(payload) - at
        kind = payload[at + 1] if left > 1 else None
        if kind == TRANSFER and left >= 5 and payload[at + 2] in (TARGET_SX1302, TARGET_SX1261):
            size = payload[at + 3] << 8 | payload[at + 4]
            if left >= 5 + size:
                mosi = payload[at + 5 : at + 5 + size]
                results += bytes((payload[at], TRANSFER, SpiStatus.OK, size >> 8, size & 0xFF))
                results += transfer(payload[at + 2], mosi)
                at += 5 + size
                continue
        elif kind == MODIFY and left >= 6:
            before, after = modify(payload[at + 2] << 8 | payload[at + 3], payload[at + 4], payload[at + 5])
            results += bytes((payload[at], MODIFY, SpiStatus.OK, before, after))
            at += 6
            continue
        if left >= 5:
            results += bytes((payload[at], payload[at + 1], SpiStatus.WRONG_PARAMETER, 0, 0))
        return bytes(results), f"element at byte {at} of {len(payload)}"
    return bytes(results), None


def with_status(results: bytes, status: int) -> bytes:
    """The same results with another status in every element."""
    out = bytearray(results)
    at = 0
    while at + 5 <= len(out):
        out[at + 2] = status
        at += 5 + (out[at + 3] << 8 | out[at + 4]) if out[at + 1] == TRANSFER else 5
    return bytes(out)
