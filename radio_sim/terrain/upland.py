"""The upland surface between the valleys: the smoothest one that agrees with commune altitudes and spot heights.

Ground = upland · (1 − share) + floor · share, with share and floor from `valleys`, is linear in the upland; so the
upland, bilinear on nodes of 600 m, is a regularised least-squares solution, found in rounds because which point of a
commune is its highest is itself unknown:

- spot heights, σ by their source, with Huber weights (a position 200 m off at a bluff is worth 40 m);
- mean upland of a commune, outside its valleys: some metres below its highest altitude, more where that is high;
- its highest altitude at the present highest point, loosely (it is often a wood or a mound); nothing above it, nothing
  below its lowest altitude, within 0.9 of the radius of a disc of its area, where it surely is the commune;
- thin-plate and membrane energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

NODE_M = 600.0
ROUNDS = 8
# Weights, all chosen by leave-out over the spot heights [assumptions]:
BELOW_TOP_M, BELOW_TOP_SHARE, FLAT_TOP_M = 8.0, 0.4, 95.0
SIGMA_MEAN_M, SIGMA_TOP_M, SIGMA_OVER_M, SIGMA_UNDER_M, SIGMA_TOWN_M, SIGMA_ESTIMATE_M = 7.0, 10.0, 2.0, 4.0, 6.0, 2.0
HUBER_M = 12.0
THIN_PLATE, MEMBRANE = 0.1, 0.003


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Where the ground is looked at: xy [n, 2] in m, and the share and floor in m of `valleys` there."""

    xy: Floats
    share: Floats
    floor: Floats

    def ground(self, upland: Floats) -> Floats:
        """Ground height in m for the upland there."""
        return upland * (1.0 - self.share) + self.floor * self.share


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Heights known at points: at, height_m [n], sigma_m [n]."""

    at: Samples
    height_m: Floats
    sigma_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CommuneSamples:
    """The samples that are a commune's, by index into the samples; core: those that surely are."""

    lowest_m: float
    highest_m: float
    members: Indices
    core: Indices


class Nodes:
    """The lattice the upland is bilinear on: it covers a box in m with two nodes to spare."""

    def __init__(self, west: float, south: float, east: float, north: float) -> None:
        self.x0, self.y0 = west - 2 * NODE_M, south - 2 * NODE_M
        self.nx = int(np.ceil((east - west) / NODE_M)) + 5
        self.ny = int(np.ceil((north - south) / NODE_M)) + 5

    def bilinear(self, xy: Floats) -> Any:
        """Sparse matrix [n, nodes] from node values to values at points."""
        u, v = (xy[:, 0] - self.x0) / NODE_M, (xy[:, 1] - self.y0) / NODE_M
        i, j = np.clip(u.astype(int), 0, self.nx - 2), np.clip(v.astype(int), 0, self.ny - 2)
        a, b = u - i, v - j
        row = np.repeat(np.arange(len(xy)), 4)
        node = j * self.nx + i
        column = np.column_stack([node, node + 1, node + self.nx, node + self.nx + 1]).ravel()
        weight = np.column_stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b]).ravel()
        return sparse.csr_matrix((weight, (row, column)), shape=(len(xy), self.nx * self.ny))

    def energy(self) -> Any:
        """Thin-plate and membrane energy of node values as a quadratic form."""

        def differences(n: int, order: int) -> Any:
            weights = [[-1.0, 1.0], [1.0, -2.0, 1.0]][order - 1]
            return sparse.diags(
                [np.full(n, w) for w in weights], list(range(order + 1)), shape=(n - order, n), format="csr"
            )

        ix, iy = sparse.identity(self.nx), sparse.identity(self.ny)
        xx, yy = sparse.kron(iy, differences(self.nx, 2)), sparse.kron(differences(self.ny, 2), ix)
        xy = sparse.kron(differences(self.ny, 1), differences(self.nx, 1))
        dx, dy = sparse.kron(iy, differences(self.nx, 1)), sparse.kron(differences(self.ny, 1), ix)
        return THIN_PLATE * (xx.T @ xx + yy.T @ yy + 2 * xy.T @ xy) + MEMBRANE * (dx.T @ dx + dy.T @ dy)


def fit_upland(
    nodes: Nodes, samples: Samples, communes: Sequence[CommuneSamples], spots: Spots, rounds: int = ROUNDS
) -> Floats:
    """Upland heights at the nodes, in m, flattened."""
    at_samples, at_spots = nodes.bilinear(samples.xy), nodes.bilinear(spots.at.xy)
    energy = nodes.energy() + 1e-8 * sparse.identity(nodes.nx * nodes.ny)
    means, tops = _commune_means(at_samples, samples, communes)
    spot_rows = sparse.diags(1.0 - spots.at.share) @ at_spots
    spot_values = spots.height_m - spots.at.share * spots.at.floor
    robust = np.ones(len(spot_values))
    upland = np.zeros(0)
    for turn in range(rounds):
        rows = [spot_rows, means]
        values = [spot_values, tops]
        weights = [robust / spots.sigma_m**2, np.full(len(tops), SIGMA_MEAN_M**-2.0)]
        if turn:
            index, value, weight = _bounds(samples.ground(at_samples @ upland), communes)
            rows.append(sparse.diags(1.0 - samples.share[index]) @ at_samples[index])
            values.append(value - samples.share[index] * samples.floor[index])
            weights.append(weight)
        matrix, target, weight = sparse.vstack(rows).tocsr(), np.concatenate(values), np.concatenate(weights)
        normal = (matrix.T @ sparse.diags(weight) @ matrix + energy).tocsc()
        factors = splu(normal, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        upland = np.asarray(factors.solve(matrix.T @ (weight * target)), float)
        miss = np.abs(spot_rows @ upland - spot_values)
        robust = np.minimum(1.0, HUBER_M / np.maximum(miss, 1e-9))
    return upland


def _commune_means(at_samples: Any, samples: Samples, communes: Sequence[CommuneSamples]) -> tuple[Any, Floats]:
    rows, values = [sparse.csr_matrix((0, at_samples.shape[1]))], []
    for commune in communes:
        high = commune.members[samples.share[commune.members] < 0.35]
        if len(high) >= 6:
            rows.append(sparse.csr_matrix(at_samples[high].mean(axis=0)))
            values.append(_usual_upland(commune.highest_m))
    return sparse.vstack(rows), np.array(values)


def _usual_upland(highest_m: float) -> float:
    """South of the Cher tops of 95 m crown a flat plateau; the higher ones further north are hills on a lower one."""
    return highest_m - BELOW_TOP_M - BELOW_TOP_SHARE * max(0.0, highest_m - FLAT_TOP_M)


def _bounds(ground: Floats, communes: Sequence[CommuneSamples]) -> tuple[Indices, Floats, Floats]:
    index, value, weight = [], [], []
    for commune in communes:
        if len(commune.members):
            index.append(commune.members[[np.argmax(ground[commune.members])]])
            value.append(np.array([commune.highest_m]))
            weight.append(np.array([SIGMA_TOP_M**-2.0]))
        for broken, bound, sigma in (
            (commune.core[ground[commune.core] > commune.highest_m], commune.highest_m, SIGMA_OVER_M),
            (commune.core[ground[commune.core] < commune.lowest_m], commune.lowest_m, SIGMA_UNDER_M),
        ):
            index.append(broken)
            value.append(np.full(len(broken), bound))
            weight.append(np.full(len(broken), sigma**-2.0))
    return np.concatenate(index).astype(np.intp), np.concatenate(value), np.concatenate(weight)
