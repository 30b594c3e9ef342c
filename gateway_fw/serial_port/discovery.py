"""Which serial ports there are, what is known about each, and which one `auto` means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from serial.tools import list_ports as pyserial_ports

from gateway_fw.errors import PortError, PortMissingError
from gateway_fw.serial_port.holders import holders
from gateway_fw.serial_port.usb_boards import UsbBoard, identify


@dataclass(frozen=True, slots=True)
class PortInfo:
    """A serial port of this machine.

    name: what open_port takes; vid, pid, serial_number, product, manufacturer, location: of its USB device, or None;
    board: the row of the table that fits, or None; holders: who has it open.
    """

    name: str
    description: str = ""
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    product: str | None = None
    manufacturer: str | None = None
    location: str | None = None
    board: UsbBoard | None = None
    holders: tuple[str, ...] = field(default=())

    @property
    def usb(self) -> str:
        """The identity as "0483:5740", or "" for a port that is not USB."""
        return "" if self.vid is None or self.pid is None else f"{self.vid:04x}:{self.pid:04x}"

    @property
    def what(self) -> str:
        """In words."""
        if self.board is not None:
            return self.board.what
        return self.product or (self.description if self.description != "n/a" else "") or "unknown"


def list_ports(found: Callable[[], Iterable[Any]] | None = None) -> list[PortInfo]:
    """Every serial port, USB ones first, each by name. found: instead of pyserial's own list, for tests."""
    ports = [_info(row) for row in (found or pyserial_ports.comports)()]
    return sorted(ports, key=lambda port: (port.vid is None, port.name))


def _info(row: Any) -> PortInfo:
    return PortInfo(
        name=row.device,
        description=row.description or "",
        vid=row.vid,
        pid=row.pid,
        serial_number=row.serial_number,
        product=row.product,
        manufacturer=row.manufacturer,
        location=row.location,
        board=identify(row.vid, row.pid, row.product),
        holders=holders(row.device),
    )


def find_auto(boards: Sequence[str] = (), *, serial_number: str = "", ports: Sequence[PortInfo] | None = None) -> str:
    """The name of the one port that fits.

    boards: ids of boards it may be; none: any gateway or node that is known. serial_number: of its USB device.
    Raises PortMissingError where none fits and PortError where several do; both say which ports there are.
    """
    known = list_ports() if ports is None else ports
    fitting = [port for port in known if _fits(port, boards) and serial_number in ("", port.serial_number)]
    wanted = " or ".join(boards) or "a known gateway or device"
    if serial_number:
        wanted += f" with serial number {serial_number}"
    if not fitting:
        seen = ", ".join(f"{port.name} ({port.what})" for port in known if port.vid is not None) or "no USB serial port"
        raise PortMissingError(f"no port looks like {wanted}", port="auto", hint=f"name it with --port; seen: {seen}")
    # A device's own USB says what it is; an adapter says nothing about what hangs on it, so it comes second.
    own = [port for port in fitting if port.board is not None and port.board.kind != "adapter"] or fitting
    if len(own) > 1:
        choice = ", ".join(f"{port.name} ({port.what}, serial number {port.serial_number or 'none'})" for port in own)
        raise PortError(
            f"{len(own)} ports look like {wanted}", port="auto", hint=f"choose with --port or auto:SERIAL: {choice}"
        )
    return own[0].name


def _fits(port: PortInfo, boards: Sequence[str]) -> bool:
    if port.board is None:
        return False
    if boards:
        return any(board in port.board.boards for board in boards)
    return port.board.kind in ("gateway", "node")
