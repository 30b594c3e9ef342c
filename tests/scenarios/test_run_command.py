"""`lorabench scenario run` as a user meets it: exit codes, the run folder, the same again, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest

from scenarios.load import LIBRARY

LORABENCH = Path(sys.executable).parent / "lorabench"
SMALL = ("--tier", "exact", "--sample", "30", "--warmup-days", "1", "--days", "2", "--stages", "2026")


def lorabench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LORABENCH, *arguments], capture_output=True, text=True, check=False, timeout=100)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    out = tmp_path_factory.mktemp("out")
    done = lorabench("scenario", "run", "tev", *SMALL, "--out", str(out))
    return done, out / "tev" / "latest"


def test_a_missed_clause_is_exit_code_1_and_the_last_lines_say_which(
    finished: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, _ = finished
    assert done.returncode == 1, done.stderr
    assert "misses" in done.stdout
    assert "Annexe 4 §2.1" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_folder_holds_all_that_was_promised(finished: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, folder = finished
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {
        "manifest.json",
        "summary.json",
        "junit.xml",
        "report.html",
        "scenario.toml",
        "2026/frames.pcap",
        "2026/trace/uplinks.parquet",
    } <= names
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    (stage,) = summary["stages"]
    assert summary["complete"]
    assert len(stage["gateways"]) == 9
    assert stage["n_sensors"] == 30
    assert all(check["passed"] for check in stage["checks"])
    cases = list(ET.parse(folder / "junit.xml").getroot().iter("testcase"))
    assert len(cases) == 2 * 3 + len(stage["checks"])


def test_a_rerun_of_the_folder_has_the_same_traces(finished: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    _, folder = finished
    again = lorabench("rerun", str(folder), "-q")
    assert again.returncode == 0, again.stdout + again.stderr


def test_ctrl_c_keeps_the_days_that_are_done_and_says_so(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [LORABENCH, "scenario", "run", "tev", *SMALL[:4], "--jobs", "1", "--stages", "2026", "--out", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stderr is not None
    assert any("2026: 1 of 44" in line for line in iter(run.stderr.readline, ""))
    os.kill(run.pid, signal.SIGINT)
    stdout, stderr = run.communicate(timeout=60)
    assert run.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert "ncomplete" in stdout
    summary = json.loads((tmp_path / "tev" / "latest" / "summary.json").read_text(encoding="utf-8"))
    assert not summary["complete"]
    assert summary["stages"][0]["uplinks_sent"] > 0
    assert {row["verdict"] for row in summary["stages"][0]["clauses"]["territory"]} == {"INSUFFICIENT"}


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("key", 'name = "x"\nstart = 2026-01-05\ncolour = "red"\n', 3, "colour"),
        ("unit", 'name = "x"\nstart = 2026-01-05\n[radio]\nman_made_noise = 3\n', 4, "dB"),
        ("syntax", 'name = "x"\nstart = = 3\n', 2, ""),
    ],
)
def test_a_faulty_file_is_exit_code_2_with_its_line(tmp_path: Path, name: str, text: str, line: int, says: str) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    done = lorabench("scenario", "run", str(path), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert f"{path}:{line}" in done.stderr
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stage", ["lab", "Phase 1", "../x"])
def test_the_batch_tier_puts_all_of_a_stage_in_one_folder(tmp_path: Path, stage: str) -> None:
    text = (LIBRARY / "lab-one-device.toml").read_text(encoding="utf-8").replace('"lab"', f'"{stage}"')
    (tmp_path / "lab.toml").write_text(text, encoding="utf-8")
    short = ("--tier", "batch", "--worlds", "1", "--days", "1", "--warmup-days", "0", "--records", "--jobs", "1")
    name = "lab-one-device" if stage == "lab" else str(tmp_path / "lab.toml")
    done = lorabench("scenario", "run", name, *short, "--out", str(tmp_path / "out"))
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    folder = (tmp_path / "out" / "lab-one-device" / "latest").resolve()
    (place,) = (path for path in folder.iterdir() if path.is_dir())
    assert {path.name for path in place.iterdir()} == {
        "frames.pcap",
        "sensor_days.parquet",
        "silent_sensors.csv",
        "trace",
        "uplinks.parquet",
    }
    assert {path.name for path in (tmp_path / "out" / "lab-one-device").iterdir()} == {folder.name, "latest"}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert pq.read_table(place / "uplinks.parquet").num_rows == summary["stages"][0]["uplinks_sent"] > 0


def test_a_users_file_in_a_folder_called_library_can_be_rerun(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    mine = tmp_path / "library" / "mine.toml"
    text = (LIBRARY / "lab-one-device.toml").read_text(encoding="utf-8")
    mine.write_text(text.replace('name = "lab-one-device"', 'name = "mine"', 1), encoding="utf-8")
    assert lorabench("scenario", "run", str(mine), "-q", "--out", str(tmp_path / "out")).returncode == 0
    again = lorabench("rerun", str(tmp_path / "out" / "mine" / "latest"), "-q")
    assert again.returncode == 0, again.stderr
