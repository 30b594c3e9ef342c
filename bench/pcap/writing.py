"""A PCAP file of LoRaTap packets, piece by piece. Source: libpcap file format, pcap-savefile(5)."""

from __future__ import annotations

import struct

from bench.pcap.loratap import LINKTYPE_LORATAP

_FILE_HEADER = struct.Struct("<IHHiIII")
_PACKET_HEADER = struct.Struct("<IIII")


def pcap_file_header(link_type: int = LINKTYPE_LORATAP) -> bytes:
    """What a file begins with; times in it are in µs."""
    return _FILE_HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, 65_535, link_type)


def pcap_packet(seconds: int, micros: int, data: bytes) -> bytes:
    """One packet of the file, at its time since 1970."""
    return _PACKET_HEADER.pack(seconds, micros, len(data), len(data)) + data
