"""Debian's stm32flash on the virtual bootloader's pty: it probes, writes, verifies, reads, erases and starts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from board_thread import running
from tools import required

from gateway_fw.flash.boards import chip_by_id
from gateway_fw.flash.image import Piece, assemble
from gateway_fw.flash.text_images import write_ihex
from gateway_fw.virtual.stm32_bootloader import BootloaderFaults, ProgramStarted, Stm32BootloaderCore

F103, F401, L0 = (chip_by_id(number) for number in (0x410, 0x433, 0x447))


def run(path: str, *options: str) -> subprocess.CompletedProcess[str]:
    program = required("stm32flash")
    return subprocess.run(
        [program, "-b", "115200", "-m", "8n1", *options, path], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("extended", [False, True], ids=["erase", "extended erase"])
def test_it_probes_writes_verifies_and_starts(extended: bool, tmp_path: Path) -> None:
    assert F103 is not None
    firmware = os.urandom(20_000)
    (tmp_path / "fw.bin").write_bytes(firmware)
    with running(Stm32BootloaderCore(F103, extended_erase=extended)) as board:
        probe = run(board.path)
        assert probe.returncode == 0, probe.stderr
        assert "Device ID    : 0x0410 (STM32F10xxx Medium-density)" in probe.stdout
        assert "Version      : 0x31" in probe.stdout
        done = run(board.path, "-w", str(tmp_path / "fw.bin"), "-v", "-g", "0x08000000")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Wrote and verified address 0x08004e20 (100.00%) Done." in done.stdout
        assert "Starting execution at address 0x08000000... done." in done.stdout
        assert board.core.flash[:20_000] == firmware
        assert board.core.flash[20_000:] == b"\xff" * (131_072 - 20_000)
        board.until(lambda: bool(board.effects))
        assert board.effects == [ProgramStarted(0x0800_0000)]


def test_it_writes_a_hex_file_to_a_picogw_and_reads_it_back(tmp_path: Path) -> None:
    assert F401 is not None
    image = assemble([Piece(0x0800_0000, os.urandom(70_000))], format_name="ihex", source="")
    (tmp_path / "fw.hex").write_text(write_ihex(image))
    with running(Stm32BootloaderCore(F401)) as board:
        done = run(board.path, "-v", "-w", str(tmp_path / "fw.hex"), "-g", "0x0")  # as the vendor's readme has it
        assert done.returncode == 0, done.stdout + done.stderr
        assert board.core.flash[:70_000] == image.segments[0].data
        done = run(board.path, "-r", str(tmp_path / "back.bin"), "-S", "0x08000000:70000")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "back.bin").read_bytes() == image.segments[0].data


def test_it_erases_a_page_and_all() -> None:
    assert F103 is not None
    firmware = bytes(131_072)
    with running(Stm32BootloaderCore(F103, extended_erase=False, content=firmware)) as board:
        done = run(board.path, "-o", "-s", "1", "-e", "2")
        assert done.returncode == 0, done.stdout + done.stderr
        assert board.core.flash[1024:3072] == b"\xff" * 2048
        assert board.core.flash[:1024] == bytes(1024)
        assert run(board.path, "-o").returncode == 0
        assert board.core.flash == b"\xff" * 131_072


def test_it_sees_our_faults_as_a_chip_s(tmp_path: Path) -> None:
    assert F103 is not None
    firmware = os.urandom(2_000)
    (tmp_path / "fw.bin").write_bytes(firmware)
    with running(Stm32BootloaderCore(F103, faults=BootloaderFaults(bad_cells=frozenset({0x0800_0123})))) as board:
        done = run(board.path, "-v", "-n", "1", "-w", str(tmp_path / "fw.bin"))
        assert done.returncode != 0
        assert "Failed to verify" in done.stderr + done.stdout
    with running(Stm32BootloaderCore(F103, readout_protected=True)) as board:
        done = run(board.path, "-r", str(tmp_path / "back.bin"))
        assert done.returncode != 0
        done = run(board.path, "-k")  # lifts the protection, and so erases
        assert done.returncode == 0, done.stdout + done.stderr
        assert not board.core.readout_protected
        assert run(board.path, "-w", str(tmp_path / "fw.bin"), "-v").returncode == 0
    with running(Stm32BootloaderCore(F103, faults=BootloaderFaults(mute_after=0))) as board:
        done = run(board.path)
        assert done.returncode != 0
        assert "Failed to init device" in done.stderr + done.stdout
