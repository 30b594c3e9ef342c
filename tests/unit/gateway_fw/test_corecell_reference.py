"""The CoreCell driver against what Semtech's own packet forwarder does: recorded register writes, and known values."""

from __future__ import annotations

from pathlib import Path

import pytest
from corecell_pair import CoreCellPair, operations

from gateway_fw.concentrator.corecell_bridge import multiple_spi
from gateway_fw.concentrator.corecell_plan import frequency_to_time_drift, if_rounding_hz, if_word
from gateway_fw.concentrator.corecell_records import (
    decoding_delay_us,
    freq_error_hz,
    fsk_decoding_delay_us,
    lora_payload_crc16,
    temperature_offset_db,
)
from gateway_fw.concentrator.corecell_startup import image_band, sx1250_frequency
from gateway_fw.concentrator.corecell_tx import frequency_word, start_delay_ticks, transmit_elements
from gateway_fw.concentrator.procedure import ProcedureFailed
from gateway_fw.concentrator.setup import RadioSetup
from lorawan.phy.modulation import CodingRate, LoraModulation
from lorawan.phy.radio import Transmit

GOLDEN = Path(__file__).parents[2] / "golden"
STATUS_READS = ("read 5781 1", "read 6081 1")


def _golden(name: str) -> list[str]:
    return (GOLDEN / name).read_text("utf-8").splitlines()


def test_start_up_writes_every_register_that_the_reference_writes_in_its_order() -> None:
    expected = [line for line in _golden("corecell_start.txt") if not line.startswith("#")]
    pair = CoreCellPair().started()
    ours = [line for line in operations(bytes(pair.host_bytes)) if line not in STATUS_READS]
    assert ours[: len(expected)] == expected
    assert ours[len(expected)] == "read 6101 8"  # then the counter, and the reference polls


def _transmit(
    freq_hz: int, modulation: LoraModulation, rate: int, power_dbm: int, size: int, **more: bool | int
) -> Transmit:
    return Transmit(
        0,
        bytes(range(size)),
        freq_hz,
        modulation,
        power_dbm,
        0,
        inverted_iq=bool(more.get("iq", True)),
        crc=bool(more.get("crc", False)),
        coding_rate=CodingRate(rate),
        preamble_symbols=int(more.get("preamble", 8)),
        explicit_header=bool(more.get("header", True)),
    )


@pytest.mark.parametrize(
    ("title", "transmit"),
    [
        ("868.1 MHz SF7BW125", _transmit(868_100_000, LoraModulation(7), 1, 14, 10)),
        ("869.525 MHz SF12BW125", _transmit(869_525_000, LoraModulation(12), 1, 27, 11)),
        (
            "868.3 MHz SF7BW250",
            _transmit(
                868_300_000, LoraModulation(7, 250_000), 2, 16, 12, iq=False, crc=True, preamble=10, header=False
            ),
        ),
        ("868.3 MHz SF5BW500", _transmit(868_300_000, LoraModulation(5, 500_000), 4, 3, 13, crc=True)),
    ],
)
def test_a_transmission_is_programmed_as_the_reference_programs_it(title: str, transmit: Transmit) -> None:
    text = "\n".join(_golden("corecell_transmit.txt"))
    section = text.split(f"# {title}", 1)[1].split("\n# ", 1)[0].splitlines()
    start_us = int(section[1].removeprefix("= "))
    elements = transmit_elements(transmit, RadioSetup(), start_us * 32 & 0xFFFF_FFFF)
    ours = list(operations(multiple_spi(elements).frame(0)))
    assert ours == section[2:]


def test_timestamps_lose_the_decoding_delays_that_the_reference_takes_off() -> None:
    # serial-line recordings of lora_pkt_fwd 2.1.0: 21 bytes, 4/5, CRC on, SF7 to SF12
    delays = [decoding_delay_us(21, LoraModulation(sf), 1, crc=True) for sf in range(7, 13)]
    assert delays == [461, 879, 1975, 3883, 7727, 15394]


def test_a_payload_inside_the_header_block_has_a_shorter_delay() -> None:
    assert decoding_delay_us(0, LoraModulation(12), 1, crc=True) < decoding_delay_us(
        21, LoraModulation(12), 1, crc=True
    )
    # by hand for SF7, no payload, no CRC, in ps: 18031250 filtering, 226500000 search, 64750000 transform,
    # 26250000 demapping, 18250000 decoding (13 * 5 nibbles and 8 clocks), 500000 rounding
    assert decoding_delay_us(0, LoraModulation(7), 1, crc=False) == 354


def test_fsk_frames_end_after_their_timestamp() -> None:
    assert fsk_decoding_delay_us(50_000) == 7  # 680000 / 50000 - 20 = -7 is added


def test_stock_coefficients_add_a_decibel_at_room_temperature() -> None:
    assert temperature_offset_db((0, 0, 20.41, 2162.56, 0), 25.0) == pytest.approx(1.02, abs=0.001)
    assert temperature_offset_db((1, 0, 0, 0, 65536), 2.0) == pytest.approx(1 + 16 / 65536)


@pytest.mark.parametrize(("payload", "crc"), [(b"\x12", 0x0012), (b"\x12\x34", 0x1234), (b"\x01\x00\x00", 0x1021)])
def test_the_payload_crc_is_the_remainder_of_the_message_itself(payload: bytes, crc: int) -> None:
    assert lora_payload_crc16(payload) == crc


def test_the_payload_crc_is_the_usual_one_with_its_last_two_bytes_not_shifted() -> None:
    # CRC-16/XMODEM of "123456789" is 0x31C3
    assert lora_payload_crc16(b"123456789\x00\x00") == 0x31C3


def test_words_of_frequency() -> None:
    assert 2 * frequency_word(868_100_000) == 0xD9_0666  # the SX1276's word, in steps half as long
    assert int.from_bytes(sx1250_frequency(867_500_000), "big") == 0x3638_0000
    assert [if_word(hz) for hz in (-400_000, -200_000, 0, 200_000)] == [-819, -409, 0, 409]
    assert (if_rounding_hz(-200_000), if_rounding_hz(400_000)) == (-293, 98)
    mantissa, exponent = frequency_to_time_drift(868_500_000, 125_000)
    assert 2048 <= mantissa < 4096
    assert mantissa / (1 << exponent + 20) == pytest.approx(125_000 / 868_500_000, rel=0.01)


def test_frequency_errors_count_in_parts_of_the_bandwidth() -> None:
    assert freq_error_hz(1 << 19, 125_000) == 62_500
    assert freq_error_hz(-9, 125_000) == -1  # cut towards zero


def test_the_transmitter_is_started_ahead_of_the_first_chirp() -> None:
    # 1500 µs less 19 ticks of the radio, 63 chips of filter and 8 of the modem at 125 kHz
    assert start_delay_ticks(LoraModulation(7)) == 1500 * 32 - 19 - 504 - 64
    assert start_delay_ticks(LoraModulation(12)) == 1500 * 32 - 19 - 1016 - 64


def test_radios_outside_the_bands_are_refused_with_the_bands() -> None:
    assert image_band(867_500_000) == (0xD7, 0xDB)
    with pytest.raises(ProcedureFailed, match=r"600\.0 MHz") as caught:
        image_band(600_000_000)
    assert "863-870" in caught.value.hint
