"""Where things stand in the SX1302's register space, and what they hold after reset.

Source: sx1302_hal 2.1.0, src/loragw_reg.c (addresses and reset values of 1044 named registers, facts alone).
"""

from __future__ import annotations

MEMORY_BYTES = 0x8000  # 15-bit addresses

AGC_PROGRAM = 0x0000
ARB_PROGRAM = 0x2000
PROGRAM_BYTES = 0x2000
RX_FIFO = 0x4000
RX_FIFO_END = 0x5000

COMMON_CTRL0 = 0x5601  # bit 3 host control of radios; bits 1, 0 SX1250 on B, A
COMMON_GEN = 0x5605  # bits 3 global, 2 FSK, 1 multi-SF, 0 LoRa service
VERSION = 0x5606

AGC_CTRL = 0x5780
AGC_STATUS = 0x5781
RADIO_A_ENABLE = 0x5783  # bit 3 reset, bit 2 enable
RADIO_B_ENABLE = 0x5784
AGC_MAILBOX_WRITE = 0x5789  # bytes 3, 2, 1, 0
AGC_MAILBOX_READ = 0x578D  # bytes 3, 2, 1, 0

MCU_CLEAR = 0x04
HOST_PROGRAM = 0x02
PARITY_ERROR = 0x01

IF_FREQUENCIES = 0x5800  # eight times: 5 bits and 8 bits, signed, in 15625/32 Hz
RADIO_SELECT = 0x5810  # a bit per channel
CORRELATOR_ENABLE = 0x5821  # a bit per channel
CORRELATOR_SF = 0x5822  # bit 0 is SF5
SYNC_PEAKS_SF5 = 0x588A  # two bytes each for SF5, SF6, SF7–12
RX_BUFFER_CONFIG = 0x58C0  # bit 3 direct access, bit 2 legacy time stamps
RX_BUFFER_BYTES = 0x58C8  # big endian

SERVICE_IF = 0x5B00
SERVICE_RADIO = 0x5B02
SERVICE_RATE = 0x5B21  # bandwidth code, SF
SERVICE_ENABLE = 0x5B22  # bit 3
SERVICE_SYNC_PEAKS = 0x5B2E

ARB_CTRL = 0x6080
ARB_STATUS = 0x6081
ARB_COMMAND = 0x608A  # a write of 1 lets the arbiter go on
ARB_DEBUG_READ = 0x608D

GPS_CTRL = 0x6100
TIMESTAMP_PPS = 0x6101  # 4 bytes, then the running counter
TIMESTAMP_END = 0x6109
OTP_ADDRESS = 0x6180
OTP_DATA = 0x6181

TX_BASES = (0x5200, 0x5400)
TX_BLOCK_BYTES = 0x200
TX_STATUS = 0x11

RESET_VALUES: dict[int, str] = {
    0x5601: "0B 05 02 80 00 10",
    0x5780: "14",
    0x5787: "01",
    0x5801: "80 01 80 1E 80 00 80 00 32 00 3C 00 46 00 50 00 38 00 00 00 F0",
    0x581A: "01",
    0x5820: "FF 00 FF FF FF BB 37 0B 20 30 2B 16 BB 37 0B 20 30 23 16 BB 37 0B 20 30 1B 16 BB 38 0B 20 30 1B "
    "16 BB 3A 0B 20 30 1B 16 BB 3C 0B 20 30 1B 16 BB 3C 0B 20 30 1B 16 BB 3C 0B 20 30 1B 16 00 00 00 "
    "08 0D 00 00 02 03 02 03 05 08 06 04 02 FE FC FD 03 0B 13 0A 00 07 2A 31 0B 3C 06 19 2A 80 82 05 "
    "0C 00 00 08 00 08 03 34 00 1B 02 04 02 04 02 04 17 83 56 CC 50 00 00 74 00 83 56 CC 50 00 00 74 "
    "09 70 03 09 21 FF FF FF FF 40 53 28 20 30 53 25 40 AF 0B 07 00 00 00 B8 7F 00 50 55 55 55 55 00 "
    "00 FF 00 15",
    0x58D9: "01",
    0x5B01: "80 00 08 0D 00 00 02 03 02 03 05 08 06 04 02 FE FC FD 03 0B 13 0A 00 07 2A 31 0B 3C 06 19 2A 80 "
    "47 82 05 0C 00 00 08 00 08 34 00 56 3B 02 04 17 83 94 0C 53 00 09 70 03 09 21 43 53 28 18 30 77 "
    "25 37 AF 0B 07 55",
    0x5B51: "80 00 00 04 80",
    0x5B65: "04",
    0x6008: "02",
    0x6080: "24",
    0x6087: "01",
    0x6188: "FF FF FF 01",
}
TX_RESET_VALUES: dict[int, str] = {  # offsets in either transmitter's block
    0x05: "BB 80 00 01",
    0x20: "18",
    0x25: "6C 90 00 00 00 40",
    0x40: "0F 02 00 14 1A 0B 68 97 23 52 25 56 53 65 64",
    0x60: "57 82 21 0C 00 00 08 00 40 06 14 00 0A A2 64",
}


def reset_memory() -> bytearray:
    """The whole register space as it stands after reset."""
    memory = bytearray(MEMORY_BYTES)
    blocks = dict(RESET_VALUES)
    blocks.update({base + offset: text for base in TX_BASES for offset, text in TX_RESET_VALUES.items()})
    for address, text in blocks.items():
        values = bytes.fromhex(text)
        memory[address : address + len(values)] = values
    return memory
