"""The probability that at least one gateway hears a place, over what is not known about it.

Margins are normal about their median with σ, of which a share ρ is common to all gateways (the device's own street) and
the rest is each link's own; the entry loss of the placement class is common to all gateways too. Given the common part
the links are independent:

    P = E over the common part x of 1 − Π_g (1 − Φ((margin_g − x) / (σ·√(1 − ρ))))

The expectation is a Gauss rule for the very distribution of x, built from its discrete form, so a placement needs not
be normal. Source of the split: 3GPP TR 36.814 annex A.2.1.1 (0.5 between sites); Golub, Welsch, "Calculation of Gauss
Quadrature Rules", Mathematics of Computation 23, 1969; Stieltjes' procedure: Gautschi, "Orthogonal Polynomials", 2004.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from radio_sim.compiled import kernel
from radio_sim.coverage.budgets import Losses
from radio_sim.model import Floats
from radio_sim.propagation.placement import Placement

NODES = 14
_STEPS = 4096
_REACH = 6.0  # beyond six σ, Φ is 0 or 1 to 1e-9
_PHI = np.asarray(ndtr(np.linspace(-_REACH, _REACH, _STEPS + 1)))
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Spread:
    """What is not known about a place of this class.

    nodes_db, weights: Gauss rule of the loss common to all gateways (common shadowing + entry loss of the placement);
    own_sigma_db: of each link apart from that. median_entry_db: of the placement.
    """

    nodes_db: tuple[float, ...]
    weights: tuple[float, ...]
    own_sigma_db: float
    median_entry_db: float


def spread_of(
    placement: Placement, *, sigma_db: float, site_correlation: float, freq_hz: float, nodes: int = NODES
) -> Spread:
    """The spread of a placement class under shadowing of sigma_db ≥ 0 with 0 ≤ site_correlation ≤ 1 between sites."""
    if sigma_db < 0 or not 0 <= site_correlation <= 1:
        raise ValueError(f"σ {sigma_db:g} dB or site correlation {site_correlation:g} is out of range")
    # The mid-points of equal shares stand for a law; 400 of each make the rule exact to 1e-3 of probability.
    shares = (np.arange(400) + 0.5) / 400
    shadowing = sigma_db * np.sqrt(site_correlation) * np.asarray(ndtri(shares))
    entry = np.broadcast_to(np.asarray(placement.loss_db(shares, freq_hz), float), shares.shape)
    at, weights = _gauss_rule((shadowing[:, None] + entry[None, :]).ravel(), nodes)
    median = float(placement.loss_db(0.5, freq_hz))
    return Spread(tuple(at.tolist()), tuple(weights.tolist()), sigma_db * float(np.sqrt(1 - site_correlation)), median)


def _gauss_rule(values: Floats, nodes: int) -> tuple[Floats, Floats]:
    """Nodes and weights of the Gauss rule for the equally weighted values, by Stieltjes' procedure."""
    centre, width = float(values.mean()), float(values.std())
    if width < 1e-9:
        return np.array([centre]), np.ones(1)
    z = (values - centre) / width
    before, now = np.zeros_like(z), np.ones_like(z)
    diagonal: list[float] = []
    off: list[float] = []
    norm = float(len(z))
    for k in range(nodes):
        diagonal.append(float((z * now * now).sum()) / norm)
        before, now = now, (z - diagonal[-1]) * now - (off[-1] ** 2 if off else 0.0) * before
        following = float((now * now).sum())
        if k < nodes - 1:
            off.append(float(np.sqrt(following / norm)))
        norm = following
    at, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return centre + width * at, vectors[0] ** 2


@kernel
def _any_heard(
    margins: Losses, nodes: Floats, weights: Floats, own_sigma: float, phi: Floats, start: int, stop: int, out: Losses
) -> None:
    scale = 1.0 / max(own_sigma, 1e-6)
    last = len(phi) - 1
    per_unit = last / (2.0 * _REACH)
    for i in range(start, stop):
        total, known = 0.0, False
        for k in range(len(nodes)):
            missed = 1.0
            for g in range(margins.shape[0]):
                margin = margins[g, i]
                if not np.isfinite(margin):
                    continue
                known = True
                at = ((margin - nodes[k]) * scale + _REACH) * per_unit
                if at >= last:
                    missed = 0.0
                    break
                if at > 0.0:
                    j = int(at)
                    missed *= 1.0 - (phi[j] + (phi[j + 1] - phi[j]) * (at - j))
            total += weights[k] * (1.0 - missed)
        out[i] = min(total, 1.0) if known else np.nan


def heard_probability(margins_db: Losses, spread: Spread, *, threads: int = 1) -> Losses:
    """Probability that at least one gateway hears each place; shape of one gateway's margins.

    margins_db: float32 [gateway, …], SNR above the floor for a loss without entry loss; NaN is a gateway that cannot be
    judged, and a place where none can is NaN. The result does not depend on threads.
    """
    flat = np.ascontiguousarray(margins_db.reshape(margins_db.shape[0], -1), np.float32)
    out = np.empty(flat.shape[1], np.float32)
    nodes, weights = np.array(spread.nodes_db), np.array(spread.weights)

    def part(start: int) -> None:
        stop = min(start + _CHUNK, flat.shape[1])
        _any_heard(flat, nodes, weights, spread.own_sigma_db, _PHI, start, stop, out)

    starts = range(0, flat.shape[1], _CHUNK)
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(part, starts))
    else:
        for start in starts:
            part(start)
    return out.reshape(margins_db.shape[1:])


def probability_of(margins_db: npt.ArrayLike, spread: Spread) -> float:
    """`heard_probability` of one place: margins_db [gateway]."""
    margins = np.asarray(margins_db, np.float32).reshape(-1, 1)
    return float(heard_probability(margins, spread)[0])
