"""The duty cycle of a gateway's transmitter: airtime per sub-band, in any hour, frames to come included."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

from lorawan.machine import Instant
from lorawan.units import US_PER_HOUR


@dataclass(frozen=True, slots=True)
class SubBand:
    """low_hz … high_hz, and the part of an hour that may be spent there: 1 / divisor."""

    name: str
    low_hz: int
    high_hz: int
    divisor: int

    @property
    def limit_us(self) -> int:
        """Airtime in one hour."""
        return US_PER_HOUR // self.divisor


EU868_SUB_BANDS = (
    SubBand("863-865", 863_000_000, 865_000_000, 1000),
    SubBand("g", 865_000_000, 868_000_000, 100),
    SubBand("g1", 868_000_000, 868_600_000, 100),
    SubBand("g2", 868_700_000, 869_200_000, 1000),
    SubBand("g3", 869_400_000, 869_650_000, 10),
    SubBand("g4", 869_700_000, 870_000_000, 100),
)
"""Source: ERC Recommendation 70-03 annex 1; ETSI EN 300 220-2 V3.2.1 annex B."""


class DutyCycleGuard:
    """Airtime spent and promised. No hour, wherever it begins, holds more than its sub-band allows.

    Without sub-bands nothing is refused.
    """

    def __init__(self, sub_bands: tuple[SubBand, ...]) -> None:
        self._sub_bands = sub_bands
        self._spent: dict[str, list[tuple[Instant, int]]] = {band.name: [] for band in sub_bands}
        self.refused = 0

    def sub_band(self, freq_hz: int) -> SubBand | None:
        """Where a frequency lies; None in a gap."""
        return next((band for band in self._sub_bands if band.low_hz <= freq_hz < band.high_hz), None)

    def knows(self, freq_hz: int) -> bool:
        """Whether this may be sent on at all."""
        return not self._sub_bands or self.sub_band(freq_hz) is not None

    def allows(self, freq_hz: int, airtime_us: int, start: Instant) -> bool:
        """Whether a frame at this start keeps every hour within its limit."""
        band = self.sub_band(freq_hz)
        if band is None:
            return not self._sub_bands
        spent = self._spent[band.name]
        ends = [begin + length for begin, length in spent if start < begin + length and begin < start + US_PER_HOUR]
        for end in (start + airtime_us, *ends):
            inside = sum(_overlap(entry, end) for entry in spent) + _overlap((start, airtime_us), end)
            if inside > band.limit_us:
                return False
        return True

    def spend(self, freq_hz: int, airtime_us: int, start: Instant, now: Instant) -> None:
        """Account a frame."""
        band = self.sub_band(freq_hz)
        if band is None:
            return
        spent = self._spent[band.name]
        gone = 0
        while gone < len(spent) and spent[gone][0] + spent[gone][1] <= now - US_PER_HOUR:
            gone += 1
        del spent[:gone]
        insort(spent, (start, airtime_us))

    def refund(self, freq_hz: int, airtime_us: int, start: Instant) -> None:
        """Take back a frame that did not go on the air."""
        band = self.sub_band(freq_hz)
        if band is not None and (start, airtime_us) in self._spent[band.name]:
            self._spent[band.name].remove((start, airtime_us))

    def used_us(self, name: str, now: Instant) -> int:
        """Airtime of the hour that ends now."""
        return sum(_overlap(entry, now) for entry in self._spent[name])


def _overlap(entry: tuple[Instant, int], window_end: Instant) -> int:
    start, airtime_us = entry
    low, high = max(start, window_end - US_PER_HOUR), min(start + airtime_us, window_end)
    return max(0, high - low)
