"""Stratified samples of a population: commune × placement class, proportional, nested as the sample grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lorawan.draws import Draws
from scenarios.population import Sensor


def allocate(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """How many of n to take from each stratum: proportional by largest remainder, at least 1 from each.

    No stratum gives more than it has. With fewer than one for each stratum, the largest strata give one. Ties go to
    the larger stratum, then to the lesser name. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"a sample of {n} sensors")
    total = sum(sizes.values())
    names = sorted((name for name, size in sizes.items() if size), key=lambda name: (-sizes[name], name))
    if n >= total:
        return {name: sizes[name] for name in names}
    if n <= len(names):
        return dict.fromkeys(names[:n], 1)
    quota = {name: n * sizes[name] / total for name in names}
    taken = {name: max(1, int(quota[name])) for name in names}
    while (missing := n - sum(taken.values())) > 0:
        open_names = [name for name in names if taken[name] < sizes[name]]
        for name in sorted(open_names, key=lambda name: (taken[name] - quota[name], -sizes[name], name))[:missing]:
            taken[name] += 1
    while sum(taken.values()) > n:
        name = max((name for name in names if taken[name] > 1), key=lambda name: (taken[name] - quota[name], name))
        taken[name] -= 1
    return taken


def stratified_sample(population: Sequence[Sensor], n: int, draws: Draws) -> tuple[int, ...]:
    """Indices of n sensors (of all, where there are no more), ascending.

    Within a stratum the sensors of the lowest keyed ranks are taken, so the sample of n + 1 holds that of n except
    where the allocation itself takes one back.
    """
    strata: dict[str, list[int]] = {}
    for index, sensor in enumerate(population):
        strata.setdefault(sensor.stratum, []).append(index)
    base = draws.at("sample")
    chosen: list[int] = []
    for name, count in allocate({name: len(members) for name, members in strata.items()}, n).items():
        ranked = sorted(strata[name], key=lambda index: base.at(int(population[index].dev_eui)).u64())
        chosen.extend(ranked[:count])
    return tuple(sorted(chosen))


def weights(population: Sequence[Sensor], sample: Sequence[int]) -> NDArray[np.float64]:
    """How many sensors of the population each sampled one stands for: N_h / n_h of its stratum.

    They sum to the population's size unless the sample was too small to touch every stratum.
    """
    size: dict[str, int] = {}
    for sensor in population:
        size[sensor.stratum] = size.get(sensor.stratum, 0) + 1
    taken: dict[str, int] = {}
    for index in sample:
        stratum = population[index].stratum
        taken[stratum] = taken.get(stratum, 0) + 1
    return np.array([size[s] / taken[s] for s in (population[index].stratum for index in sample)], dtype=np.float64)
