"""Which sensor was heard on which civil day, and the scores that the convention's measures are made of.

*Heard that day*: the network core accepted at least one data uplink of it (MIC right, new counter, FPort 1–223) whose
frame began on that civil day. Joins, FPort 0 and repeats of a counter value do not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lorawan.trace import FrameKind

Columns: TypeAlias = Mapping[str, NDArray[Any]]
"""Trace columns keyed by the field names of `lorawan.trace.UplinkRecord`, all of one length."""

WINDOW_DAYS = 14  # Annexe 4 §2.4: "au cours des 14 derniers jours"


@dataclass(frozen=True, slots=True)
class HeardMatrix:
    """heard[sensor, day]: the warm-up days first, then the scored ones. devices: the trace's names, in row order."""

    devices: tuple[str, ...]
    heard: NDArray[np.bool_]
    warmup_days: int

    def __post_init__(self) -> None:
        if self.heard.ndim != 2 or self.heard.shape[0] != len(self.devices):
            raise ValueError(f"{self.heard.shape} heard days for {len(self.devices)} devices")
        if not 0 <= self.warmup_days < self.heard.shape[1]:
            raise ValueError(f"no scored day in {self.heard.shape[1]} days of which {self.warmup_days} are warm-up")

    @property
    def scored(self) -> NDArray[np.bool_]:
        """The scored days alone."""
        return self.heard[:, self.warmup_days :]

    def rows(self, keep: NDArray[np.bool_]) -> HeardMatrix:
        """The sensors marked in `keep`."""
        names = tuple(name for name, kept in zip(self.devices, keep, strict=True) if kept)
        return HeardMatrix(names, self.heard[keep], self.warmup_days)


def accepted_data(columns: Columns) -> NDArray[np.bool_]:
    """Rows that make a sensor heard."""
    f_port = columns["f_port"]
    is_data = columns["kind"] == str(FrameKind.DATA)
    return np.asarray(columns["accepted"].astype(bool) & is_data & (f_port >= 1) & (f_port <= 223), dtype=np.bool_)


def heard_matrix(columns: Columns, devices: Sequence[str], bounds_us: Sequence[int], warmup_days: int) -> HeardMatrix:
    """Mark every day on which a device was heard.

    columns: kind, device, f_port, accepted, t_us. devices: every sensor in service, heard or not; rows of other devices
    are passed over. bounds_us: from `civil_day_bounds_us`, one more than days; frames outside them are passed over.
    """
    keep = accepted_data(columns)
    names = columns["device"][keep]
    day = np.searchsorted(np.asarray(bounds_us, dtype=np.int64), columns["t_us"][keep], side="right") - 1
    n_days = len(bounds_us) - 1
    row_of = {name: row for row, name in enumerate(devices)}
    found, inverse = np.unique(names.astype(str), return_inverse=True)
    row = np.array([row_of.get(str(name), -1) for name in found], dtype=np.int64)[inverse]
    inside = (row >= 0) & (day >= 0) & (day < n_days)
    heard = np.zeros((len(devices), n_days), dtype=np.bool_)
    heard[row[inside], day[inside]] = True
    return HeardMatrix(tuple(devices), heard, warmup_days)


def daily_scores(matrix: HeardMatrix) -> NDArray[np.float64]:
    """[sensor, scored day]: 1 where heard that day."""
    return matrix.scored.astype(np.float64)


def connectivity_scores(matrix: HeardMatrix) -> NDArray[np.float64]:
    """[sensor, 1]: the share of the scored days on which the sensor was heard."""
    return np.asarray(matrix.scored.mean(axis=1, keepdims=True), dtype=np.float64)


def lenient_scores(matrix: HeardMatrix) -> NDArray[np.float64]:
    """[sensor, 1]: 1 where heard at least once in the month."""
    return np.asarray(matrix.scored.any(axis=1, keepdims=True), dtype=np.float64)


def fortnight_scores(matrix: HeardMatrix) -> NDArray[np.float64]:
    """[sensor, scored day d]: 1 where heard in days d − 13 … d.

    Windows reach back into the warm-up; where that is shorter than 13 days they hold the days there are.
    """
    seen = np.cumsum(matrix.heard, axis=1, dtype=np.int64)
    before = np.zeros_like(seen)
    if seen.shape[1] > WINDOW_DAYS:
        before[:, WINDOW_DAYS:] = seen[:, :-WINDOW_DAYS]
    return ((seen - before)[:, matrix.warmup_days :] > 0).astype(np.float64)
