"""A sweep held against the exact profiles of a sample of its own pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lorawan.draws import Draws
from radio_sim.coverage.sweep import DEFAULT, Options, Surroundings, Transmitter, exact_losses
from radio_sim.coverage.sweep_sampling import Raster
from radio_sim.draws import integer, keys_at
from radio_sim.propagation.p1812 import P1812Parameters

CHECKED_PIXELS = 200
"""Pixels a gateway that every sweep holds against their exact profiles, about 20 µs each."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """Pixels compared, and |swept − exact| over them; 0 samples: nothing was swept.

    differing: of them known to one of the two alone, and counted in no figure.
    """

    samples: int
    mean_db: float = 0.0
    p99_db: float = 0.0
    worst_db: float = 0.0
    differing: int = 0

    @classmethod
    def of(cls, errors: Sequence[Raster], differing: int = 0) -> SelfCheck:
        """Of errors in dB, NaN where there is none."""
        every = np.abs(np.concatenate([np.zeros(0, np.float32), *errors]).astype(float))
        every = every[~np.isnan(every)]
        if not every.size:
            return cls(0, differing=differing)
        return cls(every.size, float(every.mean()), float(np.percentile(every, 99)), float(every.max()), differing)

    def __str__(self) -> str:
        if not self.samples:
            return "nothing swept: every pixel is computed by itself"
        return (
            f"{self.samples} pixels against their exact profiles: mean {self.mean_db:.2f} dB, "
            f"99 % within {self.p99_db:.2f} dB, worst {self.worst_db:.2f} dB"
        )


def sampled_errors(
    loss_db: Raster,
    around: Surroundings,
    tx: Transmitter,
    rx_height_agl_m: float,
    parameters: P1812Parameters,
    options: Options = DEFAULT,
    *,
    pixels: int = CHECKED_PIXELS,
    draws: Draws | None = None,
) -> tuple[Raster, int]:
    """Swept − exact in dB at drawn pixels, NaN where either is unknown, and how many only one of the two knows.

    The draws are keyed: the same pixels for the same raster size unless other draws are given.
    """
    ny, nx = loss_db.shape
    flat = integer(keys_at(draws or Draws.of_seed(0), "coverage self-check"), ny * nx, np.arange(pixels))
    rows, cols = flat // nx, flat % nx
    swept = loss_db[rows, cols]
    exact = exact_losses(around, tx, rx_height_agl_m, parameters, rows, cols, options)
    return swept - exact, int((np.isnan(swept) != np.isnan(exact)).sum())
