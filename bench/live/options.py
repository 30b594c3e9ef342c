"""Durations as options carry them."""

from __future__ import annotations

from bench.errors import UsageError
from lorawan.units import US_PER_S
from scenarios.quantities import DURATION_US, QuantityError, whole


def duration_us(text: str, option: str, *, least_us: int = 1) -> int:
    """ "30 s", "30s", "5 min" in µs. Raises UsageError that names the option."""
    try:
        found = whole(DURATION_US, text)
    except QuantityError as error:
        raise UsageError(f"{option}: {error}", hint=error.hint) from None
    if found < least_us:
        raise UsageError(f'{option}: "{text}" is too short', hint=f"at least {least_us / US_PER_S:g} s")
    return found


def duration_s(text: str, option: str) -> float:
    """The same in seconds."""
    return duration_us(text, option) / US_PER_S
