"""The picoGW bridge protocol: orders to the microcontroller and its answers, cut anywhere.

Both directions: identifier (an ASCII letter), length of the data big-endian, one byte (an order's register address or
chain; an answer's status), data. Strictly one order, one answer. No checksum, no delimiter.

Source: Lora-net picoGW_hal 0.2.3 loragw_com_linux.c, loragw_com.h; picoGW_mcu 0.2.1 MAIN/cmdUSB.cpp, cmdUSB.h.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

HEADER_BYTES = 4
MAX_ORDER_BYTES = 600
"""Data bytes of an order. Source: picoGW_hal loragw_com.h ATOMICTX."""
MAX_ANSWER_BYTES = 1024 + 16 * 44
"""Data bytes of an answer. Source: picoGW_hal loragw_com.h CMD_DATA_RX_SIZE."""
READ_CHUNK_BYTES = 900
"""Data bytes that a host asks for in one burst read. Source: picoGW_hal loragw_com.h ATOMICRX."""
USB_PACKET_BYTES = 64
FIRMWARE_VERSION = 0x010A0006
"""Source: picoGW_mcu 0.2.1 cmdUSB.h FWVERSION."""
STATUS_OK = 1
STATUS_REFUSED = 0


class Order(StrEnum):
    """What can be ordered. Source: picoGW_mcu 0.2.1 MAIN/cmdUSB.cpp."""

    READ = "r"
    WRITE = "w"
    READ_BURST = "p"
    READ_FIRST = "s"
    READ_MIDDLE = "t"
    READ_LAST = "u"
    WRITE_BURST = "a"
    WRITE_FIRST = "x"
    WRITE_MIDDLE = "y"
    WRITE_LAST = "z"
    RECEIVE = "b"
    SET_RADIO = "c"
    SET_IF_CHAIN = "d"
    SEND = "f"
    SET_TX_GAINS = "h"
    SET_BOARD = "i"
    KEEP_CALIBRATION = "j"
    CHECK_FIRMWARE = "l"
    RESET = "m"
    BOOTLOADER = "n"
    COUNTER = "q"


ORDER_OF = {ord(order.value): order for order in Order}


@dataclass(frozen=True, slots=True)
class Command:
    """An order as sent. order: None for an identifier that no firmware knows. argument: register address, or chain."""

    order: Order | None
    argument: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TooLong:
    """An order whose length the microcontroller's buffer cannot hold; its data were skipped."""

    identifier: int
    length: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as received. identifier: which order it answers. status: 1 done, 0 refused."""

    identifier: int
    status: int
    data: bytes


@dataclass(frozen=True, slots=True)
class BadAnswer:
    """A header that no firmware sends. What follows cannot be told from noise: wait for silence."""

    header: bytes


def encode_command(order: Order, data: bytes = b"", argument: int = 0) -> bytes:
    """An order, ready to send."""
    if len(data) > MAX_ORDER_BYTES:
        raise ValueError(f"an order carries up to {MAX_ORDER_BYTES} bytes, not {len(data)}")
    return bytes((ord(order.value), len(data) >> 8, len(data) & 0xFF, argument & 0xFF)) + data


def encode_answer(identifier: int, data: bytes = b"", status: int = STATUS_OK) -> bytes:
    """An answer, ready to send, padding byte included."""
    if len(data) > MAX_ANSWER_BYTES:
        raise ValueError(f"an answer carries up to {MAX_ANSWER_BYTES} bytes, not {len(data)}")
    frame = bytes((identifier, len(data) >> 8, len(data) & 0xFF, status)) + data
    return frame + bytes(padding_bytes(len(data)))


def padding_bytes(length: int) -> int:
    """Bytes appended to an answer with this much data: one where the whole would fill its USB packets exactly.

    The serial build keeps the rule. Source: picoGW_mcu 0.2.1 cmdUSB.cpp Transmit; picoGW_hal loragw_com_linux.c.
    """
    return 1 if length > 0 and (HEADER_BYTES + length) % USB_PACKET_BYTES == 0 else 0


class CommandReader:
    """Cuts a byte stream into orders: the microcontroller's side."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[Command | TooLong]:
        """Take bytes in; the orders that they complete, in order."""
        self._buffer += data
        while True:
            skipped = min(self._skip, len(self._buffer))
            del self._buffer[:skipped]
            self._skip -= skipped
            if len(self._buffer) < HEADER_BYTES:
                return
            identifier, length, argument = self._buffer[0], (self._buffer[1] << 8) | self._buffer[2], self._buffer[3]
            if length > MAX_ORDER_BYTES:
                del self._buffer[:HEADER_BYTES]
                self._skip = length
                yield TooLong(identifier, length)
                continue
            if len(self._buffer) < HEADER_BYTES + length:
                return
            body = bytes(self._buffer[HEADER_BYTES : HEADER_BYTES + length])
            del self._buffer[: HEADER_BYTES + length]
            yield Command(ORDER_OF.get(identifier), argument, body)

    def reset(self) -> None:
        """Forget a half-received order."""
        self._buffer.clear()
        self._skip = 0


class AnswerReader:
    """Cuts a byte stream into answers: the host's side."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes held of an answer that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Answer | BadAnswer]:
        """Take bytes in; the answers that they complete, in order."""
        self._buffer += data
        while len(self._buffer) >= HEADER_BYTES:
            identifier, length, status = self._buffer[0], (self._buffer[1] << 8) | self._buffer[2], self._buffer[3]
            if identifier not in ORDER_OF or length > MAX_ANSWER_BYTES or status > STATUS_OK:
                header = bytes(self._buffer[:HEADER_BYTES])
                self._buffer.clear()
                yield BadAnswer(header)
                return
            whole = HEADER_BYTES + length + padding_bytes(length)
            if len(self._buffer) < whole:
                return
            body = bytes(self._buffer[HEADER_BYTES : HEADER_BYTES + length])
            del self._buffer[:whole]
            yield Answer(identifier, status, body)

    def reset(self) -> None:
        """Forget what is held."""
        self._buffer.clear()
