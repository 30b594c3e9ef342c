"""The commands that take `--board picogw`: its images, and what is wrong with what is given."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from picogw_pair import IMAGES
from typer.testing import CliRunner

from bench.cli.app import app
from bench.live.concentrators import Board, firmware_folder, load_picogw_firmware
from gateway_fw.concentrator.picogw_firmware import IMAGE_FILES


def _package(folder: Path) -> Path:
    source = folder / "picoGW_hal" / "libloragw" / "src"
    source.mkdir(parents=True)
    for field, name in IMAGE_FILES.items():
        body = ",".join(f"0x{byte:02X}" for byte in getattr(IMAGES, field))
        (source / name).write_text(f"static uint8_t image[8192] = {{ {body} }};")
    return folder / "picoGW_hal"


@pytest.mark.parametrize("packed", [False, True])
def test_the_four_images_are_read_out_of_a_package_and_loaded_again(tmp_path: Path, packed: bool) -> None:
    package, out = _package(tmp_path), tmp_path / "kept"
    if packed:
        with tarfile.open(tmp_path / "hal.tar.gz", "w:gz") as archive:
            archive.add(package, "picoGW_hal-0.2.3")
        package = tmp_path / "hal.tar.gz"
    arguments = ["gateway", "chip-firmware", str(package), "--board", "picogw", "--out", str(out), "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    versions = [image["expected_version"] for image in json.loads(result.output)["images"].values()]
    assert versions == [4, 1, 2, 2]
    assert load_picogw_firmware(out) == load_picogw_firmware(package) == IMAGES


def test_the_two_boards_images_are_kept_apart() -> None:
    assert firmware_folder(Board.PICOGW) != firmware_folder(Board.CORECELL)


@pytest.mark.parametrize("command", ["run", "chip-firmware"])
def test_an_unknown_board_is_refused_with_the_ones_there_are(command: str, tmp_path: Path) -> None:
    arguments = ["--server", "127.0.0.1:1700"] if command == "run" else [str(tmp_path)]
    result = CliRunner().invoke(app, ["gateway", command, "--board", "pico", *arguments])
    assert result.exit_code != 0
    assert "corecell, picogw" in f"{result.output}{result.exception}"


def test_a_run_without_images_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["gateway", "run", "--board", "picogw", "--server", "127.0.0.1:1700"])
    assert result.exit_code != 0
    assert "chip-firmware --board picogw" in f"{result.output}{result.exception}"
