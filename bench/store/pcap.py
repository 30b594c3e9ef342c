"""Frames on the air as a PCAP file with LoRaTap headers, for Wireshark.

Sources: LoRaTap version 0 (E. de Jong, `loratap.h`: fields, scales, big endian); link type 270 from the tcpdump.org
list of link-layer header types; libpcap file format, pcap-savefile(5).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from pathlib import Path

from bench.store.atomic import aside
from lorawan.trace import DownlinkRecord, Record, UplinkRecord
from lorawan.units import US_PER_S

LINKTYPE_LORATAP = 270
LORAWAN_SYNC_WORD = 0x34
NOT_RECEIVED = (0, -128)  # RSSI byte and SNR quarters: the bottom of both scales, −139 dBm and −32 dB

_FILE_HEADER = struct.Struct("<IHHiIII")
_PACKET_HEADER = struct.Struct("<IIII")
_LORATAP = struct.Struct(">BBHIBBBBBBB")
_BW_STEP_HZ = 125_000


def write_pcap(path: Path, records: Iterable[Record], *, origin_utc_us: int = 0) -> None:
    """Write every uplink and downlink frame, one packet each, in time order.

    origin_utc_us: the instant 0 of the records, in µs since 1970-01-01T00:00Z. The time of a packet is its frame's
    start. RSSI and SNR: of an uplink at its best gateway, of a downlink at the device; where nobody received the frame
    they stand at the bottom of their scales, −139 dBm and −32 dB (version 0 has no value for "none"). Raises
    StoreError where the file cannot be written.
    """
    frames = sorted(
        (record for record in records if isinstance(record, UplinkRecord | DownlinkRecord)),
        key=lambda record: record.t_us,
    )
    with aside(path) as partial, partial.open("wb") as file:
        file.write(pcap_file_header())
        for frame in frames:
            seconds, micros = divmod(origin_utc_us + frame.t_us, US_PER_S)
            if isinstance(frame, UplinkRecord):
                header = loratap_header(frame.freq_hz, frame.sf, frame.best_rssi_dbm, frame.best_snr_db)
            else:
                header = loratap_header(frame.freq_hz, frame.sf, frame.rssi_dbm, frame.snr_db)
            file.write(pcap_packet(seconds, micros, header + frame.phy_payload))


def pcap_file_header() -> bytes:
    """What a file of LoRaTap packets begins with."""
    return _FILE_HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 65_535, LINKTYPE_LORATAP)


def pcap_packet(seconds: int, micros: int, data: bytes) -> bytes:
    """One packet of the file, at its time since 1970."""
    return _PACKET_HEADER.pack(seconds, micros, len(data), len(data)) + data


def loratap_header(freq_hz: int, sf: int, rssi_dbm: float, snr_db: float, *, bw_hz: int = 125_000) -> bytes:
    """The 15 bytes before a frame. NaN stands for "not received". bw_hz: a multiple of 125 kHz.

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


def _rssi_byte(rssi_dbm: float, steps_per_db: int) -> int:
    return max(0, min(255, round((rssi_dbm + 139) * steps_per_db)))
