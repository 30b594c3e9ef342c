"""The structures that picoGW orders and answers carry: little-endian, laid out as an ARM compiler aligns them.

Each `decode` takes any bytes: too short ones are filled with zeros, as the microcontroller's cleared buffer is.

Source: Lora-net picoGW_hal 0.2.3 loragw_mcu.c, loragw_hal.h; picoGW_mcu 0.2.1 MAIN/cmdUSB.cpp.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from lorawan.phy.modulation import CodingRate, LoraModulation

RADIOS = 2
IF_CHAINS = 10
MULTI_CHAINS = 8
SERVICE_CHAIN = 8
FSK_CHAIN = 9
MAX_GAINS = 16
MAX_PACKETS = 16
"""Depth of the chip's packet FIFO. Source: loragw_hal.h LGW_PKT_FIFO_SIZE."""
BAD_COUNT = 0xFF
"""Packet count in an answer whose order was refused. Source: cmdUSB.cpp, order 'b'."""

MODULATION_LORA = 0x10
MODULATION_FSK = 0x20
BANDWIDTH_OF = {1: 500_000, 2: 250_000, 3: 125_000}
BANDWIDTH_CODE = {hz: code for code, hz in BANDWIDTH_OF.items()}
ALL_SF = 0x7E
"""SF7 … SF12, one bit each from bit 1. Source: loragw_hal.h DR_LORA_MULTI."""
SX1255 = 1
SX1257 = 2

CRC_OK = 0x10
CRC_BAD = 0x11
CRC_NONE = 0x01

TX_NOW = 0
TX_TIMESTAMP = 1
TX_GPS = 2

_RADIO = struct.Struct("<B3xIfB3xB3x")
_IF_CHAIN = struct.Struct("<BB2xiB3xIB7xQ")
_BOARD = struct.Struct("<BB2x")
_GAIN_BYTES = 5
_TX = struct.Struct("<IB3xIBbBBIBBBxHBBH")
_RX = struct.Struct("<IBBxxIBBBxIB3xffffHH")
TX_PAYLOAD_BYTES = 256
TX_BYTES = _TX.size + TX_PAYLOAD_BYTES
RX_BYTES = _RX.size


def sf_bit(sf: int) -> int:
    """The bit of a spreading factor: SF7 is 2 … SF12 is 0x40."""
    return 1 << (sf - 6)


def sf_of(bits: int) -> int | None:
    """The spreading factor of exactly one bit, or None."""
    return bits.bit_length() + 5 if bits & ALL_SF == bits and bits.bit_count() == 1 else None


def _filled(data: bytes, size: int) -> bytes:
    return data[:size].ljust(size, b"\0")


@dataclass(frozen=True, slots=True)
class RadioConf:
    """Order 'c': one RF chain. kind: 1 SX1255, 2 SX1257."""

    enable: bool
    freq_hz: int
    rssi_offset_db: float
    kind: int = SX1257
    tx_enable: bool = False

    def encode(self) -> bytes:
        return _RADIO.pack(self.enable, self.freq_hz, self.rssi_offset_db, self.kind, self.tx_enable)

    @classmethod
    def decode(cls, data: bytes) -> RadioConf:
        enable, freq_hz, offset, kind, tx_enable = _RADIO.unpack(_filled(data, _RADIO.size))
        return cls(enable != 0, freq_hz, offset, kind, tx_enable != 0)


@dataclass(frozen=True, slots=True)
class IfConf:
    """Order 'd': one IF chain. bandwidth: code, 0 for the chain's default. datarate: bits of SF, or bit/s of FSK."""

    enable: bool
    rf_chain: int = 0
    if_hz: int = 0
    bandwidth: int = 0
    datarate: int = 0
    sync_size: int = 0
    sync_word: int = 0

    def encode(self) -> bytes:
        return _IF_CHAIN.pack(
            self.enable, self.rf_chain, self.if_hz, self.bandwidth, self.datarate, self.sync_size, self.sync_word
        )

    @classmethod
    def decode(cls, data: bytes) -> IfConf:
        enable, *rest = _IF_CHAIN.unpack(_filled(data, _IF_CHAIN.size))
        return cls(enable != 0, *rest)


@dataclass(frozen=True, slots=True)
class BoardConf:
    """Order 'i'. clock_source: the radio that clocks the chip."""

    public_network: bool
    clock_source: int = 1

    def encode(self) -> bytes:
        return _BOARD.pack(self.public_network, self.clock_source)

    @classmethod
    def decode(cls, data: bytes) -> BoardConf:
        public, clock_source = _BOARD.unpack(_filled(data, _BOARD.size))
        return cls(public != 0, clock_source)


@dataclass(frozen=True, slots=True)
class GainRow:
    """One row of the transmit gain table."""

    digital: int
    pa: int
    dac: int
    mix: int
    power_dbm: int

    @property
    def agc_value(self) -> int:
        """As the AGC firmware takes it. Source: loragw_hal.c lgw_start."""
        return self.mix + 16 * self.dac + 64 * self.pa


def encode_gains(rows: tuple[GainRow, ...]) -> bytes:
    """Order 'h': 16 rows of five bytes, then how many count."""
    packed = b"".join(bytes((r.digital, r.pa, r.dac, r.mix)) + struct.pack("b", r.power_dbm) for r in rows)
    return _filled(packed, MAX_GAINS * _GAIN_BYTES) + bytes((len(rows),))


def decode_gains(data: bytes) -> tuple[GainRow, ...]:
    """The rows that count, at most 16, however many are claimed."""
    whole = _filled(data, MAX_GAINS * _GAIN_BYTES + 1)
    rows = (whole[i : i + _GAIN_BYTES] for i in range(0, min(whole[-1], MAX_GAINS) * _GAIN_BYTES, _GAIN_BYTES))
    return tuple(GainRow(r[0], r[1], r[2], r[3], r[4] - 256 * (r[4] > 127)) for r in rows)


@dataclass(frozen=True, slots=True)
class TxOrder:
    """Order 'f'. mode: 0 now, 1 at count_us, 2 at a GPS pulse.

    bandwidth: code. datarate: bit of SF, or bit/s of FSK.
    """

    freq_hz: int
    mode: int
    count_us: int
    rf_chain: int
    power_dbm: int
    modulation: int
    bandwidth: int
    datarate: int
    coding_rate: int
    inverted_iq: bool
    deviation_khz: int
    preamble: int
    no_crc: bool
    no_header: bool
    size: int
    payload: bytes

    @property
    def lora(self) -> LoraModulation | None:
        """The LoRa data rate, or None where the order names none."""
        sf, bw_hz = sf_of(self.datarate), BANDWIDTH_OF.get(self.bandwidth)
        return None if self.modulation != MODULATION_LORA or sf is None or bw_hz is None else LoraModulation(sf, bw_hz)

    def encode(self) -> bytes:
        head = _TX.pack(
            self.freq_hz,
            self.mode,
            self.count_us,
            self.rf_chain,
            self.power_dbm,
            self.modulation,
            self.bandwidth,
            self.datarate,
            self.coding_rate,
            self.inverted_iq,
            self.deviation_khz,
            self.preamble,
            self.no_crc,
            self.no_header,
            self.size,
        )
        return head + _filled(self.payload, TX_PAYLOAD_BYTES)

    @classmethod
    def decode(cls, data: bytes) -> TxOrder:
        whole = _filled(data, TX_BYTES)
        fields = list(_TX.unpack_from(whole))
        fields[9], fields[12], fields[13] = fields[9] != 0, fields[12] != 0, fields[13] != 0
        size = min(fields[14], TX_PAYLOAD_BYTES)
        fields.append(whole[_TX.size : _TX.size + size])
        return cls(*fields)


@dataclass(frozen=True, slots=True)
class RxRecord:
    """A received packet in the answer to order 'b'. status: CRC_OK, CRC_BAD or CRC_NONE. count_us: end of reception."""

    freq_hz: int
    if_chain: int
    status: int
    count_us: int
    rf_chain: int
    modulation: int
    bandwidth: int
    datarate: int
    coding_rate: int
    rssi_dbm: float
    snr_db: float
    snr_min_db: float
    snr_max_db: float
    crc: int
    payload: bytes

    @property
    def lora(self) -> LoraModulation | None:
        """The LoRa data rate, or None where the record names none."""
        sf, bw_hz = sf_of(self.datarate), BANDWIDTH_OF.get(self.bandwidth)
        return None if self.modulation != MODULATION_LORA or sf is None or bw_hz is None else LoraModulation(sf, bw_hz)

    @property
    def cr(self) -> CodingRate | None:
        """The LoRa coding rate, or None where the record names none."""
        return CodingRate(self.coding_rate) if 1 <= self.coding_rate <= 4 else None

    def encode(self) -> bytes:
        head = _RX.pack(
            self.freq_hz,
            self.if_chain,
            self.status,
            self.count_us,
            self.rf_chain,
            self.modulation,
            self.bandwidth,
            self.datarate,
            self.coding_rate,
            self.rssi_dbm,
            self.snr_db,
            self.snr_min_db,
            self.snr_max_db,
            self.crc,
            len(self.payload),
        )
        return head + self.payload


def encode_records(records: tuple[RxRecord, ...]) -> bytes:
    """The data of an answer to order 'b'."""
    return bytes((len(records),)) + b"".join(record.encode() for record in records)


def decode_records(data: bytes) -> tuple[tuple[RxRecord, ...], str]:
    """The records of an answer to order 'b', and what is wrong with it ("" if nothing). Whole records are kept."""
    if not data:
        return (), "no packet count"
    count, offset, records = data[0], 1, list[RxRecord]()
    if count > MAX_PACKETS:
        return (), f"{count} packets claimed, the FIFO holds {MAX_PACKETS}"
    for index in range(count):
        if len(data) < offset + RX_BYTES:
            return tuple(records), f"packet {index + 1} of {count} is cut off"
        *fields, size = _RX.unpack_from(data, offset)
        if size > 255 or len(data) < offset + RX_BYTES + size:
            return tuple(records), f"packet {index + 1} of {count}: {size} payload bytes claimed"
        offset += RX_BYTES
        fields.append(data[offset : offset + size])
        records.append(RxRecord(*fields))
        offset += size
    extra = len(data) - offset
    return tuple(records), f"{extra} bytes after the last packet" if extra else ""
