"""The forwarder service between real sockets, a real spool folder and a radio that we play."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic_ns
from typing import Any

from gateway_fw.forwarder import ForwarderConfig
from gateway_fw.gwmp import DownlinkAnswered, GwmpServerCore, SendDownlink, StatReceived, TxError, Txpk, UplinkReceived
from gateway_fw.io import ForwarderService, ServerAddress, UdpServer
from gateway_fw.io.radio import Deliver
from gateway_fw.io.spool import SpoolFiles
from lorawan.ids import Eui64
from lorawan.machine import Dropped, Instant
from lorawan.phy import Heard, LoraModulation, Transmit

EUI = Eui64(0xAA555A0000000101)
LORA = LoraModulation(7)
CONFIG = ForwarderConfig(EUI, keepalive_us=100_000, stat_interval_us=None)


class PlayedRadio:
    """A radio whose counter began some time ago."""

    def __init__(self) -> None:
        self.sent: list[Transmit] = []
        self.deliver: Deliver | None = None
        self.stopped = False

    @property
    def now(self) -> Instant:
        return monotonic_ns() // 1_000

    async def start(self, deliver: Deliver) -> None:
        self.deliver = deliver

    async def stop(self) -> None:
        self.stopped = True

    def transmit(self, transmit: Transmit) -> None:
        assert transmit.at - self.now >= 1_500
        self.sent.append(transmit)

    def pps_at(self) -> Instant | None:
        return None

    def hear(self, payload: bytes) -> None:
        assert self.deliver is not None
        self.deliver(Heard(self.now, payload, 868_100_000, LORA, -80.0, 9.0, 56_576))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def of(kind: type, effects: list[Any]) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


def payloads(effects: list[Any]) -> list[bytes]:
    return [effect.rxpk.payload for effect in of(UplinkReceived, effects)]


def test_every_server_hears_an_uplink_and_any_may_ask_for_a_downlink(tmp_path: Path) -> None:
    async def run() -> None:
        at: tuple[list[Any], list[Any]] = ([], [])
        radio = PlayedRadio()
        async with UdpServer(GwmpServerCore(), at[0].append) as one, UdpServer(GwmpServerCore(), at[1].append) as two:
            servers = [ServerAddress(host, port, port) for host, port in (one.address, two.address)]
            service = ForwarderService(CONFIG, servers, radio, spool_directory=tmp_path)
            async with service:
                radio.hear(b"\x40" * 12)
                await until(lambda: service.core.waiting == (0, 0) and bool(payloads(at[0]) and payloads(at[1])))
                await asyncio.sleep(0.15)  # a PULL_DATA has opened the way back
                txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"\x60" * 12, imme=True, power_dbm=14)
                two.submit(SendDownlink(EUI, txpk, 5))
                await until(lambda: bool(of(DownlinkAnswered, at[1])))
                assert of(DownlinkAnswered, at[1]) == [DownlinkAnswered(EUI, 5, TxError.NONE, None, None)]
                await asyncio.sleep(0)
            # the stop waits for what is queued
            assert [transmit.payload for transmit in radio.sent] == [b"\x60" * 12]
            assert radio.stopped
            await until(lambda: bool(of(StatReceived, at[0]) and of(StatReceived, at[1])))
            assert not of(DownlinkAnswered, at[0])
            assert of(StatReceived, at[0])[0].stat.rxfw == 1

    asyncio.run(run())


def test_uplinks_of_a_server_that_is_away_wait_on_disk_and_survive_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        radio = PlayedRadio()
        told: list[Any] = []
        nobody = ServerAddress("127.0.0.1", 9, 9)
        async with ForwarderService(
            CONFIG, [nobody], radio, spool_directory=tmp_path, on_effect=told.append
        ) as service:
            for number in range(20):
                radio.hear(bytes([0x40, number]) * 6)
            assert service.core.waiting == (20,)
            await until(lambda: service.status().servers[0].errors > 0)
        assert len(of(Dropped, told)) == 1  # the same refusal is told once
        assert of(Dropped, told)[0].reason == "socket_error"
        radio = PlayedRadio()
        async with ForwarderService(CONFIG, [nobody], radio, spool_directory=tmp_path) as service:
            assert service.core.waiting == (20,)
            radio.hear(b"\x40" * 12)
            assert service.core.waiting == (21,)
        (folder,) = tmp_path.iterdir()
        files = SpoolFiles(folder)
        opened = files.open()
        files.close()
        assert [uplink.number for uplink in opened.waiting] == list(range(1, 22))

    asyncio.run(run())
