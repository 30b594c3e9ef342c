"""The asyncio line over memory and pseudo-terminals: bytes, timers, and a line that goes."""

from __future__ import annotations

import asyncio
import os
import pty
import tty
from dataclasses import dataclass

import pytest

from gateway_fw.errors import LinkStateError
from gateway_fw.io import SerialLine
from gateway_fw.serial_port import Port, memory_pair, open_port
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from lorawan.machine import Instant


@dataclass(frozen=True, slots=True)
class Told:
    what: object


class Echo:
    """Sends back what comes, a tick every 5 ms while ticks are left, and tells of a lost line."""

    def __init__(self, ticks: int = 0) -> None:
        self.ticks = ticks
        self.next: Instant | None = 5_000 if ticks else None

    @property
    def wake_at(self) -> Instant | None:
        return self.next

    def handle(self, event: BytesReceived | LineLost | str, now: Instant) -> list[SendBytes | Told]:  # noqa: ARG002
        if isinstance(event, BytesReceived):
            return [SendBytes(event.data)]
        return [Told(event)] if isinstance(event, LineLost) else [SendBytes(event.encode())]

    def wake(self, now: Instant) -> list[SendBytes | Told]:
        if self.next is None or now < self.next:
            return []
        self.ticks -= 1
        self.next = now + 5_000 if self.ticks else None
        return [SendBytes(b"tick")]


async def read(port: Port, size: int) -> bytes:
    return await asyncio.to_thread(port.read_exactly, size, 5.0)


@pytest.fixture(params=["descriptor", "thread"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Port, Port]:
    """A pair whose first end is waited for by the loop, or by threads as on Windows."""
    first, second = memory_pair()
    if request.param == "thread":
        monkeypatch.setattr(first, "fileno", lambda: None)
    return first, second


def test_bytes_timers_and_events_reach_the_core(pair: tuple[Port, Port]) -> None:
    async def run() -> None:
        device, host = pair
        async with SerialLine(Echo(ticks=2), device, list[object]().append) as line:
            assert await read(host, 8) == b"ticktick"
            assert line.now >= 10_000
            host.write(b"hello")
            assert await read(host, 5) == b"hello"
            line.submit("own event")
            assert await read(host, 9) == b"own event"
        assert device.closed
        with pytest.raises(LinkStateError):
            line.submit("too late")
        host.close()

    asyncio.run(run())


def test_more_than_the_line_takes_at_once_arrives_in_order(pair: tuple[Port, Port]) -> None:
    async def run() -> None:
        device, host = pair
        block = os.urandom(900_000)
        async with SerialLine(Echo(), device, list[object]().append) as line:
            line.submit(block.hex()[:1_000_000])
            assert await read(host, 1_000_000) == block.hex()[:1_000_000].encode()
        host.close()

    asyncio.run(run())


def test_a_lost_line_is_told_once(pair: tuple[Port, Port]) -> None:
    async def run() -> None:
        device, host = pair
        told: list[object] = []
        async with SerialLine(Echo(ticks=50), device, told.append) as line:
            host.close()
            await asyncio.wait_for(line.lost.wait(), 60)
            await asyncio.sleep(0.02)  # ticks go on in the core, and nowhere
            assert len(told) == 1
            assert isinstance(told[0], Told)
            assert isinstance(told[0].what, LineLost)
            assert told[0].what.why

    asyncio.run(run())


def test_a_line_that_takes_nothing_is_lost(pair: tuple[Port, Port], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_fw.io.serial.STUCK_S", 0.05)

    async def run() -> None:
        device, host = pair
        told: list[object] = []
        async with SerialLine(Echo(), device, told.append) as line:
            line.submit("x" * 1_000_000)
            await asyncio.wait_for(line.lost.wait(), 60)
        assert len(told) == 1
        host.close()

    asyncio.run(run())


def test_a_pty_carries_the_line() -> None:
    async def run() -> None:
        master, slave = pty.openpty()
        tty.setraw(slave)
        told: list[object] = []
        async with SerialLine(Echo(), open_port(os.ttyname(slave)), told.append) as line:
            os.write(master, b"over a pty")
            assert await asyncio.to_thread(os.read, master, 100) == b"over a pty"
            os.close(master)
            await asyncio.wait_for(line.lost.wait(), 60)
        os.close(slave)
        assert len(told) == 1

    asyncio.run(run())
