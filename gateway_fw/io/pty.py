"""A pseudo-terminal whose far end a host program opens as if it were a board's serial port. Linux and macOS.

The near end keeps the far end open as well: a host that closes it may open it again, and reading never fails meanwhile.
Source: pty(7), tty_ioctl(4); sx1302_hal 2.1.0, src/loragw_usb.c (what a host sets, and what it leaves as it is).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from gateway_fw.errors import LinkStateError, PtyError

MAX_PATH_BYTES = 49  # sx1302_hal and picoGW_hal copy the path into 50 bytes without a check
_READ_BYTES = 65_536
_MAX_WAITING_BYTES = 1 << 20  # a host that reads nothing: more than any answer, and bounded


class PtyPort:
    """One pseudo-terminal under the running asyncio loop.

    received: bytes from the host, in any pieces. lost: the pty failed, with why. link: a symbolic link to keep pointed
    at the far end, so that it has the same name each time; at most 49 bytes long, an old link there is replaced.
    """

    def __init__(
        self, received: Callable[[bytes], None], lost: Callable[[str], None], *, link: Path | None = None
    ) -> None:
        self._received, self._lost = received, lost
        self._link = link
        self._near: int | None = None
        self._far: int | None = None
        self._name = ""
        self._waiting = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def path(self) -> str:
        """What a host program opens. Raises LinkStateError while closed."""
        if self._near is None:
            raise LinkStateError("the pty is not open")
        return str(self._link) if self._link is not None else self._name

    @property
    def is_open(self) -> bool:
        """Whether it is there."""
        return self._near is not None

    def open(self) -> None:
        """Make the pty, and the link. Raises PtyError with what to do about it."""
        try:
            import tty  # noqa: PLC0415 - not on Windows
        except ImportError:
            raise PtyError("this system has no pseudo-terminals", hint="Linux and macOS have them") from None
        if self._link is not None and len(os.fsencode(self._link)) > MAX_PATH_BYTES:
            hint = f"host programs take at most {MAX_PATH_BYTES}; choose a shorter link"
            raise PtyError(f"{self._link}: a path of {len(os.fsencode(self._link))} bytes", hint=hint)
        try:
            self._near, self._far = os.openpty()
        except OSError as error:
            raise PtyError(f"no pseudo-terminal: {error.strerror}", hint="is /dev/pts mounted?") from error
        self._name = os.ttyname(self._far)
        # hosts leave some input translations alone
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        try:
            self._point_link()
        except OSError:
            self.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._near, self._readable)

    def close(self) -> None:
        """Take it away: a host that has it open gets an I/O error."""
        near, far, self._near, self._far = self._near, self._far, None, None
        if self._loop is not None and near is not None:
            self._loop.remove_reader(near)
            self._loop.remove_writer(near)
        self._loop = None
        self._waiting.clear()
        for end in (near, far):
            if end is not None:
                os.close(end)
        if self._link is not None and self._link.is_symlink() and os.readlink(self._link) == self._name:
            self._link.unlink()

    def send(self, data: bytes) -> None:
        """Write in one piece where the terminal takes it; what it does not take waits, up to 1 MiB."""
        if self._near is None:
            return
        if self._waiting:
            self._keep(data)
            return
        taken = self._write(data)
        if taken < len(data) and self._near is not None and self._loop is not None:
            self._keep(data[taken:])
            self._loop.add_writer(self._near, self._writable)

    def _keep(self, data: bytes) -> None:
        if len(self._waiting) + len(data) <= _MAX_WAITING_BYTES:
            self._waiting += data

    def _point_link(self) -> None:
        if self._link is None:
            return
        if self._link.is_symlink():
            self._link.unlink()
        try:
            self._link.symlink_to(self._name)
        except FileExistsError:
            raise PtyError(f"{self._link} exists and is no link", hint="choose another --link") from None
        except OSError as error:
            raise PtyError(f"{self._link}: {error.strerror}", hint="choose another --link") from error

    def _readable(self) -> None:
        if self._near is None:
            return
        try:
            data = os.read(self._near, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
            return
        if data:
            self._received(data)

    def _writable(self) -> None:
        del self._waiting[: self._write(bytes(self._waiting))]
        if not self._waiting and self._near is not None and self._loop is not None:
            self._loop.remove_writer(self._near)

    def _write(self, data: bytes) -> int:
        if self._near is None:
            return 0
        try:
            return os.write(self._near, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._fail(error)
            return 0

    def _fail(self, error: OSError) -> None:
        why = error.strerror or str(error)
        self.close()
        self._lost(why)
