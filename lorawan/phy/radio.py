"""What a core asks of a radio, and what a radio tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from lorawan.machine import Instant
from lorawan.phy.modulation import CodingRate, LoraModulation


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: put a frame on the air.

    at: start of the preamble. power_dbm: conducted, at the antenna connector. inverted_iq and crc tell uplink (False,
    True) from downlink (True, False); beacons are (False, False), with 10 symbols of preamble and no explicit header.
    rf_chain: of a gateway, which transmitter.
    """

    at: Instant
    payload: bytes
    freq_hz: int
    modulation: LoraModulation
    power_dbm: float
    airtime_us: int
    inverted_iq: bool = False
    crc: bool = True
    coding_rate: CodingRate = CodingRate.CR_4_5
    preamble_symbols: int = 8
    explicit_header: bool = True
    rf_chain: int = 0


UNTIL_STOPPED: Final[Instant] = (1 << 63) - 1
"""closes_at of a window that stays open until the device stops listening."""


class Window(IntEnum):
    """What a receive window is for. RXC: class C's continuous one."""

    RX1 = 1
    RX2 = 2
    RXC = 3
    PING = 4
    BEACON = 5


@dataclass(frozen=True, slots=True)
class Listen:
    """Effect: open a receive window, for inverted-IQ (downlink) frames or for beacons, which are not inverted.

    opens_at … closes_at: a frame is received when enough of its preamble falls inside; once locked, the radio stays
    with it to its end, except that RX1 and RX2 of another channel take it away from the other windows.
    """

    opens_at: Instant
    closes_at: Instant
    freq_hz: int
    modulation: LoraModulation
    window: Window

    @property
    def inverted_iq(self) -> bool:
        """Whether frames with inverted IQ are listened for."""
        return self.window is not Window.BEACON


@dataclass(frozen=True, slots=True)
class Heard:
    """Event: a frame was received.

    at: end of reception (the last symbol). rssi_dbm and snr_db as the chip reports them, already quantised.
    """

    at: Instant
    payload: bytes
    freq_hz: int
    modulation: LoraModulation
    rssi_dbm: float
    snr_db: float
    airtime_us: int
    crc_ok: bool = True
    coding_rate: CodingRate = CodingRate.CR_4_5
