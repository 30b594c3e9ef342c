"""PyPI's esptool on the virtual ESP32's pty: SYNC, chip detection, flash id, a write with its MD5, and a read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from board_thread import running
from typer.testing import CliRunner

from bench.cli.app import app
from gateway_fw.virtual.esp32_rom import FLASH_BYTES, Esp32RomCore

pytest.importorskip("esptool")


def esptool(path: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "esptool", "--port", path, "--before", "no-reset", "--after", "no-reset"]
    done = subprocess.run([*command, "--no-stub", *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_finds_the_chip_its_address_and_its_flash() -> None:
    with running(Esp32RomCore(mac=0x240AC4_123456)) as board:
        said = esptool(board.path, "flash-id")
        assert "Connected to ESP32" in said
        assert "24:0a:c4:12:34:56" in said
        assert "Manufacturer: ef" in said
        assert "Detected flash size: 4MB" in said
        assert "40MHz" in said


def test_it_writes_and_verifies(tmp_path: Path) -> None:
    firmware = os.urandom(3_000) + bytes(5_000)
    (tmp_path / "fw.bin").write_bytes(firmware)
    with running(Esp32RomCore()) as board:
        said = esptool(board.path, "write-flash", "0x10000", str(tmp_path / "fw.bin"))
        assert "Hash of data verified" in said
        assert board.core.flash[0x1_0000 : 0x1_0000 + 8_000] == firmware
        assert board.core.flash[:0x1_0000] == b"\xff" * 0x1_0000
        assert len(board.core.flash) == FLASH_BYTES
        esptool(board.path, "read-flash", "0x10000", "640", str(tmp_path / "back.bin"))
        assert (tmp_path / "back.bin").read_bytes() == firmware[:640]


def test_our_command_drives_it(tmp_path: Path) -> None:
    firmware = os.urandom(2_000)
    (tmp_path / "fw.bin").write_bytes(firmware)
    with running(Esp32RomCore()) as board:
        where = ["--port", board.path, "--board", "esp32"]
        done = CliRunner().invoke(app, ["flash", "info", *where])
        assert done.exit_code == 0, done.stderr
        assert done.stdout.startswith("ESP32")
        done = CliRunner().invoke(app, ["flash", "write", *where, "--image", str(tmp_path / "fw.bin")])
        assert done.exit_code == 0, done.stderr
        assert "verified: hash by the chip" in done.stdout
        assert board.core.flash[0x1_0000 : 0x1_0000 + 2_000] == firmware
        done = CliRunner().invoke(
            app, ["flash", "write", *where, "--image", str(tmp_path / "fw.bin"), "--address", "0"]
        )
        assert done.exit_code == 2
        assert "bootloader and partition table" in done.stderr
