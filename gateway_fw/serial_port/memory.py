"""Two ports joined back to back, for tests and for virtual boards in the same process."""

from __future__ import annotations

import select
import socket

from gateway_fw.errors import PortUnfitError
from gateway_fw.serial_port.port import Port, PortTraits
from gateway_fw.serial_port.trace import ByteTrace

_TRAITS = PortTraits("memory", keeps_parity=True, modem_lines=False)


class MemoryPort(Port):
    """One end of a pair. Closing the other end reads as a lost line, after what it had sent."""

    def __init__(self, name: str, end: socket.socket, *, parity: str = "none", trace: ByteTrace | None = None) -> None:
        end.setblocking(False)
        self._end = end
        super().__init__(name, baudrate=115_200, parity=parity, traits=_TRAITS, trace=trace)

    def fileno(self) -> int | None:
        """The descriptor of this end."""
        return self._end.fileno()

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """There are none."""
        raise PortUnfitError(f"no modem lines here (dtr={dtr}, rts={rts})", port=self.name)

    def _read(self, size: int, timeout_s: float) -> bytes:
        try:
            if not select.select([self._end], [], [], timeout_s)[0]:
                return b""
            data = self._end.recv(size)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._lost(str(error)) from None
        if not data:
            raise self._lost("the other end was closed")
        return data

    def _write(self, data: bytes, timeout_s: float) -> int:
        try:
            if not select.select([], [self._end], [], timeout_s)[1]:
                return 0
            return self._end.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._lost(str(error)) from None

    def _close(self) -> None:
        self._end.close()


def memory_pair(
    names: tuple[str, str] = ("memory:host", "memory:device"),
    *,
    parity: str = "none",
    traces: tuple[ByteTrace | None, ByteTrace | None] = (None, None),
) -> tuple[MemoryPort, MemoryPort]:
    """Two ports: what is written to one is read from the other."""
    first, second = socket.socketpair()
    return (
        MemoryPort(names[0], first, parity=parity, trace=traces[0]),
        MemoryPort(names[1], second, parity=parity, trace=traces[1]),
    )
