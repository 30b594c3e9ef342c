"""Wireshark's dissector reads every data frame of a whole run as we meant it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bench.runner.exact import ExactStage
from bench.runner.link import MemoryLink
from bench.runner.plan import StageWorld, stage_plan
from bench.store import write_stage
from lorawan.trace import DownlinkRecord, FrameKind, Record, UplinkRecord
from scenarios.load import load


@pytest.mark.tshark
def test_tshark_agrees_on_every_data_frame_of_a_tev_run(tmp_path: Path, agrees: Callable[..., int]) -> None:
    world = StageWorld(load("tev"), "2027", 7, 60, 2, 1)
    plan = stage_plan(world)
    stage = ExactStage(plan, MemoryLink())
    for day in range(3):
        stage.run_day(day)
    records: Sequence[Record] = stage.recorder.records(plan.bounds_us[3])
    write_stage(tmp_path, "2027", records, origin_utc_us=world.origin_unix_us)
    data = [r for r in records if isinstance(r, UplinkRecord | DownlinkRecord) and r.kind == FrameKind.DATA]
    assert len(data) > 300
    compared = agrees(tmp_path / "2027" / "frames.pcap", records, origin_utc_us=world.origin_unix_us)
    assert compared == len(data)
