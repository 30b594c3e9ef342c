"""The import rules hold, and a forbidden import is found with its file and line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("lorawan", "radio_sim", "gateway_fw", "bench", "scenarios")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "tests/architecture/import_rules.py")],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tree_keeps_its_rules() -> None:
    done = lint(REPOSITORY)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "planted"),
    [
        ("lorawan/units.py", "import simpy"),
        ("lorawan/units.py", "import socket"),
        ("lorawan/phy/__init__.py", "import gateway_fw.errors"),
        ("scenarios/errors.py", "from radio_sim import medium"),
        ("gateway_fw/errors.py", "from lorawan import secured"),
        ("gateway_fw/forwarder/__init__.py", "import asyncio"),
        ("bench/network/core.py", "import time"),
    ],
)
def test_a_forbidden_import_is_found_with_file_and_line(copy: Path, file: str, planted: str) -> None:
    path = copy / file
    lines = path.read_text().splitlines()
    lines.append(planted)
    path.write_text("\n".join(lines) + "\n")
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    assert f"{file}:{len(lines)}:" in done.stdout
