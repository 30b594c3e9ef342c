"""Several worlds on threads. A sweep holds no lock and shares nothing, so results do not depend on their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lorawan.machine import Instant
from radio_sim.batch.engine import Batch, Records
from radio_sim.batch.world import BatchWorld

Verdict = TypeVar("Verdict")


def run_worlds(
    worlds: Sequence[Callable[[], BatchWorld]],
    judge: Callable[[Batch], Verdict],
    *,
    until: Instant | None = None,
    threads: int = 1,
    records: Records = "none",
) -> list[Verdict]:
    """Build and run each world to `until` (the end of its last civil day), and keep what `judge` makes of it, in order.

    At most `threads` worlds are in memory at once.
    """

    def run(make: Callable[[], BatchWorld]) -> Verdict:
        world = make()
        batch = Batch(world, records=records)
        batch.run(world.bounds_us[-1] if until is None else until)
        return judge(batch)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(run, worlds))
