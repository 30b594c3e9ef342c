"""Which inputs a corpus keeps: those that reach a line, or come to it another way, that no shorter one does.

Inputs with a name of words stand for a defect that was found, and always stay.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
_FOUND = re.compile(r"[0-9a-f]{12}")  # a name that `keep` gave; any other was given by a person
_OURS = re.compile(r"/(lorawan|gateway_fw|bench|scenarios|radio_sim)/")
_MOST = 40  # entries a target, so that the whole stays small

Step = tuple[CodeType, int, int]


def steps_of(name: str, data: bytes) -> set[Step]:
    """The steps from line to line in our packages that an input makes."""
    steps: set[Step] = set()
    last: dict[FrameType, int] = {}

    def within(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            steps.add((frame.f_code, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
        return within

    def into(frame: FrameType, _event: str, _: Any) -> Any:
        return within if _OURS.search(frame.f_code.co_filename) else None

    sys.settrace(into)
    try:
        TARGETS[name].run(data)
    except Exception as error:
        print(f"{name}: left out, it raises {type(error).__name__}: {error}"[:200])  # noqa: T201 - a command
        return set()
    finally:
        sys.settrace(None)
    return steps


def keep(name: str, found: Path) -> int:
    """Choose anew among what is kept and what was found. How many entries the corpus then has."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    named = [path for path in sorted(folder.iterdir()) if not _FOUND.fullmatch(path.name)]
    known: set[Step] = set()
    for path in named:
        known |= steps_of(name, path.read_bytes())
    inputs = {path.read_bytes() for where in (folder, found) if where.is_dir() for path in where.iterdir()}
    TARGETS[name].run(min(inputs, key=len, default=b""))  # caches are filled once, so they are nobody's merit
    chosen: list[bytes] = []
    for data in sorted(inputs - {path.read_bytes() for path in named}, key=lambda entry: (len(entry), entry)):
        new = steps_of(name, data) - known
        if new and len(chosen) < _MOST:
            known |= new
            chosen.append(data)
    for path in folder.iterdir():
        if path not in named:
            path.unlink()
    for data in chosen:
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()[:12]).write_bytes(data)
    if not any(folder.iterdir()):
        shutil.rmtree(folder)
    return len(named) + len(chosen)
