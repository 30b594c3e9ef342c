"""The flash commands on a virtual bootloader's pty: as a person runs them, with their exit codes."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from board_thread import running
from typer.testing import CliRunner

from bench.cli.app import app
from gateway_fw.errors import WrongBoardError
from gateway_fw.flash.boards import board, chip_by_id
from gateway_fw.flash.entry import ORDERS
from gateway_fw.flash.image import Piece, assemble
from gateway_fw.flash.procedure import Begin, Done, Exchange, Procedure, ProcedureCore
from gateway_fw.flash.text_images import write_ihex
from gateway_fw.flash.ymodem import ReceivedFile, receive_ymodem
from gateway_fw.io.bootloader_entry import order_bootloader
from gateway_fw.serial_port import memory_pair, read_trace
from gateway_fw.serial_port.probe import probe_corecell, probe_picogw
from gateway_fw.stream import LineLost
from gateway_fw.virtual.corecell import VirtualCoreCell
from gateway_fw.virtual.stm32_bootloader import BootloaderFaults, ProgramStarted, Stm32BootloaderCore

F103, F401, WL = (chip_by_id(number) for number in (0x410, 0x433, 0x497))
LORABENCH = [sys.executable, "-c", "from bench.cli.app import main; main()"]


def lorabench(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    path = tmp_path / "fw.hex"
    image = assemble([Piece(0x0800_0000, os.urandom(9_001))], format_name="ihex", source="")
    path.write_text(write_ihex(image))
    return path


def test_write_verify_read_erase_and_info(firmware: Path, tmp_path: Path) -> None:
    with running(Stm32BootloaderCore(F401)) as virtual:
        where = ("--port", virtual.path, "--board", "picogw-uart", "--entered")
        code, out, err = lorabench("flash", "info", *where, "--json")
        assert code == 0, err
        assert json.loads(out)["chip_id"] == 0x433
        code, out, err = lorabench("flash", "write", *where, "--image", str(firmware), "--dry-run")
        assert code == 0
        assert "erase   1 of 8 pages, 16384 bytes: page 0 (0x08000000 to 0x08004000)" in out
        assert virtual.core.flash == b"\xff" * len(virtual.core.flash)
        trace = tmp_path / "trace.txt"
        code, out, err = lorabench("flash", "write", *where, "--image", str(firmware), "--trace", str(trace))
        assert code == 0, err
        assert "a pty keeps no parity" in err
        assert "verify: 9004 of 9004" in err
        assert "erase   1 of 8 pages" in err
        assert "verified: read back, sha256" in out
        virtual.until(lambda: bool(virtual.effects))  # the board is still at it when the command has ended
        assert virtual.effects == [ProgramStarted(0x0800_0000)]
        assert {line.direction for line in read_trace(trace.read_text().splitlines())} == {"!", "<", ">"}
        code, out, err = lorabench("flash", "verify", *where, "--image", str(firmware), "--json", "-q")
        assert code == 0, err
        assert json.loads(out)["sha256"]
        back = tmp_path / "back.hex"
        code, out, err = lorabench("flash", "read", *where, "--image", str(back), "--size", "9001", "-q")
        assert code == 0, err
        assert back.read_text() == firmware.read_text()
        assert lorabench("flash", "erase", *where, "--pages", "0", "-q")[0] == 0
        code, out, err = lorabench("flash", "verify", *where, "--image", str(firmware), "-q")
        assert code == 4
        assert "error: 0x08000000 holds 0xFF, the image 0x" in err


def test_refusals_have_their_exit_codes(firmware: Path, tmp_path: Path) -> None:
    with running(Stm32BootloaderCore(WL)) as virtual:
        where = ("--port", virtual.path, "-q", "--image", str(firmware))
        code, _, err = lorabench("flash", "write", *where, "--board", "murata-abz")
        assert code == 4
        assert "chip id 0x497 (STM32WLE5xx/WL55xx) answers; Murata" in err
        code, _, err = lorabench("flash", "write", *where, "--board", "rak3172")
        assert code == 2
        assert "RAK's own (RUI3) bootloader" in err
        assert virtual.core.flash == b"\xff" * len(virtual.core.flash)
        code, _, err = lorabench("flash", "write", *where, "--board", "lorae5")
        assert (code, "did you mean lora-e5" in err) == (2, True)
        assert lorabench("flash", "write", *where, "--board", "rak3172", "--force")[0] == 0
    (tmp_path / "bad.hex").write_text(":0000000\n")
    code, _, err = lorabench("flash", "write", "--port", "/dev/null", "--image", str(tmp_path / "bad.hex"))
    assert code == 2
    assert f"{tmp_path / 'bad.hex'}:1: not an even number" in err
    code, _, err = lorabench("flash", "write", "--port", str(tmp_path / "tty"), "--image", str(firmware))
    assert (code, "there is no such port" in err) == (3, True)
    code, _, err = lorabench("flash", "write", "--image", str(tmp_path / "none.hex"))
    assert (code, "No such file" in err) == (2, True)
    for bad in (("--address", "banana"), ("--address", "0x1ffffffff")):
        assert lorabench("flash", "write", "--image", str(firmware), *bad)[0] == 2
    assert lorabench("flash", "erase", "--pages", "3-1", "--port", "x")[0] == 2


def test_unplugging_in_the_middle_says_what_is_on_the_board_and_how_to_recover(firmware: Path) -> None:
    with running(Stm32BootloaderCore(F401, erase_page_us=300_000)) as virtual:
        arguments = ["flash", "write", "--port", virtual.path, "--board", "picogw-uart", "--entered"]
        with subprocess.Popen(
            [*LORABENCH, *arguments, "--image", str(firmware)],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            virtual.until(lambda: virtual.core.wake_at is not None)  # it erases
            virtual.call(lambda shell: shell.unplug(LineLost("pulled")))
            _, err = process.communicate(timeout=60)
        assert process.returncode == 4
        assert "error: the line went" in err
        assert "error: on the board now: about 0 of 1 pages erased, nothing written; it does not start" in err
        assert "lorabench flash write --port" in err
        assert f"--image {firmware} --entered" in err


def test_ctrl_c_in_the_middle_says_the_same_and_a_second_run_mends(firmware: Path) -> None:
    with running(Stm32BootloaderCore(F401, erase_page_us=300_000)) as virtual:
        arguments = ["flash", "write", "--port", virtual.path, "--board", "picogw-uart", "--entered"]
        command = [*LORABENCH, *arguments, "--image", str(firmware)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            virtual.until(lambda: virtual.core.wake_at is not None)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "interrupted\non the board now: about 0 of 1 pages erased" in err
        (line,) = [line for line in err.splitlines() if line.startswith("to recover: ")]
        assert "its ROM bootloader waits still" in line
        again = line.partition("; then lorabench ")[2].split()
        code, out, err = lorabench(*again)  # the very command that it printed
        assert code == 0, err
        assert "verified" in out


def test_protection_wants_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_fw.flash.an3155.QUIET_US", 10_000)
    with running(Stm32BootloaderCore(F103)) as virtual:
        code, _, err = lorabench("flash", "protect", "readout-on", "--port", virtual.path)
        assert (code, "--force does it" in err, virtual.core.readout_protected) == (4, True, False)
        assert lorabench("flash", "protect", "readout-on", "--port", virtual.path, "--force")[0] == 0
        assert virtual.core.readout_protected
        code, _, err = lorabench("flash", "erase", "--port", virtual.path, "-q")
        assert (code, "read-protected" in err) == (4, True)
        assert lorabench("flash", "erase", "--unprotect", "--force", "--port", virtual.path, "-q")[0] == 0
        assert not virtual.core.readout_protected
        assert lorabench("flash", "protect", "off", "--port", virtual.path)[0] == 2


def test_a_worn_byte_is_exit_code_4_with_its_address(firmware: Path) -> None:
    faults = BootloaderFaults(bad_cells=frozenset({0x0800_0100}))
    with running(Stm32BootloaderCore(F103, faults=faults)) as virtual:
        code, _, err = lorabench("flash", "write", "--port", virtual.path, "--image", str(firmware), "-q")
        assert code == 4
        assert "0x08000100 holds" in err
        assert "on the board now: the whole image, not verified" in err


def test_the_virtual_board_of_the_command_line_serves_another_run(tmp_path: Path, firmware: Path) -> None:
    link = f"/tmp/lb{os.getpid()}"
    command = [*LORABENCH, "flash", "virtual", "stm32", "--chip", "stm32wl", "--link", link, "--fault", "nack=2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as virtual:
        assert virtual.stdout is not None
        assert virtual.stdout.readline() == f"{link}\n"
        code, out, err = lorabench("flash", "write", "--port", link, "--image", str(firmware), "-q")
        assert code == 0, err
        assert "STM32WLE5xx/WL55xx" in out
        virtual.send_signal(signal.SIGINT)
        assert "ProgramStarted" in virtual.communicate(timeout=60)[0]
    assert virtual.returncode == 130
    assert not Path(link).is_symlink()
    assert lorabench("flash", "virtual", "stm32", "--chip", "z80")[0] == 2
    assert lorabench("flash", "virtual", "stm32", "--fault", "fire")[0] == 2
    assert tmp_path.is_dir()


def test_a_running_picogw_is_ordered_into_its_bootloader(firmware: Path) -> None:
    with running(Stm32BootloaderCore(F401, firmware=ORDERS["picogw-order"])) as virtual:
        where = ["--port", virtual.path, "--board", "picogw-uart"]
        code, out, err = lorabench("flash", "write", *where, "--image", str(firmware), "-q")
        assert code == 0, err
        assert "started" in out
        assert "did not confirm" not in err
        virtual.until(lambda: bool(virtual.effects))
        assert virtual.effects == [ProgramStarted(0x0800_0000)]


def test_ymodem_reaches_a_loader_behind_an_at_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_fw.flash.entry.ANSWER_US", 50_000)
    monkeypatch.setattr("gateway_fw.io.bootloader_entry.RESET_S", 0.0)
    monkeypatch.setattr("gateway_fw.flash.ymodem.BETWEEN_US", 50_000)  # so that the loader asks often

    def loader() -> Procedure[list[ReceivedFile]]:
        heard = b""
        while not heard.endswith(b"AT+BOOT\r\n"):
            heard += yield Exchange(want=1, timeout_us=20_000_000)
        return (yield from receive_ymodem())

    firmware = os.urandom(3_000)
    (tmp_path / "fw.bin").write_bytes(firmware)
    core: ProcedureCore[list[ReceivedFile]] = ProcedureCore(loader())
    core.handle(Begin(), 0)
    with running(core) as loading:
        where = ["--port", loading.path, "--board", "rak3172-rui3", "--image", str(tmp_path / "fw.bin")]
        code, out, err = lorabench("flash", "write", *where, "-q")
        assert code == 0, err
        assert "verified: no: this method cannot read back" in out
        loading.until(lambda: any(isinstance(effect, Done) for effect in loading.effects))
        (done,) = [effect for effect in loading.effects if isinstance(effect, Done)]
        assert [(file.name, file.data) for file in done.result] == [("firmware.bin", firmware)]
    code, _, err = lorabench("flash", "verify", *where)
    assert (code, "cannot be read back" in err) == (4, True)
    code, _, err = lorabench("flash", "write", *where, "--address", "0x08005000")
    assert (code, "RAK's own" in err) == (2, True)


def test_lists() -> None:
    code, out, _ = lorabench("flash", "list", "--json")
    assert code == 0
    assert {row["id"] for row in json.loads(out)} >= {"corecell-usb", "picogw-usb", "picogw-uart", "rak3172", "lora-e5"}
    code, out, _ = lorabench("flash", "list")
    assert "protected: 0x08000000 to 0x08006000" in out
    assert lorabench("gateway", "list")[0] == 0
    code, out, _ = lorabench("gateway", "list", "--json", "--port", "/dev/null")
    assert json.loads(out)[-1]["name"] == "/dev/null"


def test_a_corecell_confirms_the_order_into_its_bootloader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_fw.io.bootloader_entry.RESET_S", 0.0)
    with running(VirtualCoreCell()) as corecell:
        with pytest.raises(WrongBoardError, match=r"answers 6c001540.*: it is no Semtech PicoGW"):
            order_bootloader(board("picogw-uart"), corecell.path)
        assert order_bootloader(board("corecell-usb"), corecell.path) is None
    with running(Stm32BootloaderCore(F401, firmware=ORDERS["picogw-order"])) as picogw:
        monkeypatch.setattr("gateway_fw.flash.entry.ANSWER_US", 50_000)
        with pytest.raises(WrongBoardError, match="does not answer"):
            order_bootloader(board("corecell-usb"), picogw.path)


def test_a_probe_tells_a_corecell() -> None:
    with running(VirtualCoreCell()) as virtual:
        code, out, _ = lorabench("gateway", "list", "--probe", "--port", virtual.path)
        assert code == 0
        assert "answers: CoreCell V01.00.00, id " in out


def test_probes_take_their_answers_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_fw.serial_port.probe.ANSWER_S", 0.05)
    host, device = memory_pair()
    with host, device:
        assert probe_corecell(host) is None
        assert device.read_exactly(4, 1) == b"\x2a\x00\x00\x00"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"l\x00\x08\x01ABCDEFGH", "PicoGW, id 4142434445464748"),
        (b"l\x00\x08\x00ABCDEFGH", "other firmware"),
        (b"k\x00\x00\x00", None),
    ],
)
def test_the_picogw_probe(answer: bytes, said: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_fw.serial_port.probe.ANSWER_S", 0.05)
    host, device = memory_pair()
    with host, device:
        monkeypatch.setattr(host, "drop_input", lambda: device.write(answer))  # it is there when the question is out
        found = probe_picogw(host)
        assert (found is None) == (said is None)
        assert said is None or said in found.detail  # type: ignore[union-attr]
        assert device.read_exactly(8, 1) == b"l\x00\x04\x00\x01\x0a\x00\x06"


FAKE_DFU = r"""#!/usr/bin/env python3
import os, pathlib, sys
flash = pathlib.Path(os.environ["FAKE_FLASH"])
a = sys.argv[1:]
with open(os.environ["FAKE_LOG"], "a") as log: log.write(" ".join(a) + "\n")
if a == ["-l"]:
    where = 'Found DFU: [0483:df11] ver=2200, devnum=9, cfg=1, intf=0, path="1-1", '
    print(where + 'alt=1, name="@Option Bytes  /0x1FFF7800/01*016 e", serial="S1"')
    print(where + 'alt=0, name="%s", serial="S1"' % os.environ["FAKE_NAME"])
    sys.exit()
words = a[a.index("-s") + 1].split(":")
at = int(words[0], 0) - 0x08000000
held = bytearray(flash.read_bytes())
if "-D" in a:
    data = open(a[a.index("-D") + 1], "rb").read()
    held[at:at + len(data)] = data
    flash.write_bytes(held)
    for percent in (0, 50, 100):
        sys.stdout.write("\rDownload\t[=====     ] %3d%% %12d bytes" % (percent, len(data) * percent // 100))
    print()
else:
    out = a[a.index("-U") + 1]
    assert not os.path.exists(out)
    open(out, "wb").write(held[at:at + int(words[1])])
"""


def test_dfu_goes_through_dfu_util(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that speaks as dfu-util 0.11 does; no DFU device was there to try the real one on."""
    program, flash, log = tmp_path / "bin" / "dfu-util", tmp_path / "flash", tmp_path / "log"
    program.parent.mkdir()
    program.write_text(FAKE_DFU)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    flash.write_bytes(b"\xff" * 131_072)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_FLASH", str(flash))
    monkeypatch.setenv("FAKE_LOG", str(log))
    monkeypatch.setenv("FAKE_NAME", "@Internal Flash  /0x08000000/64*0002Kg")
    image = assemble([Piece(0x0800_0000, os.urandom(5_000)), Piece(0x0801_0000, b"far")], format_name="", source="")
    (tmp_path / "fw.hex").write_text(write_ihex(image))
    code, out, err = lorabench("flash", "write", "--board", "corecell-usb", "--image", str(tmp_path / "fw.hex"))
    assert code == 0, err
    assert flash.read_bytes()[:5_000] == image.segments[0].data
    assert flash.read_bytes()[0x1_0000:0x1_0003] == b"far"
    assert "write: 5000 of 5000" in err
    assert "verified: read back" in out
    calls = log.read_text().splitlines()
    assert [call.split(" -s ")[1].split()[0] for call in calls[1:]] == [
        "0x08000000",
        "0x08010000",
        "0x08010000:8",
        "0x08000000:5000:leave",
    ]
    monkeypatch.setenv("FAKE_NAME", "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,03*128Kg")
    code, _, err = lorabench("flash", "write", "--board", "corecell-usb", "--image", str(tmp_path / "fw.hex"), "-q")
    assert code == 4
    assert "another board in DFU mode" in err
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = lorabench("flash", "info", "--board", "corecell-usb", "--entered")
    assert (code, "apt-get install dfu-util" in err) == (4, True)


def test_a_board_that_was_ordered_into_its_bootloader_is_told_to_wait_there(firmware: Path) -> None:
    with running(Stm32BootloaderCore(F401, firmware=ORDERS["picogw-order"])) as virtual:
        where = ("--port", virtual.path, "--board", "picogw-uart")
        code, _, err = lorabench("flash", "info", *where)
        assert code == 0
        assert "waits in its bootloader now; add --entered" in err
        code, _, err = lorabench("flash", "write", *where, "--entered", "--image", str(firmware), "-q")
        assert code == 0, err
        assert "waits" not in err
