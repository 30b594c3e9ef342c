"""Runs a procedure on an open port, and waits for its end: what a flasher on the command line needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from gateway_fw.errors import PortError, PortLostError
from gateway_fw.flash.procedure import Begin, Done, Failed, Procedure, ProcedureCore, ProcedureEvent, Progress
from gateway_fw.serial_port import Port
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.units import US_PER_S

ResultT = TypeVar("ResultT")
READ_BYTES = 4096


def run_procedure(port: Port, procedure: Procedure[ResultT], on_progress: Callable[[Progress], None]) -> ResultT:
    """The result of the procedure. Raises what it raises; a port that goes becomes its LineLost."""
    core = ProcedureCore(procedure)
    start = time.monotonic()

    def now() -> int:
        return int((time.monotonic() - start) * US_PER_S)

    event: ProcedureEvent | None = Begin()
    while True:
        effects = core.wake(now()) if event is None else core.handle(event, now())
        event = None
        for effect in effects:
            match effect:
                case SendBytes(data):
                    try:
                        port.write(data)
                    except PortError as error:  # gone, or it takes no bytes any more
                        event = LineLost(error.reason)
                        break
                case Progress():
                    on_progress(effect)
                case Done(result):
                    return result
                case Failed(error):
                    raise error
        if event is not None:
            continue
        wait_s = 1.0 if core.wake_at is None else max(0.0, (core.wake_at - now()) / US_PER_S)
        try:
            data = port.read(READ_BYTES, wait_s)
        except PortLostError as error:
            event = LineLost(error.reason)
            continue
        event = BytesReceived(data) if data else None
