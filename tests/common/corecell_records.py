"""Receive buffer records of an SX1302, as its description writes them."""

from __future__ import annotations

from gateway_fw.concentrator.corecell_records import lora_payload_crc16


def record(
    payload: bytes,
    *,
    channel: int = 1,
    modem: int = 3,
    sf: int = 9,
    coding_rate: int = 1,
    crc: bool = True,
    flags: int = 0,
    ticks: int = 0,
    rssi: int = 123,
    metrics: bytes = b"",
    error: int = 0,
    crc16: int | None = None,
) -> bytes:
    """A record as loragw_sx1302_rx.c describes it, written here from the description alone."""
    stored = lora_payload_crc16(payload) if crc16 is None else crc16
    body = bytes((0xA5, 0xC0, len(payload), channel, sf << 4 | coding_rate << 1 | crc, modem))
    body += (error & 0xFFFFF).to_bytes(3, "little") + payload
    body += bytes((flags, 0xFF & 29, rssi, rssi + 1, 0, 0)) + ticks.to_bytes(4, "little")
    body += stored.to_bytes(2, "little") + bytes((len(metrics) // 2,)) + metrics
    return body + bytes((sum(body) & 0xFF,))
