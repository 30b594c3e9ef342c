"""`lorabench gateway virtual picogw` with a host on its pty that plays what the real forwarder sent."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from picogw_bench import DOWNLINK, golden
from waiting import until

from bench.cli.app import app
from bench.errors import UsageError
from bench.live.air_script import ChangeFaults, Unplug, changed_faults, load_script
from bench.live.virtual_corecell import VirtualCoreCellSession
from gateway_fw.concentrator.picogw_records import decode_records
from gateway_fw.concentrator.picogw_wire import Answer, AnswerReader, Order, encode_command
from gateway_fw.virtual.picogw import VirtualPicoGw
from gateway_fw.virtual.picogw_faults import PicoGwFaults
from lorawan.phy.airtime import lora_airtime_us
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
        self.reader = AnswerReader()

    async def ask(self, order: Order, data: bytes = b"", argument: int = 0) -> Answer:
        frame = encode_command(order, data, argument)
        while frame:
            try:
                frame = frame[os.write(self.port, frame) :]
            except BlockingIOError:
                await asyncio.sleep(0)
        async with asyncio.timeout(60):
            while True:
                try:
                    for answer in self.reader.feed(os.read(self.port, 65_536)):
                        assert isinstance(answer, Answer)
                        return answer
                except BlockingIOError:
                    await asyncio.sleep(0.0005)


def _start_orders() -> list[tuple[Order, int, bytes]]:
    """The real forwarder's, without its two calibrations, which would take their 2 s each."""
    rows = golden()
    calibrated = max(i for i, row in enumerate(rows) if row[0] is Order.KEEP_CALIBRATION)
    return [(order, argument, data) for order, argument, data, _ in rows[:17] + rows[calibrated + 1 :]]


def test_a_started_board_hears_its_script_sends_at_its_instant_and_survives_its_cable(short: Path) -> None:
    async def run() -> None:
        said: list[dict[str, Any]] = []
        entries = [
            Heard(10_000, b"\x40\x01", 868_100_000, SF7, -90.0, 5.0, lora_airtime_us(2, SF7)),
            ChangeFaults(20_000, {"drift_ppb": 0}),
            Unplug(3_000_000, 20_000),
        ]
        core = VirtualPicoGw()
        session = VirtualCoreCellSession(core, entries, said.append, link=short / "tty")
        task = asyncio.create_task(session.run())
        await until(lambda: bool(said))
        host = PtyHost(said[0]["path"])
        for order, argument, data in _start_orders():
            assert (await host.ask(order, data, argument)).status == 1
        await until(lambda: any(record["event"] == "fault" for record in said))
        (record,), _ = decode_records((await host.ask(Order.RECEIVE, b"\x10")).data)
        assert (record.payload, record.freq_hz, record.rssi_dbm) == (b"\x40\x01", 868_100_000, -90.0)
        count = (record.count_us + 1_000_000) % 2**32
        at = bytearray(DOWNLINK.encode())
        at[8:12] = count.to_bytes(4, "little")
        assert (await host.ask(Order.SEND, bytes(at))).status == 1
        (sent,) = [record for record in said if record["event"] == "tx"]
        assert (sent["counter_us"], sent["datr"], sent["hex"]) == (count, "SF9BW125", b"hello".hex())
        os.close(host.port)
        await until(lambda: any(record["event"] == "script_done" for record in said))
        again = PtyHost(str(short / "tty"))
        assert (await again.ask(Order.READ, b"\0", 1)).data == b"\x67"
        os.close(again.port)
        assert not core.started
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_fault_names_of_the_other_board_are_refused_with_the_ones_there_are(tmp_path: Path) -> None:
    assert changed_faults(PicoGwFaults(), {"refuse_only": "bf", "refuse_every": 2}).refuse_only == "bf"
    with pytest.raises(UsageError, match="unknown"):
        changed_faults(PicoGwFaults(), {"wrong_checksum_every": 1})
    with pytest.raises(UsageError, match="refuse_only"):
        changed_faults(PicoGwFaults(), {"refuse_only": 3})
    script = tmp_path / "air.jsonl"
    script.write_text('{"at_s": 1, "fault": {"refuse_every": 2}}\n')
    assert load_script(script, PicoGwFaults()) == [ChangeFaults(1_000_000, {"refuse_every": 2})]
    with pytest.raises(UsageError, match=r"air\.jsonl:1"):
        load_script(script)


def test_the_command_stands_beside_the_other_boards() -> None:
    from typer.testing import CliRunner  # noqa: PLC0415

    result = CliRunner().invoke(app, ["gateway", "virtual", "--help"])
    assert "picogw" in result.output
