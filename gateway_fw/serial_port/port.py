"""What every port is: bytes in and out with a time limit on each call, and what the line behind it can keep."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass

from gateway_fw.errors import PortLostError, PortTimeoutError
from gateway_fw.serial_port.trace import ByteTrace

WRITE_TIMEOUT_S = 5.0  # [assumption] 4 kB at 9600 baud take 4.3 s


@dataclass(frozen=True, slots=True)
class PortTraits:
    """What a line can do.

    kind: "uart" (a real serial device), "pty", "rfc2217", "socket" or "memory"; keeps_parity: whether a parity asked
    for is on the wire; modem_lines: whether DTR and RTS reach the other end.
    """

    kind: str
    keeps_parity: bool
    modem_lines: bool


class Port(ABC):
    """An open serial line. Use as a context manager, or close.

    name: as given; baudrate: bits per second; parity: "none" or "even"; traits: what the line can do; warnings: what
    was asked for and cannot be had here, in sentences. Not for two threads at once, save one reader and one writer.
    """

    def __init__(self, name: str, *, baudrate: int, parity: str, traits: PortTraits, trace: ByteTrace | None) -> None:
        self.name, self.baudrate, self.parity, self.traits = name, baudrate, parity, traits
        self.warnings: tuple[str, ...] = ()
        self._trace = trace
        self._closed = False
        self.note(f"open {name} {baudrate} 8{parity[0].upper()}1")

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self._closed

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to size bytes, as soon as there are any; b"" where none came in timeout_s. Raises PortLostError."""
        data = self._read(size, timeout_s)
        if data and self._trace is not None:
            self._trace.received(data)
        return data

    def read_exactly(self, size: int, timeout_s: float) -> bytes:
        """Size bytes. Raises PortTimeoutError where they are not there in timeout_s seconds, and PortLostError."""
        deadline = time.monotonic() + timeout_s
        data = b""
        while len(data) < size:
            left = deadline - time.monotonic()
            piece = self.read(size - len(data), max(0.0, left))
            if not piece and left <= 0:
                raise PortTimeoutError(f"{len(data)} of {size} bytes in {timeout_s:g} s", port=self.name)
            data += piece
        return data

    def write(self, data: bytes, timeout_s: float = WRITE_TIMEOUT_S) -> None:
        """All of data. Raises PortTimeoutError where the line does not take it in timeout_s seconds, PortLostError."""
        deadline = time.monotonic() + timeout_s
        sent = 0
        while sent < len(data):
            taken = self.write_some(data[sent:], max(0.0, deadline - time.monotonic()))
            sent += taken
            if not taken and time.monotonic() >= deadline:
                raise PortTimeoutError(
                    f"the line took {sent} of {len(data)} bytes in {timeout_s:g} s",
                    port=self.name,
                    hint="is the device stuck?",
                )

    def write_some(self, data: bytes, timeout_s: float) -> int:
        """How many bytes from the start of data the line took; 0 where none in timeout_s seconds. PortLostError."""
        taken = self._write(data, timeout_s)
        if taken and self._trace is not None:
            self._trace.sent(data[:taken])
        return taken

    def drop_input(self) -> None:
        """Throw away what has come in."""
        while self.read(4096, 0.0):
            pass

    def note(self, text: str) -> None:
        """A line in the byte trace, where there is one."""
        if self._trace is not None:
            self._trace.note(text)

    def close(self) -> None:
        """Give the port back. More than once is harmless."""
        if not self._closed:
            self._closed = True
            self.note(f"close {self.name}")
            self._close()

    def fileno(self) -> int | None:
        """A descriptor that `select` and an event loop can wait on, or None."""
        return None

    @abstractmethod
    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Set modem lines (True: asserted). Raises PortUnfitError where the line has none."""

    @abstractmethod
    def _read(self, size: int, timeout_s: float) -> bytes: ...

    @abstractmethod
    def _write(self, data: bytes, timeout_s: float) -> int: ...

    @abstractmethod
    def _close(self) -> None: ...

    def _lost(self, why: str) -> PortLostError:
        self.note(f"lost {self.name}: {why}")
        return PortLostError(why, port=self.name, hint="was it unplugged, or did its program end?")

    def __enter__(self) -> Port:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
