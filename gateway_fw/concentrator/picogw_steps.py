"""What a picoGW's procedures are made of, and what runs one: orders, registers, radios, program memory."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeAlias, TypeVar

from gateway_fw.concentrator.events import DriverEffect
from gateway_fw.concentrator.picogw_line import Answered, PicoGwLine, Request
from gateway_fw.concentrator.picogw_registers import PAGE_REGISTER, PROGRAM_DATA, RADIO_SPI, Field
from gateway_fw.concentrator.picogw_wire import MAX_ORDER_BYTES, READ_CHUNK_BYTES, Order
from gateway_fw.concentrator.procedure import Pause, ProcedureFailed, Stage
from gateway_fw.concentrator.runner import ProcedureRunner
from gateway_fw.stream import SendBytes
from lorawan.machine import Instant

ResultT = TypeVar("ResultT")
Procedure: TypeAlias = Generator[Request | Pause | Stage | DriverEffect, Any, ResultT]
"""Asks for orders and pauses, says stages and effects; what it returns is for who started it."""


def order(request: Request) -> Procedure[tuple[int, bytes]]:
    """Give an order: its answer's status and data. Raises AnswerLost."""
    answered: tuple[int, bytes] = yield request
    return answered


def done(request: Request, what: str = "") -> Procedure[bytes]:
    """Give an order that must be carried out: its answer's data. Raises AnswerLost, ProcedureFailed."""
    status, data = yield from order(request)
    if not status:
        raise ProcedureFailed(f"the board refuses {what or f'order {request.order.value!r}'}")
    return data


def read_at(address: int) -> Procedure[int]:
    """One register of the page that is set."""
    data = yield from done(Request(Order.READ, b"\0", address, answer_bytes=1))
    return data[0]


def write_at(address: int, value: int) -> Procedure[None]:
    """One register of the page that is set."""
    yield from done(Request(Order.WRITE, bytes((value & 0xFF,)), address))


def _turn_to(field: Field) -> Procedure[None]:
    # the microcontroller turns pages too, so the page is never taken for granted
    if field.page >= 0:
        yield from write_at(PAGE_REGISTER, field.page)


def read_field(field: Field) -> Procedure[int]:
    """Some bits of one register, unsigned."""
    yield from _turn_to(field)
    value = yield from read_at(field.address)
    return value >> field.offset & ((1 << field.bits) - 1)


def write_field(field: Field, value: int) -> Procedure[None]:
    """Some bits of a register, or several bytes, least significant first; other bits of one byte stay as they are."""
    yield from _turn_to(field)
    if field.octets > 1:
        # a negative number fills its last byte with ones, as the reference leaves it
        data = (value & ((1 << 8 * field.octets) - 1)).to_bytes(field.octets, "little")
        yield from done(Request(Order.WRITE_BURST, data, field.address))
        return
    if field.bits < 8:
        mask = ((1 << field.bits) - 1) << field.offset
        value = (yield from read_at(field.address)) & ~mask | value << field.offset & mask
    yield from write_at(field.address, value)


def write_program(image: bytes) -> Procedure[None]:
    """An image through the program port, in pieces of one burst."""
    pieces = [image[at : at + MAX_ORDER_BYTES] for at in range(0, len(image), MAX_ORDER_BYTES)]
    kinds = [Order.WRITE_FIRST, *[Order.WRITE_MIDDLE] * (len(pieces) - 2), Order.WRITE_LAST]
    for kind, piece in zip(kinds, pieces, strict=True):
        yield from done(Request(kind, piece, PROGRAM_DATA.address, repeatable=False))


def read_program(size: int) -> Procedure[bytes]:
    """What the program port gives, in pieces of one burst."""
    sizes = [min(READ_CHUNK_BYTES, size - at) for at in range(0, size, READ_CHUNK_BYTES)]
    kinds = [Order.READ_FIRST, *[Order.READ_MIDDLE] * (len(sizes) - 2), Order.READ_LAST]
    image = b""
    for kind, wanted in zip(kinds, sizes, strict=True):
        asked = wanted.to_bytes(2, "big")
        image += yield from done(Request(kind, asked, PROGRAM_DATA.address, answer_bytes=wanted, repeatable=False))
    return image


def write_radio(radio: int, register: int, value: int) -> Procedure[None]:
    """A register of a radio behind the chip's SPI master."""
    yield from _access_radio(radio, 0x80 | register, value)


def read_radio(radio: int, register: int) -> Procedure[int]:
    """A register of a radio behind the chip's SPI master."""
    yield from _access_radio(radio, register, 0)
    return (yield from read_field(_radio_port(radio, 1)))


def _access_radio(radio: int, address: int, value: int) -> Procedure[None]:
    select = _radio_port(radio, 4)._replace(bits=1)
    yield from write_field(select, 0)
    yield from write_field(_radio_port(radio, 2), address)
    yield from write_field(_radio_port(radio, 0), value)
    yield from write_field(select, 1)
    yield from write_field(select, 0)


def _radio_port(radio: int, which: int) -> Field:
    return RADIO_SPI[radio]._replace(address=RADIO_SPI[radio].address + which)


class PicoGwRunner(ProcedureRunner[Answered]):
    """Orders alone. What a procedure is sent: the answer's status and data."""

    def __init__(self, line: PicoGwLine) -> None:
        super().__init__(line)
        self._board = line

    def _ask(self, wanted: object, now: Instant) -> Sequence[SendBytes] | None:
        return self._board.ask(wanted, now) if isinstance(wanted, Request) else None

    def _result(self, outcome: Answered) -> object:
        return outcome.status, outcome.data
