"""`lorabench gateway virtual corecell` with a host on its pty that plays what a real forwarder sent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corecell_host import recorded
from typer.testing import CliRunner
from waiting import until

from bench.cli.app import app
from bench.live.air_script import ChangeFaults, Unplug
from bench.live.virtual_corecell import VirtualCoreCellSession
from gateway_fw.virtual.corecell import VirtualCoreCell
from lorawan.phy.modulation import LoraModulation
from lorawan.phy.radio import Heard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals on Windows")
SF7 = LoraModulation(7)


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lb", dir="/tmp") as name:
        yield Path(name)


class PtyHost:
    def __init__(self, path: str) -> None:
        self.port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    async def ask(self, request: bytes) -> bytes:
        os.write(self.port, request)
        out = b""
        async with asyncio.timeout(60):
            while len(out) < 4 or len(out) < 4 + int.from_bytes(out[1:3], "big"):
                try:
                    out += os.read(self.port, 65_536)
                except BlockingIOError:
                    await asyncio.sleep(0)
        return out


def test_a_script_plays_once_a_host_has_started_the_board_and_what_it_sends_is_said(short: Path) -> None:
    async def run() -> None:
        said: list[dict[str, Any]] = []
        core = VirtualCoreCell()
        entries = [
            Heard(10_000, b"\x40\x01", 868_100_000, SF7, -90.0, 5.0, 46_336),
            ChangeFaults(20_000, {"temperature_c": 30}),
            Heard(30_000, b"\x40", 869_525_000, SF7, -90.0, 5.0, 46_336),
            Unplug(2_000_000, 20_000),
        ]
        session = VirtualCoreCellSession(core, entries, said.append, link=short / "tty")
        task = asyncio.create_task(session.run())
        await until(lambda: bool(said))
        assert said[0] == {"event": "ready", "path": str(short / "tty")}
        host, sent_at = PtyHost(said[0]["path"]), 0
        frames = [frame for _, frame in recorded()]
        for frame in frames:
            if frame[3] == 5 and frame[6:9] == b"\x52\x09\x01":  # the downlink
                await until(lambda: any(record["event"] == "dropped" for record in said))
                await host.ask(frame)
                sent_at = len(said)
                break
            await host.ask(frame)
        assert sent_at
        await until(lambda: any(record["event"] == "script_done" for record in said))
        os.close(host.port)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        by_event = {record["event"]: record for record in said}
        assert len(by_event["started"]["channels"]) == 9
        assert by_event["fault"] == {"event": "fault", "temperature_c": 30}
        assert by_event["dropped"]["reason"] == "no_demodulator"
        tx = by_event["tx"]
        assert tx.pop("at_us") > 0
        assert tx == {
            "event": "tx",
            "counter_us": 3_210_177,
            "freq_hz": 869_525_000,
            "datr": "SF9BW125",
            "codr": "4/5",
            "power_dbm": 27.0,
            "inverted_iq": True,
            "crc": False,
            "airtime_us": 185_344,
            "hex": bytes(range(0x60, 0x74)).hex(),
        }
        assert "unplugged" in by_event
        assert by_event["plugged"]["path"] == str(short / "tty")
        assert by_event["script_done"] == {"event": "script_done", "heard": 2, "sent": 1, "dropped": 1}
        json.dumps(said)

    asyncio.run(run())


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from bench.cli.app import main; main()"
    line = [sys.executable, "-c", code, "gateway", "virtual", "corecell", *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_prints_its_path_and_stops_by_itself(short: Path) -> None:
    done = command("--link", str(short / "tty"), "--duration", "0.2", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"event": "ready", "path": str(short / "tty")}
    assert not (short / "tty").is_symlink()


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_it_cleanly(short: Path, asked: signal.Signals) -> None:
    link = short / "tty"
    # a parent that runs in the background may have told its children to ignore it
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{heed}; from bench.cli.app import main; main()"
    line = [sys.executable, "-c", code, "gateway", "virtual", "corecell", "--link", str(link)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{link}\n"
        process.send_signal(asked)
        _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (130, "interrupted\n")
    assert not link.is_symlink()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--radio", "loud"), 2, "silent, script:FILE or replay:FILE.pcap"),
        (("--radio", "script:/none/at/all"), 2, "No such file"),
        (("--fault", "mute=maybe"), 2, "NAME=VALUE"),
        (("--fault", "moody=1"), 2, "is unknown; one of"),
        (("--eui", "xyz"), 2, "xyz"),
        (("--link", "/none/at/all/tty", "--duration", "1"), 3, "choose another --link"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments: tuple[str, ...], code: int, complaint: str) -> None:
    done = CliRunner().invoke(app, ["gateway", "virtual", "corecell", *arguments])
    assert done.exit_code == code
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
