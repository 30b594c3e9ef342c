"""Waiting for what a service under test does by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LIMIT_S = 60.0  # a laden machine takes its time; what never comes fails all the same


async def until(condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
    """Return as soon as the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.002)
