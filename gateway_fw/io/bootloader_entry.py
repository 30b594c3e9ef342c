"""Brings a board into its bootloader over its port: by its firmware's order, or by DTR and RTS."""

from __future__ import annotations

import time

from gateway_fw.errors import PortError
from gateway_fw.flash.boards import Board
from gateway_fw.flash.entry import ORDERS, RESET_S, enter
from gateway_fw.io.procedure import run_procedure
from gateway_fw.serial_port import ByteTrace, Port, open_port

LINE_PULSE_S = 0.1
WIRES = {"dtr": ("dtr", True), "rts": ("rts", True), "-dtr": ("dtr", False), "-rts": ("rts", False)}


def order_bootloader(board: Board, port_name: str, *, trace: ByteTrace | None = None) -> str | None:
    """Send the board's own order. A sentence to warn with where it was not confirmed.

    Raises PortError, and WrongBoardError where another board answers, or none.
    """
    with open_port(port_name, trace=trace, boards=(board.id,)) as port:
        confirmed = run_procedure(port, enter(ORDERS[board.entry], board.name), lambda _: None)
    time.sleep(RESET_S)
    if confirmed:
        return None
    return f"{board.name} did not confirm the order to enter its bootloader"


def pull_lines(port: Port, *, boot0: str, reset: str) -> str | None:
    """Hold BOOT0, pulse reset. boot0, reset: a key of WIRES ("-": asserted means low at the pin).

    A pty has no such lines: then a sentence to warn with. Raises PortUnfitError on a real port without them.
    """
    if boot0 not in WIRES or reset not in WIRES:
        raise PortError(f"a wire is one of {', '.join(WIRES)}", port=port.name)
    if port.traits.kind == "pty":
        return "a pty has no modem lines: the board is taken to be in its bootloader already"
    _set(port, boot0, high=True)
    _set(port, reset, high=False)
    time.sleep(LINE_PULSE_S)
    _set(port, reset, high=True)
    time.sleep(LINE_PULSE_S)
    _set(port, boot0, high=False)
    return None


def _set(port: Port, wire: str, *, high: bool) -> None:
    line, positive = WIRES[wire]
    if line == "dtr":
        port.set_lines(dtr=high == positive)
    else:
        port.set_lines(rts=high == positive)
