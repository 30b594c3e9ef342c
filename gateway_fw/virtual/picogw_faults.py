"""What may go wrong with a virtual picoGW, on demand: settings that can change while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.concentrator.picogw_wire import STATUS_REFUSED, Order, encode_answer
from gateway_fw.virtual.faults import Every


@dataclass(frozen=True, slots=True)
class PicoGwFaults:
    """What is wrong with the board now. The default is a healthy one.

    `every` fields: 0 never, 1 always, n each n-th answer, counted since the settings came into force; so a run repeats
    exactly.
    """

    lose_byte_every: int = 0
    """Answers that lose their last byte."""
    stall_every: int = 0
    """Answers that come late, by stall_us."""
    stall_us: int = 0
    mute: bool = False
    """No answer at all."""
    wrong_id_every: int = 0
    """Answers under another order's identifier."""
    refuse_every: int = 0
    """Answers with status 0, though the order was carried out."""
    refuse_only: str = ""
    """Letters of the orders that refuse_every counts; "" for all."""
    firmware_version: int = 0
    """Another version than the hosts know, 0 for the right one: order 'l' is refused."""
    chip_version: int = 0
    """Another value in the chip's version register, 0 for the right one."""
    firmware_corrupt: bool = False
    """The chip's program RAM reads back one wrong bit."""
    stuck_tx: bool = False
    """A transmission never begins nor ends: the microcontroller answers after its guard of 10 s."""
    deaf: bool = False
    """Nothing is received."""
    drift_ppb: int = 0
    """The counter runs fast by so many parts in 10^9 (1 ppm = 1000)."""


@dataclass(frozen=True, slots=True)
class SetPicoGwFaults:
    """Event: these settings come into force."""

    faults: PicoGwFaults


class AnswerSpoiler:
    """Makes an answer's bytes, with what is wrong at present."""

    def __init__(self, faults: PicoGwFaults) -> None:
        self._faults = faults
        self._every = Every()

    def frame(self, order: Order, status: int, data: bytes) -> bytes:
        """The bytes to send; none where the board is mute."""
        faults = self._faults
        if faults.mute:
            return b""
        concerned = not faults.refuse_only or order.value in faults.refuse_only
        if concerned and self._every.hits("refuse", faults.refuse_every):
            status = STATUS_REFUSED
        identifier = ord(order.value)
        if self._every.hits("id", faults.wrong_id_every):
            identifier = ord(Order.COUNTER if order is not Order.COUNTER else Order.READ)
        frame = encode_answer(identifier, data, status)
        return frame[:-1] if self._every.hits("byte", faults.lose_byte_every) else frame

    def late_us(self) -> int:
        """How late the next answer comes."""
        return self._faults.stall_us if self._every.hits("stall", self._faults.stall_every) else 0
