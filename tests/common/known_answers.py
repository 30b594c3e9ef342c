"""The known answers of ../shared/vectors/lorawan.json: each a test case of its own, named by its id and its source.

`python tests/common/known_answers.py` prints which test has which area.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parents[1]
_PLACES = [above / "shared" / "vectors" / "lorawan.json" for above in TESTS.parents]
FILE = next((place for place in _PLACES if place.exists()), _PLACES[1])
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else []
_ABSENT = pytest.mark.skip(reason="the known answers in ../shared/vectors are not here")


def area(*names: str) -> list[Any]:
    """(input, expect) of the vectors of some areas, or one skipped case that says why there are none."""
    cases = [
        pytest.param(v["input"], v["expect"], id=f"{v['id']} [{v['source']}]") for v in VECTORS if v["area"] in names
    ]
    return cases or [pytest.param({}, {}, id="-".join(names), marks=_ABSENT)]


def covered() -> dict[str, list[str]]:
    """The tests of each area: those in tests/unit/lorawan whose parametrize takes `area(…)` with its name."""
    found: dict[str, list[str]] = {}
    for path in sorted((TESTS / "unit" / "lorawan").glob("test_*.py")):
        for function in ast.parse(path.read_text()).body:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                for name in _areas(function):
                    found.setdefault(name, []).append(f"{path.name}::{function.name}")
    return found


def _areas(function: ast.FunctionDef) -> list[str]:
    calls = (
        argument
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.parametrize"
        for argument in decorator.args
        if isinstance(argument, ast.Call) and ast.unparse(argument.func) == "area"
    )
    return [ast.literal_eval(name) for call in calls for name in call.args]


if __name__ == "__main__":
    tests = covered()
    for name in sorted({v["area"] for v in VECTORS} | tests.keys()):
        number = sum(v["area"] == name for v in VECTORS)
        print(f"{name:20}{number:4}  {', '.join(tests.get(name, [])) or 'NO TEST'}")  # noqa: T201 - a command
