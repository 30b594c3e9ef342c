"""A virtual CoreCell as one site of a live scenario: a host on its pty hears the air, and its frames reach the device.

The air's clock runs four times as fast as the one on the wall.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from corecell_host import Host
from typer.testing import CliRunner
from waiting import until

from bench.cli.app import app
from bench.live.air import Pace
from bench.live.clock import monotonic_us
from bench.live.concentrator import BoardPlan
from bench.live.events import AirEvent, DownlinkOver, Refused, UplinkOver
from bench.live.scenario import LiveScenario, live_plan
from bench.live.simulation import LiveSimulation
from gateway_fw.virtual.corecell import VirtualCoreCell
from lorawan.trace import DownlinkOutcome

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
S = 1_000_000


class PtyHost(Host):
    """The same host on a port, reading as the vendor's does: a header of four bytes, then the payload."""

    def __init__(self, path: str, board: VirtualCoreCell) -> None:
        super().__init__(board)
        self.port = os.open(path, os.O_RDWR | os.O_NOCTTY)

    def raw(self, data: bytes) -> bytes:
        os.write(self.port, data)
        out = os.read(self.port, 4)
        while len(out) < 4 + int.from_bytes(out[1:3], "big"):
            out += os.read(self.port, 65_536)
        return out


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lb", dir="/tmp") as name:
        yield Path(name)


def test_a_host_hears_the_scenario_and_its_frame_opens_the_device_s_window_on_the_microsecond(short: Path) -> None:
    plan = live_plan(LiveScenario("lab-one-device", sample=1, join_data_rates=(5,)))[1]
    told: list[AirEvent] = []
    core = VirtualCoreCell()

    async def run() -> None:
        simulation = LiveSimulation(
            plan,
            told.append,
            None,
            pace=Pace(60 * S, 3 * S),
            virtual={"roof": BoardPlan(short / "cc", core)},
            clock=lambda: monotonic_us() * 4,
        )
        async with simulation:
            board = simulation.concentrators["roof"]
            host = PtyHost(board.path, core)
            try:
                await asyncio.to_thread(host.start)
                await until(lambda: any(isinstance(event, UplinkOver) for event in told))
                join = next(event for event in told if isinstance(event, UplinkOver))
                await asyncio.sleep(0.05)
                assert join.transmit.payload in await asyncio.to_thread(host.fifo)
                start_us = core.counter_us(join.at) + 5 * S
                await asyncio.to_thread(host.program, bytes(17), start_us=start_us, freq_hz=join.transmit.freq_hz, sf=7)
                await until(lambda: any(isinstance(event, DownlinkOver) for event in told))
                assert board.transmissions == 1
            finally:
                os.close(host.port)
        assert not (short / "cc").exists()

    asyncio.run(run())
    (downlink,) = [event for event in told if isinstance(event, DownlinkOver)]
    assert (downlink.site, downlink.device, downlink.outcome) == ("roof", "meter", DownlinkOutcome.DELIVERED)
    assert downlink.after_uplink_us == 5 * S
    assert not [event for event in told if isinstance(event, Refused) and event.where == "concentrator"]


def test_what_is_taken_back_before_its_start_never_reaches_the_air(short: Path) -> None:
    plan = live_plan(LiveScenario("lab-one-device", sample=1))[1]
    told: list[AirEvent] = []
    core = VirtualCoreCell()

    async def run() -> None:
        simulation = LiveSimulation(
            plan, told.append, None, pace=Pace(60 * S, 3_600 * S), virtual={"roof": BoardPlan(short / "cc", core)}
        )
        async with simulation:
            board = simulation.concentrators["roof"]
            host = PtyHost(board.path, core)
            try:
                await asyncio.to_thread(host.start)
                begins = simulation.world.wall + 1_000_000
                start_us = core.counter_us(begins)
                await asyncio.to_thread(host.program, bytes(17), start_us=start_us)
                await asyncio.to_thread(host.modify, 0x5200, 2, 0)  # the host gives it up
                await until(lambda: any(isinstance(e, Refused) and e.reason == "tx_aborted" for e in told))
                await until(lambda: simulation.world.wall > begins + 200_000)
            finally:
                os.close(host.port)

    asyncio.run(run())
    assert not [event for event in told if isinstance(event, DownlinkOver)]


@pytest.mark.parametrize("board", ["corecell", "picogw"])
def test_the_command_prints_the_port_of_its_site_and_a_summary(short: Path, board: str) -> None:
    arguments = [
        "gateway", "virtual", board, "--scenario", "lab-one-device", "--site", "roof", "--sample", "1",
        "--link", str(short / "cc"), "--duration", "0.5", "--json",
    ]  # fmt: skip
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    events = [json.loads(text) for text in result.stdout.splitlines()]
    assert events[0] == {"event": "ready", "site": "roof", "path": str(short / "cc")}
    assert events[-1]["event"] == "summary"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scenario", "lab-one-device"], "needs --site"),
        (["--scenario", "lab-one-device", "--site", "rof"], 'did you mean "roof"'),
        (["--scenario", "lab-one-device", "--site", "roof", "--radio", "script:x"], "no --radio"),
    ],
)
def test_a_site_that_cannot_be_is_refused(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["gateway", "virtual", "corecell", *arguments])
    assert result.exit_code == 2
    assert words in result.output
