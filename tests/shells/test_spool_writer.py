"""The thread that writes a spool, when the disk does not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path
from time import monotonic, sleep

import pytest

from gateway_fw.forwarder.spool_records import SpooledDone, SpooledUplink
from gateway_fw.io import spool as spool_module
from gateway_fw.io.spool import SpooledAll, SpoolError, SpoolFiles, SpoolWriter


def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + 60
    while not condition():
        assert monotonic() < deadline
        sleep(0.002)


def uplink(number: int) -> SpooledUplink:
    return SpooledUplink(number, number, b"body of %d" % number)


def waiting(folder: Path) -> list[int]:
    files = SpoolFiles(folder)
    opened = files.open()
    files.close()
    return [one.number for one in opened.waiting]


def test_a_full_disk_is_told_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    recovered: list[bool] = []
    is_full = False
    fsync = os.fsync

    def failing(handle: int) -> None:
        if is_full:
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        fsync(handle)

    monkeypatch.setattr(spool_module.os, "fsync", failing)
    files = SpoolFiles(tmp_path)
    files.open()
    writer = SpoolWriter(files, told.append, lambda: recovered.append(True), retry_s=0.01)
    writer.write(uplink(1))
    writer.write(uplink(2))
    until(lambda: files.size_bytes > 0 and not writer._given)
    is_full = True
    writer.write(uplink(3))
    until(lambda: bool(told))
    for number in range(4, 2_000):
        writer.write(uplink(number))  # kept in memory by the core alone
    assert writer._given == []
    assert told == [os.strerror(ENOSPC)]
    assert not recovered
    is_full = False
    until(lambda: bool(recovered))
    # meanwhile 1 was acknowledged, and 5 came
    writer.write(SpooledAll((uplink(2), uplink(3), uplink(5))))
    writer.close()
    assert waiting(tmp_path) == [2, 3, 5]


def test_half_a_record_that_a_full_disk_took_is_cut_off(tmp_path: Path) -> None:
    class HalfFile:
        """Takes a few bytes more, then no more: what a file system does at its end."""

        def __init__(self, file: object, room: int) -> None:
            self.file, self.room = file, room

        def write(self, data: bytes) -> int:
            part = data[: self.room]
            self.room -= len(part)
            written = self.file.write(part)  # type: ignore[attr-defined]
            return int(written)

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

    files = SpoolFiles(tmp_path)
    files.open()
    files.write([uplink(1)])
    files._file = HalfFile(files._file, 20)  # type: ignore[assignment]
    with pytest.raises(OSError, match="only 20"):
        files.write([uplink(2)])
    files.mend()
    files._file.room = 1_000  # type: ignore[union-attr]
    files.write([uplink(3), SpooledDone((1,))])
    files.close()
    assert waiting(tmp_path) == [3]


def test_two_processes_cannot_write_one_spool(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    first = SpoolFiles(tmp_path)
    first.open()
    with pytest.raises(SpoolError, match="another forwarder"):
        SpoolFiles(tmp_path).open()
    first.close()
    assert waiting(tmp_path) == []


def test_a_folder_that_cannot_be_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SpoolError, match="file"):
        SpoolFiles(tmp_path / "file" / "spool").open()


KILLED = """
import sys
from pathlib import Path
from gateway_fw.forwarder.spool_records import SpooledDone, SpooledUplink
from gateway_fw.io.spool import SpoolFiles
files = SpoolFiles(Path(sys.argv[1]), segment_bytes=2_000)
files.open()
number = 0
while True:
    number += 1
    files.write([SpooledUplink(number, number, b"x" * 200)])
    if number % 3 == 0:
        files.write([SpooledDone((number - 1,))])
    print(number, flush=True)
"""


def test_a_process_that_is_killed_loses_nothing_that_was_on_disk(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        written = 0
        for line in process.stdout:
            written = int(line)
            if written >= 200:
                process.kill()
                break
        written = max([written, *(int(line) for line in process.stdout.read().split("\n")[:-1] if line)])
    found = set(waiting(tmp_path))
    expected = {number for number in range(1, written + 1) if number % 3 != 2 or number == written}
    assert expected <= found
    assert found - expected <= {written + 1}  # written, and not yet told
