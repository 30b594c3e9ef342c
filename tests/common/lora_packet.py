"""Questions to lora-packet, a JavaScript implementation, many in one run of node."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools import absent, required

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / ".oracles" / "node_modules"
SCRIPT = ROOT / "tests" / "interop" / "lora_packet" / "oracle.cjs"


def available() -> bool:
    """Whether `make oracles` has been here."""
    return (MODULES / "lora-packet").is_dir()


def ask(questions: Iterable[dict[str, Any]], *, timeout_s: float = 110) -> list[dict[str, Any]]:
    """An answer for each question, in order. Absent node or package: as `tools.required`."""
    node = required("node", package="nodejs")
    if not available():
        absent("lora-packet is not installed (make oracles)")
    lines = "".join(f"{json.dumps(question)}\n" for question in questions)
    done = subprocess.run(
        [node, str(SCRIPT)],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
