"""Time on air of LoRa and FSK frames, in exact integer microseconds."""

from __future__ import annotations

from functools import lru_cache

from lorawan.phy.modulation import CodingRate, FskModulation, LoraModulation

LORAWAN_PREAMBLE_SYMBOLS = 8  # RP002-1.0.4, EU863-870 "preamble": 8 symbols

# An FSK frame: preamble 5 and sync word C194C1 3 bytes (Regional Parameters 1.0.3 revA §2.2.1, table 2), then one
# length byte, the PHY payload and CRC-16 (SX1276 datasheet, variable-length packets; from memory).
FSK_OVERHEAD_BYTES = 5 + 3 + 1 + 2


def fsk_airtime_us(payload_bytes: int, modulation: FskModulation | None = None) -> int:
    """Time on air in µs of a PHY payload of 0–255 bytes at 50 kbit/s or another FSK rate; uplinks and downlinks alike.

    Exact: a byte lasts 160 µs at 50 kbit/s. Raises ValueError for another length.
    """
    if not 0 <= payload_bytes <= 255:
        raise ValueError(f"an FSK payload has 0 to 255 bytes, not {payload_bytes}")
    bit_rate_bps = FskModulation().bit_rate_bps if modulation is None else modulation.bit_rate_bps
    return (FSK_OVERHEAD_BYTES + payload_bytes) * (8_000_000 // bit_rate_bps)


def lora_symbol_us(modulation: LoraModulation) -> int:
    """Duration of one symbol, 2^SF / BW, in µs. Exact for every LoRaWAN bandwidth (125, 250, 500 kHz)."""
    return (1 << modulation.sf) * 1_000_000 // modulation.bw_hz


def lora_payload_symbols(
    payload_bytes: int,
    sf: int,
    *,
    coding_rate: CodingRate = CodingRate.CR_4_5,
    explicit_header: bool = True,
    crc: bool = True,
    ldro: bool = False,
) -> int:
    """Symbols after the preamble, at least 8.

    Source: Semtech SX1276 datasheet rev. 7 §4.1.1.7 (SF7–12; SF5 and SF6 follow the SX1262 datasheet §6.1.4).
    """
    short = sf < 7
    bits = 8 * payload_bytes - 4 * sf + (0 if short else 8) + 16 * crc + (20 if explicit_header else 0)
    per_block = 4 * (sf - 2 * ldro)
    return 8 + max(-(-bits // per_block) * (coding_rate + 4), 0)


@lru_cache(maxsize=4096)
def lora_airtime_us(
    payload_bytes: int,
    modulation: LoraModulation,
    *,
    coding_rate: CodingRate = CodingRate.CR_4_5,
    preamble_symbols: int = LORAWAN_PREAMBLE_SYMBOLS,
    explicit_header: bool = True,
    crc: bool = True,
    ldro: bool | None = None,
) -> int:
    """Time on air in µs of a PHY payload of `payload_bytes` (0–255).

    crc is False for downlinks. ldro: None applies the 16 ms rule. The preamble counts 4.25 symbols more (sync word and
    start of frame; 6.25 below SF7), so four symbols divide exactly and no result is rounded.

    Source: Semtech SX1276 datasheet rev. 7 §4.1.1.7.
    """
    if not 0 <= payload_bytes <= 255:
        raise ValueError(f"a LoRa payload has 0 to 255 bytes, not {payload_bytes}")
    symbol_us = lora_symbol_us(modulation)
    symbols = lora_payload_symbols(
        payload_bytes,
        modulation.sf,
        coding_rate=coding_rate,
        explicit_header=explicit_header,
        crc=crc,
        ldro=modulation.ldro if ldro is None else ldro,
    )
    sync_quarter_symbols = 25 if modulation.sf < 7 else 17
    return (4 * (preamble_symbols + symbols) + sync_quarter_symbols) * symbol_us // 4
