"""The command line: exit codes, messages, help, output that nobody reads, and airtimes known from elsewhere."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from command_line import FRAME, run
from typer.testing import CliRunner

from bench.cli.doctor import udp_port
from bench.cli.exits import ErrorGroup
from bench.cli.progress import Heartbeat
from bench.errors import LinkError, StoreError, UsageError


def test_airtime_agrees_with_the_table_of_another_simulator() -> None:
    # PHYPayload of 33 bytes, CR 4/5, 8 preamble symbols, explicit header, CRC, LDRO on SF11 and SF12; figures of
    # signetlabdei/lorawan (October 2024) on ns-3.44.
    wanted = {7: 71_936, 8: 133_632, 9: 246_784, 10: 452_608, 11: 987_136, 12: 1_810_432}
    code, out, _ = run("airtime", *(f"--sf={sf}" for sf in wanted), "--payload", "33", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [row["airtime_us"] for row in rows] == list(wanted.values())
    assert rows[-1]["airtime_us"] + rows[-1]["wait_us"] == 181_043_200
    assert rows[-1]["max_per_hour"] == 19


def test_airtime_prints_a_table() -> None:
    code, out, _ = run("airtime", "--sf", "12", "--payload", "33")
    assert code == 0
    assert "1810.432" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["frame", "decode", "zz!"], 2, "error: 'zz!' is neither hex nor base64"),
        (["frame", "decode", "40"], 2, "error: PHYPayload at byte 1: a data frame of 1 bytes"),
        (["frame", "decode", ""], 2, "error: PHYPayload at byte 0: the frame is empty"),
        (["frame", "decode", FRAME[:-1]], 2, "33 hex digits, an odd number"),
        (["frame", "decode", FRAME[:-3]], 2, "31 hex digits, an odd number"),  # which are base64 as well
        (["frame", "decode", "/"], 2, "error: /: Is a directory"),
        (["frame", "decode", FRAME, "--version", "1.1", "--tx-dr", "16"], 2, "--tx-dr"),
        (["frame", "decode", FRAME, "--version", "1.1", "--tx-ch", "-1"], 2, "--tx-ch"),
        (["frame", "decode", FRAME, "--version", "2"], 2, "one of 1.0.2, 1.0.3, 1.0.4, 1.1"),
        (["frame", "build", "up", "--dev-addr", "1", "--f-cnt", "0"], 2, "give --nwk-s-key"),
        (["airtime", "--sf", "7", "--payload", "20", "--cr", "4/9"], 2, "one of 4/5, 4/6, 4/7, 4/8"),
        (["airtime", "--sf", "7", "--payload", "20", "--bw", "200"], 2, "bw_hz"),
        (["airtime", "--sf", "13", "--payload", "20"], 2, "--sf"),
        (["airtime", "--sf", "7"], 2, "--payload"),
        (["scenario", "show", "tve"], 2, "tev"),
        (["scenario", "validate", "nowhere.toml"], 2, "error: nowhere.toml: cannot be read"),
        (["rerun", "nowhere"], 2, "manifest.json"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_wrong_use_is_exit_code_2_with_a_message_and_no_traceback(
    arguments: list[str], code: int, message: str
) -> None:
    done, out, err = run(*arguments)
    assert done == code
    assert message in err
    assert "Traceback" not in out + err


def test_every_fault_of_a_scenario_is_named_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    source = run("scenario", "show", "lab-one-device", "--toml")[1]
    path.write_text(source.replace("antenna_height =", "antenna_heigth ="))
    line = next(i for i, text in enumerate(path.read_text().splitlines(), 1) if "antenna_heigth" in text)
    code, _, err = run("scenario", "validate", str(path))
    assert code == 2
    assert f"{path}:{line}: " in err
    assert "antenna_height" in err
    path.write_text(source)
    assert run("scenario", "validate", str(path))[0] == 0


def test_the_library_is_listed_and_shown() -> None:
    names = {entry["name"] for entry in json.loads(run("scenario", "list", "--json")[1])}
    assert {"tev", "lab-one-device"} <= names
    facts = json.loads(run("scenario", "show", "tev", "--json")[1])
    assert len(facts["communes"]) == 10
    assert [stage.partition(":")[0] for stage in facts["stages"]] == ["2025", "2026", "2027"]
    assert json.loads(run("scenario", "schema")[1])["type"] == "object"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no"), 2),
        (StoreError("full"), 2),
        (LinkError("unreachable", hint="plug it in"), 3),
        (OSError(98, "Address already in use"), 3),
        (BrokenPipeError(32, "Broken pipe"), 3),  # a socket's: this test's own output is still read
        (FileNotFoundError(2, "No such file"), 2),
        (KeyboardInterrupt(), 130),
    ],
)
def test_error_families_have_their_exit_codes(error: BaseException, code: int) -> None:
    cli = typer.Typer(cls=ErrorGroup, pretty_exceptions_enable=False)

    @cli.command()
    def fail() -> None:
        raise error

    @cli.callback()
    def root() -> None: ...

    result = CliRunner().invoke(cli, ["fail"])
    assert result.exit_code == code
    assert result.stderr.startswith("interrupted" if code == 130 else "error: ")


def test_a_capture_may_come_through_a_pipe() -> None:
    program = "import sys, bench.cli.app as a; sys.argv[0] = 'lorabench'; a.main()"
    command = [sys.executable, "-c", program, "frame", "decode", "/dev/stdin", "--json"]
    # libpcap's file header (pcap-savefile(5)): magic, 2.4, zone, accuracy, longest packet, link type LoRaTap; no packet
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 270)
    done = subprocess.run(command, input=header, capture_output=True, check=True, cwd=_root())
    assert json.loads(done.stdout)["summary"]["packets"] == 0


# One way out for each who writes: our own lines, rich's tables, Typer's help
@pytest.mark.parametrize(
    "arguments",
    [("frame", "decode", FRAME), ("airtime", "--sf", "7", "--payload", "20"), ("frame", "decode", "--help")],
    ids=" ".join,
)
def test_a_reader_that_leaves_ends_the_program_quietly(arguments: tuple[str, ...]) -> None:
    program = "import sys, bench.cli.app as a; sys.argv[0] = 'lorabench'; a.main()"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, cwd=_root())
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")


def test_a_closed_standard_output_is_said_in_one_line() -> None:
    program = "import sys, bench.cli.app as a; sys.argv[0] = 'lorabench'; a.main()"
    command = ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-c", program, "frame", "decode", FRAME]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, cwd=_root())
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert done.stderr.startswith("error: the standard output is closed")


def test_a_defect_is_not_taken_for_a_verdict() -> None:
    program = (
        "import sys, bench.cli.doctor as d, bench.cli.app as a\n"
        "def broken(out): raise ZeroDivisionError('planted')\n"
        "d.findings = broken; sys.argv = ['lorabench', 'doctor']; a.main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=_root())
    assert done.returncode == 70
    assert "ZeroDivisionError: planted" in done.stderr
    assert "defect of lorabench" in done.stderr


def test_help_brings_no_heavy_module() -> None:
    program = (
        "import sys, bench.cli.app as a\nsys.argv = ['lorabench', '--help']\n"
        "try: a.main()\nexcept SystemExit: pass\n"
        "print(sorted({'numpy', 'scipy', 'pydantic', 'pyarrow', 'plotly', 'simpy', 'construct'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=_root())
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_command_has_an_example_in_its_help() -> None:
    commands = (
        ["frame", "decode"],
        ["frame", "build", "up"],
        ["frame", "build", "down"],
        ["frame", "build", "join-request"],
        ["airtime"],
        ["scenario", "list"],
        ["scenario", "show"],
        ["scenario", "validate"],
        ["scenario", "schema"],
        ["scenario", "run"],
        ["rerun"],
        ["doctor"],
    )
    for command in commands:
        code, out, _ = run(*command, "--help")
        assert code == 0
        assert f"lorabench {' '.join(command)}" in " ".join(out.split())


def test_doctor_reports_each_thing_once() -> None:
    code, out, _ = run("doctor", "--json")
    found = json.loads(out)
    assert code == (1 if any(f["status"] == "fail" for f in found) else 0)
    assert len({f["name"] for f in found}) == len(found)
    assert all(f["hint"] for f in found if f["status"] != "ok")


def test_doctor_sees_a_taken_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        assert udp_port(port).status == "warn"
    assert udp_port(port).status == "ok"


def test_the_heartbeat_speaks_every_ten_seconds_and_at_both_ends() -> None:
    now = 0.0
    stream = io.StringIO()
    heartbeat = Heartbeat(stream, lambda: now)
    for day in range(45):
        heartbeat.update("2026", day, 44, "")
        now += 1.0
    lines = stream.getvalue().splitlines()
    assert [line.partition(": ")[2] for line in lines] == [f"{day} of 44" for day in (0, 10, 20, 30, 40, 44)]


def test_stages_side_by_side_do_not_flood_the_heartbeat() -> None:
    stream = io.StringIO()
    heartbeat = Heartbeat(stream, lambda: 0.0)
    for day in range(1, 45):
        for stage in ("2026", "2027"):
            heartbeat.update(stage, day, 44, "")
    assert len(stream.getvalue().splitlines()) == 4


def _root() -> Path:
    return Path(__file__).resolve().parents[3]
