"""Live services over real sockets: a scenario's gateways and our network, what strangers send, the command line.

The air's clock runs four times as fast as the one on the wall, so that a join is over in a second.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from waiting import until

from bench.cli.app import app
from bench.live.air import Pace
from bench.live.clock import monotonic_us
from bench.live.events import AirEvent, DownlinkOver, DownlinkTaken, Submitted
from bench.live.network import LiveNetwork, Told
from bench.live.scenario import LiveScenario, live_plan
from bench.live.simulation import LiveSimulation
from bench.network import DataAccepted, DeviceJoined, NetworkCore, SendToDevice
from gateway_fw import gwmp
from lorawan.ids import Eui64
from lorawan.machine import Dropped
from lorawan.phy import LoraModulation
from lorawan.trace import DownlinkOutcome
from scenarios.load import LIBRARY

S = 1_000_000
GATEWAY = Eui64(0xAA555A0000000101)


def test_a_scenario_joins_sends_and_is_answered_over_udp() -> None:
    plan = live_plan(LiveScenario("lab-one-device", sample=1, join_data_rates=(5,)))[1]
    network = replace(plan.network, dedup_window_us=20_000)
    on_air: list[AirEvent] = []
    told: list[Told] = []
    kept: list[int] = []  # how many downlinks had been asked for when something was kept
    asked: list[bytes] = []

    def tell(event: Told) -> None:
        told.append(event)
        if isinstance(event, gwmp.SendDownlink) and event.txpk.payload not in asked:  # RX2 may be a second try
            asked.append(event.txpk.payload)

    async def run() -> LiveSimulation:
        core = NetworkCore(network, plan.profiles)
        service = LiveNetwork(core, tell, host="127.0.0.1", port=0, keep=lambda _: kept.append(len(asked)))
        async with service:
            for _ in range(5):  # a machine that stands still for a while loses a window, and its frame with it
                service.queue(SendToDevice(plan.profiles[0].dev_eui, 10, b"\x01\x02"))
            simulation = LiveSimulation(
                plan, on_air.append, service.address, pace=Pace(3 * S, 0), clock=lambda: monotonic_us() * 4
            )
            async with simulation:
                await until(lambda: any(isinstance(event, DownlinkTaken) for event in on_air))
                await until(lambda: sum(isinstance(event, DataAccepted) for event in told) >= 3)
            return simulation

    simulation = asyncio.run(run())
    submitted = {event.payload for event in on_air if isinstance(event, Submitted)}
    accepted = [event for event in told if isinstance(event, DataAccepted)]
    assert {event.payload for event in accepted if event.payload} <= submitted
    assert any(isinstance(event, DeviceJoined) for event in told)
    assert set(range(len(asked))) <= set(kept)  # something was kept before each
    taken = [event for event in on_air if isinstance(event, DownlinkTaken)]
    assert {(event.f_port, event.payload) for event in taken} == {(10, b"\x01\x02")}
    answers = [event for event in on_air if isinstance(event, DownlinkOver)]
    assert {answer.outcome for answer in answers} == {DownlinkOutcome.DELIVERED}
    assert {answer.after_uplink_us for answer in answers} <= {1 * S, 2 * S, 5 * S, 6 * S}
    totals = simulation.totals
    assert totals.refused_late == 0
    assert totals.joined == {"meter"}
    (forwarder,) = simulation.forwarders.values()
    assert forwarder.datagrams_down >= forwarder.datagrams_up - 2
    assert simulation.world.worst_late_us > 0


def test_without_a_server_the_air_goes_on_and_the_loss_is_counted() -> None:
    plan = live_plan(LiveScenario("lab-one-device", sample=1, join_data_rates=(5,)))[1]
    on_air: list[AirEvent] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = taken.getsockname()

    async def run() -> LiveSimulation:
        simulation = LiveSimulation(plan, on_air.append, nobody, pace=Pace(3 * S, 0), clock=lambda: monotonic_us() * 4)
        async with simulation:
            (forwarder,) = simulation.forwarders.values()
            await until(lambda: forwarder.socket_errors >= 1 and forwarder.datagrams_up >= 3)
        return simulation

    simulation = asyncio.run(run())
    assert simulation.totals.uplinks["delivered"] >= 1
    assert simulation.totals.joined == set()


def push(payload: bytes, *, eui: Eui64 = GATEWAY, token: bytes = b"\x12\x34") -> bytes:
    return b"\x02" + token + b"\x00" + eui.to_bytes(8, "big") + payload


GOOD = gwmp.encode(
    gwmp.PushData(2, 7, GATEWAY, (gwmp.Rxpk(1, 868_100_000, LoraModulation(7), None, -80.0, 9.0, b"\x40" + bytes(15)),))
)
HOSTILE = {
    "nothing": b"",
    "one byte": b"\x02",
    "a version of nobody": b"\x09\x00\x00\x00" + bytes(8),
    "a type of nobody": b"\x02\x00\x00\x77" + bytes(8),
    "no JSON": push(b"\xff\xfe{"),
    "half a JSON": push(b'{"rxpk":[{"tmst":'),
    "arrays in arrays": push(b'{"rxpk":' + b"[" * 30_000),
    "objects in objects": push(b'{"stat":' + b'{"a":' * 9_000),
    "recursion where nobody looks": push(b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}"),
    "huge base64": push(
        b'{"rxpk":[{"tmst":1,"freq":868.1,"modu":"LORA","datr":"SF7BW125","rssi":-1,"data":"' + b"A" * 60_000 + b'"}]}'
    ),
    "a number beyond all bounds": push(b'{"rxpk":[{"tmst":1e999}],"stat":{"rxnb":' + b"9" * 4_000 + b"}}"),
    "a server's own type": b"\x02\x00\x00\x03" + b'{"txpk":{}}',
    "an answer nobody waits for": b"\x02\x00\x00\x05" + GATEWAY.to_bytes(8, "big"),
}


def test_whatever_strangers_send_the_service_goes_on() -> None:
    plan = live_plan(LiveScenario("lab-one-device", sample=1))[1]
    told: list[Told] = []

    async def run() -> LiveNetwork:
        service = LiveNetwork(
            NetworkCore(plan.network, plan.profiles), told.append, host="127.0.0.1", port=0, gateways=[GATEWAY]
        )
        async with service:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.setblocking(False)
                for datagram in HOSTILE.values():
                    stranger.sendto(datagram, service.address)
                    await asyncio.sleep(0.002)
                stranger.sendto(push(b"{}", eui=Eui64(1)), service.address)
                stranger.sendto(GOOD, service.address)
                await until(lambda: service.totals.copies == 1)
            return service

    service = asyncio.run(run())
    dropped = service.totals.dropped
    assert dropped["unknown_gateway"] == 1
    assert dropped["malformed"] >= 7
    assert dropped["unexpected_type"] == 1
    assert dropped["unexpected_tx_ack"] == 1
    assert service.totals.gateways == {GATEWAY}


@pytest.mark.parametrize(("allowed", "heard"), [("127.0.0.0/8", 1), ("192.0.2.0/24", 0)])
def test_addresses_that_are_not_allowed_are_counted_and_get_no_answer(allowed: str, heard: int) -> None:
    plan = live_plan(LiveScenario("lab-one-device", sample=1))[1]
    told: list[Told] = []

    async def run() -> LiveNetwork:
        service = LiveNetwork(
            NetworkCore(plan.network, plan.profiles),
            told.append,
            host="127.0.0.1",
            port=0,
            addresses=[ipaddress.ip_network(allowed)],
        )
        async with service:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
                gateway.setblocking(False)
                gateway.sendto(GOOD, service.address)
                await until(lambda: service.totals.copies + service.totals.dropped["unknown_address"] == 1)
                if not heard:
                    with pytest.raises(BlockingIOError):
                        gateway.recv(100)
        return service

    service = asyncio.run(run())
    assert service.totals.copies == heard
    assert any(isinstance(event, Dropped) and event.reason == "unknown_address" for event in told) is not bool(heard)


# -- the command line --------------------------------------------------------------------------------------------------


def start(*arguments: str) -> subprocess.Popen[str]:
    code = "from bench.cli.app import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in (str(Path.cwd()), *sys.path) if path)},
    )


def listening(process: subprocess.Popen[str]) -> tuple[str, int]:
    assert process.stderr is not None
    for text in process.stderr:
        if text.startswith("listening on "):
            host, _, port = text.split()[2].rpartition(":")
            return host, int(port)
    raise AssertionError("it never listened")


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)


def test_monitor_acknowledges_decodes_and_ends_cleanly(tmp_path: Path) -> None:
    pcap = tmp_path / "heard.pcap"
    process = start("gateway", "monitor", "--listen", "127.0.0.1:0", "--json", "--pcap", str(pcap))
    address = listening(process)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
        gateway.settimeout(60)
        gateway.sendto(GOOD, address)
        assert gateway.recv(100) == b"\x02\x00\x07\x01"
        gateway.sendto(b"\x01\xab\xcd\x02" + GATEWAY.to_bytes(8, "big"), address)
        assert gateway.recv(100) == b"\x01\xab\xcd\x04"
        gateway.sendto(push(b"{nonsense"), address)
        assert gateway.recv(100) == b"\x02\x12\x34\x01"
    out, _ = ended(process)
    assert process.returncode == 130
    first, second, third, summary = [json.loads(text) for text in out.splitlines()]
    assert (first["type"], first["gateway"]) == ("PUSH_DATA", str(GATEWAY))
    assert first["rxpk"][0]["lorawan"]["f_type"] == "UNCONFIRMED_UP"
    assert (second["type"], second["version"]) == ("PULL_DATA", 1)
    assert "error" in third
    assert summary["datagrams"] == {"PULL_DATA": 1, "PUSH_DATA": 2}
    assert pcap.stat().st_size == 24 + 16 + 15 + 16  # file header, packet header, LoRaTap, frame


def test_a_reader_that_goes_away_ends_the_service() -> None:
    process = start("gateway", "monitor", "--listen", "127.0.0.1:0", "--json")
    address = listening(process)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gateway:
        gateway.settimeout(60)
        gateway.sendto(GOOD, address)
        gateway.recv(100)
    process.wait(timeout=60)
    said = process.stderr.read()
    process.stderr.close()
    assert process.returncode == 130
    assert "Traceback" not in said, said


def test_network_run_and_simulate_as_printed(tmp_path: Path) -> None:
    keys, memory, pcap = tmp_path / "devices.toml", tmp_path / "memory.json", tmp_path / "air.pcap"
    scenario = tmp_path / "abp.toml"
    otaa = 'app_key = "2b7e151628aed2a6abf7158809cf4f3c"'
    text = (LIBRARY / "lab-one-device.toml").read_text(encoding="utf-8")
    assert otaa in text
    text = text.replace('join_eui = "02000000000000ff"\n', "")
    scenario.write_text(text.replace(otaa, 'activation = "abp"\ndev_addr = "26000001"'), encoding="utf-8")
    common = ["gateway", "simulate", "--scenario", str(scenario), "--sample", "1"]
    written = CliRunner().invoke(app, [*common, "--write-keys", str(keys), "--only-keys"])
    assert written.exit_code == 0, written.output
    network = start("network", "run", "--listen", "127.0.0.1:0", "--keys", str(keys), "--json")
    host, port = listening(network)
    gateways = start(
        *common, "--server", f"{host}:{port}", "--period", "1 s",
        "--memory", str(memory), "--pcap", str(pcap), "--json", "--for", "4 s",
    )  # fmt: skip
    out, errors = gateways.communicate(timeout=60)
    assert gateways.returncode == 0, errors
    told = [json.loads(text) for text in out.splitlines()]
    assert told[-1]["socket_errors"] == 0
    assert told[-1]["answer_delays_us"].keys() <= {"1000000", "2000000"}
    network_out, _ = ended(network)
    assert network.returncode == 130
    events = [json.loads(text) for text in network_out.splitlines()]
    assert events[-1]["uplinks"] >= 1
    submitted = {event["payload"] for event in told if event["event"] == "submitted"}
    assert {event["payload"] for event in events if event["event"] == "uplink" and event["payload"]} <= submitted
    assert json.loads(memory.read_text())["0200000000000001"]["session"]["f_cnt_up_reserved"] == 64
    assert oct(keys.stat().st_mode & 0o777) == "0o600"
    assert pcap.stat().st_size > 60


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["network", "run", "--keys", "nowhere.toml"], 2, "nowhere.toml"),
        (["gateway", "simulate", "--scenario", "lab-one-device", "--sites", "rof"], 2, 'did you mean "roof"'),
        (["gateway", "simulate", "--scenario", "lab-one-device", "--stage", "x"], 2, "no stage"),
        (["gateway", "simulate", "--scenario", "lab-one-device", "--server", "::1:1700"], 2, "in brackets"),
        (["gateway", "simulate", "--scenario", "lab-one-device", "--period", "30"], 2, "has no unit"),
        (["gateway", "monitor", "--listen", "127.0.0.1:99999"], 2, "is no port"),
        (["gateway", "monitor", "--listen", "192.0.2.1:1700"], 3, "cannot listen on 192.0.2.1:1700"),
    ],
)
def test_what_cannot_be_is_said_with_its_exit_code(arguments: list[str], code: int, words: str) -> None:
    result: Any = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    assert words in result.output
