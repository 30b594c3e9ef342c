"""The SX1302's registers that a host uses, as fields of a byte.

Source of every address, bit and width: sx1302_hal 2.1.0 libloragw/src/loragw_reg.c (the chip has no public register
manual). The names are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gateway_fw.concentrator.corecell_bridge import Element, Modify, write_bytes


class Field(NamedTuple):
    """Bits of one register: width bits from bit low on."""

    address: int
    low: int = 0
    width: int = 8

    @property
    def mask(self) -> int:
        """The field's bits in its register."""
        return (1 << self.width) - 1 << self.low

    def set(self, value: int) -> Write:
        """A write of this field."""
        return Write(self, value & (1 << self.width) - 1)

    def of(self, register: int) -> int:
        """The field's value in a register."""
        return (register & self.mask) >> self.low


class Write(NamedTuple):
    """A value for a field."""

    field: Field
    value: int

    @property
    def element(self) -> Element:
        """As an SPI operation: a whole byte is written, part of one is modified in place."""
        field = self.field
        if field.mask == 0xFF:
            return write_bytes(field.address, bytes((self.value,)))
        return Modify(field.address, field.mask, self.value << field.low)


def split(fields: tuple[Field, ...], value: int) -> Iterator[Write]:
    """A number over several whole or part bytes, most significant first."""
    for index, field in enumerate(fields):
        yield field.set(value >> 8 * (len(fields) - 1 - index))


AGC_MEMORY, ARB_MEMORY, RX_FIFO = 0x0000, 0x2000, 0x4000

PAGE = Field(0x5600, 0, 2)
RADIO_MODE_SX1250 = (Field(0x5601, 0, 1), Field(0x5601, 1, 1))
HOST_RADIO_CONTROL = Field(0x5601, 3, 1)
CLOCK_FROM_RADIO = Field(0x5601, 4, 1)
SERVICE_MODEM_ON = Field(0x5605, 0, 1)
MULTI_SF_MODEMS_ON = Field(0x5605, 1, 1)
FSK_MODEM_ON = Field(0x5605, 2, 1)
RECEIVE_ON = Field(0x5605, 3, 1)
CHIP_VERSION = 0x5606

GPIO_DIRECTION = Field(0x5641)
GPIO_OUT = Field(0x5643)
GPIO_SELECT = tuple(Field(0x5648 + pin, 0, 4) for pin in range(8))

FRONT_END_FILTER_GAIN = (Field(0x5701, 0, 4), Field(0x570E, 0, 4))
FRONT_END_DC_NOTCH = (Field(0x5701, 5, 1), Field(0x570E, 5, 1))
FRONT_END_RSSI_BASEBAND = (Field(0x5702), Field(0x570F))
FRONT_END_RSSI_DECIMATED = (Field(0x5703), Field(0x5710))
FRONT_END_ALPHA_BASEBAND = (Field(0x5707, 0, 5), Field(0x5714, 0, 5))
FRONT_END_ALPHA_DECIMATED = (Field(0x5708, 0, 5), Field(0x5715, 0, 5))


class Mcu(NamedTuple):
    """One of the chip's two processors: its control bits, status and memory."""

    name: str
    parity_error: Field
    host_prog: Field
    clear: Field
    status: int
    memory: int


AGC = Mcu("AGC", Field(0x5780, 0, 1), Field(0x5780, 1, 1), Field(0x5780, 2, 1), 0x5781, AGC_MEMORY)
ARB = Mcu("ARB", Field(0x6080, 0, 1), Field(0x6080, 1, 1), Field(0x6080, 2, 1), 0x6081, ARB_MEMORY)

FRONT_END_BY_HOST = Field(0x5780, 3, 1)
LNA_ENABLE_A, PA_ENABLE_A = Field(0x5783, 0, 1), Field(0x5783, 1, 1)
RADIO_ENABLE = (Field(0x5783, 2, 1), Field(0x5784, 2, 1))
RADIO_RESET = (Field(0x5783, 3, 1), Field(0x5784, 3, 1))
LNA_TABLE = (Field(0x5785, 0, 4), Field(0x5786, 0, 4))
PA_TABLE = (Field(0x5785, 4, 4), Field(0x5786, 4, 4))
AGC_MAILBOX_WRITE = tuple(Field(0x578C - box) for box in range(4))
AGC_MAILBOX_READ = tuple(0x5790 - box for box in range(4))

CLOCK_FROM_RADIO_AB = (Field(0x57C0, 0, 1), Field(0x57C0, 1, 1))
CLOCK_DIVIDERS = Field(0x57C0, 2, 1)

RX_NB_BYTES = 0x58C8
LEGACY_TIMESTAMP = Field(0x58C0, 2, 1)

ARB_DEBUG_CONFIG = tuple(Field(0x6089 + index) for index in range(4))
ARB_DEBUG_STATUS_0 = 0x608D
ARB_SYNC_OFFSET = tuple(Field(0x609D + channel // 2, 4 * (channel % 2), 4) for channel in range(8))

GPS_ENABLE, GPS_POLARITY = Field(0x6100, 0, 1), Field(0x6100, 1, 1)
COUNTERS = 0x6101

OTP_ADDRESS = Field(0x6180)
OTP_DATA = 0x6181
MODEMS_FULL_SF, MODEMS_LIMITED_SF = Field(0x6188), Field(0x6189)
