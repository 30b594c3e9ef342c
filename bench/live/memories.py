"""What simulated devices must remember between runs: DevNonce and frame counters, as a JSON file.

A network server refuses a DevNonce it has seen (LoRaWAN 1.0.4 §6.2.4): a device that forgets cannot join again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from bench.errors import UsageError
from bench.store.atomic import aside
from lorawan.device import DeviceMemory
from lorawan.errors import FrameError
from lorawan.ids import Eui64

_FIELDS = {field.name for field in fields(DeviceMemory)}
_MAY_BE_NONE = {"n_f_cnt_down", "a_f_cnt_down"}


def read_memories(path: Path) -> dict[Eui64, DeviceMemory]:
    """By DevEUI; empty where there is no file yet. Raises UsageError for a file that is something else."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("an object is due")
        return {Eui64.from_hex(eui): _memory(eui, entry) for eui, entry in found.items()}
    except (ValueError, FrameError, RecursionError) as error:
        raise UsageError(f"{path}: {error}", hint="it is no memory of simulated devices; take another file") from None


def _memory(eui: str, entry: object) -> DeviceMemory:
    if not isinstance(entry, dict) or not set(entry) <= _FIELDS:
        raise ValueError(f"{eui}: not a device's memory")
    for name, value in entry.items():
        if type(value) is not int and not (value is None and name in _MAY_BE_NONE):
            raise ValueError(f"{eui}: {name} is {value!r}")
    return DeviceMemory(**entry)


def write_memories(path: Path, memories: Mapping[Eui64, DeviceMemory]) -> None:
    """Replace the file as a whole."""
    data = {str(eui): asdict(memory) for eui, memory in sorted(memories.items())}
    with aside(path) as partial:
        partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
