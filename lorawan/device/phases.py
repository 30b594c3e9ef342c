"""The device's phases as data: every legal transition stands here and nowhere else.

IDLE: nothing to do. WAITING: a frame is due at a known instant (duty cycle, join back-off, retransmission).
RECEIVING: the frame is on the air or its windows are open. A device may be joined or not in each of them.
"""

from __future__ import annotations

from enum import Enum, auto

from lorawan.errors import MisuseError


class Phase(Enum):
    """Where the device's radio is."""

    IDLE = auto()
    WAITING = auto()
    RECEIVING = auto()


class Step(Enum):
    """What moves it on."""

    FRAME_DUE = auto()  # something is to be sent, at a known instant
    FRAME_SENT = auto()  # it goes on the air; windows will open
    WINDOWS_CLOSED = auto()  # answered, or RX2 ended in silence
    GIVEN_UP = auto()  # the frame can never be sent


TRANSITIONS: dict[tuple[Phase, Step], Phase] = {
    (Phase.IDLE, Step.FRAME_DUE): Phase.WAITING,
    (Phase.WAITING, Step.FRAME_DUE): Phase.WAITING,
    (Phase.WAITING, Step.FRAME_SENT): Phase.RECEIVING,
    (Phase.WAITING, Step.GIVEN_UP): Phase.IDLE,
    (Phase.RECEIVING, Step.WINDOWS_CLOSED): Phase.IDLE,
}


def advance(phase: Phase, step: Step) -> Phase:
    """The phase after `step`. Raises MisuseError where the table has no such transition."""
    try:
        return TRANSITIONS[phase, step]
    except KeyError:
        raise MisuseError(f"{step.name} is impossible in phase {phase.name}") from None
