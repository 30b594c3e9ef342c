"""Frames of the CoreCell's USB bridge: requests cut out of a byte stream, answers built.

A frame is id, payload size (big endian), order, payload: no checksum, no delimiter. Answers carry the request's id and
the order with bit 6 set.

Source: sx1302_hal 2.1.0, inc/loragw_mcu.h and src/loragw_mcu.c (the host's side; the bridge's own firmware is binary).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from lorawan.machine import Instant

HEADER_BYTES = 4
MAX_REQUEST_BYTES = 4200  # loragw_mcu.c, MAX_SIZE_COMMAND
SILENCE_US = 1_000_000  # [assumption] a request that pauses longer inside than this was given up by its host
ERROR_TYPE = 0xFF  # loragw_mcu.h, the enum's error marker


class Order(IntEnum):
    """What a host asks of the bridge."""

    PING = 0x00
    GET_STATUS = 0x01
    BOOTLOADER_MODE = 0x02
    RESET = 0x03
    WRITE_GPIO = 0x04
    MULTIPLE_SPI = 0x05


ANSWER_BIT = 0x40
_ORDERS = {int(order): order for order in Order}


@dataclass(frozen=True, slots=True)
class Request:
    """One whole frame from the host."""

    id: int
    order: Order
    payload: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A frame that is none: an order nobody knows, a size over the limit, or one that was never finished."""

    id: int
    reason: str
    detail: str
    answered: bool = True


def answer(request_id: int, order: int, payload: bytes = b"") -> bytes:
    """The bytes of an answer to a request."""
    return bytes((request_id, len(payload) >> 8, len(payload) & 0xFF, order | ANSWER_BIT)) + payload


class RequestStream:
    """Cuts requests out of bytes that come in any pieces; holds at most one frame.

    What is refused is stepped over by its declared size, so the same bytes give the same requests however they are cut.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0
        self._refused: Refused | None = None
        self._last_at: Instant = 0

    def clear(self) -> None:
        """Forget an unfinished frame."""
        self._buffer.clear()
        self._skip, self._refused = 0, None

    def feed(self, data: bytes, now: Instant) -> Iterator[Request | Refused]:
        """Take bytes in; give every request they complete, in order."""
        if (self._buffer or self._skip) and now - self._last_at > SILENCE_US:
            yield Refused(0, "unfinished", f"{len(self._buffer)} bytes, then silence", answered=False)
            self.clear()
        self._last_at = now
        self._buffer += data
        while True:
            if self._skip:
                step = min(self._skip, len(self._buffer))
                del self._buffer[:step]
                self._skip -= step
                if self._skip:
                    return
            if self._refused is not None:
                yield self._refused
                self._refused = None
            if len(self._buffer) < HEADER_BYTES:
                return
            request_id, size, order = self._buffer[0], self._buffer[1] << 8 | self._buffer[2], self._buffer[3]
            known = _ORDERS.get(order)
            if known is None or size > MAX_REQUEST_BYTES:
                detail = f"order 0x{order:02X}, {size} bytes"
                self._refused = Refused(request_id, "too_long" if known is not None else "unknown_order", detail)
                self._skip = HEADER_BYTES + size
                continue
            if len(self._buffer) < HEADER_BYTES + size:
                return
            payload = bytes(self._buffer[HEADER_BYTES : HEADER_BYTES + size])
            del self._buffer[: HEADER_BYTES + size]
            yield Request(request_id, known, payload)
