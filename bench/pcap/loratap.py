"""LoRaTap headers: what the radio says of a frame, before the frame.

Version 0 is written and read. Of version 1 the fields that version 0 has are read; it has the same ones first.

Sources: LoRaTap (E. de Jong, `loratap.h`: fields, scales, big endian); link type 270 from the tcpdump.org list of
link-layer header types; version 1's layout after the header of Kismet's `dlt_loratap.h`.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Final

from lorawan.errors import FrameError

LINKTYPE_LORATAP: Final = 270
LORAWAN_SYNC_WORD: Final = 0x34
NOT_RECEIVED: Final = (0, -128)  # RSSI byte and SNR quarters: the bottom of both scales, −139 dBm and −32 dB

_LORATAP: Final = struct.Struct(">BBHIBBBBBBB")
_BW_STEP_HZ: Final = 125_000
_VERSIONS: Final = (0, 1)
_CLAUSE: Final = "loratap.h"


@dataclass(frozen=True, slots=True)
class LoraTap:
    """A header. rssi_dbm and snr_db are None where nobody received the frame. sync_word: 0x34 of public LoRaWAN."""

    freq_hz: int
    bw_hz: int
    sf: int
    rssi_dbm: float | None
    snr_db: float | None
    sync_word: int = LORAWAN_SYNC_WORD


def loratap_header(freq_hz: int, sf: int, rssi_dbm: float, snr_db: float, *, bw_hz: int = 125_000) -> bytes:
    """The 15 bytes of version 0. NaN stands for "not received". bw_hz: a multiple of 125 kHz.

    Scales: SNR in quarters of a dB, two's complement; RSSI −139 dBm + n, or −139 dBm + n/4 where the SNR is negative.
    Both are rounded and held within the byte.
    """
    if math.isnan(rssi_dbm) or math.isnan(snr_db):
        packet, snr_quarters = NOT_RECEIVED
        ceiling = current = packet
    else:
        snr_quarters = max(-128, min(127, round(4 * snr_db)))
        # The reader chooses the scale by the sign of the quantised SNR, so we do as well.
        packet = _rssi_byte(rssi_dbm, 4 if snr_quarters < 0 else 1)
        ceiling = current = _rssi_byte(rssi_dbm, 1)
    return _LORATAP.pack(
        0,
        0,
        _LORATAP.size,
        freq_hz,
        bw_hz // _BW_STEP_HZ,
        sf,
        packet,
        ceiling,
        current,
        snr_quarters & 0xFF,
        LORAWAN_SYNC_WORD,
    )


def parse_loratap(data: bytes) -> tuple[LoraTap, bytes]:
    """The header of a packet, and the frame after it. Raises FrameError with the offset in the packet."""
    if len(data) < _LORATAP.size:
        raise FrameError(
            f"{len(data)} bytes", field="LoRaTap", offset=len(data), clause=_CLAUSE, hint=f"{_LORATAP.size} are needed"
        )
    version, _, size, freq_hz, bandwidth, sf, rssi, _, _, snr, sync_word = _LORATAP.unpack_from(data)
    if version not in _VERSIONS:
        raise FrameError(f"version {version}", field="LoRaTap", offset=0, clause=_CLAUSE, hint="0 and 1 are read")
    if not _LORATAP.size <= size <= len(data):
        raise FrameError(f"a header of {size} bytes", field="LoRaTap length", offset=2, clause=_CLAUSE)
    snr_quarters = snr - 256 if snr > 127 else snr
    heard = (rssi, snr_quarters) != NOT_RECEIVED
    rssi_dbm = -139 + (rssi / 4 if snr_quarters < 0 else rssi) if heard else None
    header = LoraTap(freq_hz, bandwidth * _BW_STEP_HZ, sf, rssi_dbm, snr_quarters / 4 if heard else None, sync_word)
    return header, data[size:]


def _rssi_byte(rssi_dbm: float, steps_per_db: int) -> int:
    return max(0, min(255, round((rssi_dbm + 139) * steps_per_db)))
