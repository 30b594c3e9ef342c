"""Spool files: append-only segments of one server's uplinks, written and synchronised by a thread of their own.

    DIRECTORY/00000001.spool, 00000002.spool, …   segments, oldest first
    DIRECTORY/lock                                held by the process that writes

Records and their checksums: `gateway_fw.forwarder.spool_records`. A record is on disk when the thread has called fsync,
some milliseconds after it was given (once for all that came in between); a power cut loses no more than that. On
opening, a tail that was cut is cut off the file, damage in the middle is passed over, both are told. A segment is
deleted when nothing in it waits; segments that a few old uplinks hold open are copied forward.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from threading import Condition, Thread
from typing import BinaryIO

from gateway_fw.errors import GatewayError
from gateway_fw.forwarder.spool_records import (
    OVERHEAD_BYTES,
    SpooledDone,
    SpooledUplink,
    encode_done,
    encode_uplink,
    scan,
    waiting_of,
)

SEGMENT_BYTES = 1 << 20
RETRY_S = 10.0  # assumption: how often a full disk is tried again
_SUFFIX = ".spool"


@dataclass(frozen=True, slots=True)
class SpooledAll:
    """These uplinks wait, and no others do."""

    uplinks: tuple[SpooledUplink, ...]


SpoolWrite = SpooledUplink | SpooledDone | SpooledAll


class SpoolError(GatewayError, OSError):
    """A spool directory that cannot be used."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a spool held when it was opened. damaged_bytes: passed over; cut_bytes: cut off the last file's end."""

    waiting: tuple[SpooledUplink, ...]
    highest: int
    damaged_bytes: int = 0
    cut_bytes: int = 0


@dataclass(slots=True)
class _Segment:
    number: int
    size: int
    live: dict[int, int]  # number of an uplink whose latest record stands here: bytes of that record


class SpoolFiles:
    """The segments of one spool, written in the caller's thread. Every write may raise OSError."""

    def __init__(self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory, self._segment_bytes = directory, segment_bytes
        self._segments: list[_Segment] = []
        self._home: dict[int, _Segment] = {}  # where an uplink's latest record stands
        self._live_bytes = 0
        self._file: BinaryIO | None = None
        self._lock: BinaryIO | None = None

    @property
    def size_bytes(self) -> int:
        """Of all segments."""
        return sum(segment.size for segment in self._segments)

    def open(self) -> Opened:
        """Read what is there and repair it. Raises SpoolError where another process has it, or it cannot be read."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self._directory / "lock")
            return self._read()
        except OSError as error:
            self.close()
            if isinstance(error, SpoolError):
                raise
            raise SpoolError(f"{self._directory}: {error.strerror or error}") from error

    def write(self, records: Iterable[SpoolWrite]) -> None:
        """Append, synchronise, and tidy up. After a power cut the first few of them are there, each whole."""
        for record in records:
            if isinstance(record, SpooledUplink):
                self._append(encode_uplink(record), record)
            elif isinstance(record, SpooledDone):
                self._done(record.numbers)
            else:
                for uplink in record.uplinks:
                    self._append(encode_uplink(uplink), uplink)
                waiting = {uplink.number for uplink in record.uplinks}
                self._done([number for number in self._home if number not in waiting])
        self._sync()
        self._tidy()

    def probe(self) -> None:
        """Write a record that means nothing, to see whether writing works."""
        self._append(encode_done((0,)), None)
        self._sync()

    def mend(self) -> None:
        """After a failed write: cut half a record off, so that whole ones can follow."""
        if self._file is None or not self._segments:
            return
        with suppress(OSError):
            self._file.truncate(self._segments[-1].size)
            self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Close the files and let go of the lock."""
        for file in (self._file, self._lock):
            if file is not None:
                with suppress(OSError):
                    file.close()
        self._file = self._lock = None

    def _read(self) -> Opened:
        records: list[SpooledUplink | SpooledDone] = []
        damaged = cut = 0
        paths = sorted(path for path in self._directory.glob(f"*{_SUFFIX}") if path.stem.isdecimal())
        for path in paths:
            data = path.read_bytes()
            segment = _Segment(int(path.stem), len(data), {})
            self._segments.append(segment)
            for record in scan(data):
                if isinstance(record, SpooledUplink):
                    records.append(record)
                    self._settle(record, segment)
                elif isinstance(record, SpooledDone):
                    records.append(record)
                    self._unsettle(record.numbers)
                elif path == paths[-1] and record.offset + record.length == len(data):
                    cut = record.length
                    segment.size = record.offset
                    os.truncate(path, record.offset)
                else:
                    damaged += record.length
        waiting, highest = waiting_of(records)
        self._tidy()
        return Opened(tuple(waiting), highest, damaged, cut)

    def _settle(self, uplink: SpooledUplink, segment: _Segment) -> None:
        self._unsettle((uplink.number,))
        size = OVERHEAD_BYTES + len(uplink.body)
        self._home[uplink.number] = segment
        segment.live[uplink.number] = size
        self._live_bytes += size

    def _unsettle(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            home = self._home.pop(number, None)
            if home is not None:
                self._live_bytes -= home.live.pop(number)

    def _done(self, numbers: Sequence[int]) -> None:
        known = [number for number in numbers if number in self._home]
        if known:
            self._append(encode_done(known), None)
            self._unsettle(known)

    def _append(self, data: bytes, uplink: SpooledUplink | None) -> None:
        if self._file is None or self._segments[-1].size >= self._segment_bytes:
            self._next_segment()
        assert self._file is not None
        written = self._file.write(data)
        if written != len(data):
            raise OSError(ENOSPC, f"only {written} of {len(data)} bytes were written")
        segment = self._segments[-1]
        segment.size += len(data)
        if uplink is not None:
            self._settle(uplink, segment)

    def _next_segment(self) -> None:
        self._sync()
        if self._file is not None:
            self._file.close()
            self._file = None
        number = self._segments[-1].number + 1 if self._segments else 1
        self._file = (self._directory / f"{number:08d}{_SUFFIX}").open("xb", buffering=0)
        self._segments.append(_Segment(number, 0, {}))
        _sync_directory(self._directory)

    def _sync(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())

    def _tidy(self) -> None:
        while self._segments and not self._segments[0].live and (len(self._segments) > 1 or self._file is None):
            self._delete(self._segments[0])
        if self.size_bytes > 2 * self._live_bytes + 4 * self._segment_bytes:
            self._copy_forward(self._segments[0])

    def _copy_forward(self, segment: _Segment) -> None:
        for record in scan(self._path(segment).read_bytes()):
            if isinstance(record, SpooledUplink) and self._home.get(record.number) is segment:
                self._append(encode_uplink(record), record)
        self._sync()
        self._delete(segment)

    def _delete(self, segment: _Segment) -> None:
        self._segments.remove(segment)
        self._path(segment).unlink(missing_ok=True)

    def _path(self, segment: _Segment) -> Path:
        return self._directory / f"{segment.number:08d}{_SUFFIX}"


class SpoolWriter:
    """A thread that writes for an event loop, so that a slow card never delays a downlink.

    failed(why) and recovered() are called in that thread. After a failure everything given is dropped until a try every
    10 s succeeds; then `recovered` asks for everything that still waits.
    """

    def __init__(
        self,
        files: SpoolFiles,
        failed: Callable[[str], None],
        recovered: Callable[[], None],
        *,
        retry_s: float = RETRY_S,
    ) -> None:
        self._files, self._failed, self._recovered, self._retry_s = files, failed, recovered, retry_s
        self._given: list[SpoolWrite] = []
        self._wanted = Condition()
        self._ending = self._broken = False
        self._thread = Thread(target=self._run, name="spool", daemon=True)
        self._thread.start()

    def write(self, record: SpoolWrite) -> None:
        """Write this soon."""
        with self._wanted:
            if not self._broken:
                self._given.append(record)
                self._wanted.notify()

    def close(self) -> None:
        """Write what was given, and end. Blocks until the disk has it."""
        with self._wanted:
            self._ending = True
            self._wanted.notify()
        self._thread.join()
        self._files.close()

    def _run(self) -> None:
        while True:
            with self._wanted:
                while not self._given and not self._ending and not self._broken:
                    self._wanted.wait()
                if self._broken and not self._ending:
                    self._wanted.wait(self._retry_s)
                given, self._given = self._given, []
                ending, broken = self._ending, self._broken
            if broken:
                self._try_again()
            elif given:
                self._write(given)
            if ending:
                return

    def _write(self, given: Sequence[SpoolWrite]) -> None:
        try:
            self._files.write(given)
        except OSError as error:
            self._files.mend()
            with self._wanted:
                self._broken, self._given = True, []
            self._failed(error.strerror or str(error))

    def _try_again(self) -> None:
        try:
            self._files.probe()
        except OSError:
            self._files.mend()
            return
        with self._wanted:
            self._broken = False
        self._recovered()


def _locked(path: Path) -> BinaryIO:
    file = path.open("ab")
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        return file
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise SpoolError(
            f"{path.parent}: another forwarder writes to this spool; stop it, or give another one"
        ) from error
    return file


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
