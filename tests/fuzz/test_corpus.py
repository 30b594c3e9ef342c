"""What fuzzing kept, replayed: every input must still be read or be refused with the family's error."""

from __future__ import annotations

import pytest

from tests.fuzz.keep import CORPUS
from tests.fuzz.targets import TARGETS

MOST_BYTES = 300_000


@pytest.mark.parametrize("name", TARGETS)
def test_no_kept_input_breaks_the_contract(name: str) -> None:
    paths = sorted((CORPUS / name).iterdir())
    assert paths, "a target without a corpus starts from nothing"
    for path in paths:
        try:
            TARGETS[name].run(path.read_bytes())
        except Exception as error:
            error.add_note(f"the input is {path}")
            raise


def test_every_kept_input_has_its_target_and_the_whole_stays_small() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) <= MOST_BYTES
