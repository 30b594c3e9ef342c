"""What simulated devices must remember between runs: nonces, counters, sessions and groups, as a JSON file.

A network server refuses a DevNonce or a frame counter it has seen (LoRaWAN 1.0.4 §6.2.5, §4.3.1.5): a device that
forgets cannot come back. Sessions hold their keys, so only the file's owner may read it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from bench.errors import UsageError
from bench.store.atomic import aside
from lorawan.device import DeviceMemory
from lorawan.errors import FrameError, MisuseError
from lorawan.ids import Eui64


def read_memories(path: Path) -> dict[Eui64, DeviceMemory]:
    """By DevEUI; empty where there is no file yet. Raises UsageError for a file that is something else."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("an object is due")
        return {Eui64.from_hex(eui): _value(DeviceMemory, entry, eui) for eui, entry in found.items()}
    except (ValueError, FrameError, MisuseError, RecursionError) as error:
        raise UsageError(f"{path}: {error}", hint="it is no memory of simulated devices; take another file") from None


def write_memories(path: Path, memories: Mapping[Eui64, DeviceMemory]) -> None:
    """Replace the file as a whole."""
    data = {str(eui): asdict(memory) for eui, memory in sorted(memories.items())}
    with aside(path) as partial:
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(data, indent=1, default=bytes.hex) + "\n", encoding="utf-8")


def _value(kind: Any, found: object, where: str) -> Any:
    """A value of the type `kind` from what JSON made of it. Raises ValueError, which says where."""
    if isinstance(kind, UnionType):
        if found is None and NoneType in get_args(kind):
            return None
        (kind,) = (option for option in get_args(kind) if option is not NoneType)
    if is_dataclass(kind):
        return _record(kind, found, where)
    if get_origin(kind) is tuple and isinstance(found, list):
        return tuple(_value(get_args(kind)[0], item, f"{where}[{i}]") for i, item in enumerate(found))
    if issubclass(kind, StrEnum) and isinstance(found, str):
        return kind(found)
    if issubclass(kind, bytes) and isinstance(found, str):
        return kind(bytes.fromhex(found))
    if kind in (bool, float) and type(found) is kind:
        return found
    if issubclass(kind, int) and kind is not bool and type(found) is int:
        return kind(found)
    raise ValueError(f"{where} is not what a device remembers there")


def _record(kind: Any, found: object, where: str) -> Any:
    types = get_type_hints(kind)
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    if not isinstance(found, dict) or not needed <= set(found) <= set(types):
        raise ValueError(f"{where} is not what a device remembers there")
    return kind(**{name: _value(types[name], item, f"{where}.{name}") for name, item in found.items()})
