"""What a virtual CoreCell costs: the core alone, and a whole process under a host that polls as lora_pkt_fwd does.

    python tests/bench_speed/virtual_corecell.py [seconds]

A poll is what lora_pkt_fwd 2.1.0 does every 10 ms: the number of bytes waiting, twice, and the counter, twice.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "common"))

from corecell_host import Host, frame, read

from gateway_fw.io.virtual_board import VirtualBoard
from gateway_fw.virtual.corecell import VirtualCoreCell
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard

SF7 = LoraModulation(7)
POLL = (frame(5, read(0x58C8, 2)),) * 2 + (frame(5, read(0x6101, 8)),) * 2
PAYLOAD = bytes(30)


def frame_at(at: int) -> Heard:
    return Heard(at, PAYLOAD, 868_100_000, SF7, -97.0, 8.25, lora_airtime_us(len(PAYLOAD), SF7))


def core_alone(seconds: float) -> None:
    host = Host(VirtualCoreCell())
    host.start()
    polls, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        host.now += 10_000
        for request in POLL:
            host.raw(request)
        polls += 1
    print(f"core: {polls / seconds:.0f} polls/s, {1e6 * seconds / polls:.0f} us each (a host makes 100 a second)")
    frames, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        host.now += 100_000
        host.board.handle(frame_at(host.now), host.now)
        host.now += 10_000
        assert host.fifo()
        frames += 1
    print(f"core: {frames / seconds:.0f} frames heard and read per second")
    sent, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        host.now += 1_000_000
        host.program(PAYLOAD, start_us=host.board.counter_us(host.now + 40_000))
        sent += 1
    assert len(host.effects) == sent
    print(f"core: {sent / seconds:.0f} transmissions programmed per second")


async def on_a_pty(seconds: float, frames_per_s: int) -> None:
    """The host is a child process, so that the CPU time of this one is the board's alone."""
    async with VirtualBoard(VirtualCoreCell(), lambda _effect: None) as board:
        child = os.fork()
        if child == 0:
            _host(board.path, seconds)
            os._exit(0)
        cpu, began = time.process_time(), time.perf_counter()
        while time.perf_counter() - began < seconds:
            await asyncio.sleep(1 / max(frames_per_s, 10))
            if frames_per_s:
                board.submit(frame_at(board.now))
        share = (time.process_time() - cpu) / (time.perf_counter() - began)
        os.kill(child, 9)
        os.waitpid(child, 0)
        rate = board.bytes_received / seconds
    print(f"pty: {100 * share:.1f} % of a core with {frames_per_s} frames/s, {rate / 1000:.1f} kB/s from the host")


def _host(path: str, seconds: float) -> None:
    port = os.open(path, os.O_RDWR | os.O_NOCTTY)
    began = time.perf_counter()
    while time.perf_counter() - began < seconds + 5:
        for request in POLL:
            os.write(port, request[:4])
            os.write(port, request[4:])
            header = os.read(port, 4)
            left = header[1] << 8 | header[2]
            while left:
                left -= len(os.read(port, left))
        time.sleep(0.01)  # what is measured is the cost of a host that polls in real time, as lora_pkt_fwd does


if __name__ == "__main__":
    span = float(sys.argv[1]) if len(sys.argv) > 1 else 2.0
    core_alone(span)
    asyncio.run(on_a_pty(span, 0))
    asyncio.run(on_a_pty(span, 50))
