"""The concentrator as a radio: on a pseudo-terminal, through a loss and back, and under the forwarder with a server."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from corecell_pair import MADE_UP
from waiting import until

from gateway_fw.concentrator.corecell import CoreCellDriver
from gateway_fw.concentrator.events import ConcentratorLost, Reception, Started, TransmitDone, TransmitRefused
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.errors import ConcentratorError
from gateway_fw.forwarder.config import ForwarderConfig
from gateway_fw.gwmp.server import GwmpServerCore, SendDownlink, UplinkReceived
from gateway_fw.gwmp.txpk import Txpk
from gateway_fw.io import ConcentratorRadio, ForwarderService, ServerAddress, UdpServer
from gateway_fw.io.firmware_files import save
from gateway_fw.io.virtual_board import VirtualBoard
from gateway_fw.serial_port import Port, memory_pair, open_port
from gateway_fw.virtual.corecell import CoreCellEffect, CoreCellEvent, PowerLost, VirtualCoreCell
from lorawan.ids import Eui64
from lorawan.phy.airtime import lora_airtime_us
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard, Transmit

SF7 = LoraModulation(7)


def _heard(at: int, payload: bytes = b"\x40\x11\x22\x33\x44\x00\x01\x00\x01\x02\x03\x04\x05") -> Heard:
    return Heard(at, payload, 868_100_000, SF7, -90.0, 5.0, lora_airtime_us(len(payload), SF7))


class Bench:
    """A virtual board on a pty, and what it transmitted."""

    def __init__(self) -> None:
        self.core = VirtualCoreCell()
        self.sent: list[Transmit] = []
        self.board: VirtualBoard[CoreCellEvent, CoreCellEffect] = VirtualBoard(self.core, self._effect)

    def _effect(self, effect: CoreCellEffect) -> None:
        if isinstance(effect, Transmit):
            self.sent.append(effect)

    def radio(self, events: list[Any]) -> ConcentratorRadio:
        return ConcentratorRadio(
            lambda: CoreCellDriver(MADE_UP), lambda: open_port(self.board.path), RadioSetup(), on_event=events.append
        )


def test_frames_go_both_ways_over_a_pty_and_an_unplugged_board_comes_back() -> None:
    async def scene() -> None:
        bench, events, told = Bench(), [], []
        async with bench.board:
            radio = bench.radio(events)
            await radio.start(told.append)
            assert isinstance(told[0], Started)
            bench.board.submit(_heard(bench.board.now))
            await until(lambda: any(isinstance(each, Reception) for each in told))
            uplink = next(each for each in told if isinstance(each, Reception))
            reply = Transmit(uplink.heard.at + 300_000, b"reply", 868_100_000, SF7, 14, lora_airtime_us(5, SF7))
            radio.transmit(reply)
            await until(lambda: any(isinstance(each, TransmitDone) for each in told))
            assert bench.core.counter_us(bench.sent[0].at) == uplink.counter_us + 300_000

            before = radio.now
            bench.board.unplug(PowerLost())
            await until(lambda: any(isinstance(each, ConcentratorLost) for each in events))
            radio.transmit(reply)
            assert isinstance(told[-1], TransmitRefused)
            bench.board.replug()
            await until(lambda: radio.connections == 2)
            assert radio.now > before
            bench.board.submit(_heard(bench.board.now, b"after"))
            await until(lambda: any(isinstance(each, Reception) and each.heard.payload == b"after" for each in told))
            await radio.stop()
            assert not bench.core.started

    asyncio.run(scene())


def test_a_line_where_nobody_answers_is_an_error_that_says_so() -> None:
    async def scene() -> None:
        near, far = memory_pair()
        radio = ConcentratorRadio(lambda: CoreCellDriver(MADE_UP), lambda: near, RadioSetup())
        starting = asyncio.create_task(radio.open())
        await asyncio.sleep(0.3)
        far.close()
        with pytest.raises(ConcentratorError) as caught:
            await starting
        assert caught.value.stage == "microcontroller"

    asyncio.run(scene())


def test_a_port_that_opens_after_all_once_nobody_waits_is_closed_again() -> None:
    async def scene() -> None:
        near, far = memory_pair()
        asked, opens = threading.Event(), threading.Event()

        def slow() -> Port:
            asked.set()
            assert opens.wait(60)
            return near

        radio = ConcentratorRadio(lambda: CoreCellDriver(MADE_UP), slow, RadioSetup())
        starting = asyncio.create_task(radio.open())
        await until(asked.is_set)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await radio.stop()
        opens.set()
        await until(lambda: near.closed)
        far.close()

    asyncio.run(scene())


def test_an_uplink_and_its_answer_pass_through_forwarder_and_server(tmp_path: Path) -> None:
    async def scene() -> None:
        bench, events = Bench(), []
        effects: list[Any] = []
        server = UdpServer(GwmpServerCore(), effects.append)
        async with bench.board, server:
            radio = bench.radio(events)
            config = ForwarderConfig(Eui64(0x0016C001FF10A235), stat_interval_us=None)  # one PULL_DATA, at once
            host, port = server.address
            service = ForwarderService(
                config, [ServerAddress(host, port, port)], radio, spool_directory=tmp_path, grace_s=0.2
            )
            async with service:
                await asyncio.sleep(0.2)
                bench.board.submit(_heard(bench.board.now))
                await until(lambda: any(isinstance(each, UplinkReceived) for each in effects))
                uplinks = [each for each in effects if isinstance(each, UplinkReceived)]
                tmst = uplinks[0].rxpk.tmst
                txpk = Txpk(
                    freq_hz=868_100_000,
                    modulation=SF7,
                    payload=b"answer",
                    tmst=(tmst + 500_000) % (1 << 32),
                    power_dbm=14,
                    inverted_polarity=True,
                    no_crc=True,
                )
                server.submit(SendDownlink(config.gateway_eui, txpk, 1))
                await until(lambda: any(isinstance(each, TransmitDone) for each in events))
                (sent,) = bench.sent
                assert sent.payload == b"answer"
                assert bench.core.counter_us(sent.at) == tmst + 500_000

    asyncio.run(scene())


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_gateway_that_is_told_to_end_switches_its_board_off(number: signal.Signals, tmp_path: Path) -> None:
    save(MADE_UP, tmp_path)
    # a shell that starts programs in the background lets them ignore Ctrl-C
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = f"{heed}; from bench.cli.app import main; main()"
    wanted = ("--eui", "0011223344556677", "--server", "127.0.0.1:1", "--chip-firmware", str(tmp_path), "--json")

    async def scene() -> None:
        bench = Bench()
        async with bench.board:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", command, "gateway", "run", "--port", bench.board.path, *wanted,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert process.stdout is not None
            async with asyncio.timeout(60):
                while b'"started"' not in await process.stdout.readline():
                    assert process.returncode is None
                await until(lambda: bench.core.started)
                process.send_signal(number)
                await process.communicate()
            assert process.returncode == 130
            assert not bench.core.started

    asyncio.run(scene())
