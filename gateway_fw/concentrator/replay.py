"""A byte trace of a CoreCell held against our own driver: where would our host have asked something else?

The trace may come from any host (ours, or another's recorded on the same line): its answers are given to our driver,
order by order, and what our driver asks is compared with what that host asked. Ids, timing, and how often a status is
polled do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from gateway_fw.concentrator.chip_firmware import IMAGE_BYTES, ChipFirmware
from gateway_fw.concentrator.corecell import CoreCellDriver
from gateway_fw.concentrator.corecell_bridge import HEADER, OrderType
from gateway_fw.concentrator.corecell_registers import AGC, AGC_MEMORY, ARB, ARB_MEMORY, RX_NB_BYTES
from gateway_fw.concentrator.events import Start as StartEvent
from gateway_fw.concentrator.events import Started, StartFailed
from gateway_fw.concentrator.setup import RadioSetup
from gateway_fw.stream import BytesReceived, SendBytes
from lorawan.units import US_PER_S

MAX_AHEAD = 64  # how far ahead in the recording an order of ours is looked for
_MAX_TIME_US = 60 * US_PER_S
_WRITE = 0x8000  # of an address on the SX1302's SPI port
_STATUS_REGISTERS = (AGC.status, ARB.status, RX_NB_BYTES)


Traced: TypeAlias = tuple[int, str, bytes]
"""A line of a byte trace: µs since it began, ">" to the board or "<" from it, and the bytes."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One order of the recording and its answer. t_us: of the order; index: counted from 0."""

    index: int
    t_us: int
    order: bytes
    answer: bytes

    @property
    def what(self) -> bytes:
        """What is asked, whoever asks."""
        return _asked(self.order)


@dataclass(frozen=True, slots=True)
class Difference:
    """index, t_us: where in the recording. ours, theirs: what each asked, in words; "" where one asked nothing."""

    index: int
    t_us: int
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """same: orders that were alike. ended: how our driver's start-up ended. exchanges: in the recording."""

    same: int
    exchanges: int
    differences: tuple[Difference, ...]
    ended: str


def exchanges_of(lines: Iterable[Traced]) -> list[Exchange]:
    """Orders and answers of a recording, in lock-step; notes are passed over."""
    lines = list(lines)
    orders = list(_frames(lines, ">"))
    answers = [frame for _, frame in _frames(lines, "<")]
    pairs = zip(orders, answers, strict=False)
    return [Exchange(index, t_us, order, answer) for index, ((t_us, order), answer) in enumerate(pairs)]


def firmware_of(exchanges: Iterable[Exchange]) -> ChipFirmware:
    """The images that the recording's host loaded. Raises ChipFirmwareError where it did not load both whole."""
    memory = {AGC_MEMORY: bytearray(), ARB_MEMORY: bytearray()}
    for exchange in exchanges:
        payload = exchange.order[HEADER.size :]
        if exchange.order[3] != OrderType.MULTIPLE_SPI or payload[1:3] != b"\1\0" or payload[5:6] != b"\0":
            continue
        address = int.from_bytes(payload[6:8], "big")
        if address & _WRITE and (start := address & ~_WRITE & 0x2000) + IMAGE_BYTES > address & ~_WRITE:
            memory[start] += payload[8:]
    return ChipFirmware(bytes(memory[AGC_MEMORY][:IMAGE_BYTES]), bytes(memory[ARB_MEMORY][:IMAGE_BYTES]))


def _frames(lines: Iterable[Traced], direction: str) -> Iterator[tuple[int, bytes]]:
    buffer, began_us = bytearray(), 0
    for t_us, towards, data in lines:
        if towards != direction:
            continue
        if not buffer:
            began_us = t_us
        buffer += data
        while len(buffer) >= HEADER.size:
            size = HEADER.size + HEADER.unpack_from(buffer)[1]
            if len(buffer) < size:
                break
            yield began_us, bytes(buffer[:size])
            del buffer[:size]
            began_us = t_us


def replay(exchanges: list[Exchange], setup: RadioSetup) -> ReplayResult:
    """Run our driver's start-up against a recording. It ends with the start-up, or where no answer can be found.

    Raises ChipFirmwareError where the recording's host did not load the chip's firmware.
    """
    driver = CoreCellDriver(firmware_of(exchanges))
    differences: list[Difference] = []
    at, same, now, ended = 0, 0, 0, "the recording ended first"
    effects = list(driver.handle(StartEvent(setup), now))
    while now < _MAX_TIME_US:
        sent = next((effect.data for effect in effects if isinstance(effect, SendBytes)), None)
        over = next((effect for effect in effects if isinstance(effect, Started | StartFailed)), None)
        if over is not None:
            ended = "started" if isinstance(over, Started) else f"{over.stage}: {over.why}"
            break
        if sent is None:
            if driver.wake_at is None:
                break
            now = max(now, driver.wake_at)
            effects = list(driver.wake(now))
            continue
        found = _find(exchanges, at, _asked(sent))
        if found is None:
            theirs = exchanges[at] if at < len(exchanges) else None
            t_us = theirs.t_us if theirs is not None else 0
            differences.append(Difference(at, t_us, describe(sent), "" if theirs is None else describe(theirs.order)))
            found = at if theirs is not None and len(theirs.order) == len(sent) and theirs.order[3] == sent[3] else None
            if found is None:
                ended = "our order has no answer in the recording"
                break
        else:
            differences.extend(
                Difference(skipped.index, skipped.t_us, "", describe(skipped.order))
                for skipped in exchanges[at:found]
                if not _is_status(skipped.what)
            )
            same += 1
        answer = sent[:1] + exchanges[found].answer[1:]
        at = found + 1
        now += 1_000
        effects = list(driver.handle(BytesReceived(answer), now))
    return ReplayResult(same, len(exchanges), tuple(differences), ended)


def _find(exchanges: list[Exchange], at: int, what: bytes) -> int | None:
    for index in range(at, min(at + MAX_AHEAD, len(exchanges))):
        if exchanges[index].what == what:
            return index
    return None


def _asked(order: bytes) -> bytes:
    """Type and payload, without the filler of a read: what a host clocks out there means nothing."""
    what = order[3:]
    if what[0] == OrderType.MULTIPLE_SPI and what[1:4] == bytes((0, 1, 0)) and what[6:7] == b"\0" and what[7] < 0x80:
        return what[:9]
    return what


def _is_status(what: bytes) -> bool:
    return len(what) == 9 and int.from_bytes(what[7:9], "big") in _STATUS_REGISTERS


def describe(order: bytes) -> str:
    """An order in words, such as "modify 0x5601 bits 0x10 to 0x00"."""
    kind, payload = order[3], order[HEADER.size :]
    if kind != 5:
        return f"order 0x{kind:02X} {payload.hex()}".rstrip()
    return ", ".join(_operations(payload))


def _operations(payload: bytes) -> Iterator[str]:
    at = 0
    while at + 6 <= len(payload):
        if payload[at + 1] == 2:
            address = int.from_bytes(payload[at + 2 : at + 4], "big")
            yield f"modify 0x{address:04X} bits 0x{payload[at + 4]:02X} to 0x{payload[at + 5]:02X}"
            at += 6
            continue
        size = int.from_bytes(payload[at + 3 : at + 5], "big")
        mosi = payload[at + 5 : at + 5 + size]
        at += 5 + size
        if len(mosi) >= 3 and mosi[0] == 0:
            address = int.from_bytes(mosi[1:3], "big")
            if address & 0x8000:
                data = mosi[3:].hex() if len(mosi) <= 35 else f"{len(mosi) - 3} bytes"
                yield f"write 0x{address & 0x7FFF:04X} {data}"
            else:
                yield f"read 0x{address:04X} {len(mosi) - 4} bytes"
        else:
            yield f"radio {mosi[:1].hex()} {mosi[1:].hex()}"
