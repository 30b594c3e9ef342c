"""A state machine over one board: whatever jobs run, fail or are cut off, what is called verified is in the flash."""

from __future__ import annotations

from contextlib import suppress

from flash_pair import Pair
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway_fw.errors import FlashError
from gateway_fw.flash.boards import board, chip_by_id
from gateway_fw.flash.image import Image, Piece, assemble
from gateway_fw.flash.stm32 import Standing, erase_job, protect_job, read_job, verify_job, write_job
from gateway_fw.virtual.stm32_bootloader import Reset, Stm32BootloaderCore

STM32 = board("stm32")
F103 = chip_by_id(0x410)
BASE, PAGE = 0x0800_0000, 1024


class BoardMachine(RuleBasedStateMachine):
    """model: what each page must hold, or None where a job was cut off in it."""

    @initialize(extended=st.booleans(), pages=st.integers(8, 16))
    def begin(self, extended: bool, pages: int) -> None:
        assert F103 is not None
        self.virtual = Stm32BootloaderCore(F103, extended_erase=extended, flash_bytes=pages * PAGE)
        self.model: list[bytes | None] = [b"\xff" * PAGE] * pages
        self.now = 0

    def _pair(self) -> Pair:
        pair = Pair(self.virtual)
        pair.now = self.now
        return pair

    def _image(self, at: int, data: bytes) -> Image:
        return assemble([Piece(BASE + at, data)], format_name="bin", source="")

    @rule(at=st.integers(0, 8_000), data=st.binary(min_size=1, max_size=1_500), cut=st.none() | st.integers(0, 2_500))
    def write(self, at: int, data: bytes, cut: int | None) -> None:
        fits = at + len(data) <= len(self.model) * PAGE
        image = self._image(at, data)
        touched = range(at // PAGE, (at + len(data) - 1) // PAGE + 1)
        pair, standing = self._pair(), Standing()
        pair.unplug_after = cut
        try:
            pair.run(write_job(STM32, image, standing=standing))
        except ValueError:
            assert not fits
        except FlashError:
            assert cut is not None or self.virtual.readout_protected
            if standing.changed and not self.virtual.readout_protected:
                for number in touched:
                    self.model[number] = None
            self.virtual.handle(Reset(), pair.now)
        else:
            assert fits
            for number in touched:
                self.model[number] = image.slice(BASE + number * PAGE, BASE + (number + 1) * PAGE)
        self.now = pair.now

    @rule(number=st.integers(0, 15))
    def erase(self, number: int) -> None:
        with suppress(FlashError):
            self._pair().run(erase_job(STM32, pages=(number,)))
            if number < len(self.model):
                self.model[number] = b"\xff" * PAGE

    @rule(number=st.integers(0, 15))
    def verify(self, number: int) -> None:
        if number >= len(self.model) or self.virtual.readout_protected:
            return
        held = self.model[number]
        if held is not None:
            self._pair().run(verify_job(STM32, self._image(number * PAGE, held)))
            wrong = bytes([held[0] ^ 1]) + held[1:]
            try:
                self._pair().run(verify_job(STM32, self._image(number * PAGE, wrong)))
            except FlashError as error:
                assert f"0x{BASE + number * PAGE:08X} holds" in str(error)  # noqa: PT017
            else:
                raise AssertionError("a wrong image was called verified")

    @rule()
    def read(self) -> None:
        if not self.virtual.readout_protected:
            assert self._pair().run(read_job(STM32, None, None))[2] == self.virtual.flash

    @rule(change=st.sampled_from(["readout-on", "readout-off", "write-off"]))
    def protect(self, change: str) -> None:
        with suppress(FlashError):
            self._pair().run(protect_job(STM32, change, force=True))
            if change == "readout-off":
                self.model = [b"\xff" * PAGE] * len(self.model)

    @invariant()
    def the_flash_is_the_model(self) -> None:
        if not hasattr(self, "virtual"):
            return
        for number, held in enumerate(self.model):
            if held is not None:
                assert self.virtual.flash[number * PAGE : (number + 1) * PAGE] == held


BoardMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=10, deadline=None)
TestBoardMachine = BoardMachine.TestCase
