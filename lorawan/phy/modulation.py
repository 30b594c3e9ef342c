"""LoRa modulation parameters."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from lorawan.errors import FrameError


class CodingRate(IntEnum):
    """LoRa coding rate 4/(4 + n); the value is n, as the airtime formula takes it."""

    CR_4_5 = 1
    CR_4_6 = 2
    CR_4_7 = 3
    CR_4_8 = 4

    def __str__(self) -> str:
        return f"4/{4 + self.value}"


@dataclass(frozen=True, slots=True)
class LoraModulation:
    """A LoRa data rate: spreading factor 5–12 and bandwidth in Hz (125, 250 or 500 kHz)."""

    sf: int
    bw_hz: int = 125_000

    def __post_init__(self) -> None:
        if not 5 <= self.sf <= 12:
            raise FrameError(f"SF{self.sf} does not exist", field="sf", hint="5 to 12")
        if self.bw_hz not in (125_000, 250_000, 500_000):
            raise FrameError(f"{self.bw_hz} Hz", field="bw_hz", hint="125000, 250000 or 500000")

    @property
    def ldro(self) -> bool:
        """Low data rate optimisation: mandated when a symbol lasts 16 ms or more. Source: SX1276 datasheet §4.1.1.6."""
        return (1 << self.sf) * 1000 >= 16 * self.bw_hz

    @property
    def datr(self) -> str:
        """As Semtech UDP writes it, "SF7BW125"."""
        return f"SF{self.sf}BW{self.bw_hz // 1000}"

    @classmethod
    def from_datr(cls, text: str) -> LoraModulation:
        """From "SF7BW125". Raises FrameError."""
        return _parse_datr(text)

    def __str__(self) -> str:
        return self.datr


@lru_cache(maxsize=64)
def _parse_datr(text: str) -> LoraModulation:
    sf, sep, bw = text.removeprefix("SF").partition("BW")
    if not text.startswith("SF") or not sep or not (sf.isascii() and sf.isdigit() and bw.isascii() and bw.isdigit()):
        raise FrameError(f"{text!r}", field="datr", hint='such as "SF7BW125"')
    if len(sf) > 2 or len(bw) > 3:
        raise FrameError(f"{text!r}", field="datr", hint='such as "SF7BW125"')
    return LoraModulation(int(sf), int(bw) * 1000)
