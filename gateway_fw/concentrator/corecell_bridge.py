"""The CoreCell USB bridge: orders to the board's microcontroller, and its answers.

One order, one answer, in lock-step. A frame is id, payload size (two bytes, big-endian), type, payload; there is no
checksum, delimiter or escape. Numbers are big-endian throughout.

Source: sx1302_hal 2.1.0 libloragw: loragw_mcu.h, loragw_mcu.c (write_req, read_ack, decode_ack_*), loragw_usb.c.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from gateway_fw.errors import BridgeError

HEADER = Struct(">BHB")
MAX_PAYLOAD_BYTES = 4200  # loragw_mcu.h MAX_SIZE_COMMAND
BURST_BYTES = 4096  # loragw_mcu.h LGW_USB_BURST_CHUNK
IDS = 255  # the host of reference draws ids of 0 … 254
_ANSWER = 0x40
_STATUS = Struct(">Ih")
_TRANSFER = Struct(">BBBH")
_MODIFY = Struct(">BBHBB")
_PING_BYTES, _UNIQUE_ID_BYTES = 21, 12
_CLAUSE = "sx1302_hal 2.1.0, loragw_mcu.c"


class OrderType(IntEnum):
    """What the microcontroller is asked. An answer has bit 6 set on top."""

    PING = 0x00
    GET_STATUS = 0x01
    BOOTLOADER_MODE = 0x02
    RESET = 0x03
    WRITE_GPIO = 0x04
    MULTIPLE_SPI = 0x05


class Mux(IntEnum):
    """The chip behind the SX1302's SPI port. Source: loragw_com.h."""

    SX1302 = 0
    RADIO_A = 1
    RADIO_B = 2


class Pin(NamedTuple):
    """A pin of the microcontroller's port A. Source: loragw_usb.c, lgw_usb_open."""

    number: int

    def to(self, level: int) -> Order:
        """Order: drive the pin."""
        return Order(OrderType.WRITE_GPIO, bytes((0, self.number, level)))


POWER_EN, SX1302_RESET, SX1261_NRESET = Pin(1), Pin(2), Pin(8)


@dataclass(frozen=True, slots=True)
class Order:
    """One order. repeatable: doing it twice does no harm, so a lost answer may be asked for again."""

    type: OrderType
    payload: bytes = b""
    repeatable: bool = True

    def frame(self, order_id: int) -> bytes:
        """As it goes on the line."""
        return HEADER.pack(order_id, len(self.payload), self.type) + self.payload


PING = Order(OrderType.PING)
GET_STATUS = Order(OrderType.GET_STATUS)
BOOTLOADER_MODE = Order(OrderType.BOOTLOADER_MODE, repeatable=False)


@dataclass(frozen=True, slots=True)
class Frame:
    """One answer as it came: type is the raw byte."""

    id: int
    type: int
    payload: bytes


class FrameDecoder:
    """Cuts answers out of the stream; the header is awaited whole, however it is split."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending(self) -> int:
        """Bytes of a frame that is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes in."""
        self._buffer += data

    def take(self) -> Frame | None:
        """The next answer, None when more bytes are needed.

        Raises BridgeError where the bytes cannot be the start of an answer: the stream has lost its step, and only
        `flush` and a fresh order find it again.
        """
        buffer = self._buffer
        if len(buffer) < HEADER.size:
            return None
        frame_id, size, kind = HEADER.unpack_from(buffer)
        if not _ANSWER <= kind <= _ANSWER + 6:
            raise BridgeError(f"type 0x{kind:02X}", field="type", offset=3, clause=_CLAUSE, hint="0x40 to 0x46")
        if size > MAX_PAYLOAD_BYTES:
            hint = f"up to {MAX_PAYLOAD_BYTES}"
            raise BridgeError(f"{size} bytes", field="size", offset=1, clause=_CLAUSE, hint=hint)
        end = HEADER.size + size
        if len(buffer) < end:
            return None
        frame = Frame(frame_id, kind, bytes(buffer[HEADER.size : end]))
        del buffer[:end]
        return frame

    def flush(self) -> int:
        """Throw away what is there; how many bytes it was."""
        thrown = len(self._buffer)
        self._buffer.clear()
        return thrown


def check_answer(order: Order, frame: Frame) -> bytes:
    """The payload of the answer to an order. Raises BridgeError for another order's answer, or a size none may have."""
    if frame.type != order.type | _ANSWER:
        hint = f"0x{order.type | _ANSWER:02X} to this order"
        raise BridgeError(f"0x{frame.type:02X}", field="type", offset=3, clause=_CLAUSE, hint=hint)
    if order.type is OrderType.MULTIPLE_SPI and len(frame.payload) > len(order.payload):
        raise BridgeError(
            f"{len(frame.payload)} bytes", field="size", offset=1, clause=_CLAUSE, hint="never more than the request"
        )
    return frame.payload


@dataclass(frozen=True, slots=True)
class Board:
    """The answer to PING: the microcontroller's unique id (12 bytes) and firmware version, such as "V01.00.00"."""

    unique_id: bytes
    version: str


def decode_ping(payload: bytes) -> Board:
    """Raises BridgeError."""
    _sized(payload, _PING_BYTES, "PING")
    text = payload[_UNIQUE_ID_BYTES:]
    return Board(payload[:_UNIQUE_ID_BYTES], text.decode("ascii", "replace").rstrip("\x00"))


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """The answer to GET_STATUS: the microcontroller's time in ms, and the board's temperature in °C."""

    time_ms: int
    temperature_c: float


def decode_status(payload: bytes) -> BoardStatus:
    """Raises BridgeError."""
    _sized(payload, _STATUS.size, "GET_STATUS")
    time_ms, hundredths = _STATUS.unpack(payload)
    return BoardStatus(time_ms, hundredths / 100)


def check_done(payload: bytes) -> None:
    """The answer to WRITE_GPIO or RESET. Raises BridgeError for a status that is not 0."""
    _sized(payload, 1, "WRITE_GPIO")
    if payload[0]:
        raise BridgeError(f"status {payload[0]}", field="status", offset=4, clause=_CLAUSE, hint="0 is done")


class Transfer(NamedTuple):
    """A raw SPI transfer: `mosi` goes out, as many bytes come back. target: 0 the SX1302's bus, 1 the SX1261."""

    mosi: bytes
    target: int = 0

    def encode(self, number: int) -> bytes:
        """As an element of MULTIPLE_SPI."""
        return _TRANSFER.pack(number, 1, self.target, len(self.mosi)) + self.mosi


class Modify(NamedTuple):
    """A read-modify-write of an SX1302 register inside the microcontroller; value is already in place."""

    address: int
    mask: int
    value: int

    def encode(self, number: int) -> bytes:
        """As an element of MULTIPLE_SPI."""
        return _MODIFY.pack(number, 2, self.address, self.mask, self.value)


Element = Transfer | Modify

_SPI_STATUS = {1: "failed", 2: "wrong parameter", 3: "timed out"}


def multiple_spi(elements: Sequence[Element], *, repeatable: bool = True) -> Order:
    """Order: these SPI operations, one after the other, in one exchange."""
    payload = b"".join(element.encode(number) for number, element in enumerate(elements))
    if len(payload) > MAX_PAYLOAD_BYTES or len(elements) > IDS:
        raise BridgeError(f"{len(elements)} elements, {len(payload)} bytes", field="payload", clause=_CLAUSE)
    return Order(OrderType.MULTIPLE_SPI, payload, repeatable)


def decode_spi(elements: Sequence[Element], payload: bytes) -> list[bytes]:
    """What came back for each element: MISO bytes of a transfer; byte before and byte after of a modify.

    Raises BridgeError where the answer does not mirror the request, or the microcontroller reports a failure.
    """
    results: list[bytes] = []
    at = 0
    for number, element in enumerate(elements):
        size = len(element.mosi) if isinstance(element, Transfer) else 2
        head = 5 if isinstance(element, Transfer) else 3
        part = payload[at : at + head + size]
        if len(part) < head:
            raise BridgeError(f"ends in element {number}", field="spi", offset=at, clause=_CLAUSE)
        if part[0] != number or part[1] != (1 if isinstance(element, Transfer) else 2):
            raise BridgeError(f"element {part[0]} of type {part[1]}", field="spi", offset=at, clause=_CLAUSE)
        if part[2]:
            why = _SPI_STATUS.get(part[2], f"status {part[2]}")
            raise BridgeError(f"element {number} {why}", field="spi status", offset=at + 2, clause=_CLAUSE)
        if head == 5 and int.from_bytes(part[3:5], "big") != size:
            raise BridgeError(f"{int.from_bytes(part[3:5], 'big')} of {size} bytes", field="spi", offset=at + 3)
        if len(part) < head + size:
            raise BridgeError(f"ends in element {number}", field="spi", offset=at, clause=_CLAUSE)
        results.append(part[head:])
        at += head + size
    if at != len(payload):
        raise BridgeError(f"{len(payload) - at} bytes too many", field="spi", offset=at, clause=_CLAUSE)
    return results


def write_bytes(address: int, data: bytes) -> Transfer:
    """Write SX1302 registers or memory from this address on."""
    return Transfer(bytes((Mux.SX1302, 0x80 | address >> 8 & 0x7F, address & 0xFF)) + data)


READ_SKIP = 4  # mux, two bytes of address, one dummy; then the data


def read_bytes(address: int, size: int) -> Transfer:
    """Read SX1302 registers or memory; data start at READ_SKIP of the answer."""
    return Transfer(bytes((Mux.SX1302, address >> 8 & 0x7F, address & 0xFF, 0)) + bytes(size))


RADIO_SKIP = 2  # mux, opcode; then what the SX1250 answers, its status first


def radio_command(mux: Mux, opcode: int, parameters: bytes) -> Transfer:
    """An SX1250 command; what it answers starts at RADIO_SKIP."""
    return Transfer(bytes((mux, opcode)) + parameters)


def _sized(payload: bytes, size: int, what: str) -> None:
    if len(payload) != size:
        raise BridgeError(f"{len(payload)} bytes", field=what, offset=4, clause=_CLAUSE, hint=f"{size} bytes")
