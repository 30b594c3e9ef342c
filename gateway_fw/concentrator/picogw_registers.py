"""The SX1308 registers that a host sets, and the values it gives them.

Source: Lora-net picoGW_hal 0.2.3 loragw_reg.c (places), loragw_hal.c lgw_constant_adjust, lgw_start (values).
"""

from __future__ import annotations

from typing import NamedTuple

PAGE_REGISTER = 0x00
SOFT_RESET = 0x80


class Field(NamedTuple):
    """Some bits of a register, or several bytes from its address on, least significant first. page: −1 common."""

    page: int
    address: int
    offset: int = 0
    bits: int = 8

    @property
    def octets(self) -> int:
        """Bytes it takes."""
        return (self.offset + self.bits + 7) // 8


VERSION = Field(-1, 0x01)
PROGRAM_ADDRESS = Field(-1, 0x09)
PROGRAM_DATA = Field(-1, 0x0A)
SERVICE_MODEM_ENABLE = Field(-1, 0x10, 0, 1)
MULTI_MODEM_ENABLE = Field(-1, 0x10, 1, 1)
FSK_MODEM_ENABLE = Field(-1, 0x10, 2, 1)
GLOBAL_ENABLE = Field(-1, 0x10, 3, 1)
CLOCK_32M_ENABLE = Field(-1, 0x11, 0, 1)
GPIO_SELECT_OUTPUT = Field(-1, 0x1C, 0, 4)
GPIO_MODE = Field(-1, 0x1D, 0, 5)
AGC_STATUS = Field(-1, 0x20)
EMERGENCY_HOST_CONTROL = Field(-1, 0x7F, 0, 1)

RADIO_SELECT = Field(0, 0x23)
FREQ_TO_TIME_DRIFT = Field(0, 0x5D, 0, 6)
PPM_OFFSET = Field(0, 0x64, 0, 7)
HOST_RADIO_CONTROL = Field(0, 0x69, 1, 1)
HOST_FRONT_END_CONTROL = Field(0, 0x69, 2, 1)
FORCE_DECIMATION_GAIN = Field(0, 0x69, 3, 1)
ARB_RESET = Field(0, 0x6A, 0, 1)
AGC_RESET = Field(0, 0x6A, 1, 1)
ARB_PROGRAM_MUX = Field(0, 0x6A, 2, 1)
AGC_PROGRAM_MUX = Field(0, 0x6A, 3, 1)

SERVICE_FREQ_TO_TIME_DRIFT = Field(1, 0x35, 0, 6)
SERVICE_BANDWIDTH = Field(1, 0x3A, 0, 2)
SERVICE_RADIO = Field(1, 0x3A, 2, 1)
SERVICE_PPM_OFFSET = Field(1, 0x3B, 6, 1)
SERVICE_SF = Field(1, 0x3C, 0, 4)
TX_STATUS = Field(1, 0x3E)
FSK_BANDWIDTH = Field(1, 0x3F, 0, 3)
FSK_PATTERN_SIZE = Field(1, 0x40, 0, 3)
FSK_RADIO = Field(1, 0x41, 7, 1)
FSK_BIT_RATE_DIVIDER = Field(1, 0x42, 0, 16)
FSK_PATTERN_LOW = Field(1, 0x44, 0, 32)
FSK_PATTERN_HIGH = Field(1, 0x48, 0, 32)
FSK_TX_PATTERN_SIZE = Field(1, 0x4D, 5, 3)

RADIO_SPI = (Field(2, 0x21), Field(2, 0x26))
"""By radio: data; read-back, address and chip select follow at +1, +2 and +4."""
RADIO_RESET = Field(2, 0x2B, 2, 1)
ARB_RAM_DATA = Field(2, 0x40)
AGC_RAM_DATA = Field(2, 0x41)
ARB_RAM_ADDRESS = Field(2, 0x50)
AGC_RAM_ADDRESS = Field(2, 0x51)
GPS_ENABLE = Field(2, 0x59, 0, 1)


def if_frequency(chain: int) -> Field:
    """Where an IF chain's distance from its radio stands, signed, in steps of 15 625/32 Hz."""
    return Field(0, 0x24 + 2 * chain, 0, 13)


def correlators(chain: int) -> Field:
    """Which spreading factors a multi-SF chain looks for."""
    return Field(0, 0x41 + chain, 0, 7)


ADJUSTED: tuple[tuple[Field, int], ...] = (
    (Field(0, 0x6F, 0, 5), 6),  # RSSI filters and what they start from
    (Field(0, 0x70, 0, 5), 7),
    (Field(0, 0x71, 0, 5), 7),
    (Field(0, 0x6C), 23),
    (Field(0, 0x6E), 85),
    (Field(0, 0x6D), 66),
    (Field(0, 0x68, 0, 4), 7),  # gain offsets
    (Field(0, 0x68, 4, 4), 6),
    (Field(0, 0x63, 4, 2), 3),  # SNR averaging
)
"""What the chip's reset values are improved to, before the sync words."""

TOLERANCE: tuple[tuple[Field, int], ...] = (
    (Field(0, 0x51, 0, 12), 1),  # modem start offsets: more tolerant of the sender's clock
    (Field(0, 0x53, 0, 12), 4094),
    (Field(0, 0x4E, 4, 3), 7),
    (Field(0, 0x21, 5, 1), 1),  # FSK: inverted I and Q
    (Field(1, 0x3F, 6, 1), 1),
    (Field(1, 0x3F, 3, 3), 4),
    (Field(1, 0x3F, 7, 1), 1),  # FSK: variable length, CRC, whitening
    (Field(1, 0x40, 3, 1), 1),
    (Field(1, 0x40, 4, 2), 2),
    (Field(1, 0x41, 0, 5), 10),
    (Field(1, 0x4C), 255),
    (Field(1, 0x53, 0, 10), 128),
    (Field(1, 0x22, 0, 16), 1500),  # transmissions start so many µs after their trigger
    (Field(1, 0x2A, 7, 1), 1),
)
"""What follows the receivers' sync words."""

RX_SYNC_PEAKS = ((Field(0, 0x5F, 0, 4), Field(0, 0x5F, 4, 4)), (Field(1, 0x2E, 0, 4), Field(1, 0x2E, 4, 4)))
TX_SYNC_PEAKS = (Field(1, 0x24, 0, 4), Field(1, 0x24, 4, 4))
PUBLIC_PEAKS, PRIVATE_PEAKS = (3, 4), (1, 2)
"""Sync words 0x34 and 0x12."""
FSK_GAUSSIAN = (Field(1, 0x4D, 1, 2), 2)


def radio_writes(kind: int, freq_hz: int, *, gives_clock: bool, enabled: bool) -> list[tuple[int, int]]:
    """What an SX1255 (kind 1) or SX1257 (kind 2) is set to: register and value, before its receiver is started.

    Source: picoGW_hal 0.2.3 loragw_radio.c lgw_setup_sx125x, loragw_sx125x.h.
    """
    crystal = 13 + 2 * 16
    writes = [(0x10, 1 + (2 if gives_clock else 0)), (0x28 if kind == 1 else 0x26, crystal)]
    if not enabled:
        return writes
    # transmit gain, filters; receive gain, filters
    writes += [(0x08, 14 + 2 * 16), (0x0A, 0 + 1 * 32), (0x0B, 5)]
    writes += [(0x0C, 1 + 12 * 2 + 1 * 32), (0x0D, 0 + 6 * 4 + 7 * 32), (0x0E, 0)]
    step = 15_625 << (7 if kind == 1 else 8)
    fraction = ((freq_hz % step) << (9 if kind == 1 else 8)) // 15_625
    return [*writes, (0x01, freq_hz // step & 0xFF), (0x02, fraction >> 8 & 0xFF), (0x03, fraction & 0xFF)]
