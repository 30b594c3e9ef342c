"""The terrain under one link: curvature, line of sight, first Fresnel zone, and what stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from radio_sim.model import EARTH_RADIUS_M, SPEED_OF_LIGHT_M_S, Floats

EFFECTIVE_EARTH = 4.0 / 3.0
"""k of a median atmosphere. Source: Recommendation ITU-R P.530-18 §2.2.1 and P.834: k = 4/3."""
FREE_SHARE = 0.6
"""Ground that stays out of 0.6 of the first Fresnel zone costs almost nothing. Source: ITU-R P.530-18 §2.2.2."""


@dataclass(frozen=True, slots=True)
class Obstruction:
    """A stretch of ground that reaches into 0.6 of the first Fresnel zone.

    from_m, to_m: along the path; worst_m: where the clearance is least; clearance_m: line of sight minus ground and
    earth bulge there, negative where it blocks the view; share: clearance / radius of the zone.
    """

    from_m: float
    to_m: float
    worst_m: float
    clearance_m: float
    share: float

    @property
    def blocks(self) -> bool:
        """Whether the line of sight itself is cut."""
        return self.clearance_m < 0


@dataclass(frozen=True, slots=True, eq=False)
class PathView:
    """A profile as the wave sees it, all arrays [n] in m.

    distance_m from the first antenna; ground_m above sea level; raised_m: ground + bulge of the effective earth above
    the chord; sight_m: straight line between the antennas; fresnel_m: radius of the first Fresnel zone.
    """

    distance_m: Floats
    ground_m: Floats
    raised_m: Floats
    sight_m: Floats
    fresnel_m: Floats
    obstructions: tuple[Obstruction, ...]

    @property
    def clearance_m(self) -> Floats:
        """Line of sight minus raised ground."""
        return self.sight_m - self.raised_m

    @property
    def in_sight(self) -> bool:
        """Whether nothing cuts the line of sight."""
        return not any(o.blocks for o in self.obstructions)


def path_view(
    distance_m: npt.ArrayLike, ground_m: npt.ArrayLike, *, tx_height_m: float, rx_height_m: float, freq_hz: float
) -> PathView:
    """The view along a profile of at least two rising distances; antenna heights above ground, in m.

    Source: ITU-R P.526-15 §2.1 (zone radius, eq. 2) and §3 (bulge d₁·d₂ / 2a of the effective earth).
    """
    d = np.asarray(distance_m, float)
    ground = np.asarray(ground_m, float)
    total = float(d[-1])
    if len(d) < 2 or d.shape != ground.shape or not total > 0:
        raise ValueError("a profile needs two points or more, and a length")
    from_tx, from_rx = d, total - d
    raised = ground + from_tx * from_rx / (2.0 * EFFECTIVE_EARTH * EARTH_RADIUS_M)
    start, end = float(ground[0]) + tx_height_m, float(ground[-1]) + rx_height_m
    sight = start + (end - start) * d / total
    fresnel = np.sqrt(SPEED_OF_LIGHT_M_S / freq_hz * from_tx * from_rx / total)
    return PathView(d, ground, raised, sight, fresnel, _obstructions(d, sight - raised, fresnel))


def _obstructions(d: Floats, clearance: Floats, fresnel: Floats) -> tuple[Obstruction, ...]:
    inside = np.zeros(len(d), bool)
    inside[1:-1] = clearance[1:-1] < FREE_SHARE * fresnel[1:-1]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], inside, [False])).astype(np.int8)))
    found = []
    for start, stop in list(pairwise(edges.tolist()))[::2]:
        shares = clearance[start:stop] / fresnel[start:stop]
        worst = start + int(np.argmin(shares))
        found.append(
            Obstruction(
                float(d[start]), float(d[stop - 1]), float(d[worst]), float(clearance[worst]), float(shares.min())
            )
        )
    return tuple(found)
