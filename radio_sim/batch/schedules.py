"""When devices report: one schedule a device, of any mix of kinds, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorawan.units import US_PER_DAY
from radio_sim.batch.layout import BURSTS, CIVIL, NEVER, PERIODIC, POISSON

Ints = npt.NDArray[np.int64]
IntsLike = npt.ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class Schedules:
    """One element a device; make them with the class methods and join them with `concatenate`.

    drift_ppm: how slow a device's clock runs (negative: fast); it stretches periods and shifts civil slots.
    Raises ValueError when a jitter could change the order of two readings.
    """

    kind: npt.NDArray[np.uint8]
    phase: Ints
    period_us: Ints
    jitter_us: Ints
    gap_us: Ints
    count: Ints
    drift_ppm: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        spacing = np.where(self.kind == CIVIL, US_PER_DAY * 23 // 24 // np.maximum(self.count, 1), self.period_us)
        clocked = (self.kind == CIVIL) | (self.kind == PERIODIC)
        if bool((clocked & (self.count != 1) & (2 * self.jitter_us > spacing)).any()):
            raise ValueError("a jitter of more than half the spacing of readings would change their order")

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def periodic(
        cls,
        phase_us: IntsLike,
        period_us: IntsLike,
        *,
        jitter_us: IntsLike = 0,
        times: IntsLike = 0,
        drift_ppm: npt.ArrayLike = 0.0,
    ) -> Schedules:
        """Every period_us from phase_us on, each up to jitter_us early or late. times 0: for ever."""
        return _make(PERIODIC, phase_us, period_us, jitter_us, 0, times, drift_ppm)

    @classmethod
    def civil_days(
        cls, phase: npt.ArrayLike, per_day: IntsLike, *, jitter_us: IntsLike = 0, drift_ppm: npt.ArrayLike = 0.0
    ) -> Schedules:
        """per_day readings evenly spaced in every civil day, at phase 0 … 1 of their spacing; none leaves its day."""
        part = (np.asarray(phase, dtype=np.float64) * (1 << 53)).astype(np.int64)
        return _make(CIVIL, part, 0, jitter_us, 0, per_day, drift_ppm)

    @classmethod
    def poisson(cls, mean_interval_us: IntsLike) -> Schedules:
        """At random, independently of the past."""
        return _make(POISSON, 0, mean_interval_us, 0, 0, 0, 0.0)

    @classmethod
    def bursts(cls, mean_interval_us: IntsLike, count: IntsLike, gap_us: IntsLike) -> Schedules:
        """Alarms at random, each a burst of `count` readings gap_us apart; the interval runs from a burst's end."""
        return _make(BURSTS, 0, mean_interval_us, 0, gap_us, count, 0.0)

    @classmethod
    def herd(cls, n: int, at_us: int, *, spread_us: int = 0, period_us: int = US_PER_DAY, times: int = 0) -> Schedules:
        """n devices that all report at one instant, up to spread_us off, every period_us; times 0: for ever."""
        return _make(PERIODIC, np.full(n, at_us), period_us, spread_us, 0, times, 0.0)

    @classmethod
    def silent(cls, n: int) -> Schedules:
        """n devices that never report."""
        return _make(NEVER, np.zeros(n), 0, 0, 0, 0, 0.0)

    def rows(self, index: npt.ArrayLike) -> Schedules:
        """The schedules of these devices."""
        chosen = np.asarray(index)
        return Schedules(*(getattr(self, name)[chosen] for name in self.__slots__))

    @staticmethod
    def concatenate(parts: Sequence[Schedules]) -> Schedules:
        """One after the other."""
        return Schedules(*(np.concatenate([getattr(p, name) for p in parts]) for name in Schedules.__slots__))

    def per_second(self) -> float:
        """Readings a second of all devices together."""
        period = np.maximum(self.period_us, 1).astype(np.float64)
        rate = np.select(
            [self.kind == CIVIL, self.kind == BURSTS, self.kind == NEVER],
            [self.count / US_PER_DAY, self.count / period, 0.0],
            1.0 / period,
        )
        return float(rate.sum() * 1e6)


def _make(
    kind: int,
    phase: npt.ArrayLike,
    period_us: npt.ArrayLike,
    jitter_us: npt.ArrayLike,
    gap_us: npt.ArrayLike,
    count: npt.ArrayLike,
    drift_ppm: npt.ArrayLike,
) -> Schedules:
    given = (phase, period_us, jitter_us, gap_us, count, drift_ppm)
    shape = np.broadcast_shapes((1,), *(np.shape(part) for part in given))

    def column(part: npt.ArrayLike) -> Ints:
        return np.broadcast_to(np.asarray(part, dtype=np.int64), shape)

    return Schedules(
        kind=np.full(shape, kind, np.uint8),
        phase=column(phase),
        period_us=column(period_us),
        jitter_us=column(jitter_us),
        gap_us=column(gap_us),
        count=column(count),
        drift_ppm=np.broadcast_to(np.asarray(drift_ppm, dtype=np.float64), shape),
    )
