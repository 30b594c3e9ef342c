"""Which commune a place belongs to, and what coverage means for it: by area, by household, by device.

Outlines are not at hand. A place is given to the commune of the nearest centre, weighted by area: the one with the
least distance / √area, and to none beyond the radius of a disc of its area [assumption].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radio_sim.coverage.results import Coverage
from radio_sim.model import Floats

NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Disc:
    """A commune as far as it is known: its centre in m of the grid's coordinates, and its area in km² > 0."""

    name: str
    x_m: float
    y_m: float
    area_km2: float


def commune_of(x_m: npt.ArrayLike, y_m: npt.ArrayLike, discs: Sequence[Disc]) -> npt.NDArray[np.int16]:
    """Index of each place's disc, NOWHERE for none. x_m, y_m broadcast."""
    x, y = np.broadcast_arrays(np.asarray(x_m, float), np.asarray(y_m, float))
    owner = np.full(x.shape, NOWHERE, np.int16)
    nearest = np.ones(x.shape)  # in radii: beyond 1 nobody owns it
    for index, disc in enumerate(discs):
        radius_2 = disc.area_km2 * 1e6 / np.pi
        ratio = ((x - disc.x_m) ** 2 + (y - disc.y_m) ** 2) / radius_2
        closer = ratio <= nearest
        owner[closer] = index
        np.copyto(nearest, ratio, where=closer)
    return owner


@dataclass(frozen=True, slots=True)
class Share:
    """Coverage of a set of places. count: of places with a known loss; unknown: of the others.

    heard: share that a gateway hears at SF12 in the median, twice: that two or more do; probability: mean probability
    of reception, which is the share to expect; margin_p10_db, margin_p50_db: SF12 margin exceeded by 90 % and 50 % of
    the places; sf7: share where SF7 may be used.
    """

    name: str
    placement: str
    count: int
    unknown: int
    heard: float
    twice: float
    probability: float
    margin_p10_db: float
    margin_p50_db: float
    sf7: float


def share_of(name: str, coverage: Coverage, chosen: npt.NDArray[np.bool_] | None = None) -> Share:
    """The shares over the chosen places, or over all; NaN where there are none."""
    pick = np.ones(coverage.known.shape, bool) if chosen is None else chosen
    known = pick & coverage.known
    count = int(known.sum())
    if not count:
        nan = float("nan")
        return Share(name, coverage.placement, 0, int(pick.sum()), nan, nan, nan, nan, nan, nan)
    margin: Floats = coverage.margin_db[known].astype(float)
    p10, p50 = np.percentile(margin, (10, 50))
    gateways = coverage.gateways[known]
    return Share(
        name=name,
        placement=coverage.placement,
        count=count,
        unknown=int(pick.sum()) - count,
        heard=float((gateways >= 1).mean()),
        twice=float((gateways >= 2).mean()),
        probability=float(coverage.probability[known].astype(float).mean()),
        margin_p10_db=float(p10),
        margin_p50_db=float(p50),
        sf7=float((coverage.sf[known] == 7).mean()),
    )


def shares_by(names: Sequence[str], owner: npt.NDArray[np.int16], coverage: Coverage) -> list[Share]:
    """One share a name, for the places whose owner is its index."""
    return [share_of(name, coverage, owner == index) for index, name in enumerate(names)]
