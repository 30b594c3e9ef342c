"""Where a flash job goes: board, port, and how to get into the bootloader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway_fw.flash.boards import Board
from gateway_fw.flash.entry import ORDERS
from gateway_fw.flash.plan import FlashPlan
from gateway_fw.flash.procedure import Progress
from gateway_fw.io.bootloader_entry import order_bootloader, pull_lines
from gateway_fw.serial_port import ByteTrace, Port, find_auto, open_port


@dataclass(frozen=True, slots=True)
class FlashTarget:
    """board; port: a name, URL or auto[:SERIAL]; baudrate: of the bootloader.

    entered: it is in its bootloader already; boot0, reset: modem lines wired to those pins, "" for none; warn and
    progress: where sentences and progress go; trace: the byte trace, or None; planned: told of
    a plan before it is carried out.
    """

    board: Board
    port: str
    baudrate: int
    warn: Callable[[str], None]
    progress: Callable[[Progress], None]
    entered: bool = False
    boot0: str = ""
    reset: str = ""
    trace: ByteTrace | None = field(default=None)
    planned: Callable[[FlashPlan], None] | None = field(default=None)

    def resolved(self) -> str:
        """The port's own name, where auto was asked for. Raises PortError."""
        word, _, serial_number = self.port.partition(":")
        if word != "auto":
            return self.port
        return find_auto((self.board.id,), serial_number=serial_number)


@contextmanager
def in_uart_bootloader(target: FlashTarget) -> Iterator[Port]:
    """The port, at even parity, of a board in its UART bootloader."""
    name = target.resolved()
    if target.board.entry in ORDERS and not target.entered:
        _warn(target, order_bootloader(target.board, name, trace=target.trace))
    with open_port(name, baudrate=target.baudrate, parity="even", trace=target.trace) as port:
        for warning in port.warnings:
            target.warn(warning)
        if target.boot0 and target.reset and not target.entered:
            _warn(target, pull_lines(port, boot0=target.boot0, reset=target.reset))
        yield port


def _warn(target: FlashTarget, sentence: str | None) -> None:
    if sentence is not None:
        target.warn(sentence)
