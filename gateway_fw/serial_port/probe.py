"""Questions that are safe to ask a port: they change nothing on the board they are meant for.

Source: sx1302_hal 2.1.0 inc/loragw_mcu.h, src/loragw_mcu.c (PING); picoGW_hal 0.2.3 loragw_com_linux.c (command 'l').
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway_fw.serial_port.port import Port

ANSWER_S = 0.5
PICOGW_VERSION = 0x010A_0006


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """board: an id of the flash table; detail: what it said of itself."""

    board: str
    detail: str


def probe_corecell(port: Port) -> ProbeAnswer | None:
    """PING: its unique id and firmware version; None where no CoreCell answers."""
    port.drop_input()
    port.write(b"\x2a\x00\x00\x00")
    answer = _up_to(port, 25)
    if len(answer) < 25 or answer[1:4] != b"\x00\x15\x40":
        return None
    version = answer[16:25].decode("ascii", "replace").rstrip("\0")
    return ProbeAnswer("corecell-usb", f"CoreCell {version}, id {answer[4:16].hex()}")


def probe_picogw(port: Port) -> ProbeAnswer | None:
    """Check firmware version: its unique id; None where no picoGW answers."""
    port.drop_input()
    port.write(b"l\x00\x04\x00" + PICOGW_VERSION.to_bytes(4, "big"))
    answer = _up_to(port, 12)
    if len(answer) < 4 or answer[:1] != b"l":
        return None
    if answer[3] != 1:
        return ProbeAnswer("picogw-usb", f"PicoGW with other firmware than version 0x{PICOGW_VERSION:08X}")
    return ProbeAnswer("picogw-usb", f"PicoGW, id {answer[4:12].hex()}")


PROBES = {"corecell-ping": probe_corecell, "picogw-version": probe_picogw}


def _up_to(port: Port, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = port.read(size - len(data), ANSWER_S)
        if not piece:
            break
        data += piece
    return data
