"""The known answers of ../shared/vectors/lorawan.json: each a test case of its own, named by its id and its source.

`python tests/common/known_answers.py` prints which test has which area.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
_PLACES = [above / "shared" / "vectors" / "lorawan.json" for above in TESTS.parents]
FILE = next((place for place in _PLACES if place.exists()), _PLACES[1])
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else []


def case_id(vector: dict[str, Any]) -> str:
    """A test's id: that of the known answer, with its source."""
    return f"{vector['id']} [{vector['source']}]"


def absent(name: str, *values: Any) -> list[Any]:
    """One skipped case with these values, which says why there are no others."""
    mark = pytest.mark.skip(reason="the known answers in ../shared/vectors are not here")
    return [pytest.param(*values, id=name, marks=mark)]


def area(*names: str) -> list[Any]:
    """(input, expect) of the vectors of some areas, or one skipped case that says why there are none."""
    cases = [pytest.param(v["input"], v["expect"], id=case_id(v)) for v in VECTORS if v["area"] in names]
    return cases or absent("-".join(names), {}, {})


def collected() -> list[str]:
    """The ids of all test cases in tests/unit/lorawan/test_*vectors.py."""
    files = sorted(str(path) for path in (TESTS / "unit" / "lorawan").glob("test_*vectors.py"))
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def covered(test_ids: Iterable[str]) -> dict[str, list[str]]:
    """The tests of each known answer's id: those whose own id has it as a word, without what stands in brackets."""
    known, found = {v["id"] for v in VECTORS}, dict[str, list[str]]()
    for test_id in test_ids:
        test, _, parameters = test_id.partition("[")
        for word in known.intersection(re.findall(r"[\w-]+", parameters)):
            found.setdefault(word, []).append(test.removeprefix("tests/unit/lorawan/"))
    return found


def main() -> None:
    """Print the tests of each area, and the ids of it that have none."""
    tests = covered(collected())
    for name in sorted({v["area"] for v in VECTORS}):
        ids = [v["id"] for v in VECTORS if v["area"] == name]
        named = sorted({test for each in ids for test in tests.get(each, [])})
        bare = [each for each in ids if each not in tests]
        line = f"{name:20}{len(ids):4}  {', '.join(named)}"
        print(line + (f"  NO TEST: {' '.join(bare)}" if bare else ""))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
