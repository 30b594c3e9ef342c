"""From the chip's receive buffer to frames with their radio values: what a CoreCell's poll does."""

from __future__ import annotations

from collections.abc import Iterator

from gateway_fw.concentrator import corecell_registers as reg
from gateway_fw.concentrator.corecell_bridge import BURST_BYTES
from gateway_fw.concentrator.corecell_counter import Counter
from gateway_fw.concentrator.corecell_plan import if_rounding_hz
from gateway_fw.concentrator.corecell_records import (
    Record,
    decoding_delay_us,
    freq_error_hz,
    fsk_decoding_delay_us,
    fsk_rssi,
    split_records,
    temperature_offset_db,
)
from gateway_fw.concentrator.events import FskReception, Reception
from gateway_fw.concentrator.procedure import AnswerLost, Procedure, read
from gateway_fw.concentrator.setup import Channel, FskChannel, RadioSetup, ServiceChannel
from lorawan.machine import Dropped
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Heard

_FIFO_CLAUSE = "SX1302 receive buffer"
_MULTI_SF_BW_HZ = 125_000


def fetch() -> Procedure[bytes]:
    """What the receive buffer holds. Its size is read twice and the larger counts, as the chip may tear a reading.

    Reading consumes: a lost answer is not asked for again, and a Dropped says so.
    """
    first = yield from read(reg.RX_NB_BYTES, 2)
    again = yield from read(reg.RX_NB_BYTES, 2)
    left = max(int.from_bytes(first, "big"), int.from_bytes(again, "big"))
    buffer = b""
    while left > 0:
        part = min(left, BURST_BYTES)
        try:
            buffer += yield from read(reg.RX_FIFO, part, repeatable=False)
        except AnswerLost as lost:
            if not lost.alive:
                raise
            yield Dropped("frames_lost", _FIFO_CLAUSE, f"{part} bytes read, but the answer did not arrive")
        left -= part
    return buffer


def read_counters() -> Procedure[tuple[int, int]]:
    """The free-running 32 MHz counter, and the same latched at the last pulse per second.

    Where a first byte moved between two readings, a third one is taken.

    Source: loragw_sx1302_timestamp.c, timestamp_counter_get, which names the chip's error.
    """
    first = yield from read(reg.COUNTERS, 8)
    again = yield from read(reg.COUNTERS, 8)
    if (first[0], first[4]) != (again[0], again[4]):
        first = yield from read(reg.COUNTERS, 8)
    return int.from_bytes(first[4:8], "big"), int.from_bytes(first[:4], "big")


def receptions(
    buffer: bytes, setup: RadioSetup, counter: Counter, temperature_c: float
) -> Iterator[Reception | FskReception | Dropped]:
    """The frames in what was fetched, and what was wrong with the rest."""
    records, errors = split_records(buffer)
    for error in errors:
        yield Dropped("record", error.clause, str(error))
    for record in records:
        channel = setup.channel(record.channel)
        if channel is None:
            yield Dropped("record", _FIFO_CLAUSE, f"a frame on channel {record.channel}, which is not set up")
        elif isinstance(channel, FskChannel) or record.is_fsk:
            yield from _fsk(record, channel, setup, counter, temperature_c)
        else:
            yield from _lora(record, channel, setup, counter, temperature_c)


def _lora(
    record: Record, channel: Channel | ServiceChannel, setup: RadioSetup, counter: Counter, temperature_c: float
) -> Iterator[Reception | Dropped]:
    if record.sync_error or record.header_error:
        yield Dropped("header", _FIFO_CLAUSE, f"SF{record.sf} on channel {record.channel}")
        return
    radio = setup.radios[channel.rf_chain]
    bw_hz = channel.modulation.bw_hz if isinstance(channel, ServiceChannel) else _MULTI_SF_BW_HZ
    modulation = LoraModulation(record.sf, bw_hz)
    size, coding_rate = len(record.payload), CodingRate(record.coding_rate)
    delay_us = decoding_delay_us(size, modulation, coding_rate, crc=record.crc_present)
    at = counter.time_of(record.ticks) - delay_us
    offset_db = radio.rssi_offset_db + temperature_offset_db(radio.rssi_temperature, temperature_c)
    heard = Heard(
        at=at,
        payload=record.payload,
        freq_hz=radio.freq_hz + channel.if_hz,
        modulation=modulation,
        rssi_dbm=record.rssi_channel + offset_db,
        snr_db=record.snr_quarters / 4,
        airtime_us=lora_airtime_us(size, modulation, coding_rate=coding_rate, crc=record.crc_present),
        crc_ok=not (record.crc_present and record.crc_error),
        coding_rate=coding_rate,
    )
    yield Reception(
        heard,
        if_chain=record.channel,
        rf_chain=channel.rf_chain,
        counter_us=counter.raw_us(at),
        rssi_signal_dbm=record.rssi_signal + offset_db,
        freq_error_hz=freq_error_hz(record.freq_error, bw_hz) + if_rounding_hz(channel.if_hz),
        crc_present=record.crc_present,
        modem=record.modem,
    )


def _fsk(
    record: Record,
    channel: Channel | ServiceChannel | FskChannel,
    setup: RadioSetup,
    counter: Counter,
    temperature_c: float,
) -> Iterator[FskReception | Dropped]:
    if not isinstance(channel, FskChannel) or not record.is_fsk:
        yield Dropped("record", _FIFO_CLAUSE, f"modem {record.modem} on channel {record.channel}")
        return
    radio = setup.radios[channel.rf_chain]
    at = counter.time_of(record.ticks) - fsk_decoding_delay_us(channel.bit_rate)
    offset_db = radio.rssi_offset_db + temperature_offset_db(radio.rssi_temperature, temperature_c)
    yield FskReception(
        at,
        record.payload,
        radio.freq_hz + channel.if_hz,
        channel.bit_rate,
        fsk_rssi(record.rssi_channel) + offset_db,
        record.channel,
        channel.rf_chain,
        counter.raw_us(at),
        not (record.crc_present and record.crc_error),
    )
