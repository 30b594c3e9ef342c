"""Flashing an STM32 over its UART bootloader, against the virtual one: whole jobs, faults and refusals."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import pairwise

import pytest
from flash_pair import Pair

from gateway_fw.errors import FlashError, GatewayError, ImageError, UnknownBoardError, VerifyError, WrongBoardError
from gateway_fw.flash import an3155
from gateway_fw.flash.boards import Chip, board, boards, chip_by_id, chips
from gateway_fw.flash.image import Image, Piece, Segment, assemble
from gateway_fw.flash.plan import plan_write
from gateway_fw.flash.procedure import Progress
from gateway_fw.flash.stm32 import (
    PROTECTIONS,
    Standing,
    erase_job,
    identify,
    protect_job,
    read_job,
    verify_job,
    write_job,
)
from gateway_fw.serial_port import usb_boards
from gateway_fw.stream import BytesReceived, SendBytes
from gateway_fw.virtual.stm32_bootloader import BootloaderFaults, ProgramStarted, Reset, Stm32BootloaderCore

STM32 = board("stm32")


def chip(chip_id: int) -> Chip:
    found = chip_by_id(chip_id)
    assert found is not None
    return found


F103, F401, L0, WL = chip(0x410), chip(0x433), chip(0x447), chip(0x497)


def image(*pieces: tuple[int, bytes]) -> Image:
    return assemble([Piece(at, data) for at, data in pieces], format_name="bin", source="fw.bin")


FIRMWARE = image((0x0800_0000, bytes(range(256)) * 21 + b"tail"), (0x0800_3003, b"odd place"))


@pytest.mark.parametrize("extended", [True, False])
@pytest.mark.parametrize("which", [F103, F401, L0, WL], ids=lambda c: c.id)
def test_an_image_is_written_verified_and_started(which: Chip, extended: bool) -> None:
    virtual = Stm32BootloaderCore(which, extended_erase=extended, mass_erase=False, erase_page_us=3_000)
    pair = Pair(virtual)
    report = pair.run(write_job(STM32, FIRMWARE, start=True))
    assert report.sha256 == FIRMWARE.sha256
    for segment in FIRMWARE.segments:
        at = segment.address - which.flash
        assert virtual.flash[at : at + len(segment.data)] == segment.data
    assert pair.seen[-1] == ProgramStarted(0x0800_0000)
    assert report.info.chip is which
    assert report.info.version == "3.1"
    stages = [effect.stage for effect in pair.seen if isinstance(effect, Progress)]
    assert set(stages) == {"erase", "write", "verify"}
    assert pair.run(verify_job(STM32, FIRMWARE))[1] == FIRMWARE.sha256


def test_only_the_planned_pages_change() -> None:
    virtual = Stm32BootloaderCore(F103)
    Pair(virtual).run(write_job(STM32, image((0x0800_0000, os.urandom(131_072)))))
    before = virtual.flash
    report = Pair(virtual).run(write_job(STM32, image((0x0800_0C10, b"\x00" * 8))))
    assert [page.number for page in report.plan.pages] == [3]
    assert virtual.flash[:0xC00] == before[:0xC00]
    assert virtual.flash[0x1000:] == before[0x1000:]
    assert virtual.flash[0xC00:0x1000] == b"\xff" * 16 + bytes(8) + b"\xff" * (0x400 - 24)
    assert "1016 bytes of these pages are not in the image" in report.plan.notes[0]


def test_another_chip_is_refused_before_anything_happens() -> None:
    virtual = Stm32BootloaderCore(F103)
    standing = Standing()
    with pytest.raises(WrongBoardError, match=r"0x410 .* answers; .* has 0x433"):
        Pair(virtual).run(write_job(board("picogw-uart"), FIRMWARE, standing=standing))
    assert not standing.changed
    unknown = replace(F103, chip_id=0x999)
    with pytest.raises(WrongBoardError, match="not in the table"):
        Pair(Stm32BootloaderCore(unknown)).run(identify(STM32))


def test_an_image_over_the_bootloader_needs_force() -> None:
    rak = board("rak3172")
    over = image((0x0800_5FFC, bytes(8)))
    with pytest.raises(ImageError, match="0x08000000 to 0x08006000: RAK's own") as caught:
        plan_write(rak, WL, over)
    assert "--force" in caught.value.hint
    virtual = Stm32BootloaderCore(WL)
    with pytest.raises(ImageError):
        Pair(virtual).run(write_job(rak, over))
    assert virtual.flash == b"\xff" * len(virtual.flash)
    assert "overwrites RAK's own" in plan_write(rak, WL, over, force=True).notes[0]
    assert not plan_write(rak, WL, image((0x0800_6000, bytes(2048)))).notes
    # a protected area that ends inside a page goes with that page
    split = board("stm32")
    assert plan_write(split, WL, image((0x0800_0000, bytes(2048)))).pages[0].number == 0


@pytest.mark.parametrize("start", [0x07FF_FFFF, 0x0803_FFFE, 0x1FFF_7000, 0x2000_0000])
def test_an_image_that_leaves_the_flash_is_refused(start: int) -> None:
    with pytest.raises(ImageError, match="leaves the flash"):
        plan_write(STM32, WL, image((start, b"abc")), force=True)


def test_a_smaller_part_refuses_what_its_bigger_sister_takes() -> None:
    virtual = Stm32BootloaderCore(WL, flash_bytes=65_536)
    with pytest.raises(ImageError, match="says that it has 64 kB"):
        Pair(virtual).run(write_job(STM32, image((0x0801_0000, b"x"))))
    assert Pair(virtual).run(identify(STM32)).flash_bytes == 65_536


def test_a_read_protected_chip_says_so_and_is_freed_with_force() -> None:
    virtual = Stm32BootloaderCore(F103, readout_protected=True)
    with pytest.raises(FlashError, match="refused") as caught:
        Pair(virtual).run(write_job(STM32, FIRMWARE))
    assert "--unprotect --force" in caught.value.hint
    with pytest.raises(FlashError, match="erases its whole flash"):
        Pair(virtual).run(erase_job(STM32, unprotect=True))
    assert virtual.readout_protected
    standing = Standing()
    Pair(virtual).run(erase_job(STM32, unprotect=True, force=True, standing=standing))
    assert not virtual.readout_protected
    assert standing.changed
    assert Pair(virtual).run(write_job(STM32, FIRMWARE)).sha256 == FIRMWARE.sha256


def test_protection_changes_with_force_alone() -> None:
    virtual = Stm32BootloaderCore(F103)
    Pair(virtual).run(write_job(STM32, FIRMWARE))
    for change in PROTECTIONS:
        with pytest.raises(FlashError, match="--force does it"):
            Pair(virtual).run(protect_job(STM32, change))
    Pair(virtual).run(protect_job(STM32, "write-off", force=True))
    assert virtual.flash[:4] == b"\0\1\2\3"
    Pair(virtual).run(protect_job(STM32, "readout-on", force=True))
    assert virtual.readout_protected
    with pytest.raises(FlashError, match="read-protected"):
        Pair(virtual).run(verify_job(STM32, FIRMWARE))
    Pair(virtual).run(protect_job(STM32, "readout-off", force=True))
    assert virtual.flash == b"\xff" * len(virtual.flash)


FAULTS: list[tuple[str, BootloaderFaults]] = [
    ("a refused command", BootloaderFaults(nack=frozenset({1, 3, 7, 9}))),
    ("a lost byte to the board", BootloaderFaults(lose_in=frozenset({0, 2, 30, 300, 1_000}))),
    ("a lost byte from the board", BootloaderFaults(lose_out=frozenset({0, 5, 22, 60, 500, 3_000}))),
    ("turned bits to the board", BootloaderFaults(flip_in=frozenset({1, 40, 350, 700, 1_500}))),
    ("turned bits from the board", BootloaderFaults(flip_out=frozenset({3, 25, 70, 900, 2_000}))),
]


@pytest.mark.parametrize("faults", [faults for _, faults in FAULTS], ids=[name for name, _ in FAULTS])
def test_passing_faults_are_ridden_out(faults: BootloaderFaults) -> None:
    virtual = Stm32BootloaderCore(F103, faults=faults)
    report = Pair(virtual).run(write_job(STM32, FIRMWARE))
    assert report.sha256 == FIRMWARE.sha256
    assert virtual.flash[: len(FIRMWARE.segments[0].data)] == FIRMWARE.segments[0].data


def test_a_byte_that_stays_wrong_fails_the_verification_with_its_address() -> None:
    virtual = Stm32BootloaderCore(F103, faults=BootloaderFaults(bad_cells=frozenset({0x0800_0123})))
    with pytest.raises(VerifyError, match="0x08000123 holds 0x22, the image 0x23") as caught:
        Pair(virtual).run(write_job(STM32, FIRMWARE))
    assert caught.value.address == 0x0800_0123


def test_a_board_that_goes_mute_and_one_that_never_speaks() -> None:
    standing = Standing()
    virtual = Stm32BootloaderCore(F103, faults=BootloaderFaults(mute_after=2_000))
    with pytest.raises(FlashError, match="does not answer any more"):
        Pair(virtual).run(write_job(STM32, FIRMWARE, standing=standing))
    assert "it does not start" in standing.text
    with pytest.raises(FlashError, match="nothing answers") as caught:
        Pair(Stm32BootloaderCore(F103, faults=BootloaderFaults(mute_after=0))).run(identify(STM32))
    assert "BOOT0" in caught.value.hint


@pytest.mark.parametrize("after", [5, 60, 400, 3_000])
def test_unplugging_in_the_middle_leaves_a_board_that_a_second_run_mends(after: int) -> None:
    virtual = Stm32BootloaderCore(F103)
    standing = Standing()
    pair = Pair(virtual)
    pair.unplug_after = after
    with pytest.raises(FlashError, match="the line went: unplugged"):
        pair.run(write_job(STM32, FIRMWARE, standing=standing))
    assert standing.changed == (after > 50)
    virtual.handle(Reset(), pair.now)
    assert Pair(virtual).run(write_job(STM32, FIRMWARE)).sha256 == FIRMWARE.sha256


def test_reading_and_erasing() -> None:
    virtual = Stm32BootloaderCore(L0)
    Pair(virtual).run(write_job(STM32, FIRMWARE))
    _, start, data = Pair(virtual).run(read_job(STM32, None, None))
    assert (start, data) == (0x0800_0000, virtual.flash)
    assert Pair(virtual).run(read_job(STM32, 0x0800_3003, 9))[2] == b"odd place"
    Pair(virtual).run(erase_job(STM32, pages=(0,)))
    assert virtual.flash[:129] == b"\xff" * 128 + b"\x80"
    with pytest.raises(FlashError, match="pages 0 to 1535"):
        Pair(virtual).run(erase_job(STM32, pages=(1536,)))
    Pair(virtual).run(erase_job(STM32))
    assert virtual.flash == b"\xff" * len(virtual.flash)
    rak = Stm32BootloaderCore(WL)
    with pytest.raises(FlashError, match="RAK's own"):
        Pair(rak).run(erase_job(board("rak3172")))
    Pair(rak).run(erase_job(board("rak3172"), pages=(12,)))
    Pair(rak).run(erase_job(board("rak3172"), force=True))


def test_the_worked_frames_of_the_application_note() -> None:
    """AN3155 §3.1 and §3.3: what the board sends to Get and Get ID, byte for byte."""
    virtual = Stm32BootloaderCore(F103, extended_erase=False, version=0x22)

    def ask(hexa: str) -> str:
        effects = virtual.handle(BytesReceived(bytes.fromhex(hexa)), 0)
        return "".join(effect.data.hex() for effect in effects if isinstance(effect, SendBytes))

    assert ask("7f") == "79"
    assert ask("00ff") == "79" + "0b" + "22" + "00010211213143637382" + "92" + "79"
    assert ask("02fd") == "79" + "01" + "0410" + "79"
    assert ask("01fe") == "79" + "220000" + "79"
    assert ask("7f") == ""
    assert ask("7f") == "1f"  # 0x7F 0x7F is no command
    assert ask("31ce") == "79"
    assert ask("0800000008") == "79"
    assert ask("03" + "01020304" + "07") == "79"
    assert ask("11ee" + "0800000008" + "03fc") == "797979" + "01020304"
    assert ask("43bc" + "ff00") == "7979"
    assert ask("11ee" + "0800000009") == "791f"


def test_an_erase_that_lost_its_first_byte_takes_no_other_page() -> None:
    """With a filler of equal bytes, pages 3 and 255 would go: the count is lost, the XOR of what follows is 0."""
    old = bytes(range(256)) * 768
    for lost in range(8, 60):  # every byte from the first command on
        virtual = Stm32BootloaderCore(
            L0, extended_erase=False, content=old, faults=BootloaderFaults(lose_in=frozenset({lost}))
        )
        Pair(virtual).run(write_job(STM32, image((0x0800_0180, bytes(128)))))
        assert virtual.flash == old[:0x180] + bytes(128) + old[0x200:], lost


def test_the_filler_is_no_command_at_any_place() -> None:
    filler = an3155.FILLER
    assert all(first ^ second != 0xFF for first, second in pairwise(filler))
    assert all(an3155.checksum(filler[:end]) for end in range(1, len(filler) + 1))


def test_every_board_of_the_usb_table_is_in_the_flash_table_and_has_a_source() -> None:
    known = {row.id for row in boards()}
    assert {name for row in usb_boards() for name in row.boards} <= known
    assert all(row.source for row in (*boards(), *chips()))
    assert len({row.chip_id for row in chips()}) == len(chips())
    with pytest.raises(UnknownBoardError, match="did you mean"):
        board("picogw")


def test_a_bootloader_without_an_erase_is_an_error_of_the_family() -> None:
    capabilities = an3155.Capabilities(0x31, frozenset({0, 1, 2}))
    assert capabilities.erase_command is None
    assert issubclass(FlashError, GatewayError)
    assert FIRMWARE.segments[1] == Segment(0x0800_3003, b"odd place")
