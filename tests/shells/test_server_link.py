"""A link to a server that moves, comes late, falls silent."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import pytest
from waiting import until

from gateway_fw.gwmp import DatagramReceived
from gateway_fw.io.server_link import ServerAddress, ServerLink
from lorawan.machine import Dropped


class Names:
    """A name server that changes its mind."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.answer: str | None = None
        loop.getaddrinfo = self._resolve  # type: ignore[method-assign]

    async def _resolve(self, host: str, port: int, **_: Any) -> list[Any]:
        answer = self.answer if host == "server.example" else host
        if answer is None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_DGRAM, 17, "", (answer, port))]


def bound(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.bind((host, port))
    end.setblocking(False)
    return end


@pytest.mark.parametrize("host", ["eu..example.org", "a" * 64])
def test_a_host_that_is_no_name_is_told_as_a_socket_error(host: str) -> None:
    async def run() -> None:
        dropped: list[Dropped] = []
        link = ServerLink(0, ServerAddress(host), lambda _: None, dropped.append)
        await link.start()
        assert not link.is_open
        await link.stop()
        assert [each.reason for each in dropped] == ["socket_error"]

    asyncio.run(run())


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of its own on Linux alone")
def test_a_name_that_comes_late_and_then_moves_is_followed() -> None:
    async def run() -> None:
        names = Names(asyncio.get_running_loop())
        first = bound()
        port = first.getsockname()[1]
        second = bound("127.0.0.2", port)
        received: list[DatagramReceived] = []
        dropped: list[Dropped] = []
        link = ServerLink(
            3, ServerAddress("server.example", port, port), received.append, dropped.append,
            resolve_every_s=0.02, silent_s=100,
        )  # fmt: skip
        await link.start()
        assert not link.is_open
        link.send(b"lost", upstream=True)
        assert link.unsent == 1
        assert [one.reason for one in dropped] == ["socket_error"]
        names.answer = "127.0.0.1"
        await until(lambda: link.is_open)
        link.send(b"one", upstream=True)
        await until(lambda: readable(first))
        data, source = first.recvfrom(100)
        assert data == b"one"
        first.sendto(b"answer", source)
        await until(lambda: bool(received))
        assert (received[0].data, received[0].server) == (b"answer", 3)
        names.answer = "127.0.0.2"
        await until(lambda: link.opened == 2)
        link.send(b"two", upstream=False)
        await until(lambda: readable(second))
        # a name server that is away for a while moves nobody
        names.answer = None
        await asyncio.sleep(0.1)
        assert link.is_open
        await link.stop()
        for end in (first, second):
            end.close()

    asyncio.run(run())


def test_a_silent_server_gets_a_fresh_socket() -> None:
    async def run() -> None:
        server = bound()
        port = server.getsockname()[1]
        link = ServerLink(0, ServerAddress("127.0.0.1", port, port), lambda _: None, lambda _: None, silent_s=0.02)
        await link.start()
        link.send(b"one", upstream=True)
        await until(lambda: link.opened >= 2)
        link.send(b"two", upstream=True)
        await until(lambda: readable(server))
        await asyncio.sleep(0.02)
        ports = [server.recvfrom(10)[1][1] for _ in range(2)]
        assert ports[0] != ports[1]
        await link.stop()
        server.close()

    asyncio.run(run())


def readable(end: socket.socket) -> bool:
    try:
        return bool(end.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
