"""Between frames and what a picoGW's orders 'b' and 'f' carry."""

from __future__ import annotations

import math

from gateway_fw.concentrator.events import FskReception, Program, Reception
from gateway_fw.concentrator.picogw_counter import MicrosecondCounter
from gateway_fw.concentrator.picogw_records import (
    BANDWIDTH_CODE,
    CRC_BAD,
    CRC_NONE,
    CRC_OK,
    IF_CHAINS,
    MODULATION_FSK,
    MODULATION_LORA,
    RADIOS,
    TX_NOW,
    TX_TIMESTAMP,
    RxRecord,
    TxOrder,
    decode_records,
    sf_bit,
)
from lorawan.machine import Dropped
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.radio import Heard

_CLAUSE = "picoGW_hal loragw_mcu.c, order 'b'"


def receptions(data: bytes, counter: MicrosecondCounter) -> list[Reception | FskReception | Dropped]:
    """The frames in an answer to order 'b'. What no board should say is Dropped."""
    records, wrong = decode_records(data)
    effects: list[Reception | FskReception | Dropped] = [_reception(record, counter) for record in records]
    return [*effects, Dropped("bad_records", _CLAUSE, wrong)] if wrong else effects


def _reception(record: RxRecord, counter: MicrosecondCounter) -> Reception | FskReception | Dropped:
    if record.status not in (CRC_OK, CRC_BAD, CRC_NONE):
        return Dropped("bad_record", _CLAUSE, f"status 0x{record.status:02X}")
    if record.if_chain >= IF_CHAINS or record.rf_chain >= RADIOS or not math.isfinite(record.rssi_dbm):
        detail = f"IF chain {record.if_chain}, RF chain {record.rf_chain}, RSSI {record.rssi_dbm}"
        return Dropped("bad_record", _CLAUSE, detail)
    at = counter.time_of(record.count_us)
    crc_ok = record.status != CRC_BAD
    if record.modulation == MODULATION_FSK:
        return FskReception(
            at,
            record.payload,
            record.freq_hz,
            record.datarate,
            record.rssi_dbm,
            record.if_chain,
            record.rf_chain,
            record.count_us,
            crc_ok,
        )
    lora, coding_rate = record.lora, record.cr
    if lora is None or coding_rate is None or not math.isfinite(record.snr_db):
        detail = f"modulation 0x{record.modulation:02X}, data rate {record.datarate}, coding {record.coding_rate}"
        return Dropped("bad_record", _CLAUSE, detail)
    crc_present = record.status != CRC_NONE
    airtime = lora_airtime_us(len(record.payload), lora, coding_rate=coding_rate, crc=crc_present)
    heard = Heard(
        at, record.payload, record.freq_hz, lora, record.rssi_dbm, record.snr_db, airtime, crc_ok, coding_rate
    )
    return Reception(heard, record.if_chain, record.rf_chain, record.count_us, crc_present=crc_present)


def tx_order(program: Program, counter: MicrosecondCounter) -> TxOrder:
    """Order 'f' for a transmission that has been found sound."""
    transmit = program.transmit
    return TxOrder(
        freq_hz=transmit.freq_hz,
        mode=TX_NOW if program.immediate else TX_TIMESTAMP,
        count_us=0 if program.immediate else counter.raw(transmit.at),
        rf_chain=transmit.rf_chain,
        power_dbm=max(-128, min(127, math.floor(transmit.power_dbm))),
        modulation=MODULATION_LORA,
        bandwidth=BANDWIDTH_CODE[transmit.modulation.bw_hz],
        datarate=sf_bit(transmit.modulation.sf),
        coding_rate=int(transmit.coding_rate),
        inverted_iq=transmit.inverted_iq,
        deviation_khz=0,
        preamble=transmit.preamble_symbols,
        no_crc=not transmit.crc,
        no_header=not transmit.explicit_header,
        size=len(transmit.payload),
        payload=transmit.payload,
    )
