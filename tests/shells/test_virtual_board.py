"""A virtual board on a real pseudo-terminal: what a host program meets there."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corecell_host import frame, read

from gateway_fw.errors import GatewayError, LinkStateError, PtyError
from gateway_fw.io.virtual_board import VirtualBoard
from gateway_fw.stream import LineLost
from gateway_fw.virtual.corecell import EnterBootloader, PowerLost, VirtualCoreCell, with_faults
from gateway_fw.virtual.faults import Faults

termios = pytest.importorskip("termios", reason="no pseudo-terminals on Windows")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: hosts take 49 bytes of path."""
    with tempfile.TemporaryDirectory(prefix="lb", dir="/tmp") as name:
        yield Path(name)


def open_port(path: str) -> int:
    """As a host does, without touching the settings that are not its own."""
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


async def ask(port: int, request: bytes, size: int) -> bytes:
    os.write(port, request[:4])
    os.write(port, request[4:])
    return await take(port, size)


async def take(port: int, size: int) -> bytes:
    out = b""
    async with asyncio.timeout(60):
        while len(out) < size:
            try:
                out += os.read(port, size - len(out))
            except BlockingIOError:
                await asyncio.sleep(0.001)
    return out


def test_a_host_opens_asks_closes_and_another_opens_again(short: Path) -> None:
    async def run() -> None:
        async with VirtualBoard(VirtualCoreCell(), lambda _effect: None, link=short / "tty") as board:
            assert board.path == str(short / "tty")
            for request_id in (10, 13, 17, 19):  # line ends and flow control are bytes like others
                port = open_port(board.path)
                answer = await ask(port, frame(0, request_id=request_id), 25)
                assert answer[:4] == bytes((request_id, 0, 21, 0x40))
                os.close(port)
        assert not (short / "tty").is_symlink()

    asyncio.run(run())


def test_the_line_carries_all_bytes_and_an_answer_of_four_kilobytes(short: Path) -> None:
    async def run() -> None:
        async with VirtualBoard(VirtualCoreCell(), lambda _effect: None, link=short / "tty") as board:
            port = open_port(board.path)
            assert not termios.tcgetattr(port)[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
            image = bytes(range(256)) * 16
            request = b"\0\1\0" + (4099).to_bytes(2, "big") + b"\0\x80\0" + image
            assert len(await ask(port, frame(5, request), 4 + 5 + 4099)) == 4108
            answer = await ask(port, frame(5, read(0, 4096)), 4 + 5 + 4 + 4096)
            assert answer[13:] == image
            os.close(port)

    asyncio.run(run())


def test_pulling_the_cable_is_an_error_for_the_host_and_the_link_comes_back(short: Path) -> None:
    async def run() -> None:
        core = VirtualCoreCell()
        async with VirtualBoard(core, lambda _effect: None, link=short / "tty") as board:
            port = open_port(board.path)
            await ask(port, frame(5, b"\0\2\x56\x43\xff\x5a"), 9)
            board.unplug(PowerLost())
            assert not board.plugged
            with pytest.raises(LinkStateError):
                _ = board.path
            with pytest.raises(OSError) as raised:
                os.write(port, b"\0")
            assert raised.value.errno == errno.EIO
            os.close(port)
            board.unplug(LineLost("again"))  # harmless
            board.replug()
            board.replug()
            port = open_port(board.path)
            answer = await ask(port, frame(5, read(0x5643, 1)), 14)
            assert answer[-1] == 0  # it forgot
            os.close(port)

    asyncio.run(run())


def test_stalled_answers_go_out_by_themselves(short: Path) -> None:
    async def run() -> None:
        core = VirtualCoreCell(faults=Faults(stall_every=1, stall_us=30_000))
        async with VirtualBoard(core, lambda _effect: None, link=short / "tty") as board:
            port = open_port(board.path)
            asked_at = board.now
            await ask(port, frame(0), 25)
            assert board.now - asked_at >= 30_000
            board.submit(with_faults(core.faults, stall_every=0))
            os.close(port)

    asyncio.run(run())


def test_a_host_that_reads_nothing_does_not_fill_the_memory(short: Path) -> None:
    async def run() -> None:
        effects: list[Any] = []
        async with VirtualBoard(VirtualCoreCell(), effects.append, link=short / "tty") as board:
            port = open_port(board.path)
            request = frame(5, read(0, 4096))
            for _ in range(400):
                with contextlib.suppress(BlockingIOError):
                    os.write(port, request)
                await asyncio.sleep(0)
            assert len(board._port._waiting) <= 1 << 20
            os.close(port)
            # the next host finds stale bytes, drops them as drivers do, and goes on
            port = open_port(board.path)
            async with asyncio.timeout(60):
                while True:
                    try:
                        os.read(port, 65_536)
                    except BlockingIOError:
                        await asyncio.sleep(0.02)
                        if not board._port._waiting:
                            break
            termios.tcflush(port, termios.TCIOFLUSH)
            os.close(port)
        assert not any(isinstance(effect, EnterBootloader) for effect in effects)

    asyncio.run(run())


def test_a_link_that_cannot_be_is_refused_with_what_to_do(short: Path) -> None:
    async def start(link: Path) -> None:
        await VirtualBoard(VirtualCoreCell(), lambda _effect: None, link=link).start()

    (short / "file").write_text("mine")
    with pytest.raises(PtyError, match="exists and is no link; choose another"):
        asyncio.run(start(short / "file"))
    assert (short / "file").read_text() == "mine"
    with pytest.raises(PtyError, match="at most 49"):
        asyncio.run(start(short / ("x" * 60)))
    with pytest.raises(GatewayError, match="choose another --link"):
        asyncio.run(start(short / "none" / "tty"))


def test_an_old_link_is_pointed_anew_and_a_strangers_is_left_when_we_go(short: Path) -> None:
    async def run() -> None:
        (short / "tty").symlink_to("/nowhere")
        async with VirtualBoard(VirtualCoreCell(), lambda _effect: None, link=short / "tty") as board:
            os.close(open_port(board.path))
            (short / "tty").unlink()
            (short / "tty").symlink_to("/elsewhere")
        assert (short / "tty").readlink() == Path("/elsewhere")

    asyncio.run(run())
