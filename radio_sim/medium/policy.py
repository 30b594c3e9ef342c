"""The named rules by which frames at a receiver destroy each other.

Every policy compares energies: a frame is lost at a gateway when, for some spreading factor j, its own energy over its
critical section divided by the energy of all frames of SF j on its channel within that section stays below the policy's
threshold for (own SF, j). Energy is received power × overlap. Frames below sensitivity interfere as well.

| policy | takes a demodulator | critical section | thresholds |
| --- | --- | --- | --- |
| `aloha` | at its start | whole frame | any overlap with the same SF destroys; other SFs never |
| `energy` | at its start | whole frame | Goursaud and Gorce 2015 |
| `product` | at the end of its preamble | last five preamble symbols to the end | Croce et al. 2018; same SF 6 dB |

`product` also wants the last five preamble symbols clear to lock at all: energy there at least 6 dB above the energy of
the same SF. A frame that does not lock takes no demodulator; one that locks keeps it to its end, even if destroyed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

SF_MIN, SF_MAX, SF_COUNT = 7, 12, 6

LOCK_SYMBOLS = 5
"""The preamble symbols a receiver needs to lock. Source: Bor, Roedig, Voigt, Alonso, "Do LoRa Low-Power Wide-Area
Networks Scale?", MSWiM 2016: reception survives when the last five preamble symbols are free of interference."""

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class InterferencePolicy:
    """A named interference rule; `radio_sim.medium.policy` says what its fields do.

    sir_threshold_db: rows own SF7–12, columns interferer SF7–12; +inf any overlap destroys, −inf none does.
    lock_sir_db: None locks at the start of the frame.
    """

    name: str
    sir_threshold_db: Matrix
    lock_sir_db: float | None = None

    def __post_init__(self) -> None:
        if len(self.sir_threshold_db) != SF_COUNT or any(len(row) != SF_COUNT for row in self.sir_threshold_db):
            raise ValueError(f"interference policy {self.name!r}: the matrix is not 6 × 6")

    def thresholds(self) -> npt.NDArray[np.float64]:
        """The matrix as energy ratios, ±inf as ratios beyond any link budget."""
        ratios: npt.NDArray[np.float64] = 10.0 ** (np.clip(np.array(self.sir_threshold_db), -400.0, 400.0) / 10.0)
        return ratios


ALOHA = InterferencePolicy(
    "aloha", tuple(tuple(math.inf if own == other else -math.inf for other in range(6)) for own in range(6))
)

ENERGY = InterferencePolicy(
    "energy",
    (
        (6, -16, -18, -19, -19, -20),
        (-24, 6, -20, -22, -22, -22),
        (-27, -27, 6, -23, -25, -25),
        (-30, -30, -30, 6, -26, -28),
        (-33, -33, -33, -33, 6, -29),
        (-36, -36, -36, -36, -36, 6),
    ),
)
"""Source: Goursaud and Gorce, "Dedicated networks for IoT: PHY / MAC state of the art and challenges", EAI Endorsed
Transactions on IoT 1(1), 2015, as the ns-3 lorawan module applies it."""

PRODUCT = InterferencePolicy(
    "product",
    (
        (6, -8, -9, -9, -9, -9),
        (-11, 6, -11, -12, -13, -13),
        (-15, -13, 6, -13, -14, -15),
        (-19, -18, -17, 6, -17, -18),
        (-22, -22, -21, -20, 6, -20),
        (-25, -25, -25, -24, -23, 6),
    ),
    lock_sir_db=6.0,
)
"""Source, off the diagonal: Croce, Gucciardo, Mangione, Santaromita, Tinnirello, "Impact of LoRa Imperfect
Orthogonality: Analysis of Link-Level Performance", IEEE Communications Letters 22(4), 2018 (as FLoRa carries it too).
On the diagonal the paper measures 1 dB; 6 dB is the vendor's and Goursaud's figure and taken here as the safer one."""

POLICIES: Mapping[str, InterferencePolicy] = MappingProxyType({p.name: p for p in (ALOHA, ENERGY, PRODUCT)})
"""The policies by name."""
