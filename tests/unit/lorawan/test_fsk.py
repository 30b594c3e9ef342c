"""FSK and LR-FHSS as data rates: airtime of FSK, and what they are called."""

from __future__ import annotations

import pytest

from lorawan.errors import FrameError
from lorawan.phy import FskModulation, LrFhssCodingRate, LrFhssModulation, fsk_airtime_us


@pytest.mark.parametrize(
    ("payload_bytes", "microseconds"),
    # (preamble 40 + sync word 24 + length 8 + payload + CRC 16 bits) × 20 µs
    [(0, 1_760), (12, 3_680), (23, 5_440), (64, 12_000), (255, 42_560)],
)
def test_an_fsk_frame_lasts_its_bits_at_50_kbit_s(payload_bytes: int, microseconds: int) -> None:
    assert fsk_airtime_us(payload_bytes) == microseconds
    assert fsk_airtime_us(payload_bytes, FskModulation(25_000)) == 2 * microseconds


@pytest.mark.parametrize("payload_bytes", [-1, 256])
def test_an_fsk_payload_has_one_length_byte(payload_bytes: int) -> None:
    with pytest.raises(ValueError, match="0 to 255"):
        fsk_airtime_us(payload_bytes)


@pytest.mark.parametrize("bit_rate_bps", [0, -1, 3])
def test_a_bit_rate_without_whole_microseconds_is_refused(bit_rate_bps: int) -> None:
    with pytest.raises(FrameError, match="bit_rate_bps"):
        FskModulation(bit_rate_bps)


def test_they_read_as_the_tables_write_them() -> None:
    assert str(FskModulation()) == "FSK 50000"
    assert str(LrFhssModulation(137_000, LrFhssCodingRate.CR_1_3)) == "LR-FHSS CR1/3 137 kHz"
