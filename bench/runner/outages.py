"""When gateways are out: the days a change names, and outages that come as a Poisson process in each world.

A gateway's times up and its times out are exponential, each gateway by itself, from the run's first instant on. They
hang on the world's draws and the site's name alone: another gateway more or less moves no outage.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from lorawan.draws import Draws
from lorawan.machine import Instant
from scenarios.schema import Outages


def gateway_down(
    sites: Sequence[str],
    named: Sequence[tuple[str, Instant, Instant]],
    outages: Outages | None,
    draws: Draws,
    until: Instant,
) -> tuple[tuple[int, Instant, Instant], ...]:
    """(gateway index, from, to) of one world, those of each gateway in order and apart."""
    found: list[tuple[int, Instant, Instant]] = []
    for index, site in enumerate(sites):
        spans = [(begin, end) for name, begin, end in named if name == site]
        if outages:
            spans += poisson_outages(draws.at("outages", site), outages, until)
        found += [(index, begin, end) for begin, end in _merged(spans)]
    return tuple(found)


def poisson_outages(draws: Draws, outages: Outages, until: Instant) -> Iterator[tuple[Instant, Instant]]:
    """One gateway's outages that begin before `until`."""
    at, number = 0, 0
    while True:
        at += _exponential_us(outages.mean_between_us, draws.uniform(2 * number))
        if at >= until:
            return
        end = at + _exponential_us(outages.mean_length_us, draws.uniform(2 * number + 1))
        yield at, end
        at, number = end, number + 1


def _exponential_us(mean_us: int, u: float) -> int:
    return max(1, round(-mean_us * math.log1p(-u)))


def _merged(spans: list[tuple[Instant, Instant]]) -> list[tuple[Instant, Instant]]:
    merged: list[tuple[Instant, Instant]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
