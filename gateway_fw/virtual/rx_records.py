"""Records of received frames as the SX1302 stores them in its receive buffer.

Source: sx1302_hal 2.1.0, src/loragw_sx1302_rx.c (record layout), src/loragw_sx1302.c (sx1302_lora_payload_crc,
sx1302_parse), src/loragw_sx1302_timestamp.c (decoding delays).
"""

from __future__ import annotations

from lorawan.phy.airtime import lora_payload_symbols, lora_symbol_us
from lorawan.phy.modulation import CodingRate, LoraModulation

SYNC = b"\xa5\xc0"
HEAD_BYTES = 9
TAIL_BYTES = 14
SERVICE_MODEM = 16
_PPM_TICK_PS = 250_000  # of a 4 MHz clock at 125 kHz


def payload_crc16(payload: bytes) -> int:
    """The LoRa payload CRC as stored: polynomial 0x1021, start 0, the remainder of the message itself.

    The last two bytes are not shifted through: they are XORed onto the CCITT remainder of those before.
    """
    if len(payload) < 2:
        return payload[0] if payload else 0
    crc = 0
    for byte in payload[:-2]:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc ^ payload[-2] << 8 ^ payload[-1]


def has_low_rate_optimisation(modulation: LoraModulation) -> bool:
    """Whether the driver takes low-data-rate optimisation as on: SF11 and SF12 at 125 kHz, SF12 at 250 kHz."""
    if modulation.bw_hz == 125_000:
        return modulation.sf >= 11
    return modulation.bw_hz == 250_000 and modulation.sf == 12


def decoding_delay_us(modulation: LoraModulation, coding_rate: CodingRate, payload_bytes: int, *, crc: bool) -> int:
    """From the end of a frame to the time stamp that the chip stores for it in legacy mode, which drivers subtract.

    461, 879, 1975, 3883, 7727 and 15394 µs for 21 bytes, 4/5, with CRC, at SF7 to SF12 and 125 kHz.
    """
    sf, wide = modulation.sf, modulation.bw_hz // 125_000
    tick = _PPM_TICK_PS // wide
    chips = 1 << sf
    optimised = has_low_rate_optimisation(modulation)
    header = sf if sf < 7 else sf - 2
    block = sf - 2 * optimised
    bytes_with_crc = payload_bytes + 2 * crc
    if 2 * bytes_with_crc <= sf - 7 or bytes_with_crc == 0:
        rate, last = 4, header
        fft = 2 * chips * tick + 3 * tick
        demap = tick + chips * tick * 3 // 4 + 3 * tick + (sf - 2) * tick
    else:
        rate = int(coding_rate)
        last = (2 * bytes_with_crc + 5 - header) % block or block
        fft = (5 - 2 * optimised) * (chips + 7) * tick + 2 * tick
        demap = tick + chips * tick + 3 * tick + block * tick
    iterations = (sf + 1) // 2
    filtering = 16_000_000 // wide + 2_031_250
    search = tick * ((chips - 6) + 2 * (chips * (iterations - 1) + 6)) + 4 * tick
    decoding = 5 * tick + (9 + rate) * tick * last + 3 * tick
    return (filtering + search + fft + demap + decoding + 500_000) // 1_000_000


def header_stamp_lead_us(modulation: LoraModulation, coding_rate: CodingRate, payload_bytes: int, *, crc: bool) -> int:
    """How long before the end of a frame the chip takes its stamp when fine time stamps are on: the end of the header,
    later by the filter's delay. Drivers add this again.
    """
    symbols = lora_payload_symbols(
        payload_bytes, modulation.sf, coding_rate=coding_rate, crc=crc, ldro=has_low_rate_optimisation(modulation)
    )
    duration_us = symbols * lora_symbol_us(modulation)
    filtering = 16_000_000 * 125_000 // modulation.bw_hz + 2_031_250 + 500_000
    # a driver subtracts the delay as a fraction and cuts the result off
    return (duration_us * 1_000_000 - filtering) // 1_000_000


def frequency_error(offset_hz: float, bw_hz: int) -> int:
    """An offset in Hz as the record's 20-bit signed number, in steps of the bandwidth through 2^20."""
    return max(-(1 << 19), min((1 << 19) - 1, round(offset_hz * (1 << 20) / bw_hz)))


def record(
    payload: bytes,
    *,
    channel: int,
    modem: int,
    sf: int,
    coding_rate: CodingRate,
    crc_present: bool,
    crc_ok: bool,
    freq_error: int,
    snr_quarters: int,
    rssi_channel: int,
    rssi_signal: int,
    ticks: int,
    crc16: int,
    checksum_xor: int = 0,
) -> bytes:
    """One record, without time-stamp metrics. rssi_*: raw bytes; ticks: 32 MHz; freq_error: see `frequency_error`."""
    out = bytearray(SYNC)
    out += bytes((len(payload), channel, sf << 4 | coding_rate << 1 | crc_present, modem))
    out += (freq_error & 0xFFFFF).to_bytes(3, "little")
    out += payload
    out += bytes((not crc_ok, snr_quarters & 0xFF, rssi_channel, rssi_signal, 0, 0))
    out += ticks.to_bytes(4, "little")
    out += crc16.to_bytes(2, "little")
    out.append(0)
    out.append((sum(out) & 0xFF) ^ checksum_xor)
    return bytes(out)
