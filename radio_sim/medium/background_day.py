"""Frames of sensors that are not simulated one by one, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorawan.machine import Instant


@dataclass(frozen=True, slots=True, eq=False)
class BackgroundDay:
    """A span of background traffic at 125 kHz, in rising order of start.

    start_us, airtime_us: int64; sf: int8, 7–12; channel: int8, index into freqs_hz; power_dbm: float32 [frame,
    gateway], received. t0_us … t1_us: the span in which the frames start. Raises ValueError when these do not agree.
    """

    t0_us: Instant
    t1_us: Instant
    freqs_hz: tuple[int, ...]
    start_us: npt.NDArray[np.int64]
    airtime_us: npt.NDArray[np.int64]
    sf: npt.NDArray[np.int8]
    channel: npt.NDArray[np.int8]
    power_dbm: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.start_us)
        if not n == len(self.airtime_us) == len(self.sf) == len(self.channel) == len(self.power_dbm):
            raise ValueError("the arrays of a background day have different lengths")
        if n and bool((np.diff(self.start_us) < 0).any()):
            raise ValueError("background frames must be in rising order of start")
        if n and not (int(self.sf.min()) >= 7 and int(self.sf.max()) <= 12):
            raise ValueError("background frames must have SF7 to SF12")

    def __len__(self) -> int:
        return len(self.start_us)
