"""Ports on real pseudo-terminals and sockets: bytes, time limits, locks, and errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import pty
import socket
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from serial.rfc2217 import PortManager

from gateway_fw.errors import (
    GatewayError,
    PortBusyError,
    PortError,
    PortLostError,
    PortMissingError,
    PortTimeoutError,
    PortUnfitError,
    TraceFormatError,
)
from gateway_fw.serial_port import (
    ByteTrace,
    PortInfo,
    find_auto,
    identify,
    list_ports,
    memory_pair,
    open_port,
    read_trace,
    usb_boards,
)
from gateway_fw.serial_port.hints import open_hint, permission_hint
from gateway_fw.serial_port.holders import holders, lock_file_holder

HOLDER = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX)
print(1, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """The master's descriptor and the slave's name; the slave stays open here as in a virtual board."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    os.close(slave)
    with contextlib.suppress(OSError):
        os.close(master)


def test_bytes_go_both_ways_on_a_pty(terminal: tuple[int, str]) -> None:
    master, name = terminal
    with open_port(name) as port:
        assert port.traits.kind == "pty"
        assert port.fileno() is not None
        port.write(bytes(range(256)))
        assert os.read(master, 1000) == bytes(range(256))
        os.write(master, b"\r\n\x11\x13\x03\x00\xff")
        assert port.read_exactly(7, 1.0) == b"\r\n\x11\x13\x03\x00\xff"
        assert port.read(10, 0.0) == b""


def test_a_pty_warns_that_it_keeps_no_parity(terminal: tuple[int, str]) -> None:
    with open_port(terminal[1], parity="even") as port:
        assert port.parity == "none"
        assert "keeps no parity" in port.warnings[0]
        with pytest.raises(PortUnfitError, match="no modem lines"):
            port.set_lines(dtr=True)


def test_a_real_line_that_does_not_keep_parity_is_refused(
    terminal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_fw.serial_port.opening.is_pty", lambda _: False)  # a driver that ignores PARENB
    monkeypatch.setattr("gateway_fw.serial_port.opening.holders", lambda _: ())
    with pytest.raises(PortUnfitError, match="does not keep even parity") as caught:
        open_port(terminal[1], parity="even", baudrate=57_600)
    assert "another adapter" in caught.value.hint


def test_time_limits_hold(terminal: tuple[int, str]) -> None:
    master, name = terminal
    with open_port(name) as port:
        with pytest.raises(PortTimeoutError, match="0 of 4 bytes"):
            port.read_exactly(4, 0.02)
        os.write(master, b"abc")
        with pytest.raises(PortTimeoutError, match="3 of 4 bytes") as caught:
            port.read_exactly(4, 0.02)
        assert isinstance(caught.value, TimeoutError)
        with pytest.raises(PortTimeoutError, match="the line took"):
            port.write(bytes(1 << 20), timeout_s=0.05)  # nobody reads the master


def test_a_line_that_goes_is_lost_and_says_so(terminal: tuple[int, str]) -> None:
    master, name = terminal
    stream = io.StringIO()
    with open_port(name, trace=ByteTrace(stream)) as port:
        os.close(master)
        with pytest.raises(PortLostError, match="unplugged"):
            port.read(1, 0.5)
        with pytest.raises(PortLostError):
            port.write(b"x")
    assert "! lost" in stream.getvalue()


def test_a_second_opening_names_the_holder(terminal: tuple[int, str]) -> None:
    _, name = terminal
    with subprocess.Popen([sys.executable, "-c", HOLDER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(PortBusyError, match=rf"python.* \(pid {other.pid}\)") as caught:
            open_port(name)
        assert caught.value.holders
        assert "ModemManager" in caught.value.hint
        with open_port(name, exclusive=False) as port:
            assert not port.closed
        other.communicate(b"")
    with open_port(name), pytest.raises(PortBusyError):
        open_port(name)


def test_holders_come_from_proc_and_lock_files(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB7"
    device.touch()
    proc = tmp_path / "proc"
    (proc / "4242" / "fd").mkdir(parents=True)
    (proc / "4242" / "fd" / "5").symlink_to(device)
    (proc / "4242" / "comm").write_text("minicom\n")
    (proc / "17" / "fd").mkdir(parents=True)
    (proc / "self").mkdir()
    assert holders(str(device), proc=proc) == ("minicom (pid 4242)",)
    assert holders(str(device), proc=tmp_path / "absent") == ()
    (tmp_path / "LCK..ttyUSB7").write_text("      4242\n")
    holder = lock_file_holder(str(device), folders=(tmp_path,), proc=proc)
    assert holder is not None
    assert holder.startswith("minicom (pid 4242, ")
    (tmp_path / "LCK..ttyUSB7").write_text("      4243\n")
    assert lock_file_holder(str(device), folders=(tmp_path,), proc=proc) is None


def test_a_port_that_is_not_there_is_missing_and_hints(tmp_path: Path) -> None:
    with pytest.raises(PortMissingError, match="no such port") as caught:
        open_port("/dev/ttyUSB_absent")
    assert "gateway list" in caught.value.hint
    assert isinstance(caught.value, OSError | GatewayError)
    (tmp_path / "file").touch()
    with pytest.raises(PortError, match="not a serial device"):
        open_port(str(tmp_path / "file"))
    with pytest.raises(PortError, match="'http' is no kind of port"):
        open_port("http://example.org")
    with pytest.raises(PortError, match="parity"):
        open_port("/dev/null", parity="odd")
    with pytest.raises(PortError, match="baud"):
        open_port("/dev/null", baudrate=0)


def test_permission_and_neighbour_hints(tmp_path: Path) -> None:
    assert "usermod -aG" in permission_hint("/dev/ttyS0")
    assert "usermod" in open_hint(errno.EACCES, "/dev/ttyS0")
    (tmp_path / "ttyUSB1").touch()
    assert "ttyUSB1" in open_hint(errno.ENOENT, str(tmp_path / "ttyUSB0"))
    assert "brltty" in open_hint(errno.ENOENT, "/dev/nothinglikeit")


def test_a_raw_socket_is_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, number = server.getsockname()
        with open_port(f"socket://{host}:{number}", parity="even") as port:
            peer, _ = server.accept()
            with peer:
                assert port.warnings
                port.write(b"ping")
                assert peer.recv(10) == b"ping"
                peer.sendall(b"pong")
                assert port.read_exactly(4, 1.0) == b"pong"
            with pytest.raises(PortLostError):
                port.read(1, 1.0)
    with pytest.raises(PortError, match="refused"):
        open_port(f"socket://{host}:{number}")


def test_rfc2217_carries_bytes_parity_and_modem_lines() -> None:
    """pyserial's own RFC 2217 server, on a line that notes what it is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, number = server.getsockname()
        line = serial.serial_for_url("loop://", timeout=0.02)
        seen: list[Any] = []

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                manager = PortManager(line, SimpleNamespace(write=peer.sendall))
                peer.settimeout(0.02)
                while True:
                    try:
                        data = peer.recv(1024)
                    except TimeoutError:
                        data = None
                    if data == b"":
                        return
                    if data:
                        seen.extend(manager.filter(data))
                        manager.check_modem_lines()
                    if seen:
                        peer.sendall(b"".join(manager.escape(b"".join(seen))))
                        seen.clear()

        thread = threading.Thread(target=serve)
        thread.start()
        with open_port(f"rfc2217://{host}:{number}", parity="even", baudrate=57_600) as port:
            assert port.warnings == ()
            assert (line.parity, line.baudrate) == ("E", 57_600)
            port.write(b"\xff\x00echo")
            assert port.read_exactly(6, 2.0) == b"\xff\x00echo"
            port.set_lines(dtr=False)
            assert line.dtr is False
        thread.join(5)
        line.close()


def test_a_memory_pair_is_a_line() -> None:
    host, device = memory_pair()
    with host, device:
        host.write(b"abc")
        assert device.read_exactly(3, 1.0) == b"abc"
        with pytest.raises(PortTimeoutError):
            host.read_exactly(1, 0.01)
        device.write(b"last words")
        device.close()
        assert host.read_exactly(10, 1.0) == b"last words"
        with pytest.raises(PortLostError):
            host.read(1, 1.0)


def test_a_trace_reads_back_and_refuses_what_is_none() -> None:
    stream = io.StringIO()
    instants = iter((10.0, 10.0, 10.000_412, 10.5, 11.0))
    trace = ByteTrace(stream, clock=lambda: next(instants))
    host, device = memory_pair(traces=(trace, None))
    host.write(b"\x00\x7f")
    device.write(b"\x79")
    host.read_exactly(1, 1.0)
    host.close()
    device.close()
    lines = list(read_trace(stream.getvalue().splitlines()))
    assert [(line.t_us, line.direction, line.data) for line in lines] == [
        (0, "!", b""),
        (412, ">", b"\x00\x7f"),
        (500_000, "<", b"\x79"),
        (1_000_000, "!", b""),
    ]
    for bad in (
        "x",
        "1.000000 ? 00",
        "1.0 > 00",
        "1.000000 > 0",
        "1.000000 > zz",
        "1.5000000 > 00",
        "2.000000 ! a\n1.000000 ! b",
    ):
        with pytest.raises(TraceFormatError, match=r"t\.txt:\d"):
            list(read_trace(bad.splitlines(), source="t.txt"))


def _row(device: str, **values: Any) -> SimpleNamespace:
    empty = dict.fromkeys(("description", "vid", "pid", "serial_number", "product", "manufacturer", "location"))
    return SimpleNamespace(device=device, **{**empty, **values})


def test_auto_takes_the_one_port_that_fits_and_lists_many() -> None:
    rows = [
        _row("/dev/ttyS0", description="n/a"),
        _row("/dev/ttyUSB0", vid=0x10C4, pid=0xEA60, serial_number="A"),
        _row("/dev/ttyACM0", vid=0x0483, pid=0x5740, serial_number="C1", product="STM32 Virtual ComPort"),
        _row("/dev/ttyACM1", vid=0x0483, pid=0x5740, serial_number="P1", product="SEMTECH PicoGW Virtual ComPort"),
    ]
    ports = list_ports(lambda: rows)
    assert [port.name for port in ports] == ["/dev/ttyACM0", "/dev/ttyACM1", "/dev/ttyUSB0", "/dev/ttyS0"]
    assert ports[1].board is not None
    assert ports[1].board.boards == ("picogw-usb",)
    assert ports[-1].what == "unknown"
    assert find_auto(serial_number="P1", ports=ports) == "/dev/ttyACM1"
    assert find_auto(("esp32",), ports=ports) == "/dev/ttyUSB0"
    assert find_auto(("corecell-usb",), ports=ports) == "/dev/ttyACM0"
    with pytest.raises(PortError, match="2 ports look like a known") as several:
        find_auto(ports=ports)
    assert "serial number C1" in several.value.hint
    with pytest.raises(PortMissingError, match="seen: /dev/ttyACM0") as none:
        find_auto(serial_number="nobody", ports=ports)
    assert none.value.port == "auto"
    with pytest.raises(PortMissingError, match="no USB serial port"):
        find_auto(ports=ports[-1:])
    assert find_auto(ports=[PortInfo("COM7", vid=0x303A, pid=0x1001, board=identify(0x303A, 0x1001, None))]) == "COM7"


def test_every_row_of_the_usb_table_has_a_source_and_can_be_reached() -> None:
    for row in usb_boards():
        assert row.source
        assert row.kind in ("gateway", "node", "bootloader", "adapter")
        assert identify(row.vid, row.pid, row.product or "anything") is row


def test_the_machine_s_own_ports_can_be_listed() -> None:
    assert all(port.name for port in list_ports())


def test_the_lock_goes_with_the_port(terminal: tuple[int, str]) -> None:
    open_port(terminal[1]).close()
    descriptor = os.open(terminal[1], os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
