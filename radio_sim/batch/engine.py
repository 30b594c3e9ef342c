"""The batch tier's engine: runs a world to any instant, stops there, and goes on, here or in another process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from lorawan.machine import Instant
from radio_sim.batch import layout as lay
from radio_sim.batch.build import build, grown, shrunk
from radio_sim.batch.checkpoint import read_checkpoint, write_checkpoint
from radio_sim.batch.memory import Memory
from radio_sim.batch.records import DownlinkColumns, UplinkColumns, downlink_columns, uplink_columns
from radio_sim.batch.sweep import sweep
from radio_sim.batch.world import BatchWorld

Records = Literal["none", "uplinks", "all"]
_RECORDS: dict[Records, int] = {"none": 0, "uplinks": 1, "all": 3}
Sink = Callable[[lay.Array, lay.Array], None]
"""Takes raw uplink and downlink records (`layout.UPLINK_RECORD`, `layout.DOWNLINK_RECORD`), in order of their ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Counters:
    """What a run has counted. Every uplink that has ended is in exactly one outcome class.

    by_sf [SF7–12, outcome], by_gateway [gateway, outcome]: outcomes as `OUTCOME_NAMES`; at a gateway DELIVERED means
    received there. totals: by name, as `layout.TOTALS`.
    """

    by_sf: npt.NDArray[np.int64]
    by_gateway: npt.NDArray[np.int64]
    totals: dict[str, int]

    @property
    def uplinks(self) -> int:
        """Uplinks that have ended, repeats and joins included."""
        return int(self.by_sf.sum())

    @property
    def outcomes(self) -> npt.NDArray[np.int64]:
        """Uplinks by outcome."""
        total: npt.NDArray[np.int64] = self.by_sf.sum(axis=0)
        return total


class Batch:
    """One world under way. Its state is the arrays of one `layout.Sweep` and nothing else.

    records: what is recorded of every frame; "none" leaves the counters and `heard`. record_capacity: of the buffer
    that is drained when it is full.
    """

    def __init__(self, world: BatchWorld, *, records: Records = "none", record_capacity: int = 1 << 16) -> None:
        self.world = world
        self._sweep = build(world, records=_RECORDS[records], record_capacity=record_capacity)

    @property
    def now(self) -> Instant:
        """Everything before this instant has happened."""
        return int(self._sweep.scalars[0]["now"])

    def run(self, until: Instant, sink: Sink | None = None) -> None:
        """Go on to `until`, events of that instant excluded. Records go to `sink` as the buffer fills, and at the end.

        Without a sink they stay in the buffer, which grows.
        """
        self._sweep = shrunk(self._sweep)
        while (reason := int(sweep(cast(lay.Sweep, Memory(self._sweep)), until))) != lay.REACHED:
            if reason != lay.RECORDS_FULL:
                self._sweep = grown(self._sweep, reason)
            elif sink is not None:
                self._drain(sink)
            else:
                self._sweep = _with_longer_records(self._sweep)
        if sink is not None:
            self._drain(sink)

    def _drain(self, sink: Sink) -> None:
        sc = self._sweep.scalars[0]
        ups, downs = int(sc["records_n"]), int(sc["downs_n"])
        sc["records_n"] = sc["downs_n"] = 0
        sink(self._sweep.records[:ups].copy(), self._sweep.down_records[:downs].copy())

    def take(self) -> tuple[UplinkColumns, DownlinkColumns]:
        """What has been recorded since the last time, as columns named as in `lorawan.trace`, by start of frame."""
        taken: list[tuple[lay.Array, lay.Array]] = []
        self._drain(lambda ups, downs: taken.append((ups, downs)))
        ((ups, downs),) = taken
        return uplink_columns(ups, self.world), downlink_columns(downs, self.world)

    @property
    def heard(self) -> npt.NDArray[np.bool_]:
        """heard [device, day]: the network accepted a reading whose frame began on that civil day."""
        packed = self._sweep.heard[: len(self.world.devices)]
        days = len(self.world.bounds_us) - 1
        return np.unpackbits(packed, axis=1, count=days, bitorder="little").astype(np.bool_)

    @property
    def counters(self) -> Counters:
        """Counts so far."""
        s = self._sweep
        totals = dict(zip(lay.TOTALS, s.totals.tolist(), strict=True))
        return Counters(s.by_sf.copy(), s.by_gateway.copy(), totals)

    @property
    def spreading_factors(self) -> npt.NDArray[np.int64]:
        """The SF each device sends its next frame with."""
        return 12 - self._sweep.dev["dr"][: len(self.world.devices)].astype(np.int64)

    @property
    def joined(self) -> npt.NDArray[np.bool_]:
        """Whether each device has a session."""
        return self._sweep.dev["joined"][: len(self.world.devices)].astype(np.bool_)

    @property
    def state_bytes(self) -> int:
        """Memory of the state, record buffers left out."""
        return sum(a.nbytes for name, a in zip(self._sweep._fields, self._sweep, strict=True) if "record" not in name)

    def digest(self) -> str:
        """A hash of counters, heard days and devices: equal for equal histories."""
        s = self._sweep
        parts = (s.dev, s.heard, s.by_sf, s.by_gateway, s.totals, s.gain_mw, s.history_snr, s.history_gap)
        digest = sha256()
        for part in parts:  # field by field: the padding between fields says nothing
            for column in (part,) if part.dtype.names is None else (part[name] for name in part.dtype.names):
                digest.update(np.ascontiguousarray(column).tobytes())
        return digest.hexdigest()

    def save(self, path: Path) -> None:
        """Write a checkpoint (npz), aside first, then in its place."""
        write_checkpoint(path, self._sweep)

    @classmethod
    def resume(cls, world: BatchWorld, path: Path, *, records: Records = "none") -> Batch:
        """Go on from a checkpoint. Raises ValueError when it is of another world or another version."""
        self = cls.__new__(cls)
        self.world = world
        self._sweep = read_checkpoint(path, build(world, records=_RECORDS[records], record_capacity=1))
        return self


def _with_longer_records(s: lay.Sweep) -> lay.Sweep:
    return s._replace(
        records=np.concatenate([s.records, np.zeros_like(s.records)]),
        down_records=np.concatenate([s.down_records, np.zeros_like(s.down_records)]),
    )
