"""The forwarder service between real sockets, a real spool folder and a radio that we play."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic_ns
from typing import Any

import pytest
from waiting import until

from gateway_fw.forwarder import ForwarderConfig
from gateway_fw.gps.ubx import message
from gateway_fw.gwmp import DownlinkAnswered, GwmpServerCore, SendDownlink, StatReceived, TxError, Txpk, UplinkReceived
from gateway_fw.io import ForwarderService, ServerAddress, UdpServer
from gateway_fw.io.forwarder_service import spool_name
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


class PlayedGps:
    """A receiver that says its time once a second, a tenth of a second after the pulse."""

    def __init__(self, radio: PulsedRadio) -> None:
        self.radio = radio
        self.written: list[bytes] = []

    async def read(self) -> bytes:
        second = self.radio.seconds
        await asyncio.sleep(0.02)
        self.radio.seconds = second + 1
        time = (18_000 + second * 1_000).to_bytes(4, "little") + bytes(4) + (1930).to_bytes(2, "little")
        place = b"$GPGGA,092725.00,4717.11399,N,00833.91590,E,1,08,1.01,499.6,M,48.0,M,,*5B\r\n"
        return place + message((0x01, 0x20), time + bytes((18, 7)) + bytes(4))

    def write(self, data: bytes) -> None:
        self.written.append(data)


class PulsedRadio(PlayedRadio):
    """Its own time is a hundred times as fast as ours, so that pulses come every 10 ms."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0
        self.origin = monotonic_ns()

    @property
    def now(self) -> Instant:
        return self.seconds * 1_000_000 + 100_000

    def pps_at(self) -> Instant | None:
        return self.seconds * 1_000_000


def test_a_receiver_gives_uplinks_their_time_and_the_service_its_clock() -> None:
    async def run() -> None:
        at_server: list[Any] = []
        radio = PulsedRadio()
        gps = PlayedGps(radio)
        async with UdpServer(GwmpServerCore(), at_server.append) as server:
            service = ForwarderService(CONFIG, [ServerAddress(*server.address, server.address[1])], radio, gps=gps)
            async with service:
                await until(lambda: service.status().has_time)
                radio.hear(b"\x40" * 12)
                await until(lambda: bool(payloads(at_server)))
            rxpk = of(UplinkReceived, at_server)[0].rxpk
            assert rxpk.time is not None
            assert rxpk.time.startswith("2017-01-01T00:00:")  # week 1930, second 18 + n, less 18 leap seconds
            assert rxpk.tmms is not None
            assert rxpk.tmms // 1_000 - (1930 * 604_800 + 18) in range(100)
            stat = of(StatReceived, at_server)[0].stat
            assert round(stat.latitude_deg, 3) == 47.285
            assert len(gps.written) == 1

    asyncio.run(run())


def test_a_gps_line_that_fails_is_told_at_the_end_and_leaves_nothing_switched_on(tmp_path: Path) -> None:
    class FailingGps(PlayedGps):
        async def read(self) -> bytes:
            raise RuntimeError("not of a line")

    async def run() -> None:
        radio = PulsedRadio()
        gps = FailingGps(radio)
        async with UdpServer(GwmpServerCore(), lambda _: None) as server:
            servers = [ServerAddress(*server.address, server.address[1])]
            service = ForwarderService(CONFIG, servers, radio, gps=gps, spool_directory=tmp_path, grace_s=0.0)
            await service.start()
            await until(lambda: bool(gps.written))
            with pytest.raises(RuntimeError, match="not of a line"):
                await service.stop()
            assert radio.stopped
            files = SpoolFiles(tmp_path / spool_name(servers[0]))
            files.open()  # raises where somebody still holds it
            files.close()

    asyncio.run(run())


def test_a_radio_that_fails_to_take_a_frame_does_not_stop_the_service() -> None:
    class FailingRadio(PlayedRadio):
        def transmit(self, transmit: Transmit) -> None:
            raise OSError(f"the line is gone, and with it {transmit.payload!r}")

    async def run() -> None:
        at_server: list[Any] = []
        told: list[Any] = []
        radio = FailingRadio()
        async with UdpServer(GwmpServerCore(), at_server.append) as server:
            servers = [ServerAddress(*server.address, server.address[1])]
            async with ForwarderService(CONFIG, servers, radio, on_effect=told.append) as service:
                await asyncio.sleep(0.15)
                txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"\x60" * 12, imme=True, power_dbm=14)
                server.submit(SendDownlink(EUI, txpk, 5))
                await until(lambda: bool(of(Dropped, told)))
                assert of(Dropped, told)[0].reason == "radio_refused"
                radio.hear(b"\x40" * 12)
                await until(lambda: bool(payloads(at_server)))
                assert service.status().totals.radio_refused == 1
                assert not of(Transmit, told)

    asyncio.run(run())
