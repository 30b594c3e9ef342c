"""Unit conversions of the field. Names carry their unit; every function is pure."""

from __future__ import annotations

US_PER_MS = 1_000
US_PER_S = 1_000_000
US_PER_HOUR = 3_600 * US_PER_S
US_PER_DAY = 24 * US_PER_HOUR


def mhz_to_hz(freq_mhz: float) -> int:
    """MHz as JSON carries it to whole Hz, by rounding: truncation loses 1 Hz on products such as 868.1 × 1e6."""
    return round(freq_mhz * 1e6)


def hz_to_mhz(freq_hz: int) -> float:
    """Whole Hz to MHz with at most six decimals."""
    return round(freq_hz / 1e6, 6)
