"""One seam for independent pure calls: processes on this machine, or a dask.distributed cluster.

A call is a module-level function with arguments that pickle; its result does not depend on where or when it runs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from bench.errors import UsageError

LOCAL = "local"

Value = TypeVar("Value")


def cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def executor(jobs: int = 0, dask: str = "") -> Iterator[Executor]:
    """Processes (jobs 0: one a CPU), or a cluster: dask "local" starts one here, "tcp://…" joins a scheduler.

    Raises UsageError where dask is asked for and not installed, or its scheduler cannot be reached.
    """
    workers = jobs or cpus()
    if dask:
        yield from _dask(workers, dask)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_ignore_ctrl_c) as pool:
        yield pool


def shared(pool: Executor, value: Value) -> Value:
    """What many calls take: goes to a cluster once, and then each call is given where it is."""
    client: Any = getattr(pool, "_client", None)
    return value if client is None else cast(Value, client.scatter(value, hash=False))


def _ignore_ctrl_c() -> None:
    """The parent tells when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _dask(workers: int, address: str) -> Iterator[Executor]:
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError("--dask needs dask.distributed", hint="pip install 'lorabench[dask]'") from None
    if address == LOCAL:
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            yield client.get_executor(pure=False)
        return
    try:
        client = Client(address, timeout="10s")
    except OSError as error:
        raise UsageError(f"--dask {address}: {error}", hint="the address of a running dask scheduler") from None
    with client:
        yield client.get_executor(pure=False)
