"""docs/lorawan.md is what the code says now, and the tests that it names do what it says of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.reference import mac, packages
from bench.reference.cells import MissingCell, table
from bench.reference.document import every_test_id, page
from bench.reference.sides import Held, half
from lorawan.mac_commands import DevStatusReq

ROOT = Path(__file__).parents[3]


def run_pytest(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests/common")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environ = {**os.environ, "PYTHONPATH": paths, **environment}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_the_committed_page_is_what_the_code_says() -> None:
    committed = (ROOT / "docs/lorawan.md").read_text(encoding="utf-8")
    assert committed == page(), "run `make docs` and commit docs/lorawan.md"


def test_without_a_file_the_page_is_not_written_and_the_usage_is_told() -> None:
    command = [sys.executable, "-m", "bench.reference"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: python -m bench.reference FILE\n")


def test_every_test_that_is_named_exists() -> None:
    named = [f"tests/{test_id}" for test_id in dict.fromkeys(every_test_id())]
    files = sorted({test_id.partition("::")[0] for test_id in named})
    listed = run_pytest("--collect-only", *files)
    assert listed.returncode == 0, listed.stdout
    exact = set(listed.stdout.splitlines())
    found = exact | {test_id.partition("[")[0] for test_id in exact}
    gone = [test_id for test_id in named if test_id not in found]
    assert not gone, "named in bench/reference and not there:\n" + "\n".join(gone)


@pytest.mark.timeout(300)
def test_each_test_makes_its_side_do_it(tmp_path: Path) -> None:
    held = [*mac.held(), *packages.held()]
    named = sorted({f"tests/{test_id}" for one in held for test_id in one.test_ids})
    seen_file = tmp_path / "seen.json"
    run = run_pytest("-p", "command_recorder", *named, COMMANDS_SEEN=str(seen_file))
    assert run.returncode == 0, run.stdout
    seen: dict[str, set[str]] = {}
    for test_id, what in json.loads(seen_file.read_text()).items():
        seen.setdefault(test_id.partition("[")[0].removeprefix("tests/"), set()).update(what)
    idle = [
        f"{test_id} never makes the {one.side} do this: {one.verb} {one.command.__name__}"
        for one in held
        for test_id in one.test_ids
        if f"{one.side} {one.verb} {one.command.__name__}" not in seen.get(test_id, set())
    ]
    assert not idle, "\n".join(idle)


def test_an_empty_cell_is_refused() -> None:
    with pytest.raises(MissingCell, match="an empty cell in the row of 'a'"):
        table(["x", "y"], [["a", " "]])


@pytest.mark.parametrize(
    ("does", "tests", "reasons", "says"),
    [
        ("", {}, {}, "the device does nothing with DevStatusReq; say why not in here.py"),
        (
            "it answers",
            {},
            {},
            "no test is named for what the device does with DevStatusReq: it answers; name one in here",
        ),
        ("it answers", {DevStatusReq: ("x",)}, {DevStatusReq: "no battery"}, "take its reason out of here.py"),
        ("", {DevStatusReq: ("x",)}, {}, "a test is named for DevStatusReq and the device does nothing with it"),
    ],
)
def test_a_row_that_is_not_complete_says_what_to_add(
    does: str,
    tests: dict[type, tuple[str, ...]],
    reasons: dict[type, str],
    says: str,
) -> None:
    with pytest.raises(MissingCell, match=says):
        half(Held(DevStatusReq, "device", "handles", ()), does, tests, reasons, "here.py")
