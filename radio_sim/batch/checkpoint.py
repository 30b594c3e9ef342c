"""A sweep's state on disk: npz with a version and a hash of the world, written aside and renamed."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import numpy as np

from radio_sim.batch import layout as lay

CONSTANT = (
    "par", "cfg", "gain_db", "sensitivity_mw", "ratios", "airtimes", "symbols_us", "power_steps", "fades", "normals",
    "channel_band", "band_limit", "max_mac", "max_app", "down_from", "down_to", "bounds",
)  # fmt: skip
"""What follows from the world: hashed, not stored."""
_SCRATCH = ("draws", "keys")


def world_hash(s: lay.Sweep) -> str:
    """A hash of everything the world settles before it runs."""
    digest = sha256()
    steady = () if len(s.slow_db) else ("gain_mw",)
    for name in (*CONSTANT, *steady):
        array = np.ascontiguousarray(getattr(s, name))
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, s: lay.Sweep) -> None:
    """Write it whole or not at all."""
    arrays = {name: array for name, array in zip(s._fields, s, strict=True) if name not in CONSTANT + _SCRATCH}
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as file:
            np.savez(file, allow_pickle=False, layout=np.array(lay.LAYOUT), world=np.array(world_hash(s)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_checkpoint(path: Path, fresh: lay.Sweep) -> lay.Sweep:
    """The state of a checkpoint. fresh: the world's state at instant 0. Raises ValueError for another world."""
    with np.load(path, allow_pickle=False) as stored:
        if "layout" not in stored or int(stored["layout"]) != lay.LAYOUT:
            raise ValueError(f"{path}: not a checkpoint of state layout {lay.LAYOUT}")
        if str(stored["world"]) != world_hash(fresh):
            raise ValueError(f"{path}: a checkpoint of another world")
        changed = {name: stored[name] for name in fresh._fields if name not in CONSTANT + _SCRATCH}
        for name, array in changed.items():
            if array.dtype != getattr(fresh, name).dtype:
                raise ValueError(f"{path}: {name} is {array.dtype}")
        return fresh._replace(**changed)
