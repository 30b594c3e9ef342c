"""What a region allows a Basics Station: power, and the duty cycle of EU868.

Source: Basics Station 2.0.6, s2e.c (handle_router_config, freq2band, update_DC, calcTxpow).
"""

from __future__ import annotations

from lorawan.machine import Instant

DEFAULT_EIRP_DBM = 14.0  # of a region that is not known
_EIRP_DBM = {
    "EU868": 16.0,
    "EU863": 16.0,
    "IL915": 14.0,
    "KR920": 23.0,
    "AS923-1": 13.0,
    "AS923JP": 13.0,
    "US915": 26.0,
    "US902": 26.0,
    "AU915": 30.0,
}
_HIGHER_DBM = {  # region: lowest and highest frequency, inclusive, and the power there
    "EU868": (869_400_000, 869_650_000, 27.0),
    "EU863": (869_400_000, 869_650_000, 27.0),
    "IL915": (916_200_000, 916_400_000, 20.0),
}


def eirp_dbm(region: str, freq_hz: int, max_eirp_dbm: float | None) -> float:
    """What Station radiates. max_eirp only lowers it, unless the region is unknown."""
    known = _EIRP_DBM.get(region)
    low_hz, high_hz, higher = _HIGHER_DBM.get(region, (0, -1, 0.0))
    power = higher if low_hz <= freq_hz <= high_hz else DEFAULT_EIRP_DBM if known is None else known
    if max_eirp_dbm is None:
        return power
    return max_eirp_dbm if known is None else min(power, max_eirp_dbm)


class DutyCycleGuard:
    """EU868's three classes of bands; after a frame its class is closed for airtime times the divisor, from its start.

    Station counts 863–868 MHz among the 0.1 % bands, stricter than ERC 70-03's 1 % for 865–868 MHz.
    """

    def __init__(self) -> None:
        self._free_at: dict[int, Instant] = {}

    def allows(self, freq_hz: int, at: Instant) -> bool:
        """Whether a frame may start."""
        return at >= self._free_at.get(_divisor(freq_hz), at)

    def spend(self, freq_hz: int, at: Instant, airtime_us: int) -> None:
        """A frame is on the air."""
        divisor = _divisor(freq_hz)
        self._free_at[divisor] = at + airtime_us * divisor


def _divisor(freq_hz: int) -> int:
    if 869_400_000 <= freq_hz <= 869_650_000:
        return 10
    if 868_000_000 <= freq_hz <= 868_600_000 or 869_700_000 <= freq_hz <= 870_000_000:
        return 100
    return 1000
