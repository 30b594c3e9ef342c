"""Laws of flashing: parsers raise their family alone; a write ends verified or in an error, never silently wrong."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from flash_pair import Pair
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_fw.errors import FlashError, ImageError, TraceFormatError
from gateway_fw.flash import dfu, esp32
from gateway_fw.flash.binary_images import write_uf2
from gateway_fw.flash.boards import Chip, board, chip_by_id, chips
from gateway_fw.flash.image import Image, Piece, assemble
from gateway_fw.flash.plan import plan_write
from gateway_fw.flash.procedure import Begin, ProcedureCore
from gateway_fw.flash.read_image import FORMATS, read_image
from gateway_fw.flash.slip import SlipDecoder, encode
from gateway_fw.flash.stm32 import identify, write_job
from gateway_fw.flash.text_images import write_ihex, write_srec
from gateway_fw.flash.ymodem import receive_ymodem, send_ymodem
from gateway_fw.serial_port import read_trace
from gateway_fw.stream import BytesReceived, LineLost, SendBytes
from gateway_fw.virtual.esp32_rom import Esp32RomCore
from gateway_fw.virtual.stm32_bootloader import BootloaderFaults, Reset, Stm32BootloaderCore

STM32 = board("stm32")
F103 = chip_by_id(0x410)
OLD = bytes(range(256)) * 512  # what the flash holds before
ESP32 = Esp32RomCore()
assert F103 is not None


@st.composite
def images(draw: st.DrawFn, start: int = 0, end: int = 1 << 32, largest: int = 300) -> Image:
    """Images of one to four pieces, apart by at least a byte."""
    pieces = []
    at = draw(st.integers(start, end - 4 * (largest + 5_000)))
    for _ in range(draw(st.integers(1, 4))):
        data = draw(st.binary(min_size=1, max_size=largest))
        pieces.append(Piece(at, data))
        at += len(data) + draw(st.integers(1, 4_000))
    return assemble(pieces, format_name="bin", source="")


@given(images(), st.integers(1, 250))
def test_images_survive_every_format(image: Image, width: int) -> None:
    assert read_image(write_ihex(image, width=width).encode()).segments == image.segments
    assert read_image(write_srec(image, width=width).encode()).segments == image.segments
    assert read_image(write_uf2(image, payload=width)).segments == image.segments


@given(st.data(), images(), st.sampled_from(["ihex", "srec", "uf2"]))
def test_mutated_images_are_read_or_refused(data: st.DataObject, image: Image, kind: str) -> None:
    writers = {"ihex": lambda: write_ihex(image).encode(), "srec": lambda: write_srec(image).encode()}
    made = bytearray(writers.get(kind, lambda: write_uf2(image))())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(made) - 1))
        if data.draw(st.booleans()):
            made[at] = data.draw(st.integers(0, 255))
        else:
            del made[at : at + data.draw(st.integers(1, 40))]
        if not made:
            return
    with suppress(ImageError):
        read_image(bytes(made), source="fw.bin", format_name=kind)


@given(st.binary(max_size=2_000), st.sampled_from([None, *FORMATS]), st.sampled_from(["", "a.hex", "a.elf", "a.uf2"]))
def test_any_bytes_are_read_or_refused(raw: bytes, kind: str | None, name: str) -> None:
    heads = {"elf": b"\x7fELF\x01\x01", "uf2": b"UF2\x0aWQ]\x9e", "ihex": b":", "srec": b"S1"}
    for file in (raw, heads.get(kind or "", b"") + raw):
        with suppress(ImageError):
            read_image(file, source=name, format_name=kind, base=0x0800_0000)


@settings(max_examples=50)
@given(st.text(max_size=80))
def test_traces_and_tools_output_never_raise_anything_else(text: str) -> None:
    dfu.parse_devices(text)
    dfu.parse_progress(text, 1_000)
    dfu.parse_layout(text)
    dfu.parse_layout("@Internal Flash  /0x08000000/" + text)
    esp32.parse_progress(text, 1_000)
    esp32.parse_chip(text)
    with suppress(TraceFormatError):
        list(read_trace(text.splitlines()))


@given(st.sampled_from(chips()), st.data())
def test_a_plan_covers_the_image_and_nothing_outside_its_pages(chip: Chip, data: st.DataObject) -> None:
    image = data.draw(images(chip.flash, chip.flash_end))
    plan = plan_write(STM32, chip, image)
    held = {at: block.data for block in plan.blocks for at in [block.address]}
    for block in plan.blocks:
        assert block.address % chip.align == len(block.data) % chip.align == 0
        assert 0 < len(block.data) <= 256
        assert block.data == image.slice(block.address, block.address + len(block.data))
        assert any(page.start <= block.address and block.address + len(block.data) <= page.end for page in plan.pages)
    assert sum(len(d) for d in held.values()) >= image.size
    ends = sorted((b.address, b.address + len(b.data)) for b in plan.blocks)
    assert all(first[1] <= second[0] for first, second in pairwise(ends))
    for page in chip.pages:
        assert (page in plan.pages) == image.touches(page.start, page.end)


ordinals = st.frozensets(st.integers(0, 3_000), max_size=6)


@settings(max_examples=150, deadline=None)
@given(
    images(0x0800_0000, 0x0801_0000, largest=700),
    st.builds(
        BootloaderFaults,
        nack=st.frozensets(st.integers(0, 60), max_size=5),
        lose_in=ordinals,
        lose_out=ordinals,
        flip_in=ordinals,
        flip_out=ordinals,
        bad_cells=st.frozensets(st.integers(0x0800_0000, 0x0800_0FFF), max_size=2),
        bad_once=st.frozensets(st.integers(0x0800_0000, 0x0800_0FFF), max_size=3),
        mute_after=st.none() | st.integers(0, 4_000),
    ),
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(1, 4_000),
)
def test_a_write_is_verified_or_an_error(
    image: Image, faults: BootloaderFaults, extended: bool, protected: bool, unplug_after: int | None
) -> None:
    assert F103 is not None
    virtual = Stm32BootloaderCore(
        F103, extended_erase=extended, readout_protected=protected, faults=faults, content=OLD
    )
    pair = Pair(virtual)
    pair.unplug_after = unplug_after
    try:
        report = pair.run(write_job(STM32, image))
    except FlashError:
        return
    assert not protected
    assert report.sha256 == image.sha256
    for segment in image.segments:
        at = segment.address - F103.flash
        assert virtual.flash[at : at + len(segment.data)] == segment.data
    for page in F103.pages:
        if page not in report.plan.pages:
            at = page.start - F103.flash
            assert virtual.flash[at : at + 1024] == OLD[at : at + 1024]


@given(st.lists(st.binary(max_size=60) | st.just(Reset()), max_size=40), st.booleans())
def test_the_virtual_bootloader_takes_any_bytes(events: list[bytes | Reset], extended: bool) -> None:
    assert F103 is not None
    core = Stm32BootloaderCore(F103, extended_erase=extended)
    core.handle(BytesReceived(b"\x7f"), 0)
    for now, event in enumerate(events):
        effects = core.handle(event if isinstance(event, Reset) else BytesReceived(event), now)
        assert sum(len(effect.data) for effect in effects if isinstance(effect, SendBytes)) < 20_000


@given(st.lists(st.binary(max_size=200), max_size=10), st.data())
def test_slip_survives_any_cut_and_the_esp32_any_packet(packets: list[bytes], data: st.DataObject) -> None:
    wire = b"".join(encode(packet) for packet in packets)
    decoder, found = SlipDecoder(), []
    while wire:
        cut = data.draw(st.integers(1, len(wire)))
        found += decoder.feed(wire[:cut])
        wire = wire[cut:]
    assert found == [packet for packet in packets if packet]
    assert decoder.dropped == 0
    chip = ESP32
    for packet in packets:
        command = data.draw(st.integers(0, 0x20))
        head = bytes([0, command]) + len(packet).to_bytes(2, "little") + bytes(4)
        chip.handle(BytesReceived(encode(head + packet)), 0)
        chip.handle(BytesReceived(packet), 0)


@pytest.mark.parametrize("make", [lambda: identify(STM32), lambda: send_ymodem("a", bytes(300)), receive_ymodem])
@settings(max_examples=60)
@given(data=st.data())
def test_a_host_takes_any_answer_and_comes_to_an_end(make: object, data: st.DataObject) -> None:
    assert callable(make)
    core: ProcedureCore[object] = ProcedureCore(make())
    now = 0
    core.handle(Begin(), now)
    for _ in range(data.draw(st.integers(0, 30))):
        answer = data.draw(st.binary(min_size=1, max_size=40) | st.sampled_from([b"\x79", b"\x1f", b"C", b"\x06"]))
        core.handle(BytesReceived(answer), now)
    if data.draw(st.booleans()):
        core.handle(LineLost(), now)
        assert core.over
    for _ in range(500):
        if core.over:
            break
        assert core.wake_at is not None
        now = core.wake_at
        core.wake(now)
    assert core.over
    assert core.wake_at is None
    assert core.handle(BytesReceived(b"x"), now) == ()
