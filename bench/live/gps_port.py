"""A GPS receiver's serial port as the forwarder wants its line."""

from __future__ import annotations

import asyncio

from gateway_fw.errors import PortError
from gateway_fw.serial_port import Port

GPS_BAUDRATE = 9_600  # sx1302_hal 2.1.0 loragw_gps.c
_SLICE_S = 0.2


class GpsPort:
    """Reads in a thread, a fifth of a second at a time, so that closing waits no longer than that."""

    def __init__(self, port: Port) -> None:
        self._port = port

    async def read(self) -> bytes:
        """Some bytes as soon as there are any; b"" when the port is gone."""
        while not self._port.closed:
            try:
                data = await asyncio.to_thread(self._port.read, 512, _SLICE_S)
            except PortError:
                return b""
            if data:
                return data
        return b""

    def write(self, data: bytes) -> None:
        """Send these; a port that is gone is told by `read`."""
        try:
            self._port.write(data)
        except PortError:
            return

    def close(self) -> None:
        """Give the port back."""
        self._port.close()
