"""open_port: one call for device names, URLs and `auto`, locked, with settings checked and errors that help."""

from __future__ import annotations

import errno
import os
import stat
import sys
import warnings
from collections.abc import Sequence

import serial

from gateway_fw.errors import PortBusyError, PortError, PortMissingError, PortUnfitError
from gateway_fw.serial_port.device import SLICE_S, DescriptorPort, HandlePort
from gateway_fw.serial_port.discovery import find_auto
from gateway_fw.serial_port.hints import open_hint
from gateway_fw.serial_port.holders import holders, lock_file_holder
from gateway_fw.serial_port.port import WRITE_TIMEOUT_S, Port, PortTraits
from gateway_fw.serial_port.trace import ByteTrace

BAUDRATE = 115_200
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN}
PTY_MAJORS = range(136, 144)
"""Device majors of Unix98 pseudo-terminals. Source: Linux Documentation/admin-guide/devices.txt."""

_UART = PortTraits("uart", keeps_parity=True, modem_lines=True)
_PTY = PortTraits("pty", keeps_parity=False, modem_lines=False)
_RFC2217 = PortTraits("rfc2217", keeps_parity=True, modem_lines=True)
_SOCKET = PortTraits("socket", keeps_parity=False, modem_lines=False)


def open_port(
    name_or_url: str,
    *,
    baudrate: int = BAUDRATE,
    parity: str = "none",
    exclusive: bool = True,
    dtr: bool | None = None,
    rts: bool | None = None,
    trace: ByteTrace | None = None,
    boards: Sequence[str] = (),
) -> Port:
    """Open a serial line, 8 data bits, 1 stop bit, no flow control.

    name_or_url: a device (/dev/ttyACM0, /dev/cu.usbmodem1, COM3), rfc2217://host:port, socket://host:port, or auto or
    auto:SERIAL (see find_auto; boards narrows it). baudrate: 1 to 20,000,000 bits per second. parity: "none" or "even".
    A pty and a raw socket keep no parity: the port then opens without, and says so in `warnings`; a real line that does
    not keep it is refused. exclusive: refuse a device that another program has open, and lock it. dtr, rts: what the
    lines become on opening (None: asserted, as systems do).

    Raises PortMissingError, PortBusyError, PortUnfitError, or PortError for any other cause.
    """
    if parity not in PARITIES:
        raise PortError(f"parity is {' or '.join(PARITIES)}, not {parity!r}", port=name_or_url)
    if not 1 <= baudrate <= 20_000_000:
        raise PortError(f"{baudrate} is no baud rate", port=name_or_url)
    name = _resolve(name_or_url, boards)
    traits = _traits(name)
    local = traits in (_UART, _PTY)
    if local and exclusive:
        _refuse_if_held(name, traits)
    kept = parity if traits.keeps_parity else "none"
    line = _opened(name, baudrate=baudrate, parity=kept, exclusive=exclusive and local, dtr=dtr, rts=rts)
    try:
        if kept != "none" and traits is _UART:
            _check_parity(line, name)
        by_descriptor = os.name == "posix" and traits is not _RFC2217
        kind = DescriptorPort if by_descriptor else HandlePort
        port = kind(name, line, parity=kept, traits=traits, trace=trace)
    except BaseException:
        line.close()
        raise
    if kept != parity:
        port.warnings = (f"a {traits.kind} keeps no parity: {name} is open with none instead of {parity}",)
    return port


def is_pty(name: str) -> bool:
    """Whether a device name is the slave of a pseudo-terminal."""
    try:
        info = os.stat(name)
    except OSError:
        return False
    if not stat.S_ISCHR(info.st_mode):
        return False
    platform: str = sys.platform
    if platform == "linux":
        return os.major(info.st_rdev) in PTY_MAJORS
    return platform == "darwin" and os.path.realpath(name).startswith("/dev/ttys")


def _resolve(name_or_url: str, boards: Sequence[str]) -> str:
    word, _, serial_number = name_or_url.partition(":")
    if word == "auto":
        return find_auto(boards, serial_number=serial_number)
    scheme, separator, _ = name_or_url.partition("://")
    if separator and scheme not in ("rfc2217", "socket"):
        raise PortError(f"'{scheme}' is no kind of port", port=name_or_url, hint="rfc2217:// and socket:// are")
    return name_or_url


def _traits(name: str) -> PortTraits:
    if name.startswith("rfc2217://"):
        return _RFC2217
    if name.startswith("socket://"):
        return _SOCKET
    return _PTY if is_pty(name) else _UART


def _refuse_if_held(name: str, traits: PortTraits) -> None:
    owner = lock_file_holder(name)
    # whoever made a pty keeps its slave open for good reason: see pty(7)
    others = holders(name) if traits is _UART else ()
    if owner or others:
        raise _busy(name, others or (owner or "",))


def _busy(name: str, found: tuple[str, ...]) -> PortBusyError:
    hint = open_hint(errno.EBUSY, name)
    return PortBusyError(
        f"{', '.join(found) or 'another program'} {'have' if len(found) > 1 else 'has'} it",
        port=name,
        hint=hint,
        holders=found,
    )


def _opened(
    name: str, *, baudrate: int, parity: str, exclusive: bool, dtr: bool | None, rts: bool | None
) -> serial.Serial:
    try:
        line = serial.serial_for_url(
            name,
            do_not_open=True,
            baudrate=baudrate,
            parity=PARITIES[parity],
            timeout=SLICE_S,
            write_timeout=None if name.startswith("rfc2217://") else WRITE_TIMEOUT_S,  # its socket has one of 5 s
            exclusive=True if exclusive and os.name == "posix" else None,
        )
        if dtr is not None:
            line.dtr = dtr
        if rts is not None:
            line.rts = rts
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # pyserial 3.5 calls Thread.setDaemon
            line.open()
    except serial.SerialException as error:
        raise _explained(error, name) from None
    except OSError as error:
        raise PortError(str(error), port=name, hint=open_hint(error.errno, name)) from None
    except ValueError as error:
        raise PortError(str(error), port=name, hint="see `lorabench gateway list`") from None
    return line


def _explained(error: serial.SerialException, name: str) -> PortError:
    # Windows: pyserial gives no errno but the system's words
    text, code = str(error), error.errno
    if code is None and "PermissionError" in text:
        code = errno.EBUSY
    if code is None and "FileNotFoundError" in text:
        code = errno.ENOENT
    if code is None and os.strerror(errno.ENOTTY) in text:
        code = errno.ENOTTY
    hint = open_hint(code, name)
    if code in (errno.EBUSY, errno.EAGAIN):
        return _busy(name, holders(name))
    if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return PortMissingError("there is no such port", port=name, hint=hint)
    reason = os.strerror(code) if code is not None else text
    return PortError(reason, port=name, hint=hint)


def _check_parity(line: serial.Serial, name: str) -> None:
    if os.name != "posix":
        return
    import termios  # noqa: PLC0415 - POSIX only

    flags = termios.tcgetattr(line.fileno())[2]
    if not flags & termios.PARENB or flags & termios.PARODD:
        raise PortUnfitError(
            "the line does not keep even parity",
            port=name,
            hint="use another adapter: a bootloader would answer nothing, or take wrong bytes for right ones",
        )
