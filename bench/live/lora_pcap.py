"""A LoRaTap capture that grows while it is written, for Wireshark to follow."""

from __future__ import annotations

import time
from pathlib import Path
from typing import BinaryIO

from bench.errors import UsageError
from bench.pcap import loratap_header, pcap_file_header, pcap_packet
from lorawan.phy import LoraModulation
from lorawan.units import US_PER_S


def unix_us() -> int:
    """The wall clock, µs since 1970-01-01T00:00Z."""
    return time.time_ns() // 1_000


class LivePcap:
    """Writes one packet for each frame, at once. Use as a context manager.

    A file that exists is never touched; a named pipe is written into (`mkfifo p; wireshark -k -i p`). Raises
    UsageError for an existing file, OSError where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file: BinaryIO = path.open("wb" if path.is_fifo() else "xb")
        except FileExistsError:
            raise UsageError(f"{path} exists", hint="take another name, or remove it") from None
        self.packets = 0
        self._file.write(pcap_file_header())
        self._file.flush()

    def write(
        self, payload: bytes, freq_hz: int, modulation: LoraModulation, rssi_dbm: float, snr_db: float, at_unix_us: int
    ) -> None:
        """One frame. NaN for RSSI and SNR where nobody measured them."""
        header = loratap_header(freq_hz, modulation.sf, rssi_dbm, snr_db, bw_hz=modulation.bw_hz)
        seconds, micros = divmod(at_unix_us, US_PER_S)
        self._file.write(pcap_packet(seconds, micros, header + payload))
        self._file.flush()
        self.packets += 1

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def __enter__(self) -> LivePcap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
