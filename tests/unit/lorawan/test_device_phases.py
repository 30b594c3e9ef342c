"""Every (phase, step) pair that the table does not name is a misuse."""

from __future__ import annotations

from itertools import product

import pytest

from lorawan.device.phases import TRANSITIONS, Phase, Step, advance
from lorawan.errors import MisuseError

ILLEGAL = [pair for pair in product(Phase, Step) if pair not in TRANSITIONS]


@pytest.mark.parametrize(("phase", "step"), ILLEGAL, ids=lambda x: x.name)
def test_an_illegal_transition_is_refused_by_name(phase: Phase, step: Step) -> None:
    with pytest.raises(MisuseError, match=f"{step.name}.*{phase.name}"):
        advance(phase, step)


def test_every_phase_can_be_left_and_reached() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase)
    assert set(TRANSITIONS.values()) == set(Phase)
