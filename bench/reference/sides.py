"""One side's half of a row: what it does with a command and which test holds that, or why it does nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bench.reference.cells import MissingCell, file_link, links_to_tests
from bench.reference.sources import Use
from lorawan.mac_commands import MacCommand

Side: TypeAlias = Literal["device", "server"]
Verb: TypeAlias = Literal["makes", "sends", "handles", "reads"]  # as tests/common/command_recorder.py tells them
NOTHING_TO_TEST = "nothing to test"


@dataclass(frozen=True, slots=True)
class Held:
    """Tests that bring a command to a side; verb: what the side is seen to do with it in each of them."""

    command: type[MacCommand]
    side: Side
    verb: Verb
    test_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Half:
    """Two cells: behaviour and tests. held: None where the side does nothing with the command."""

    does: str
    tests: str
    held: Held | None


def half(
    held: Held,
    does: str,
    tests: Mapping[type[MacCommand], tuple[str, ...]],
    reasons: Mapping[type[MacCommand], str],
    where: str,
) -> Half:
    """The half where `does` is what the code was found to do, empty for nothing. Raises MissingCell.

    tests, reasons: by command; where: the file that holds both, for the message.
    """
    name, side = held.command.__name__, held.side
    if does:
        test_ids = tests.get(held.command, ())
        if held.command in reasons:
            raise MissingCell(f"the {side} handles {name} now: {does}", hint=f"take its reason out of {where}")
        if not test_ids:
            raise MissingCell(
                f"no test is named for what the {side} does with {name}: {does}",
                hint=f"name one in {where}, a test that makes the {side} do it",
            )
        return Half(does, links_to_tests(test_ids), Held(held.command, side, held.verb, test_ids))
    if held.command in tests:
        raise MissingCell(f"a test is named for {name} and the {side} does nothing with it", hint=f"see {where}")
    if held.command not in reasons:
        raise MissingCell(f"the {side} does nothing with {name}", hint=f"say why not in {where}")
    return Half(reasons[held.command], NOTHING_TO_TEST, None)


def places(uses: Sequence[Use]) -> str:
    """Links to the functions, each once; empty for none."""
    return ", ".join(dict.fromkeys(file_link(use.path, f"`{use.function}`") for use in uses))
