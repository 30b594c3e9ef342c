"""The records of received frames in the SX1302's receive buffer, and the radio values in them.

Source: sx1302_hal 2.1.0 libloragw: loragw_sx1302_rx.c (rx_buffer_fetch, rx_buffer_pop), loragw_sx1302.c (sx1302_parse,
lora_crc16), loragw_sx1302_timestamp.c (legacy_timestamp_correction).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.errors import RecordError
from lorawan.phy.modulation import LoraModulation

SYNC = b"\xa5\xc0"
HEAD_BYTES, TAIL_BYTES = 9, 14
FIFO_BYTES = 4096
SERVICE_MODEM, FSK_MODEM = 16, 17
_CLAUSE = "sx1302_hal 2.1.0, loragw_sx1302_rx.c"


@dataclass(frozen=True, slots=True)
class Record:
    """One frame as the chip stored it.

    channel: 0 … 7 multi-SF, 8 service, 9 FSK. modem: 0 … 17. freq_error: 20 bits signed, in bandwidth · 2^-20. snr: in
    quarters of a dB. rssi_channel, rssi_signal: raw. ticks: 32 MHz, 32 bits, when decoding ended. crc16: as received.
    """

    payload: bytes
    channel: int
    modem: int
    sf: int
    coding_rate: int
    crc_present: bool
    crc_error: bool
    sync_error: bool
    header_error: bool
    timing_set: bool
    freq_error: int
    snr_quarters: int
    rssi_channel: int
    rssi_signal: int
    ticks: int
    crc16: int
    metrics: bytes = b""

    @property
    def is_fsk(self) -> bool:
        """Whether the FSK modem received it."""
        return self.modem == FSK_MODEM


def split_records(buffer: bytes) -> tuple[list[Record], list[RecordError]]:
    """Every whole, sound record of what was read from the buffer, in order, and what was wrong in between.

    Where the reference drops the whole batch (a bad checksum, a lost sync word) or ends the program (a CRC that does
    not match, a channel out of range), this goes on with the next sync word: the frames behind a broken one are good.
    """
    records: list[Record] = []
    errors: list[RecordError] = []
    at = 0
    while at < len(buffer):
        try:
            record, end = _record_at(buffer, at)
        except RecordError as error:
            errors.append(error)
            found = buffer.find(SYNC, at + 1)
            at = len(buffer) if found < 0 else found
            continue
        records.append(record)
        at = end
    return records, errors


def _record_at(buffer: bytes, at: int) -> tuple[Record, int]:
    if buffer[at : at + 2] != SYNC:
        raise RecordError(f"{buffer[at : at + 2].hex()}", field="sync", offset=at, clause=_CLAUSE, hint="A5C0")
    left = len(buffer) - at
    if left < HEAD_BYTES + TAIL_BYTES:
        raise RecordError(f"{left} bytes left", field="record", offset=at, clause=_CLAUSE, hint="at least 23")
    size = buffer[at + 2]
    tail = at + HEAD_BYTES + size
    if tail + TAIL_BYTES > len(buffer):
        raise RecordError(f"{size} bytes of payload, {left} left", field="payload", offset=at + 2, clause=_CLAUSE)
    n_metrics = buffer[tail + 12]
    end = tail + TAIL_BYTES + 2 * n_metrics
    if end > len(buffer):
        raise RecordError(f"{n_metrics} metrics, {left} bytes left", field="metrics", offset=tail + 12, clause=_CLAUSE)
    checksum = sum(buffer[at : end - 1]) & 0xFF
    if checksum != buffer[end - 1]:
        detail = f"0x{buffer[end - 1]:02X}, not 0x{checksum:02X}"
        raise RecordError(detail, field="checksum", offset=end - 1, clause=_CLAUSE)
    return _decoded(buffer, at, size, tail, n_metrics), end


def _decoded(buffer: bytes, at: int, size: int, tail: int, n_metrics: int) -> Record:
    rates, flags = buffer[at + 4], buffer[tail]
    error = int.from_bytes(buffer[at + 6 : at + 9], "little") & 0xF_FFFF
    record = Record(
        payload=bytes(buffer[at + HEAD_BYTES : at + HEAD_BYTES + size]),
        channel=buffer[at + 3],
        modem=buffer[at + 5],
        sf=rates >> 4,
        coding_rate=rates >> 1 & 7,
        crc_present=bool(rates & 1),
        crc_error=bool(flags & 1),
        sync_error=bool(flags & 4),
        header_error=bool(flags & 8),
        timing_set=bool(flags & 16),
        freq_error=error - (1 << 20) if error >= 1 << 19 else error,
        snr_quarters=int.from_bytes(buffer[tail + 1 : tail + 2], "big", signed=True),
        rssi_channel=buffer[tail + 2],
        rssi_signal=buffer[tail + 3],
        ticks=int.from_bytes(buffer[tail + 6 : tail + 10], "little"),
        crc16=int.from_bytes(buffer[tail + 10 : tail + 12], "little"),
        metrics=bytes(buffer[tail + 13 : tail + 13 + 2 * n_metrics]),
    )
    _check(record, at)
    return record


def _check(record: Record, at: int) -> None:
    if record.modem > FSK_MODEM:
        raise RecordError(f"{record.modem}", field="modem", offset=at + 5, clause=_CLAUSE, hint="0 to 17")
    if record.channel > 9:
        raise RecordError(f"{record.channel}", field="channel", offset=at + 3, clause=_CLAUSE, hint="0 to 9")
    if record.is_fsk:
        return
    if not 5 <= record.sf <= 12:
        raise RecordError(f"{record.sf}", field="sf", offset=at + 4, clause=_CLAUSE, hint="5 to 12")
    if not 1 <= record.coding_rate <= 4:
        raise RecordError(f"{record.coding_rate}", field="coding rate", offset=at + 4, clause=_CLAUSE, hint="1 to 4")
    if record.crc_present and not record.crc_error and record.payload:
        expected = lora_payload_crc16(record.payload)
        if expected != record.crc16:
            detail = f"0x{record.crc16:04X}, not 0x{expected:04X}, and not flagged as an error"
            raise RecordError(detail, field="payload CRC", offset=at, clause="loragw_sx1302.c, lora_crc16")


def _crc_table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        value = index << 8
        for _ in range(8):
            value = (value << 1 ^ (0x1021 if value & 0x8000 else 0)) & 0xFFFF
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


def lora_payload_crc16(payload: bytes) -> int:
    """The LoRa payload CRC: polynomial 0x1021, initial 0, remainder of the message itself, not shifted by 16 bits.

    So it is the usual CRC of all but the last two bytes, XORed with these. Source: loragw_sx1302.c, lora_crc16.
    """
    crc = 0
    for byte in payload[:-2]:
        crc = (crc << 8 & 0xFF00) ^ _CRC_TABLE[crc >> 8 ^ byte]
    return crc ^ int.from_bytes(payload[-2:], "big")


def decoding_delay_us(payload_bytes: int, modulation: LoraModulation, coding_rate: int, *, crc: bool) -> int:
    """How long after a frame's end the chip latched its timestamp: what must be taken off, in µs.

    For timestamps at the end of the frame (legacy mode). Source: loragw_sx1302_timestamp.c,
    legacy_timestamp_correction: the durations of filtering, peak search, transform, demapping and decoding, in ps.
    """
    sf, step = modulation.sf, modulation.bw_hz // 125_000
    clock_ps = 250_000 // step
    symbol = (1 << sf) * clock_ps
    low_rate = 1 if modulation.ldro else 0
    per_block = sf - 2 * low_rate
    in_header = sf if sf <= 6 else sf - 2
    nibbles = 2 * (payload_bytes + 2 * crc) + 5
    in_last_block = (nibbles - in_header) % per_block or per_block
    passes = (sf + 1) // 2
    filtering = 16_000_000 // step + 2_031_250
    search = clock_ps * (((1 << sf) - 6) + 2 * ((1 << sf) * (passes - 1) + 6)) + 4 * clock_ps
    if 2 * (payload_bytes + 2 * crc) <= sf - 7 or (not payload_bytes and not crc):
        # everything fits in the header's block, which is always coded 4/8
        coding_rate, in_last_block = 4, in_header
        transform = 2 * symbol + 3 * clock_ps
        demapping = clock_ps + symbol * 3 // 4 + 3 * clock_ps + (sf - 2) * clock_ps
    else:
        transform = (5 - 2 * low_rate) * (symbol + 7 * clock_ps) + 2 * clock_ps
        demapping = clock_ps + symbol + 3 * clock_ps + per_block * clock_ps
    decoding = 5 * clock_ps + (9 + coding_rate) * clock_ps * in_last_block + 3 * clock_ps
    return (filtering + search + transform + demapping + decoding + 500_000) // 1_000_000


def fsk_decoding_delay_us(bit_rate: int) -> int:
    """The same for FSK: negative, the frame ends after its timestamp. Source: loragw_sx1302.c, sx1302_parse."""
    return 20 - 680_000 // bit_rate


def temperature_offset_db(coefficients: tuple[float, float, float, float, float], temperature_c: float) -> float:
    """What the board's temperature adds to an RSSI. Source: loragw_sx1302.c, sx1302_rssi_get_temperature_offset."""
    total = 0.0
    for coefficient in coefficients:
        total = total * temperature_c + coefficient
    return total / 65_536


def fsk_rssi(raw: int) -> float:
    """The FSK modem's RSSI made linear, before offset and temperature. Source: loragw_sx1302.c, RSSI_FSK_POLY."""
    return 90.636423 + raw * (0.420835 + raw * (0.007129 - raw * 0.000026))


def freq_error_hz(raw: int, bw_hz: int) -> int:
    """A record's frequency error in Hz, cut towards zero: one step is bandwidth · 2^-20."""
    return int(raw * bw_hz / (1 << 20))
