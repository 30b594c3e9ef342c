"""The modulations of LoRaWAN: LoRa, FSK and LR-FHSS."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import TypeAlias

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


@dataclass(frozen=True, slots=True)
class FskModulation:
    """GFSK at bit_rate_bps. LoRaWAN has one rate, 50 kbit/s. Source: Regional Parameters 1.0.3 revA §2.2.3."""

    bit_rate_bps: int = 50_000

    def __post_init__(self) -> None:
        if self.bit_rate_bps <= 0 or 8_000_000 % self.bit_rate_bps:
            raise FrameError(f"{self.bit_rate_bps} bit/s", field="bit_rate_bps", hint="a byte lasts whole µs")

    def __str__(self) -> str:
        return f"FSK {self.bit_rate_bps}"


class LrFhssCodingRate(StrEnum):
    """LR-FHSS coding rate of the payload."""

    CR_1_3 = "1/3"
    CR_2_3 = "2/3"


@dataclass(frozen=True, slots=True)
class LrFhssModulation:
    """An LR-FHSS data rate, uplink only: occupied channel width in Hz, as the regional tables name it, and coding rate.

    Data of the tables: nothing here sends or receives it. Source: RP002-1.0.3 §2.4.3, table 8.
    """

    ocw_hz: int
    coding_rate: LrFhssCodingRate

    def __str__(self) -> str:
        return f"LR-FHSS CR{self.coding_rate} {self.ocw_hz // 1000} kHz"


Modulation: TypeAlias = LoraModulation | FskModulation | LrFhssModulation


@lru_cache(maxsize=64)
def _parse_datr(text: str) -> LoraModulation:
    sf, sep, bw = text.removeprefix("SF").partition("BW")
    if not text.startswith("SF") or not sep or not (sf.isascii() and sf.isdigit() and bw.isascii() and bw.isdigit()):
        raise FrameError(f"{text!r}", field="datr", hint='such as "SF7BW125"')
    if len(sf) > 2 or len(bw) > 3:
        raise FrameError(f"{text!r}", field="datr", hint='such as "SF7BW125"')
    return LoraModulation(int(sf), int(bw) * 1000)
