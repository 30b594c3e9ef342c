"""Programs that some tests run."""

from __future__ import annotations

import os
import shutil

import pytest


def required(program: str, package: str | None = None) -> str:
    """The path of a program. Absent: a skip that says so, or a failure where LORABENCH_REQUIRE_TOOLS is set.

    package: Debian's name for what brings it, where that is another.
    """
    path = shutil.which(program)
    if path is None:
        absent(f"{program} is not installed (Debian: apt-get install {package or program})")
    return str(path)


def absent(message: str) -> None:
    """Skip with this reason, or fail where LORABENCH_REQUIRE_TOOLS is set."""
    if os.environ.get("LORABENCH_REQUIRE_TOOLS"):
        pytest.fail(message)
    pytest.skip(message)
