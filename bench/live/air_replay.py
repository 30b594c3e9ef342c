"""Uplinks of a capture with LoRaTap headers, PCAP or pcapng, to be heard again."""

from __future__ import annotations

from pathlib import Path

from bench.errors import UsageError
from bench.pcap import LINKTYPE_LORATAP, CaptureError, Packet, parse_loratap, read_capture
from lorawan.errors import FrameError
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard

_DOWNLINK_TYPES = (1, 3, 5)  # MHDR: join accept, unconfirmed and confirmed data down. Source: LoRaWAN 1.0.4 §4.2.1
_FIRST_US = 1_000_000  # the first frame begins a second after the host has started the board


def load_replay(path: Path) -> list[Heard]:
    """The uplinks that some gateway received, in time order; the first begins at 1 s, the others keep their distance.

    Downlinks are told by their MHDR and left out, and so is what nobody received. Coding rate 4/5 is taken, which
    version 0 does not carry. Raises UsageError with the byte offset of what is wrong.
    """
    frames: list[Heard] = []
    try:
        for packet in read_capture(path):
            heard = _heard(path, packet)
            if heard is not None:
                frames.append(heard)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    frames.sort(key=lambda frame: frame.at - frame.airtime_us)
    if not frames:
        raise UsageError(f"{path}: no uplink that was received")
    shift = _FIRST_US - (frames[0].at - frames[0].airtime_us)
    return [_moved(frame, shift) for frame in frames]


def _heard(path: Path, packet: Packet) -> Heard | None:
    if packet.link_type != LINKTYPE_LORATAP or packet.at_ns is None:
        message = f"link type {packet.link_type}" if packet.at_ns is not None else "a packet without a time"
        raise CaptureError(path, packet.offset, message, hint=f"LoRaTap, {LINKTYPE_LORATAP}, with times is needed")
    try:
        radio, payload = parse_loratap(packet.data)
        if radio.rssi_dbm is None or radio.snr_db is None:
            return None
        if not payload or payload[0] >> 5 in _DOWNLINK_TYPES or len(payload) > 255:
            return None
        modulation = LoraModulation(radio.sf, radio.bw_hz)
    except FrameError as error:
        raise CaptureError(path, packet.offset + (error.offset or 0), str(error)) from None
    airtime_us = lora_airtime_us(len(payload), modulation)
    at_us = packet.at_ns // 1_000 + airtime_us
    return Heard(at_us, payload, radio.freq_hz, modulation, radio.rssi_dbm, radio.snr_db, airtime_us)


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
