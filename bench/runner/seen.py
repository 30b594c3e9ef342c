"""What a look at a world's uplinks tells, gathered day by day so that memory holds a day and not a month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from bench.store.atomic import aside
from bench.store.parquet import unit_of
from lorawan.trace import Outcome
from radio_sim.batch import OUTCOME_NAMES, BatchWorld

RSSI_EDGES = np.arange(-145.5, -39.5, 3.0)
SNR_EDGES = np.arange(-25.5, 16.5, 1.0)
NOTHING = len(OUTCOME_NAMES)
"""In place of an outcome's code: a sensor sent nothing that day."""
_DELIVERED = OUTCOME_NAMES.tolist().index(Outcome.DELIVERED)


@dataclass(slots=True)
class Seen:
    """Histograms over received uplinks at their best gateway, and what became of each sensor's frames.

    outcomes [sensor, outcome]: frames of all days. daily [sensor, day]: the outcome, by code, that cost most of the
    frames lost on that day, in a tie the furthest stage; DELIVERED where none was lost, NOTHING where none was sent. A
    frame in the air at midnight counts on the day on which it ends. closed: `outcomes` up to the last day in `daily`.
    """

    rssi: npt.NDArray[np.int64]
    snr: npt.NDArray[np.int64]
    outcomes: npt.NDArray[np.int64]
    daily: npt.NDArray[np.uint8]
    closed: npt.NDArray[np.int64]
    uplinks: int = 0
    received: int = 0
    gateways: int = 0
    airtime_us: int = 0

    @classmethod
    def of(cls, sensors: int, days: int) -> Seen:
        """Nothing seen yet."""
        return cls(
            np.zeros(len(RSSI_EDGES) - 1, np.int64),
            np.zeros(len(SNR_EDGES) - 1, np.int64),
            np.zeros((sensors, len(OUTCOME_NAMES)), np.int64),
            np.full((sensors, days), NOTHING, np.uint8),
            np.zeros((sensors, len(OUTCOME_NAMES)), np.int64),
        )

    def take(self, uplinks: npt.NDArray[Any], _downlinks: npt.NDArray[Any]) -> None:
        """Raw records of `radio_sim.batch`, as its sink gives them."""
        heard = uplinks["n_gateways"] > 0
        self._add(
            uplinks["best_rssi_dbm"][heard],
            uplinks["best_snr_quarters"][heard] / 4.0,
            uplinks["n_gateways"],
            uplinks["airtime_us"],
        )
        np.add.at(self.outcomes, (uplinks["device"], uplinks["outcome"]), 1)

    def take_columns(self, columns: Mapping[str, npt.NDArray[Any]], world: BatchWorld) -> None:
        """The same from columns of `lorawan.trace`."""
        heard = columns["n_gateways"] > 0
        self._add(
            columns["best_rssi_dbm"][heard],
            columns["best_snr_db"][heard],
            columns["n_gateways"],
            columns["airtime_us"],
        )
        index = {name: i for i, name in enumerate(world.devices.ids)}
        code = {name: i for i, name in enumerate(OUTCOME_NAMES.tolist())}
        rows = [index[name] for name in columns["device"].tolist()]
        np.add.at(self.outcomes, (rows, [code[name] for name in columns["outcome"].tolist()]), 1)

    def end_day(self, day: int) -> None:
        """All frames that ended on this day, and none later, have been taken."""
        sent = self.outcomes - self.closed
        self.closed = self.outcomes.copy()
        lost = sent.copy()
        lost[:, _DELIVERED] = 0
        self.daily[:, day] = np.where(lost.any(axis=1), lost.argmax(axis=1), _DELIVERED)
        self.daily[~sent.any(axis=1), day] = NOTHING

    def _add(
        self,
        rssi_dbm: npt.NDArray[Any],
        snr_db: npt.NDArray[Any],
        gateways: npt.NDArray[Any],
        airtime_us: npt.NDArray[Any],
    ) -> None:
        self.rssi += np.histogram(rssi_dbm, RSSI_EDGES)[0]
        self.snr += np.histogram(snr_db, SNR_EDGES)[0]
        self.uplinks += len(gateways)
        self.received += len(rssi_dbm)
        self.gateways += int(gateways.sum())
        self.airtime_us += int(airtime_us.sum())


def middle(counts: npt.NDArray[np.int64], edges: npt.NDArray[np.float64]) -> float | None:
    """The median of a histogram, to half a bin; None where it is empty."""
    if not counts.sum():
        return None
    at = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return float((edges[at] + edges[at + 1]) / 2)


@contextmanager
def parquet_days(path: Path | None) -> Iterator[ParquetDays | None]:
    """A writer of uplinks whose file appears whole or not at all; None where none are to be written."""
    if path is None:
        yield None
        return
    with aside(path) as partial:
        writer = ParquetDays(partial)
        try:
            yield writer
        finally:
            writer.close()


class ParquetDays:
    """Uplinks written a day at a time, one row group each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def add(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        """One day."""
        table = pa.table({name: _arrow(values) for name, values in columns.items()})
        fields = [field.with_metadata({"unit": unit_of(field.name)}) for field in table.schema]
        table = table.cast(pa.schema(fields))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        """End the file."""
        if self._writer is not None:
            self._writer.close()


def _arrow(values: npt.NDArray[Any]) -> pa.Array:
    array = pa.array(values.tolist() if values.dtype.kind == "U" else values)
    return array.dictionary_encode() if values.dtype.kind == "U" else array
