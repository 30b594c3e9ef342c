"""Captures: PCAP and pcapng files, LoRaTap both ways, and the LoRaWAN frames in them."""

from bench.pcap.file import CaptureError, Packet, read_capture
from bench.pcap.frames import Captured, CapturedFrame, frames_of, readable
from bench.pcap.loratap import LINKTYPE_LORATAP, LoraTap, loratap_header, parse_loratap
from bench.pcap.writing import pcap_file_header, pcap_packet

__all__ = [
    "LINKTYPE_LORATAP",
    "CaptureError",
    "Captured",
    "CapturedFrame",
    "LoraTap",
    "Packet",
    "frames_of",
    "loratap_header",
    "parse_loratap",
    "pcap_file_header",
    "pcap_packet",
    "read_capture",
    "readable",
]
