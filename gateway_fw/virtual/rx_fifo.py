"""The SX1302's receive buffer: whole records, read as a byte stream that does not come back.

Source: sx1302_hal 2.1.0, src/loragw_sx1302_rx.c (rx_buffer_fetch).
"""

from __future__ import annotations


class RxFifo:
    """Holds records until they are read. What does not fit as a whole is lost [assumption]."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def clear(self) -> None:
        """Empty it."""
        self._bytes.clear()

    def push(self, record: bytes, size_limit: int) -> bool:
        """Store a record; False where it does not fit."""
        if len(self._bytes) + len(record) > size_limit:
            return False
        self._bytes += record
        return True

    def read(self, size: int) -> bytes:
        """The next bytes, padded with zeros."""
        out = bytes(self._bytes[:size])
        del self._bytes[:size]
        return out.ljust(size, b"\0")
