"""SLIP framing, as the ESP32 ROM loader speaks it: packets between 0xC0.

Source: RFC 1055; Espressif, esptool documentation, "Serial protocol", low-level packets.
"""

from __future__ import annotations

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD
MAX_PACKET_BYTES = 0x8000  # [assumption] twice the largest block that esptool sends


def encode(packet: bytes) -> bytes:
    """One packet on the wire."""
    body = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + body + b"\xc0"


class SlipDecoder:
    """Bytes in, whole packets out. A packet with a wrong escape, or too long, is left out and counted."""

    def __init__(self) -> None:
        self._packet = bytearray()
        self._escaped = self._bad = False
        self.dropped = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that end in these bytes."""
        done = []
        for value in data:
            if value == END:
                if self._bad or self._escaped:
                    self.dropped += 1
                elif self._packet:
                    done.append(bytes(self._packet))
                self._packet.clear()
                self._escaped = self._bad = False
            elif self._escaped:
                self._escaped = False
                if value in (ESC_END, ESC_ESC):
                    self._packet.append(END if value == ESC_END else ESC)
                else:
                    self._bad = True
            elif value == ESC:
                self._escaped = True
            elif len(self._packet) >= MAX_PACKET_BYTES:
                self._bad = True
            else:
                self._packet.append(value)
        return done
