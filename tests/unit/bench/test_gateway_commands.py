"""The commands that drive a concentrator: what they refuse, and what they say about it."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.cli.app import app

RUN = CliRunner()


def _package(folder: Path) -> Path:
    for name, seed in (("agc_fw_sx1250.var", 1), ("arb_fw.var", 2)):
        image = ", ".join(f"0x{byte:02X}" for byte in random.Random(seed).randbytes(8192))
        (folder / name).write_text(f"static uint8_t x[8192] = {{ {image} }};")
    return folder


def test_chip_firmware_is_kept_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    (tmp_path / "hal").mkdir()
    done = RUN.invoke(app, ["gateway", "chip-firmware", str(_package(tmp_path / "hal")), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told["images"]) == {"AGC", "ARB"}
    assert (Path(told["folder"]) / "arb.bin").stat().st_size == 8192
    assert str(tmp_path / "cache") in told["folder"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["chip-firmware", "."], 2, "no agc_fw_sx1250.var"),
        (["run"], 2, "no network server"),
        (["run", "--server", "::1:1700"], 2, "IPv6"),
        (["run", "--server", "127.0.0.1:1700", "--board", "nix"], 2, "corecell, picogw"),
        (["run", "--server", "127.0.0.1:1700"], 2, "chip-firmware PATH"),
        (["run", "--config", "absent.json"], 2, "absent.json"),
        (["accept"], 2, "--air virtual"),
        (["accept", "--air", "space"], 2, "virtual or loopback-port"),
        (["trace-check", "notes.txt"], 2, "notes.txt:1"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_do(
    arguments: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "notes.txt").write_text("no trace\n")
    done = RUN.invoke(app, ["gateway", *arguments])
    assert done.exit_code == code, done.output
    assert said in done.output


def test_a_port_that_is_not_there_is_a_port_error(tmp_path: Path) -> None:
    package = _package(tmp_path)
    arguments = ["run", "--server", "127.0.0.1:1700", "--port", str(tmp_path / "tty"), "--chip-firmware", str(package)]
    done = RUN.invoke(app, ["gateway", *arguments])
    assert done.exit_code == 3, done.output
    assert "no such port" in done.output


def test_a_configuration_for_another_board_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "global_conf.json"
    config.write_text(
        json.dumps(
            {
                "SX130x_conf": {
                    "com_type": "SPI",
                    "com_path": "/dev/spidev0.0",
                    "radio_0": {"enable": True, "type": "SX1250", "freq": 867500000, "rssi_offset": -215.4},
                },
                "gateway_conf": {
                    "gateway_ID": "AA555A0000000000",
                    "server_address": "localhost",
                    "serv_port_up": 1700,
                    "serv_port_down": 1700,
                },
            }
        )
    )
    done = RUN.invoke(app, ["gateway", "run", "--config", str(config)])
    assert done.exit_code == 2, done.output
    assert "over SPI" in done.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["gateway", "run", "--config", "none.json"], "error: none.json: No such file or directory"),
        (["network", "run", "--keys", "none.toml"], "error: none.toml: No such file or directory"),
        (
            ["gateway", "simulate", "--scenario", "lab-one-device", "--station", "none"],
            "error: none/tc.uri: No such file or directory [Basics Station 2.0.6, credentials]",
        ),
    ],
)
def test_a_file_that_is_not_there_is_named_before_anything_is_computed(
    arguments: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = RUN.invoke(app, arguments)
    assert (done.exit_code, done.stderr.strip()) == (2, complaint)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_never_answers_is_told_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.cli.live_run.SILENT_SERVER_S", 0.3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{silent.getsockname()[1]}"
        done = RUN.invoke(
            app, ["gateway", "simulate", "--scenario", "lab-one-device", "--server", where, "--for", "1 s"]
        )
    assert done.exit_code == 0
    assert f"warning: nothing answers at {where}; is a network server there?" in done.stderr


@pytest.mark.parametrize("command", [["gateway", "monitor"], ["network", "run"]])
def test_an_address_of_nobody_is_not_blamed_on_another_server(command: list[str], tmp_path: Path) -> None:
    keys = tmp_path / "devices.toml"
    written = RUN.invoke(
        app, ["gateway", "simulate", "--scenario", "lab-one-device", "--write-keys", str(keys), "--only-keys"]
    )
    assert written.exit_code == 0
    options = ["--keys", str(keys)] if command[0] == "network" else []
    done = RUN.invoke(app, [*command, "--listen", "192.0.2.1:0", *options])
    assert done.exit_code == 3
    assert "write PORT, or HOST:PORT of this machine" in done.stderr


def test_help_fills_the_lines_of_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERMINAL_WIDTH", "80")
    text = RUN.invoke(app, ["gateway", "run", "--help"], terminal_width=80).stdout
    assert "SF7BW250 on 868.3, FSK on 868.8 MHz) and its duty cycle." in text
