"""A server's transfer as data: every legal transition stands here and nowhere else."""

from __future__ import annotations

from enum import Enum, auto

from lorawan.errors import MisuseError


class Phase(Enum):
    """What the server is about."""

    IDLE = auto()
    SETTING_UP = auto()  # FragSessionSetupReq waits for its answer
    SENDING = auto()  # fragments go out
    ASKING = auto()  # FragSessionStatusReq waits for its answer
    DONE = auto()
    FAILED = auto()


class Step(Enum):
    """What moves it on."""

    STARTED = auto()
    ACCEPTED = auto()  # the session is set up
    ALL_SENT = auto()
    MISSING = auto()  # the device needs more
    COMPLETE = auto()  # the device has the block, and its MIC holds
    GAVE_UP = auto()  # refused, unanswered, or every fragment used up


TRANSITIONS: dict[tuple[Phase, Step], Phase] = {
    (Phase.IDLE, Step.STARTED): Phase.SETTING_UP,
    (Phase.SETTING_UP, Step.ACCEPTED): Phase.SENDING,
    (Phase.SETTING_UP, Step.GAVE_UP): Phase.FAILED,
    (Phase.SENDING, Step.ALL_SENT): Phase.ASKING,
    (Phase.SENDING, Step.COMPLETE): Phase.DONE,
    (Phase.SENDING, Step.GAVE_UP): Phase.FAILED,
    (Phase.ASKING, Step.MISSING): Phase.SENDING,
    (Phase.ASKING, Step.COMPLETE): Phase.DONE,
    (Phase.ASKING, Step.GAVE_UP): Phase.FAILED,
}


def advance(phase: Phase, step: Step) -> Phase:
    """The phase after `step`. Raises MisuseError where the table has no such transition."""
    try:
        return TRANSITIONS[phase, step]
    except KeyError:
        raise MisuseError(f"{step.name} is impossible in phase {phase.name}") from None
