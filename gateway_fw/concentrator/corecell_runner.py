"""Runs a CoreCell's procedures over its bridge."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_fw.concentrator.corecell_bridge import decode_spi, multiple_spi
from gateway_fw.concentrator.corecell_line import Answered, BridgeLine, LineEffect
from gateway_fw.concentrator.procedure import Ask, Spi
from gateway_fw.concentrator.runner import ProcedureRunner
from gateway_fw.errors import BridgeError
from lorawan.machine import Instant


class CoreCellRunner(ProcedureRunner[Answered]):
    """Orders, and SPI operations in bulk. What a procedure is sent: `gateway_fw.concentrator.procedure`."""

    def __init__(self, line: BridgeLine) -> None:
        super().__init__(line)
        self._bridge = line
        self._spi: Spi | None = None

    def _ask(self, wanted: object, now: Instant) -> Sequence[LineEffect] | None:
        if isinstance(wanted, Ask):
            self._spi = None
            return self._bridge.ask(wanted.order, now)
        if isinstance(wanted, Spi):
            self._spi = wanted
            return self._bridge.ask(multiple_spi(wanted.elements, repeatable=wanted.repeatable), now)
        return None

    def _result(self, outcome: Answered) -> object:
        if self._spi is None:
            return outcome.payload
        try:
            return decode_spi(self._spi.elements, outcome.payload)
        except BridgeError as error:
            return error
