"""The run folder: traces survive the disk, the hash sees every value, nothing half-written is left behind."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from bench.errors import StoreError
from bench.store import (
    RunFolder,
    columns,
    columns_sha256,
    make_manifest,
    read_manifest,
    read_trace,
    trace_sha256,
    write_pcap,
    write_stage,
)
from bench.store.atomic import aside, write_text
from lorawan.trace import DownlinkRecord, DropRecord, JoinedRecord, Outcome, Record, UplinkRecord


def an_uplink(t_us: int = 1_000_000, **changes: Any) -> UplinkRecord:
    record = UplinkRecord(
        t_us=t_us,
        device="Véretz-0001",
        kind="data",
        dev_addr=0xFFFFFFFF,
        f_cnt=70_000,
        f_port=-1,
        repeat=0,
        confirmed=False,
        sf=12,
        freq_hz=868_100_000,
        tx_power_dbm=14.0,
        airtime_us=1_155_072,
        outcome=Outcome.DELIVERED,
        n_gateways=2,
        best_gateway="roof",
        best_rssi_dbm=-120.5,
        best_snr_db=-7.25,
        accepted=True,
        payload_ok=True,
        phy_payload=b"\x40\x00\x01\x00",
    )
    return replace(record, **changes)


def the_records() -> list[Record]:
    return [
        an_uplink(),
        an_uplink(
            2_000_000, best_rssi_dbm=math.nan, best_snr_db=math.nan, best_gateway="", n_gateways=0, outcome="collided"
        ),
        DownlinkRecord(
            3_000_000,
            "roof",
            "Véretz-0001",
            "data",
            1,
            12,
            868_100_000,
            14.0,
            991_232,
            "delivered",
            -119.0,
            -5.0,
            b"\x60",
        ),
        JoinedRecord(500_000, "Véretz-0001", 1, 65_535),
        DropRecord(4_000_000, "network", "core", "mic", "TS001-1.0.4 §4.4"),
    ]


def test_a_trace_survives_the_disk(tmp_path: Path) -> None:
    write_stage(tmp_path, "2026", the_records())
    back = read_trace(tmp_path / "2026")
    kept = columns(the_records())
    assert {table: list(cols) for table, cols in back.items()} == {table: list(cols) for table, cols in kept.items()}
    for table, cols in kept.items():
        for name, values in cols.items():
            assert repr(back[table][name].tolist()) == repr(values.tolist())  # repr: NaN equals NaN
    assert back["uplinks"]["phy_payload"][0] == b"\x40\x00\x01\x00"  # trailing zeros are kept
    assert columns_sha256(back) == trace_sha256(the_records())


def test_an_empty_trace_survives_the_disk(tmp_path: Path) -> None:
    write_stage(tmp_path, "lab", [])
    assert columns_sha256(read_trace(tmp_path / "lab")) == trace_sha256([])


def test_parquet_carries_units_and_dictionaries(tmp_path: Path) -> None:
    write_stage(tmp_path, "2026", the_records(), origin_utc_us=42)
    schema = pq.read_schema(tmp_path / "2026" / "trace" / "uplinks.parquet")
    units = {field.name: field.metadata[b"unit"].decode() for field in schema}
    assert units["t_us"] == units["airtime_us"] == "µs"
    assert (units["freq_hz"], units["best_rssi_dbm"], units["best_snr_db"], units["sf"]) == ("Hz", "dBm", "dB", "")
    assert str(schema.field("device").type).startswith("dictionary<values=string")
    assert schema.metadata[b"origin_utc_us"] == b"42"


def test_the_same_records_have_the_same_hash() -> None:
    assert trace_sha256(the_records()) == trace_sha256(the_records())


@pytest.mark.parametrize("name", [f.name for f in fields(UplinkRecord)])
def test_one_changed_value_in_any_column_changes_the_hash(name: str) -> None:
    value = getattr(an_uplink(), name)
    changed = (
        (not value)
        if isinstance(value, bool)
        else value + type(value)(1)
        if not isinstance(value, str | bytes)
        else value + value[:1]
    )
    assert trace_sha256([an_uplink(**{name: changed})]) != trace_sha256([an_uplink()])


def test_the_order_of_records_matters_to_the_hash() -> None:
    first, second = an_uplink(), an_uplink(2_000_000)
    assert trace_sha256([first, second]) != trace_sha256([second, first])


def test_text_that_moves_between_neighbours_changes_the_hash() -> None:
    assert trace_sha256([an_uplink(device="ab"), an_uplink(device="c")]) != trace_sha256(
        [an_uplink(device="a"), an_uplink(device="bc")]
    )


def test_every_nan_is_one_to_the_hash() -> None:
    (odd,) = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000123))
    assert trace_sha256([an_uplink(best_snr_db=odd)]) == trace_sha256([an_uplink(best_snr_db=math.nan)])


def test_columns_have_the_types_that_kpis_need() -> None:
    uplinks = columns(the_records())["uplinks"]
    assert uplinks["t_us"].dtype == np.int64
    assert uplinks["best_rssi_dbm"].dtype == np.float64
    assert uplinks["accepted"].dtype == np.bool_
    assert (uplinks["outcome"] == "delivered").tolist() == [True, False]


def test_a_failed_stage_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.store.run_folder.write_pcap", full)
    with pytest.raises(StoreError, match="No space left"):
        write_stage(tmp_path, "2026", the_records())
    assert list(tmp_path.iterdir()) == []


def test_a_stage_is_never_overwritten(tmp_path: Path) -> None:
    write_stage(tmp_path, "2026", the_records())
    before = (tmp_path / "2026" / "frames.pcap").read_bytes()
    with pytest.raises(StoreError, match="never overwritten"):
        write_stage(tmp_path, "2026", [])
    assert (tmp_path / "2026" / "frames.pcap").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["2026"]


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "summary.json"
    write_text(target, "old")

    def fail_half_way() -> None:
        with aside(target) as partial:
            partial.write_text("half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def test_a_run_folder_appears_when_it_is_finished(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path, "tev", 7) as run:
        run.write_json("summary.json", {"value": math.nan, "days": (1, 2)})
        write_stage(run.path, "2026", the_records())
        assert [p for p in (tmp_path / "tev").iterdir() if not p.name.startswith(".")] == []
        folder = run.finish()
    assert folder.name.endswith("-seed7")
    assert json.loads((folder / "summary.json").read_text()) == {"value": None, "days": [1, 2]}
    assert (tmp_path / "tev" / "latest").resolve() == folder.resolve()
    assert sorted(p.name for p in (tmp_path / "tev").iterdir()) == sorted([folder.name, "latest"])


def test_an_aborted_run_leaves_no_folder(tmp_path: Path) -> None:
    def interrupted() -> None:
        with RunFolder.create(tmp_path, "tev", 7) as run:
            run.write_json("summary.json", {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list((tmp_path / "tev").iterdir()) == []


def test_two_runs_in_one_second_get_two_folders(tmp_path: Path) -> None:
    folders = []
    for _ in range(3):
        with RunFolder.create(tmp_path, "tev", 7) as run:
            run.write_json("summary.json", {})
            folders.append(run.finish())
    assert len(set(folders)) == 3
    assert (tmp_path / "tev" / "latest").resolve() == folders[-1].resolve()


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StoreError, match="--out"):
        RunFolder.create(tmp_path / "out", "tev", 1)


def test_a_manifest_has_what_a_rerun_needs(tmp_path: Path) -> None:
    manifest = make_manifest(
        scenario="tev", scenario_sha256="ab", seed=3, options={"sample_size": 10}, command="lorabench scenario run tev"
    )
    write_text(tmp_path / "manifest.json", json.dumps(manifest))
    back = read_manifest(tmp_path)
    assert (back["scenario"]["name"], back["seed"], back["options"]) == ("tev", 3, {"sample_size": 10})
    assert back["packages"]["numpy"] == np.__version__


@pytest.mark.parametrize("text", [None, "not JSON", "[]", '{"seed": 1}'])
def test_a_bad_manifest_is_refused_by_name(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=r"manifest\.json"):
        read_manifest(tmp_path)


def test_a_capture_holds_both_directions_in_time_order(tmp_path: Path) -> None:
    path = tmp_path / "frames.pcap"
    records = the_records()
    write_pcap(path, reversed(records), origin_utc_us=1_700_000_000_000_000)
    data = path.read_bytes()
    assert struct.unpack_from("<IHH", data) == (0xA1B2C3D4, 2, 4)
    assert struct.unpack_from("<I", data, 20) == (270,)
    at, seen = 24, []
    while at < len(data):
        seconds, micros, size, whole = struct.unpack_from("<IIII", data, at)
        assert size == whole
        seen.append((seconds * 10**6 + micros, data[at + 16 + 15 : at + 16 + size]))
        at += 16 + size
    assert seen == [
        (1_700_000_000_000_000 + r.t_us, r.phy_payload) for r in records if isinstance(r, UplinkRecord | DownlinkRecord)
    ]
