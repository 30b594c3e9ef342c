"""The byte trace: a text file of what went over a line, and when.

One line each, UTF-8; `#` begins a comment. Three fields, separated by one blank: seconds since the trace began with six
decimals, a direction, and the rest:

    # lorabench byte trace 1
    0.000000 ! open /dev/ttyACM0 115200 8N1
    0.000412 > 00000000
    0.001377 < 0000154030...
    4.210000 ! lost /dev/ttyACM0: Input/output error

`>` bytes to the device and `<` bytes from it, in hexadecimal, cut as the system cut them; `!` a note. Instants never
go back.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from gateway_fw.errors import TraceFormatError

_INSTANT = re.compile(r"[0-9]{1,12}\.[0-9]{6}")
HEADER = "# lorabench byte trace 1"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One line: t_us since the trace began; direction ">", "<" or "!"; data of a transfer, or the text of a note."""

    t_us: int
    direction: str
    data: bytes = b""
    text: str = ""


class ByteTrace:
    """Writes the format to a text stream. Lines are flushed, so that a crash leaves them."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._start = clock()
        stream.write(f"{HEADER}\n")

    @classmethod
    def to_file(cls, path: Path) -> ByteTrace:
        """A trace in a new file; close it after the port. Raises OSError."""
        return cls(path.open("w", encoding="utf-8"))

    def sent(self, data: bytes) -> None:
        """Bytes to the device."""
        self._write(">", data.hex())

    def received(self, data: bytes) -> None:
        """Bytes from the device."""
        self._write("<", data.hex())

    def note(self, text: str) -> None:
        """Anything else worth a line."""
        self._write("!", " ".join(text.split()))

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def _write(self, direction: str, rest: str) -> None:
        self._stream.write(f"{self._clock() - self._start:.6f} {direction} {rest}\n")
        self._stream.flush()


def read_trace(lines: Iterable[str], *, source: str = "trace") -> Iterator[TraceLine]:
    """The lines of a byte trace. Raises TraceFormatError, which says source and line number."""
    last_us = 0
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        parsed = _parse(stripped, f"{source}:{number}")
        if parsed.t_us < last_us:
            raise TraceFormatError(f"{source}:{number}: the instant goes back")
        last_us = parsed.t_us
        yield parsed


def _parse(line: str, where: str) -> TraceLine:
    fields = line.split(" ", 2)
    if len(fields) < 2 or fields[1] not in (">", "<", "!"):
        raise TraceFormatError(f"{where}: not 'SECONDS >|<|! REST': {line[:40]!r}")
    if not _INSTANT.fullmatch(fields[0]):
        raise TraceFormatError(f"{where}: {fields[0][:40]!r} is no instant such as 0.000412")
    t_us = int(fields[0].replace(".", ""))
    rest = fields[2] if len(fields) == 3 else ""
    if fields[1] == "!":
        return TraceLine(t_us, "!", text=rest)
    try:
        return TraceLine(t_us, fields[1], data=bytes.fromhex(rest))
    except ValueError:
        raise TraceFormatError(f"{where}: {rest[:40]!r} is not hexadecimal") from None
