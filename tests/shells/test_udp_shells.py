"""The asyncio shells and the synchronous loopback link over real sockets on 127.0.0.1."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from waiting import until

from gateway_fw.errors import GatewayError, LinkDeadlineError, LinkStateError
from gateway_fw.forwarder import DatagramReceived, ForwarderConfig, ForwarderCore, SendDatagram
from gateway_fw.gwmp import DownlinkAnswered, GwmpServerCore, SendDownlink, TxError, Txpk, UplinkReceived
from gateway_fw.gwmp import server as server_end
from gateway_fw.io import LoopbackUdpLink, UdpGateway, UdpServer
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import Heard, LoraModulation, Transmit

EUI = Eui64(0xAA555A0000000101)
LORA = LoraModulation(7)


def heard(at: int) -> Heard:
    return Heard(at, bytes(20), 868_100_000, LORA, -80.0, 9.0, 56_576)


def of(kind: type, effects: list[Any]) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


def test_an_uplink_is_acknowledged_and_a_downlink_answered_over_udp() -> None:
    async def run() -> None:
        at_server: list[Any] = []
        at_gateway: list[Any] = []
        core = ForwarderCore(ForwarderConfig(EUI, stat_interval_us=None))
        async with (
            UdpServer(GwmpServerCore(), at_server.append) as server,
            UdpGateway(core, server.address, at_gateway.append) as gateway,
        ):
            await until(lambda: core.wake_at > 0)  # its PULL_DATA is on its way
            gateway.submit(heard(gateway.now))
            await until(lambda: bool(of(UplinkReceived, at_server)) and core.counters.push_acked == 1)
            txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"\x60" * 12, imme=True, power_dbm=14)
            asked_at = gateway.now
            server.submit(SendDownlink(EUI, txpk, 5))
            await until(lambda: bool(at_gateway))
            assert of(DownlinkAnswered, at_server) == [DownlinkAnswered(EUI, 5, TxError.NONE, None, None)]
            (transmit,) = of(Transmit, at_gateway)
            assert asked_at + 80_000 <= transmit.at <= asked_at + 2_000_000
            assert gateway.now >= transmit.at - 40_000  # not before its time
            server.submit(SendDownlink(EUI, Txpk(freq_hz=1, modulation=LORA, payload=b"", imme=True), 6))
            await until(lambda: len(of(DownlinkAnswered, at_server)) == 2)
            assert of(DownlinkAnswered, at_server)[1].error is TxError.TX_FREQ
        assert not of(Dropped, at_server + at_gateway)

    asyncio.run(run())


def test_keepalives_go_on_by_themselves_and_end_with_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        armed: list[asyncio.TimerHandle] = []
        call_at = loop.call_at

        def recorded(*arguments: Any, **options: Any) -> asyncio.TimerHandle:
            armed.append(call_at(*arguments, **options))
            return armed[-1]

        monkeypatch.setattr(loop, "call_at", recorded)
        at_server: list[Any] = []
        core = ForwarderCore(ForwarderConfig(EUI, stat_interval_us=10_000, keepalive_us=5_000))
        async with UdpServer(GwmpServerCore(), at_server.append) as server:
            gateway = UdpGateway(core, server.address, at_server.append)
            await gateway.start()
            await until(lambda: len(of(server_end.StatReceived, at_server)) >= 3)
            await gateway.stop()
            assert all(timer.cancelled() or timer.when() <= loop.time() for timer in armed)
            with pytest.raises(LinkStateError):
                gateway.submit(heard(0))

    asyncio.run(run())


def test_an_unknown_gateway_and_garbage_are_dropped_and_the_server_goes_on() -> None:
    async def run() -> None:
        at_server: list[Any] = []
        async with UdpServer(GwmpServerCore({EUI}), at_server.append) as server:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(b"\x02\x00\x01\x02" + bytes(8), server.address)
                stranger.sendto(b"GET / HTTP/1.1", server.address)
                await until(lambda: len(at_server) == 2)
                assert {effect.reason for effect in at_server} == {"unknown_gateway", "malformed"}
                stranger.setblocking(False)
                with pytest.raises(BlockingIOError):
                    stranger.recv(100)
                stranger.sendto(b"\x02\x00\x01\x02" + EUI.to_bytes(8, "big"), server.address)
                await until(lambda: _arrived(stranger) == b"\x02\x00\x01\x04")

    asyncio.run(run())


def _arrived(end: socket.socket) -> bytes | None:
    try:
        return end.recv(100)
    except BlockingIOError:
        return None


def test_a_server_that_is_not_there_is_reported_and_the_gateway_goes_on() -> None:
    async def run() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            nobody = taken.getsockname()
        seen: list[Any] = []
        core = ForwarderCore(ForwarderConfig(EUI, stat_interval_us=None, keepalive_us=5_000))
        async with UdpGateway(core, nobody, seen.append):
            await until(lambda: len(seen) >= 2)
        assert {effect.reason for effect in seen} == {"socket_error"}

    asyncio.run(run())


def test_a_port_that_is_taken_is_an_os_error() -> None:
    async def run() -> None:
        async with UdpServer(GwmpServerCore(), list[Any]().append) as first:
            second = UdpServer(GwmpServerCore(), list[Any]().append, port=first.address[1])
            with pytest.raises(OSError, match="in use"):
                await second.start()
            with pytest.raises(LinkStateError):
                _ = second.address

    asyncio.run(run())


def test_the_loopback_link_carries_a_whole_exchange_without_a_clock() -> None:
    server = GwmpServerCore()
    gateways = [ForwarderCore(ForwarderConfig(Eui64(n + 1), stat_interval_us=None)) for n in range(3)]
    seen: list[Any] = []
    with LoopbackUdpLink(3) as link:

        def from_gateway(index: int, effects: Any, now: int) -> None:
            for effect in effects:
                if isinstance(effect, SendDatagram):
                    data, source = link.carry_up(index, effect.data, upstream=effect.upstream)
                    assert data == effect.data
                    assert link.owner(source) == (index, effect.upstream)
                    from_server(server.handle(DatagramReceived(data, source), now), now)
                else:
                    seen.append(effect)

        def from_server(effects: Any, now: int) -> None:
            for effect in effects:
                if isinstance(effect, server_end.SendDatagram):
                    index, data = link.carry_down(effect.data, effect.destination)
                    from_gateway(index, gateways[index].handle(DatagramReceived(data), now), now)
                else:
                    seen.append(effect)

        for index, core in enumerate(gateways):
            from_gateway(index, core.wake(0), 0)
            from_gateway(index, core.handle(heard(1_000_000), 1_000_000), 1_000_000)
        assert [effect.gateway_eui for effect in seen] == [Eui64(1), Eui64(2), Eui64(3)]
        assert [core.counters.push_acked for core in gateways] == [1, 1, 1]
        txpk = Txpk(freq_hz=868_100_000, modulation=LORA, payload=b"\x60", tmst=2_000_000, power_dbm=14)
        from_server(server.handle(SendDownlink(Eui64(2), txpk, 8), 1_100_000), 1_100_000)
        assert seen[-1] == DownlinkAnswered(Eui64(2), 8, TxError.NONE, None, None)
        assert gateways[1].wake_at == 1_960_000


def test_datagrams_keep_their_order_and_their_bytes() -> None:
    with LoopbackUdpLink(1) as link:
        datagrams = [bytes([n]) * size for n, size in enumerate((1, 12, 1_400, 20_000))]
        for data in datagrams:
            link.send_up(0, data)
        assert [link.receive_at_server()[0] for _ in datagrams] == datagrams
        _, source = link.carry_up(0, b"pull", upstream=False)
        for data in datagrams:
            link.send_down(data, source)
        assert [link.receive_at_gateway(0) for _ in datagrams] == datagrams


def test_what_does_not_come_is_a_deadline_error() -> None:
    with LoopbackUdpLink(1, deadline_s=0.02) as link:
        with pytest.raises(LinkDeadlineError, match="server") as caught:
            link.receive_at_server()
        assert isinstance(caught.value, GatewayError)
        assert isinstance(caught.value, TimeoutError)
        with pytest.raises(LinkDeadlineError, match="gateway 0"):
            link.receive_at_gateway(0, upstream=True)


def test_datagrams_of_strangers_are_passed_over() -> None:
    with LoopbackUdpLink(1, deadline_s=0.5) as link, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"not ours", link.server_address)
        link.send_up(0, b"ours")
        assert link.receive_at_server()[0] == b"ours"


def test_a_closed_link_and_a_foreign_address_are_our_own_mistakes() -> None:
    link = LoopbackUdpLink(1)
    with pytest.raises(LinkStateError):
        link.send_down(b"x", ("127.0.0.1", 9))
    link.close()
    link.close()
    with pytest.raises(LinkStateError):
        link.send_up(0, b"x")
    with pytest.raises(LinkStateError):
        link.receive_at_server()
