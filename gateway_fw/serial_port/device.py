"""Ports with pyserial behind them: by descriptor where the system has one, by pyserial's own calls elsewhere."""

from __future__ import annotations

import os
import select
import time

import serial

from gateway_fw.errors import PortUnfitError
from gateway_fw.serial_port.port import Port, PortTraits
from gateway_fw.serial_port.trace import ByteTrace

SLICE_S = 0.02  # how long pyserial waits at a time: setting its time-out anew would configure the line anew


class _SerialPort(Port):
    def __init__(
        self, name: str, line: serial.Serial, *, parity: str, traits: PortTraits, trace: ByteTrace | None
    ) -> None:
        self._line = line
        super().__init__(name, baudrate=line.baudrate, parity=parity, traits=traits, trace=trace)

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Set modem lines (True: asserted). Raises PortUnfitError where the line has none."""
        if not self.traits.modem_lines:
            raise PortUnfitError(f"a {self.traits.kind} has no modem lines", port=self.name)
        try:
            if dtr is not None:
                self._line.dtr = dtr
            if rts is not None:
                self._line.rts = rts
        except (OSError, serial.SerialException) as error:
            raise PortUnfitError(f"cannot set DTR or RTS: {error}", port=self.name) from None
        self.note(f"lines dtr={dtr} rts={rts}")

    def _close(self) -> None:
        try:
            self._line.close()
        except (OSError, serial.SerialException) as error:
            self.note(f"close failed: {error}")  # a device that is gone: there is nothing left to give back


class DescriptorPort(_SerialPort):
    """A POSIX descriptor that pyserial opened and configured."""

    def fileno(self) -> int | None:
        """The descriptor."""
        return int(self._line.fileno())

    def _read(self, size: int, timeout_s: float) -> bytes:
        try:
            data = self._attempt(size, timeout_s)
            # no bytes although the system says readable: once may be another reader's doing, twice is a hang-up
            hung_up = data == b"" and self._attempt(size, 0.0) == b""
        except BlockingIOError:
            return b""
        except (OSError, ValueError, TypeError) as error:  # the last two: closed by another thread
            raise self._lost(str(error)) from None
        if hung_up:
            raise self._lost("end of file")
        return data or b""

    def _attempt(self, size: int, timeout_s: float) -> bytes | None:
        descriptor = self._line.fileno()
        if not select.select([descriptor], [], [], timeout_s)[0]:
            return None
        return os.read(descriptor, size)

    def _write(self, data: bytes, timeout_s: float) -> int:
        try:
            descriptor = self._line.fileno()
            if not select.select([], [descriptor], [], timeout_s)[1]:
                return 0
            return os.write(descriptor, data)
        except BlockingIOError:
            return 0
        except (OSError, ValueError, TypeError) as error:
            raise self._lost(str(error)) from None


class HandlePort(_SerialPort):
    """A line that only pyserial's own calls reach: Windows, RFC 2217."""

    def _read(self, size: int, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        try:
            while True:
                waiting = self._line.in_waiting
                data = bytes(self._line.read(min(size, max(1, waiting)))) if waiting or timeout_s > 0 else b""
                if data or time.monotonic() >= deadline:
                    return data
        except (OSError, serial.SerialException, TypeError, AttributeError) as error:
            raise self._lost(str(error)) from None

    def _write(self, data: bytes, timeout_s: float) -> int:  # noqa: ARG002 - pyserial keeps its own write time-out
        try:
            return int(self._line.write(data) or 0)
        except serial.SerialTimeoutException:
            return 0
        except (OSError, serial.SerialException, TypeError, AttributeError) as error:
            raise self._lost(str(error)) from None
