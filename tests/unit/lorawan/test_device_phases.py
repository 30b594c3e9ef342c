"""Five transitions are legal, written here by hand; every other (phase, step) pair is a misuse."""

from __future__ import annotations

from itertools import product

import pytest

from lorawan.device.phases import Phase, Step, advance
from lorawan.errors import MisuseError

LEGAL = {
    (Phase.IDLE, Step.FRAME_DUE): Phase.WAITING,  # a frame is queued
    (Phase.WAITING, Step.FRAME_DUE): Phase.WAITING,  # another instant for it
    (Phase.WAITING, Step.FRAME_SENT): Phase.RECEIVING,
    (Phase.WAITING, Step.GIVEN_UP): Phase.IDLE,
    (Phase.RECEIVING, Step.WINDOWS_CLOSED): Phase.IDLE,
}


@pytest.mark.parametrize(("phase", "step"), list(product(Phase, Step)), ids=lambda x: x.name)
def test_only_these_transitions_are_legal(phase: Phase, step: Step) -> None:
    if (phase, step) in LEGAL:
        assert advance(phase, step) is LEGAL[phase, step]
    else:
        with pytest.raises(MisuseError, match=f"{step.name}.*{phase.name}"):
            advance(phase, step)
