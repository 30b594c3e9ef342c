"""Uplinks of a PCAP file with LoRaTap headers, to be heard again.

Sources: as of the writer, `bench/store/pcap.py`: LoRaTap version 0, link type 270, pcap-savefile(5).
"""

from __future__ import annotations

import struct
from pathlib import Path

from bench.errors import UsageError
from bench.store.pcap import LINKTYPE_LORATAP, NOT_RECEIVED
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard
from lorawan.units import US_PER_S

_MAGIC = {b"\xd4\xc3\xb2\xa1": ("<", 1), b"\xa1\xb2\xc3\xd4": (">", 1), b"\x4d\x3c\xb2\xa1": ("<", 1000)}
_MAGIC[b"\xa1\xb2\x3c\x4d"] = (">", 1000)
_FILE_HEADER_BYTES, _PACKET_HEADER_BYTES = 24, 16
_LORATAP = struct.Struct(">BBHIBBBBBBB")
_LORATAP_VERSION = 0
_MAX_PACKET_BYTES = 65_535
_DOWNLINK_TYPES = (1, 3, 5)  # MHDR: join accept, unconfirmed and confirmed data down. Source: LoRaWAN 1.0.4 §4.2.1
_FIRST_US = 1_000_000  # the first frame begins a second after the host has started the board


def load_replay(path: Path) -> list[Heard]:
    """The uplinks that some gateway received, in time order; the first begins at 1 s, the others keep their distance.

    Downlinks are told by their MHDR and left out, and so is what nobody received. Coding rate 4/5 is taken, which
    version 0 does not carry. Raises UsageError with the byte offset of what is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    magic = _MAGIC.get(data[:4])
    if magic is None or len(data) < _FILE_HEADER_BYTES:
        raise UsageError(f"{path}: byte 0: no PCAP file", hint="PCAP-NG: convert with tshark -F pcap")
    order, per_us = magic
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFF_FFFF
    if link_type != LINKTYPE_LORATAP:
        raise UsageError(f"{path}: byte 20: link type {link_type}", hint=f"LoRaTap, {LINKTYPE_LORATAP}, is needed")
    frames: list[Heard] = []
    at = _FILE_HEADER_BYTES
    while at < len(data):
        if len(data) - at < _PACKET_HEADER_BYTES:
            raise UsageError(f"{path}: byte {at}: the file ends inside a packet header")
        seconds, fraction, size, _ = struct.unpack_from(order + "IIII", data, at)
        start = at + _PACKET_HEADER_BYTES
        if size > _MAX_PACKET_BYTES or start + size > len(data):
            raise UsageError(f"{path}: byte {at}: a packet of {size} bytes runs over the end of the file")
        heard = _heard(path, start, data[start : start + size], seconds * US_PER_S + fraction // per_us)
        if heard is not None:
            frames.append(heard)
        at = start + size
    frames.sort(key=lambda frame: frame.at - frame.airtime_us)
    if not frames:
        raise UsageError(f"{path}: no uplink that was received")
    shift = _FIRST_US - (frames[0].at - frames[0].airtime_us)
    return [_moved(frame, shift) for frame in frames]


def _heard(path: Path, offset: int, packet: bytes, start_us: int) -> Heard | None:
    if len(packet) < _LORATAP.size:
        raise UsageError(f"{path}: byte {offset}: {len(packet)} bytes are no LoRaTap header")
    version, _, size, freq_hz, bandwidth, sf, rssi, _, _, snr, _ = _LORATAP.unpack_from(packet)
    if version != _LORATAP_VERSION or size < _LORATAP.size or size > len(packet):
        raise UsageError(f"{path}: byte {offset}: LoRaTap version {version}, {size} bytes", hint="version 0 is read")
    snr_quarters = snr - 256 if snr > 127 else snr
    payload = packet[size:]
    if (rssi, snr_quarters) == NOT_RECEIVED or not payload or payload[0] >> 5 in _DOWNLINK_TYPES or len(payload) > 255:
        return None
    if not 5 <= sf <= 12 or bandwidth not in (1, 2, 4):
        raise UsageError(f"{path}: byte {offset}: SF{sf} at {bandwidth} × 125 kHz")
    modulation = LoraModulation(sf, bandwidth * 125_000)
    airtime_us = lora_airtime_us(len(payload), modulation)
    rssi_dbm = -139 + (rssi / 4 if snr_quarters < 0 else rssi)
    return Heard(start_us + airtime_us, payload, freq_hz, modulation, rssi_dbm, snr_quarters / 4, airtime_us)


def _moved(frame: Heard, shift: int) -> Heard:
    return Heard(
        frame.at + shift,
        frame.payload,
        frame.freq_hz,
        frame.modulation,
        frame.rssi_dbm,
        frame.snr_db,
        frame.airtime_us,
        crc_ok=frame.crc_ok,
        coding_rate=frame.coding_rate,
    )
