"""Records, checks, delays and frequencies of the virtual SX1302 against the figures of drivers that ran."""

from __future__ import annotations

import binascii

import pytest

from gateway_fw.virtual.board import RssiCalibration
from gateway_fw.virtual.chip_clock import ChipClock
from gateway_fw.virtual.rounding import asked_hz
from gateway_fw.virtual.rx_fifo import RxFifo
from gateway_fw.virtual.rx_records import (
    decoding_delay_us,
    frequency_error,
    header_stamp_lead_us,
    payload_crc16,
    record,
)
from lorawan.phy.airtime import lora_airtime_us, lora_symbol_us
from lorawan.phy.modulation import CodingRate, LoraModulation

CR = CodingRate.CR_4_5


@pytest.mark.parametrize(
    ("sf", "delay_us"),
    [(7, 461), (8, 879), (9, 1975), (10, 3883), (11, 7727), (12, 15_394)],
    ids=lambda value: f"{value}",
)
def test_decoding_takes_what_lora_pkt_fwd_subtracts(sf: int, delay_us: int) -> None:
    # 21 bytes, 4/5, with CRC: all six checked against lora_pkt_fwd 2.1.0
    assert decoding_delay_us(LoraModulation(sf), CR, 21, crc=True) == delay_us


def test_a_payload_that_fits_into_the_header_block_is_decoded_at_once() -> None:
    # SF12 carries five nibbles beside the header: one byte without CRC does not need another block
    assert decoding_delay_us(LoraModulation(12), CR, 1, crc=False) < decoding_delay_us(
        LoraModulation(12), CR, 21, crc=True
    )


def test_the_crc_is_the_remainder_of_the_message_itself() -> None:
    # the usual CCITT (XMODEM) over all but two bytes, XORed with those: binascii's is an independent one
    for size in (2, 3, 13, 64, 255):
        payload = bytes((7 * index + size) & 0xFF for index in range(size))
        assert payload_crc16(payload) == binascii.crc_hqx(payload[:-2], 0) ^ int.from_bytes(payload[-2:], "big")
    # and so the message with its own remainder XORed in leaves none
    message = bytes(range(20))
    crc = payload_crc16(message)
    assert payload_crc16(message[:-2] + (int.from_bytes(message[-2:], "big") ^ crc).to_bytes(2, "big")) == 0
    assert payload_crc16(b"") == 0


def test_a_record_has_each_field_in_its_place() -> None:
    out = record(
        b"\x40\x01\x02",
        channel=8,
        modem=16,
        sf=7,
        coding_rate=CodingRate.CR_4_6,
        crc_present=True,
        crc_ok=False,
        freq_error=-2,
        snr_quarters=-29,
        rssi_channel=100,
        rssi_signal=93,
        ticks=0x04030201,
        crc16=0xBEEF,
    )
    head = b"\xa5\xc0\x03\x08" + bytes((0x70 | 2 << 1 | 1, 16)) + b"\xfe\xff\x0f" + b"\x40\x01\x02"
    tail = b"\x01" + bytes((256 - 29, 100, 93, 0, 0, 1, 2, 3, 4, 0xEF, 0xBE, 0))
    assert out == head + tail + bytes((sum(head + tail) & 0xFF,))
    assert len(out) == 9 + 3 + 14


@pytest.mark.parametrize(("bw_hz", "lsb_hz"), [(125_000, 0.1192), (250_000, 0.2384), (500_000, 0.4768)])
def test_a_frequency_error_counts_in_steps_of_the_bandwidth(bw_hz: int, lsb_hz: float) -> None:
    assert frequency_error(1000 * lsb_hz, bw_hz) in (999, 1000, 1001)
    assert frequency_error(-1e9, bw_hz) == -(1 << 19)
    assert frequency_error(1e9, bw_hz) == (1 << 19) - 1


def test_fine_time_stamps_stand_at_the_end_of_the_header() -> None:
    # the payload's symbols, less the filter's 18.5 µs that a driver takes off and cuts
    modulation = LoraModulation(7)
    preamble_us = (8 * 4 + 17) * lora_symbol_us(modulation) // 4
    payload_us = lora_airtime_us(21, modulation) - preamble_us
    assert header_stamp_lead_us(modulation, CR, 21, crc=True) == payload_us - 19


@pytest.mark.parametrize(
    ("freq_hz", "step_hz"),
    [
        *((freq, 32e6 / (1 << 18)) for freq in (868_100_000, 868_300_000, 869_525_000, 433_175_000, 923_200_000)),
        *((freq, 32e6 / (1 << 25)) for freq in (867_500_000, 868_500_000, 868_123_400)),
        *((freq, 15_625 / 32) for freq in (-400_000, -200_000, 0, 200_000, 400_000)),
    ],
)
def test_a_frequency_cut_off_in_a_register_is_read_back_as_asked(freq_hz: int, step_hz: float) -> None:
    register = int(freq_hz / step_hz)
    assert asked_hz(register, step_hz) == freq_hz


def test_a_register_between_round_frequencies_gives_its_own() -> None:
    assert asked_hz(5, 0.95) == 5
    assert (
        asked_hz(int(868_300_000 * (1 << 18) / 32e6), 32e6 / (1 << 18)) == 868_300_000
    )  # the register holds 868299927


def test_rssi_is_compensated_as_the_stock_configuration_does() -> None:
    # raw 100 is reported as -114 dBm at 25 °C: 1.02 dB of temperature term
    calibration = RssiCalibration()
    assert calibration.dbm(100, 25.0) == pytest.approx(-114.38, abs=0.01)
    assert calibration.raw(-114.0, 25.0) == 100
    assert calibration.raw(-300.0, 25.0) == 0
    assert calibration.raw(100.0, 25.0) == 255


def test_the_counter_wraps_and_is_found_again() -> None:
    clock = ChipClock(0)
    assert clock.ticks(1_000_000) == 32_000_000
    assert clock.ticks(134_217_728) == 0
    assert clock.next_time(32 * 500, 134_217_000) == 134_218_228
    assert clock.pps_ticks(2_500_000, 300_000) == 32 * 2_300_000
    assert clock.pps_ticks(200_000, 300_000) == 0


def test_a_drift_does_not_make_the_counter_jump() -> None:
    clock = ChipClock(0)
    clock.set_drift(10_000, 1_000_000)  # 10 ppm
    assert clock.ticks(1_000_000) == 32_000_000
    assert clock.ticks(101_000_000) == 32_000_000 + 3_200_032_000
    assert abs(clock.next_time(clock.ticks(50_000_000), 40_000_000) - 50_000_000) <= 1


def test_the_receive_buffer_keeps_whole_records() -> None:
    fifo = RxFifo()
    assert fifo.push(bytes(3000), 4096)
    assert not fifo.push(bytes(1200), 4096)
    assert fifo.push(b"\x01" * 1096, 4096)
    assert fifo.read(3001) == bytes(3000) + b"\x01"
    assert len(fifo) == 1095
    assert fifo.read(2000) == b"\x01" * 1095 + bytes(905)
