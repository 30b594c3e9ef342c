"""Programs that some tests run."""

from __future__ import annotations

import os
import shutil

import pytest


def required(program: str) -> str:
    """The path of a program. Absent: a skip that says so, or a failure where LORABENCH_REQUIRE_TOOLS is set."""
    path = shutil.which(program)
    if path is None:
        message = f"{program} is not installed (Debian: apt-get install {program})"
        if os.environ.get("LORABENCH_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)
    return path
