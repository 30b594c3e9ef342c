"""Debian's lrzsz at the other end of our YMODEM: rb takes a batch from us, sb sends one to us."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

from tools import required

from gateway_fw.flash.ymodem import receive_ymodem, send_ymodem
from gateway_fw.io.procedure import run_procedure
from gateway_fw.serial_port import MemoryPort


def test_rb_takes_our_file_with_its_name_and_size(tmp_path: Path) -> None:
    program = required("rb")
    data = os.urandom(20_011)
    ours, theirs = socket.socketpair()
    with subprocess.Popen(
        [program, "-b", "-q"], cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    ) as rb:
        theirs.close()
        with MemoryPort("rb", ours) as port:
            run_procedure(port, send_ymodem("fw.bin", data), lambda _: None)
            assert rb.wait(20) == 0
    assert (tmp_path / "fw.bin").read_bytes() == data


def test_sb_sends_us_a_file(tmp_path: Path) -> None:
    program = required("sb")
    data = os.urandom(20_011)
    (tmp_path / "fw.bin").write_bytes(data)
    ours, theirs = socket.socketpair()
    arguments = [program, "-k", "-b", "-q", "fw.bin"]
    with subprocess.Popen(arguments, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL) as sb:
        theirs.close()
        with MemoryPort("sb", ours) as port:
            (file,) = run_procedure(port, receive_ymodem(), lambda _: None)
            assert sb.wait(20) == 0
    assert (file.name, file.size, file.data) == ("fw.bin", 20_011, data)
