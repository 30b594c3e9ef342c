"""A concentrator's procedures as generators: they yield what they want done, and are sent what came of it.

Start-up is some 400 orders in a fixed sequence with a check after many of them. As a generator it reads as what it is,
and stays pure: whoever runs it decides when an answer is in and when a pause is over.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from gateway_fw.concentrator.corecell_bridge import (
    RADIO_SKIP,
    READ_SKIP,
    Element,
    Mux,
    Order,
    radio_command,
    read_bytes,
    write_bytes,
)
from gateway_fw.concentrator.corecell_registers import Write
from gateway_fw.errors import BridgeError
from lorawan.machine import Dropped, Instant

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Ask:
    """Wanted: this order's answer. Sent back: its payload."""

    order: Order


@dataclass(frozen=True, slots=True)
class Spi:
    """Wanted: these SPI operations in one exchange. Sent back: what came for each."""

    elements: tuple[Element, ...]
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """Wanted: this long nothing at all."""

    for_us: Instant


@dataclass(frozen=True, slots=True)
class Stage:
    """Said: what comes now, and how far it is (0 … 1)."""

    name: str
    fraction: float


class ProcedureFailed(Exception):  # an outcome inside the driver, never raised out of it
    """The board did what it must not. hint: what a person may do."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.hint = hint


class AnswerLost(Exception):  # likewise
    """Thrown into a procedure: no answer that could be believed. alive: the board still answers PING."""

    def __init__(self, why: str, *, alive: bool) -> None:
        super().__init__(why)
        self.alive = alive


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer that could be believed. alive: the board answers others again; whether it did the order is unknown."""

    why: str
    alive: bool


Wanted: TypeAlias = Ask | Spi | Pause | Stage | Dropped
Procedure: TypeAlias = Generator[Wanted, Any, ResultT]


def ask(order: Order) -> Procedure[bytes]:
    """Give an order; its answer's payload."""
    payload: bytes = yield Ask(order)
    return payload


def spi(*elements: Element, repeatable: bool = True) -> Procedure[list[bytes]]:
    """SPI operations in one exchange."""
    results: list[bytes] = yield Spi(elements, repeatable)
    return results


def write(*writes: Write) -> Procedure[None]:
    """Register writes, one exchange each, as the reference does outside a transmission."""
    for each in writes:
        yield Spi((each.element,))


def read(address: int, size: int = 1, *, repeatable: bool = True) -> Procedure[bytes]:
    """Registers or memory from this address on."""
    results: Sequence[bytes] = yield Spi((read_bytes(address, size),), repeatable)
    return _whole(results[0], READ_SKIP, size)


def read_byte(address: int) -> Procedure[int]:
    """One register."""
    data = yield from read(address)
    return data[0]


def write_memory(address: int, data: bytes, chunk: int) -> Procedure[None]:
    """A long write, in bursts."""
    for at in range(0, len(data), chunk):
        yield Spi((write_bytes(address + at, data[at : at + chunk]),))


def radio(mux: Mux, opcode: int, *parameters: int) -> Procedure[None]:
    """An SX1250 command."""
    yield Spi((radio_command(mux, opcode, bytes(parameters)),))


def radio_read(mux: Mux, opcode: int, size: int) -> Procedure[bytes]:
    """An SX1250 command that answers: so many bytes from the one after the opcode on."""
    results: Sequence[bytes] = yield Spi((radio_command(mux, opcode, bytes(size)),))
    return _whole(results[0], RADIO_SKIP, size)


def _whole(result: bytes, skip: int, size: int) -> bytes:
    if len(result) != skip + size:
        raise BridgeError(f"{len(result)} bytes", field="spi", clause="a read", hint=f"{skip + size} bytes")
    return result[skip:]
